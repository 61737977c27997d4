package infobip

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]gateway.To{
		``:                 nil,
		`null`:             nil,
		`"1834872858"`:     {{FBMessengerID: "1834872858"}},
		`"37512FECAB"`:     {{ProfileID: "37512FECAB"}},
		`{"userKey":"12"}`: {{FBMessengerID: "12"}},
		`["12","13"]`:      {{FBMessengerID: "12"}, {FBMessengerID: "13"}},
		`{"to":{"facebookUserKey":"12","userKey":"13"},"messageId":"m"}`: {{FBMessengerID: "12"}},
	} {
		list, err := addresses(json.RawMessage(raw))
		var got []gateway.To
		for _, a := range list {
			got = append(got, a.to())
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", raw, err, diff)
		}
	}
	if list, err := addresses(json.RawMessage(`5`)); err == nil {
		t.Errorf("a number: %+v", list)
	}
}

func TestValidity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		period float64
		unit   string
		want   time.Duration // 0 for an error, -1 for none
	}{
		{0, "", -1}, {60, "", time.Hour}, {1, "minutes", time.Minute}, {31, "SECONDS", 31 * time.Second}, {30, "SECONDS", 0}, {0.5, "MINUTES", 0}, {-1, "HOURS", 0},
		{48, "HOURS", 48 * time.Hour}, {49, "HOURS", 48 * time.Hour}, {1e300, "HOURS", 48 * time.Hour}, {5, "DAYS", 0},
	} {
		got, err := (&validity{c.period, c.unit}).period()
		if c.want == -1 {
			c.want = 0
			if err != nil {
				t.Errorf("%v %s: %v", c.period, c.unit, err)
			}
		} else if (err != nil) != (c.want == 0) {
			t.Errorf("%v %s: error %v", c.period, c.unit, err)
		}
		if got != c.want {
			t.Errorf("%v %s: %s, wanted %s", c.period, c.unit, got, c.want)
		}
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	want := time.Date(2017, 1, 5, 12, 47, 56, 221e6, time.UTC)
	for _, text := range []string{"2017-01-05T12:47:56.221+0000", "2017-01-05T12:47:56.221 0000", "2017-01-05T13:47:56.221+0100", "2017-01-05T12:47:56.221Z", "2017-01-05T12:47:56.221"} {
		if got, err := parseDate(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if got := wire.FormatTime(want); got == nil || *got != "2017-01-05T12:47:56.221+0000" {
		t.Errorf("written %v", got)
	}
	if got, err := parseDate("yesterday"); err == nil {
		t.Errorf("yesterday is %s", got)
	}
}
