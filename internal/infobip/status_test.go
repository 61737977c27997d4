package infobip

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

func TestStatusOf(t *testing.T) {
	t.Parallel()
	want := map[gateway.Status]int{
		gateway.StatusQueued: 26, gateway.StatusSending: 26, gateway.StatusHeld: 26, gateway.StatusSent: 3, gateway.StatusUncertain: 3, gateway.StatusDelivered: 5,
		gateway.StatusRead: 5, gateway.StatusFailed: 9, gateway.StatusExpired: 15, gateway.StatusCanceled: 31,
	}
	for _, s := range gateway.Statuses() {
		if got := statusOf(s, nil); got.ID != want[s] || got.Name == "" || got.Description == "" {
			t.Errorf("%s: %+v, wanted %d", s, got, want[s])
		}
	}
	if got := statusOf(gateway.StatusFailed, &gateway.Failure{Code: gateway.FailureNoAddress}); got.ID != 52 {
		t.Errorf("no address: %+v", got)
	}
}

func TestFailureOf(t *testing.T) {
	t.Parallel()
	want := map[gateway.FailureCode]failure{
		gateway.FailureOutsideWindow:       {1, "CLIENT_ERRORS", 7010, "EC_NO_SESSION", "why", true},
		gateway.FailurePersonUnreachable:   {1, "CLIENT_ERRORS", 7003, "EC_BLOCKED_USER", "why", true},
		gateway.FailureTokenInvalid:        {1, "CLIENT_ERRORS", 7004, "EC_UNAUTHORIZED_ACCESS", "why", true},
		gateway.FailurePermissionMissing:   {1, "CLIENT_ERRORS", 7004, "EC_UNAUTHORIZED_ACCESS", "why", true},
		gateway.FailurePlatformRefused:     {1, "CLIENT_ERRORS", 7006, "EC_BAD_REQUEST", "why", true},
		gateway.FailurePlatformUnavailable: {2, "PROVIDER_ERRORS", 7050, "EC_PROVIDER_INTERNAL_ERROR", "why", false},
		gateway.FailureRateLimited:         {2, "PROVIDER_ERRORS", 7017, "EC_TOO_MANY_REQUESTS", "why", false},
		gateway.FailureUnknownOutcome:      {2, "PROVIDER_ERRORS", 7051, "EC_PROVIDER_TIMEOUT", "why", false},
		gateway.FailureExpired:             {0, "OK", 0, "NO_ERROR", "No Error", false},
		gateway.FailureNoAddress:           {1, "CLIENT_ERRORS", 7002, "EC_UNKNOWN_USER", "why", true},
		gateway.FailureApplicationDeleted:  {1, "CLIENT_ERRORS", 7001, "EC_UNKNOWN_APPLICATION", "why", true},
		gateway.FailureInvalidContent:      {1, "CLIENT_ERRORS", 7006, "EC_BAD_REQUEST", "why", true},
		"another":                          {3, "SYSTEM_ERRORS", 7080, "EC_INTERNAL_ERROR", "why", true},
	}
	for code, f := range want {
		if diff := cmp.Diff(f, failureOf(&gateway.Failure{Code: code, Message: "why"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
	if got := failureOf(nil); got.ID != 0 || got.Name != "NO_ERROR" {
		t.Errorf("no failure: %+v", got)
	}
}

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
		got, err := (&content{ValidityPeriod: c.period, ValidityPeriodTimeUnit: c.unit}).validity()
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
	if got := date(want); got == nil || *got != "2017-01-05T12:47:56.221+0000" {
		t.Errorf("written %v", got)
	}
	if got, err := parseDate("yesterday"); err == nil {
		t.Errorf("yesterday is %s", got)
	}
}
