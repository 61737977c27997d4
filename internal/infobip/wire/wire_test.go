package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
)

// The tables of statuses and errors are those of the original: number, name and group.
func TestTables(t *testing.T) {
	t.Parallel()
	type entry struct {
		id    int
		name  string
		group string
	}
	statuses := map[entry]bool{
		{3, "PENDING_WAITING_DELIVERY", "1 PENDING"}: true, {7, "PENDING_ENROUTE", "1 PENDING"}: true, {26, "PENDING_ACCEPTED", "1 PENDING"}: true,
		{4, "UNDELIVERABLE_REJECTED_OPERATOR", "2 UNDELIVERABLE"}: true, {9, "UNDELIVERABLE_NOT_DELIVERED", "2 UNDELIVERABLE"}: true, {31, "UNDELIVERABLE_NOT_SENT", "2 UNDELIVERABLE"}: true,
		{2, "DELIVERED_TO_OPERATOR", "3 DELIVERED"}: true, {5, "DELIVERED_TO_HANDSET", "3 DELIVERED"}: true,
		{15, "EXPIRED_EXPIRED", "4 EXPIRED"}: true, {29, "EXPIRED_DLR_UNKNOWN", "4 EXPIRED"}: true,
		{6, "REJECTED_NETWORK", "5 REJECTED"}: true, {8, "REJECTED_PREFIX_MISSING", "5 REJECTED"}: true, {10, "REJECTED_DND", "5 REJECTED"}: true, {11, "REJECTED_SOURCE", "5 REJECTED"}: true,
		{12, "REJECTED_NOT_ENOUGH_CREDITS", "5 REJECTED"}: true, {13, "REJECTED_SENDER", "5 REJECTED"}: true, {14, "REJECTED_DESTINATION_BLOCKLISTED", "5 REJECTED"}: true,
		{17, "REJECTED_PREPAID_PACKAGE_EXPIRED", "5 REJECTED"}: true, {18, "REJECTED_DESTINATION_NOT_REGISTERED", "5 REJECTED"}: true, {19, "REJECTED_ROUTE_NOT_AVAILABLE", "5 REJECTED"}: true,
		{20, "REJECTED_FLOODING_FILTER", "5 REJECTED"}: true, {21, "REJECTED_SYSTEM_ERROR", "5 REJECTED"}: true, {23, "REJECTED_DUPLICATE_MESSAGE_ID", "5 REJECTED"}: true,
		{24, "REJECTED_INVALID_UDH", "5 REJECTED"}: true, {25, "REJECTED_MESSAGE_TOO_LONG", "5 REJECTED"}: true, {52, "REJECTED_DESTINATION", "5 REJECTED"}: true,
		{51, "MISSING_TO", "5 REJECTED"}: true, {100, "UNDELIVERABLE_REJECTED_PLATFORM", "5 REJECTED"}: true,
	}
	for _, s := range Statuses() {
		e := entry{s.ID, s.Name, string(rune('0'+s.GroupID)) + " " + s.GroupName}
		if !statuses[e] || s.Description == "" {
			t.Errorf("status %+v is not in the original's table, or has no words", s)
		}
		delete(statuses, e)
	}
	for e := range statuses {
		t.Errorf("status %+v is missing", e)
	}
	errors := map[int]string{
		0: "NO_ERROR", 7001: "EC_UNKNOWN_APPLICATION", 7002: "EC_UNKNOWN_USER", 7003: "EC_BLOCKED_USER", 7004: "EC_UNAUTHORIZED_ACCESS", 7006: "EC_BAD_REQUEST", 7010: "EC_NO_SESSION",
		7014: "EC_MEDIA_UPLOAD_ERROR", 7017: "EC_TOO_MANY_REQUESTS", 7021: "EC_LIMITED_FUNCTIONALITY", 7022: "EC_MEDIA_UNSUPPORTED", 7050: "EC_PROVIDER_INTERNAL_ERROR",
		7051: "EC_PROVIDER_TIMEOUT", 7080: "EC_INTERNAL_ERROR", 7102: "EC_PHONE_MATCHING_DISABLED",
	}
	passing := map[int]bool{0: true, 7017: true, 7050: true, 7051: true}
	got := map[int]string{}
	for _, e := range Errors() {
		got[e.ID] = e.Name
		if e.Permanent == passing[e.ID] || e.Description == "" || e.GroupName == "" {
			t.Errorf("error %+v", e)
		}
	}
	if diff := cmp.Diff(errors, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// Every state and every failure of a message has its status and error.
func TestStatusAndErrorOf(t *testing.T) {
	t.Parallel()
	states := map[gateway.Status]int{
		gateway.StatusQueued: 26, gateway.StatusSending: 26, gateway.StatusHeld: 26, gateway.StatusSent: 3, gateway.StatusUncertain: 3, gateway.StatusDelivered: 5,
		gateway.StatusRead: 5, gateway.StatusFailed: 9, gateway.StatusExpired: 15, gateway.StatusCanceled: 31,
	}
	for _, s := range gateway.Statuses() {
		if got := StatusOf(s, nil); got.ID != states[s] || got.Description == "" {
			t.Errorf("%s: %+v, wanted %d", s, got, states[s])
		}
	}
	type numbers struct{ status, failure int }
	want := map[gateway.FailureCode]numbers{
		gateway.FailureOutsideWindow: {9, 7010}, gateway.FailurePersonUnreachable: {9, 7003}, gateway.FailureTokenInvalid: {9, 7004}, gateway.FailurePermissionMissing: {9, 7004}, gateway.FailurePlatformRefused: {9, 7006},
		gateway.FailurePlatformUnavailable: {9, 7050}, gateway.FailureRateLimited: {9, 7017}, gateway.FailureUnknownOutcome: {29, 7051}, gateway.FailureExpired: {9, 0}, gateway.FailureNoAddress: {52, 7002},
		gateway.FailureNoAccount: {19, 7021}, gateway.FailureNotOptedIn: {10, 7003}, gateway.FailureNotReached: {9, 0}, gateway.FailureApplicationDeleted: {9, 7001}, gateway.FailureInvalidContent: {9, 7006},
		gateway.FailureRefusedAddress: {9, 7080}, gateway.FailureEndpointFailed: {9, 7080}, gateway.FailureEndpointGone: {9, 7080}, gateway.FailureProviderRefused: {4, 7006}, gateway.FailureProviderUnavailable: {9, 7050},
		gateway.FailureAccountRefused: {9, 7004}, gateway.FailureAddressInvalid: {52, 7002}, gateway.FailureUnreachable: {9, 7002}, gateway.FailureOptedOut: {10, 7003}, gateway.FailureContentRefused: {4, 7006}, gateway.FailureNoThreadControl: {9, 7006},
	}
	for _, info := range gateway.FailureTable() {
		f := &gateway.Failure{Code: info.Code, Message: "why"}
		got := numbers{StatusOf(gateway.StatusFailed, f).ID, ErrorOf(f).ID}
		if w, ok := want[info.Code]; !ok || got != w {
			t.Errorf("%s: %+v, wanted %+v", info.Code, got, w)
		}
		if e := ErrorOf(f); e.ID != 0 && e.Description != "why" {
			t.Errorf("%s: %+v", info.Code, e)
		}
	}
	if got := ErrorOf(&gateway.Failure{Code: gateway.FailurePlatformRefused, PlatformCode: 100, PlatformSubcode: 2018047}); got.ID != 7014 {
		t.Errorf("a file that could not be taken in: %+v", got)
	}
	if got := ErrorOf(nil); got.Name != "NO_ERROR" {
		t.Errorf("no failure: %+v", got)
	}
}

// 20 retries come after 1, 2, 5, 10, 17, 26, 37 … minutes, the last after 41 hours and 30 minutes.
func TestRetry(t *testing.T) {
	t.Parallel()
	want := []time.Duration{1, 2, 5, 10, 17, 26, 37, 50, 65, 82, 101, 122, 145, 170, 197, 226, 257, 290, 325, 362}
	var sum time.Duration
	now := time.Now()
	d := &gateway.Delivery{CreatedAt: now}
	for i, minutes := range want {
		pause, ok := Retry(i + 1)
		if !ok || pause != minutes*time.Minute {
			t.Errorf("after try %d: %s, %t, wanted %d minutes", i+1, pause, ok, minutes)
		}
		d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{})
		if next, ok := new(format).NextTry(d, now.Add(sum)); !ok || next.Sub(now) != sum+pause {
			t.Errorf("a delivery after try %d: %s, %t", i+1, next.Sub(now), ok)
		}
		sum += pause
	}
	if sum != 41*time.Hour+30*time.Minute {
		t.Errorf("the last retry comes after %s", sum)
	}
	if _, ok := Retry(21); ok {
		t.Error("there is a retry after the last")
	}
	d.Attempts = append(d.Attempts, gateway.DeliveryAttempt{})
	if _, ok := new(format).NextTry(d, now); ok {
		t.Error("there is a delivery after the last")
	}
}

// What is read was delivered, and is reported as that only when nothing else has said so.
func TestNewReport(t *testing.T) {
	t.Parallel()
	posted := &Note{API: APIOMNI, MessageID: "mine", BulkID: "B1", NotifyURL: "https://example.com:8443/dlr?a=b"}
	every := &Note{API: APIOMNI, NotifyURL: "https://example.com", Intermediate: true}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		kind gateway.EventType
		note *Note
		data string
		want string // kind of the report, "" for none
	}{
		"delivered":                {gateway.EventMessageDelivered, posted, `{"messageId":"m","origin":"infobip"}`, "delivered"},
		"failed":                   {gateway.EventMessageFailed, posted, `{"messageId":"m","origin":"infobip"}`, "failed"},
		"expired":                  {gateway.EventMessageExpired, posted, `{"messageId":"m","origin":"infobip"}`, "expired"},
		"of an earlier version":    {gateway.EventMessageDelivered, posted, `{"messageId":"m","metadata":{"infobip":{"api":"omni"}}}`, "delivered"},
		"read at once":             {gateway.EventMessageRead, posted, `{"messageId":"m","deliveredAt":"2026-01-02T03:04:05.000Z","readAt":"2026-01-02T03:04:05.000Z","origin":"infobip"}`, "delivered"},
		"read later":               {gateway.EventMessageRead, posted, `{"messageId":"m","deliveredAt":"2026-01-02T03:04:05.000Z","readAt":"2026-01-02T03:05:05.000Z","origin":"infobip"}`, ""},
		"sent":                     {gateway.EventMessageSent, posted, `{"messageId":"m","origin":"infobip"}`, ""},
		"sent, and that is wanted": {gateway.EventMessageSent, every, `{"messageId":"m","origin":"infobip"}`, "sent"},
		"of another API":           {gateway.EventMessageDelivered, nil, `{"messageId":"m","origin":"other"}`, ""},
		"made up by a caller":      {gateway.EventMessageDelivered, nil, `{"messageId":"m","metadata":{"infobip":{"api":"omni","notifyUrl":"https://example.com"}}}`, ""},
		"no JSON":                  {gateway.EventMessageDelivered, posted, `{"infobip"`, ""},
		"inbound":                  {gateway.EventMessageInbound, posted, `{"messageId":"m","origin":"infobip"}`, ""},
	} {
		var origin gateway.Origin
		if c.note != nil {
			var err error
			if origin, err = c.note.Origin(); err != nil {
				t.Fatal(err)
			}
		}
		r := NewReport(&gateway.Event{Pos: 7, Type: c.kind, Data: []byte(c.data), ReceivedAt: at}, origin)
		if (r == nil) != (c.want == "") || r != nil && (r.Kind != c.want || r.Pos != 7 || r.Message != "m" || r.DueAt != at) {
			t.Errorf("%s: %+v, wanted %q", name, r, c.want)
		}
		if name == "delivered" && (r.MessageID != "mine" || r.BulkID != "B1" || r.Host != "example.com:8443" || r.API != APIOMNI) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
