package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
)

var update = flag.Bool("update", false, "write the examples of docs/events.md instead of comparing them")

// TestEventsDocumentIsUpToDate lets everything happen once that makes an event, and holds the
// examples of docs/events.md equal to what a receiver got. Ids and times, which differ from run to
// run, stand as fixed ones in the page.
func TestEventsDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	const path = "../../docs/events.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(page)
	for name, body := range documentedEvents(t) {
		block := regexp.MustCompile("(?s)(<!-- example " + regexp.QuoteMeta(name) + " -->\n```json\n).*?(```\n)")
		if !block.MatchString(want) {
			t.Errorf("docs/events.md has no example %q", name)
		}
		want = block.ReplaceAllStringFunc(want, func(old string) string {
			parts := block.FindStringSubmatch(old)
			return parts[1] + body + "\n" + parts[2]
		})
	}
	for _, kind := range gateway.EventTypes() {
		if !strings.Contains(want, "\n### `"+string(kind)+"`\n") {
			t.Errorf("docs/events.md has no section for %s", kind)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("docs/events.md is out of date, run `go test ./internal/e2e -run Document -update` (-want +got):\n%s", diff)
	}
}

// The people and the page of the examples. Those of the sample payloads are the platform's.
const (
	samplePage   = "12345654332"
	samplePerson = "987654321432"
	sampleAna    = "1299980935677387"
	sampleBen    = "1299980935677388"
	sampleCleo   = "1299980935677389"
	sampleDan    = "1299980935677390"
)

// samples are the platform's sample payloads by the example that they make.
var samples = map[string]string{
	"message.inbound": "messages__text", "message.inbound, a file": "messages__attachment_image", "message.inbound, a tapped quick reply": "messages__quick_reply",
	"message.edit": "message_edits__edit", "standby": "standby__message_echo", "postback": "messaging_postbacks__referral_shortlink",
	"referral": "messaging_referrals__shortlink", "optin": "messaging_optins__send_to_messenger", "reaction": "message_reactions__react",
	"handover": "messaging_handovers__pass_thread_control", "account_linking": "messaging_account_linking__linked",
	"policy": "messaging_policy_enforcement__block", "unknown": "response_feedback__good",
}

// documentedEvents makes the examples: the body of one forwarded event for each name.
func documentedEvents(t *testing.T) map[string]string {
	t.Helper()
	w := startWorld(t, hasty)
	p := w.connect(graphemu.Page{ID: samplePage, Name: "Inca Coffee"})
	r := startReceiver(t, nil)
	w.forward(r)
	examples := map[string]string{}
	take := func(name string, fits func(gatewayapi.Event) bool) {
		t.Helper()
		await(t, "the event of "+name, func() (bool, string) {
			all := r.deliveries()
			i := slices.IndexFunc(all, func(d delivered) bool { return fits(d.event) })
			if i < 0 {
				return false, fmt.Sprint(len(all), " others")
			}
			examples[name] = printable(t, all[i].body, p.key)
			return true, ""
		})
	}
	for i, name := range slices.Sorted(maps.Keys(samples)) {
		file := samples[name]
		body := sample(t, file, i)
		before := len(r.deliveries())
		if status := w.post(webhook{door: "/webhooks/" + p.key, body: body}); status != http.StatusOK {
			t.Fatalf("%s: %d", file, status)
		}
		kind, _, _ := strings.Cut(name, ",")
		await(t, "the event of "+file, func() (bool, string) { return len(r.deliveries()) > before, "" })
		take(name, func(e gatewayapi.Event) bool {
			return string(e.Type) == kind && slices.ContainsFunc(r.deliveries()[before:], func(d delivered) bool { return d.event.ID == e.ID })
		})
	}
	p.makeMessageEvents(t, take)
	w.texter(p.key).says("+447700900001", "SM7d3c1f", "When do you open?")
	take("message.inbound, over SMS", func(e gatewayapi.Event) bool { return e.Person != nil && e.Person.ID == "sms:447700900001" })
	return examples
}

