package infobip

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

// What a scenario and a message come to: the steps, and for how long the whole is tried.
func TestRulesOfOMNI(t *testing.T) {
	t.Parallel()
	const stored = `["fbMessenger","viber",{"channel":"sms","channelOptions":{"from":"InfoSMS"}},{"channel":"email","channelOptions":{"from":"shop@example.com"}}]`
	const day = gateway.DefaultExpiry
	for _, c := range []struct {
		name, route, body string
		want              string // the rules; empty for none
		life              time.Duration
	}{
		{"one text for all", stored, `{"text":"hello","mailSubject":"Hi"}`,
			`["fbMessenger","viber",{"channel":"sms","channelOptions":{"from":"InfoSMS"},"body":"hello"},{"channel":"email","channelOptions":{"from":"shop@example.com","subject":"Hi"},"body":"hello"}]`, day},
		{"periods add up", stored, `{"facebook":{"text":"a","validityPeriod":10},"sms":{"text":"b","validityPeriod":90,"validityPeriodTimeUnit":"SECONDS"}}`,
			`[{"channel":"fbMessenger","until":"delivered","within":"10m"},"viber",{"channel":"sms","until":"delivered","within":"1m30s","channelOptions":{"from":"InfoSMS"},"body":"b"}]`, 11*time.Minute + 30*time.Second},
		{"a step without a period is tried for a day", `["fbMessenger","sms"]`, `{"facebook":{"text":"a","validityPeriod":1,"validityPeriodTimeUnit":"HOURS"},"sms":{"text":"b"}}`,
			`[{"channel":"fbMessenger","until":"delivered","within":"1h"},{"channel":"sms","body":"b"}]`, day + time.Hour},
		{"more than 48 hours", `["fbMessenger"]`, `{"facebook":{"text":"a","validityPeriod":72,"validityPeriodTimeUnit":"HOURS"}}`,
			`[{"channel":"fbMessenger","until":"delivered","within":"48h"}]`, 48 * time.Hour},
		{"channels without content are left out", stored, `{"sms":{"text":"b"}}`, `["viber",{"channel":"sms","channelOptions":{"from":"InfoSMS"},"body":"b"}]`, day},
		{"HTML", `["email"]`, `{"email":{"subject":"Hi","html":"<p>c</p>","text":"c"}}`,
			`[{"channel":"email","channelOptions":{"subject":"Hi"},"customBody":{"html":"<p>c</p>","text":"c"}}]`, day},
		{"nothing for any", `["sms"]`, `{"facebook":{"text":"a"}}`, ``, 0},
		{"channels of others alone", `["viber"]`, `{"text":"a"}`, ``, 0},
		{"the route's own words give way", `[{"channel":"fbMessenger","body":"stored","until":"read","within":"5m"}]`, `{"facebook":{"text":"a","validityPeriod":1}}`,
			`[{"channel":"fbMessenger","until":"delivered","within":"1m"}]`, time.Minute},
		{"half a minute is too short", `["sms"]`, `{"sms":{"text":"b","validityPeriod":30,"validityPeriodTimeUnit":"SECONDS"}}`, `error sms.validityPeriod`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var route gateway.Route
			if err := json.Unmarshal([]byte(c.route), &route.Rules); err != nil {
				t.Fatal(err)
			}
			var in omniMessage
			if err := json.Unmarshal([]byte(c.body), &in); err != nil {
				t.Fatal(err)
			}
			in.spread()
			rules, life, err := in.rules(&route)
			if field, wrong := strings.CutPrefix(c.want, "error "); wrong {
				if e, ok := asError(err); !ok || e.Field != field {
					t.Errorf("error %v, wanted one that names %s", err, field)
				}
				return
			}
			if err != nil || life != c.life {
				t.Errorf("tried for %s, wanted %s, %v", life, c.life, err)
			}
			got := ""
			if rules != nil {
				encoded, err := json.Marshal(rules)
				if err != nil {
					t.Fatal(err)
				}
				got = string(encoded)
			}
			if diff := cmp.Diff(c.want, strings.ReplaceAll(strings.ReplaceAll(got, `\u003c`, "<"), `\u003e`, ">")); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}