// makeMessageEvents lets messages come to each of their ends.
func (p *page) makeMessageEvents(t *testing.T, take func(string, func(gatewayapi.Event) bool)) {
	t.Helper()
	for id, name := range map[string]string{sampleAna: "Ana", sampleBen: "Ben", sampleCleo: "Cleo", sampleDan: "Dan"} {
		p.w.platform.AddPerson(p.id, graphemu.Person{ID: id, FirstName: name, LastName: "Quispe", Open: true, Blocks: id == sampleBen})
	}
	of := func(kind, person string) func(gatewayapi.Event) bool {
		return func(e gatewayapi.Event) bool {
			return string(e.Type) == kind && e.Person != nil && e.Person.ID == person
		}
	}
	p.says(sampleAna, "Where is my order?")
	take("profile.created", of("profile.created", sampleAna))
	take("profile.updated", of("profile.updated", sampleAna))
	req := p.text(sampleAna, "It is on its way.")
	req.Metadata = json.RawMessage(`{"ticket":7}`)
	id := p.w.send(req)
	p.w.awaitStatus(id, gatewayapi.StatusDelivered)
	p.act(sampleAna, graphemu.Action{Read: true})
	for _, kind := range []string{"message.sent", "message.delivered", "message.read", "message.echo"} {
		take(kind, of(kind, sampleAna))
	}
	p.w.send(p.text(sampleBen, "Hello Ben"))
	take("message.failed", of("message.failed", sampleBen))
	p.w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", PSID: sampleCleo, Status: 500, Code: 2}, {Endpoint: "messages", PSID: sampleDan, DropResponse: true, Times: 1}})
	late := p.text(sampleCleo, "Hello Cleo")
	late.ExpiresOn = new(gatewayapi.Time)
	*late.ExpiresOn = gatewayapi.At(time.Now().Add(1500 * time.Millisecond))
	p.w.send(late)
	p.w.send(p.text(sampleDan, "Hello Dan"))
	take("message.uncertain", of("message.uncertain", sampleDan))
	take("message.expired", of("message.expired", sampleCleo))
}

// sample reads a sample payload, with the page and the person of the examples in the places of its
// own. Several share a mid, so that n makes a new one.
func sample(t *testing.T, name string, n int) []byte {
	t.Helper()
	b, err := os.ReadFile("../../messenger/testdata/payloads/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		t.Fatal(err)
	}
	body := compact.Bytes()
	for _, id := range []string{`"1234567890321"`, `1234567890321`, `"PAGE_ID"`, `"<PAGE_ID>"`, `12345654332`} {
		body = bytes.ReplaceAll(body, []byte(`"id":`+id), []byte(`"id":"`+samplePage+`"`))
	}
	for _, id := range []string{`"USER_ID"`, `"<PSID>"`, `987654321432`} {
		body = bytes.ReplaceAll(body, []byte(`"id":`+id), []byte(`"id":"`+samplePerson+`"`))
	}
	body = bytes.ReplaceAll(body, []byte("<Message-id>"), []byte("m_AG5Hz2U"))
	return sampleMID.ReplaceAll(body, fmt.Appendf(nil, `"mid":"mid.1457764197618:41d102a3e1ae2%05x"`, n))
}

var sampleMID = regexp.MustCompile(`"mid":"mid\.[^"]*"`)

// What differs from run to run, and what stands for it in the page.
var changing = []struct {
	found  *regexp.Regexp
	stands string
}{
	{regexp.MustCompile(`evt_[0-9a-z]{11}`), "evt_00000000017"},
	{regexp.MustCompile(`msg_[0-9A-Z]{26}`), "msg_06DEQ8B2KJ5W4ZC7T1XGQ0V3MN"},
	{regexp.MustCompile(`prf_[0-9A-Z]{26}`), "prf_06DEQ8A0M4T9RY2HX6KC1WZ5BV"},
	{regexp.MustCompile(`chn_[0-9A-Z]{26}`), "chn_06DEQ8A5T2WK9XJ4ZB7M1YC3RG"},
	{regexp.MustCompile(`\bm_[A-Za-z0-9_-]{86}`), "m_5o0Ofs3uF1b8…"},
	{regexp.MustCompile(`"traceId": "[^"]*"`), `"traceId": "AbC1dEfGhIj"`},
	{regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/`), "http://127.0.0.1:8081/"},
	{regexp.MustCompile(`\b1[7-9][0-9]{11}\b`), "1795341600000"},
	{regexp.MustCompile(`("acceptedAt": )"20[2-9][^"]*"`), `$1"2026-11-22T10:00:00.000Z"`},
	{regexp.MustCompile(`("sentAt": )"20[2-9][^"]*"`), `$1"2026-11-22T10:00:00.120Z"`},
	{regexp.MustCompile(`("deliveredAt": )"20[2-9][^"]*"`), `$1"2026-11-22T10:00:00.350Z"`},
	{regexp.MustCompile(`("readAt": )"20[2-9][^"]*"`), `$1"2026-11-22T10:00:04.870Z"`},
	{regexp.MustCompile(`("(createdAt|updatedAt|lastRefreshedOn)": )"20[2-9][^"]*"`), `$1"2026-11-22T10:00:05.000Z"`},
	{regexp.MustCompile(`sent before 20[2-9][0-9T:-]*Z`), "sent before 2026-11-23T10:00:00Z"},
}

// printable is a body as it stands in the page: indented, and with fixed values for what changes.
func printable(t *testing.T, body []byte, application string) string {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(indented.String(), application, "7B7631AB9F971006A4E5969FFF0A9E0C")
	for _, c := range changing {
		text = c.found.ReplaceAllString(text, c.stands)
	}
	return text
}
