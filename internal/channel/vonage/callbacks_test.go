package vonage

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

// The signatures are those that the provider's own library for Python is tested with.
//
// Source: https://github.com/Vonage/vonage-python-sdk (test_signature_md5 and those beside it)
func TestVonageSignature(t *testing.T) {
	t.Parallel()
	params := map[string]string{"a": "1", "b": "2", "timestamp": "1461605396", "sig": "not signed itself"}
	for method, want := range map[string]string{
		"md5hash": "6af838ef94998832dbfc29020b564830", "md5": "c15c21ced558c93a226c305f58f902f2", "sha1": "3e19a4e6880fdc2c1426bfd0587c98b9532f0210",
		"sha256": "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24",
		"sha512": "812a18f76680fa0fe1b8bd9ee1625466ceb1bd96242e4d050d2cfd9a7b40166c63ed26ec9702168781b6edcf1633db8ff95af9341701004eec3fcf9550572ee8",
	} {
		if got := signature(method, "secret", params); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
		at := time.Unix(1461605396, 0)
		signed := map[string]string{"a": "1", "b": "2", "timestamp": "1461605396", "sig": strings.ToUpper(want)}
		for after, ok := range map[time.Duration]bool{0: true, 24 * time.Hour: true, 26 * time.Hour: false, -4 * time.Minute: true, -6 * time.Minute: false} {
			if genuine(method, "secret", signed, at.Add(after)) != ok {
				t.Errorf("%s after %s: genuine is not %t", method, after, ok)
			}
		}
		if genuine(method, "", signed, at) || genuine(method, "secret", map[string]string{"a": "1", "timestamp": "1461605396"}, at) {
			t.Errorf("%s: genuine without a secret or a signature", method)
		}
	}
	// What separates names and values cannot be smuggled in.
	if signature("sha256", "s", map[string]string{"a": "1&b=2"}) == signature("sha256", "s", map[string]string{"a": "1", "b": "2"}) {
		t.Error("one value signs like two")
	}
	if signature("sha256", "s", map[string]string{"a": "1&b=2"}) != signature("sha256", "s", map[string]string{"a": "1_b_2"}) {
		t.Error("& and = are not replaced")
	}
}

// Whatever can be read can be signed; with another secret, in another way or with another text it
// is not genuine.
func FuzzCallbacks(f *testing.F) {
	for _, seed := range []string{`{"msisdn":"447700900001","text":"Hello & = 你","n":0,"ok":true,"no":null}`, "msisdn=447700900001&text=Hello+%26+%3D&sig=abc", `{"a":{}}`, "a=1&a=2", "%zz", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte) (map[string]string, error){readObject, func(b []byte) (map[string]string, error) { return readForm(string(b)) }} {
			params, err := read(body)
			if err != nil {
				continue
			}
			now := time.Now()
			params["timestamp"] = strconv.FormatInt(now.Unix(), 10)
			params["sig"] = signature("sha256", "secret", params)
			if !genuine("sha256", "secret", params, now) || genuine("sha256", "another", params, now) || genuine("md5hash", "secret", params, now) {
				t.Errorf("the signature of %q says nothing", params)
			}
			params["text"] += "x"
			if genuine("sha256", "secret", params, now) {
				t.Errorf("another text has the same signature: %q", params)
			}
		}
		readReference(string(body))
	})
}

func receipt(status string, pairs ...string) map[string]string {
	return withSignature(callback(append([]string{"msisdn", "4479460001", "to", "Shop", "network-code", "23410", "messageId", "0C01", "price", "0.03330000", "status", status, "scts", "2001011400",
		"err-code", "0", "message-timestamp", "2026-01-01 12:00:00", "client-ref", "msg_1.2.1"}, pairs...)...))
}

func TestVonageReceipts(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	a := f.Add(testAccount(newStandIn(t)))
	path := "/channels/" + a.ID + "/status"
	for _, quiet := range []string{"unknown", "something new"} {
		if got, text := get(f, path, receipt(quiet)); got != 204 {
			t.Error(quiet, got, text)
		}
	}
	want := []struct {
		status, errCode string
		reported        gateway.Status
		code            gateway.FailureCode
	}{
		{"accepted", "0", gateway.StatusSent, ""}, {"buffered", "0", gateway.StatusSent, ""}, {"delivered", "0", gateway.StatusDelivered, ""},
		{"failed", "1", gateway.StatusFailed, gateway.FailureProviderRefused}, {"failed", "3", gateway.StatusFailed, gateway.FailureAddressInvalid},
		{"rejected", "6", gateway.StatusFailed, gateway.FailureContentRefused}, {"failed", "9", gateway.StatusFailed, gateway.FailureOptedOut},
		{"expired", "0", gateway.StatusFailed, gateway.FailureUnreachable}, {"failed", "2", gateway.StatusFailed, gateway.FailureUnreachable},
		{"failed", "10", gateway.StatusFailed, gateway.FailureInvalidContent},
	}
	// The provider brings them in whichever of three forms the account is set to.
	for i, test := range want {
		params := receipt(test.status, "err-code", test.errCode)
		var got int
		var text string
		switch i % 3 {
		case 0:
			got, text = get(f, path, params)
		case 1:
			got, text = post(f, path, params)
		default:
			body, err := json.Marshal(params)
			if err != nil {
				t.Fatal(err)
			}
			got, text = f.Post(path, "application/json", string(body))
		}
		if got != 204 {
			t.Errorf("%+v: %d %s", test, got, text)
		}
	}
	reports, _ := f.Got.Wait(t, len(want), 0)
	for i, r := range reports {
		if r.Account != a.ID || r.By.ID != a.ID || r.Ref != "0C01" || r.MessageID != "msg_1" || r.Step != 2 || r.Status != want[i].reported || (r.Failure == nil) != (want[i].code == "") ||
			r.Failure != nil && r.Failure.Code != want[i].code {
			t.Errorf("%d: %+v %+v", i, r, r.Failure)
		}
	}
	// Numbers and truth values of JSON are signed as they are written.
	body := `{"messageId":"0C01","status":"delivered","client-ref":"msg_1.2.1","err-code":0,"flag":true,"timestamp":` + strconv.FormatInt(time.Now().Unix(), 10) + `,"nothing":null}`
	params := map[string]string{"messageId": "0C01", "status": "delivered", "client-ref": "msg_1.2.1", "err-code": "0", "flag": "true", "timestamp": strconv.FormatInt(time.Now().Unix(), 10)}
	body = strings.Replace(body, "{", `{"sig":"`+signature("sha256", testSignatureSecret, params)+`",`, 1)
	if got, text := f.Post(path, "application/json; charset=utf-8", body); got != 204 {
		t.Error(got, text)
	}
	// Nothing is acknowledged that was not committed; a message that is gone is done with.
	f.Got.SetRefuse(errors.New("the disk is full"))
	if got, _ := get(f, path, receipt("delivered")); got != 503 {
		t.Error(got)
	}
	f.Got.SetRefuse(gateway.NotFound("message", "msg_1"))
	if got, _ := get(f, path, receipt("delivered")); got != 204 {
		t.Error(got)
	}
	for _, ref := range []string{"", "msg_1", "msg_1.x.1", ".1.1", "msg_1.-1.1", "msg_1.1.0"} {
		if got, _ := get(f, path, receipt("delivered", "client-ref", ref)); got != 400 {
			t.Error(ref, got)
		}
	}
}

func TestVonageCallbacksAreForTheProvider(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := f.Add(testAccount(p))
	other := testAccount(p)
	other.Secrets[secretSignature] = channeltest.SecretMark + "-other"
	f.Add(other)
	params := func() map[string]string {
		return callback("msisdn", "4479460001", "to", "4470000", "messageId", "0C01", "text", "x", "status", "delivered", "client-ref", "msg_1.1.1")
	}
	changed := func(name, value string) map[string]string {
		all := withSignature(params())
		all[name] = value
		return all
	}
	for _, route := range []string{"/status", "/inbound"} {
		var answers []string
		check := func(name string, status int, text string) {
			if status != 403 {
				t.Errorf("%s %s: %d", route, name, status)
			}
			answers = append(answers, text)
		}
		for name, try := range map[string]map[string]string{
			"no signature": params(), "an empty one": changed("sig", ""), "another text": changed("text", "y"), "one more": changed("more", "1"), "another message": changed("client-ref", "msg_2.1.1"),
			"of another time": changed("timestamp", strconv.FormatInt(time.Now().Add(-48*time.Hour).Unix(), 10)), "without time": changed("timestamp", ""),
		} {
			for _, how := range []func(*channeltest.Fixture, string, map[string]string) (int, string){get, post} {
				status, text := how(f, "/channels/"+a.ID+route, try)
				check(name, status, text)
			}
		}
		old := params()
		old["timestamp"] = strconv.FormatInt(time.Now().Add(-48*time.Hour).Unix(), 10)
		for name, path := range map[string]string{"long ago": "/channels/" + a.ID + route + "?" + encoded(withSignature(old)), "no such account": "/channels/chn_none" + route + "?" + encoded(withSignature(params())),
			"another account's": "/channels/" + other.ID + route + "?" + encoded(withSignature(params())), "a name twice": "/channels/" + a.ID + route + "?" + encoded(withSignature(params())) + "&text=y"} {
			status, text := f.Call(http.MethodGet, path, "", "")
			check(name, status, text)
		}
		for _, body := range []string{`[]`, `{`, `{"a":{}}`, ``} {
			status, text := f.Post("/channels/"+a.ID+route, "application/json", body)
			check(body, status, text)
		}
		for _, text := range answers {
			if text != answers[0] {
				t.Errorf("the answers tell apart: %q %q", text, answers[0])
			}
		}
	}
	if f.Got.Count() != 0 {
		t.Error("something came through")
	}
}

// A message in several parts has a receipt for each; what it comes to is told when all have said
// so.
func TestVonageReceiptsOfParts(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := f.Add(testAccount(p))
	path := "/channels/" + a.ID + "/status"
	send := func(id string, parts ...string) {
		m := channeltest.SMS(strings.Repeat("a", 200))
		m.ID = id
		p.answer(func(w http.ResponseWriter, _ url.Values) { say(w, takenAs(parts...)) })
		if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil || sent.Ref != strings.Join(parts, ",") {
			t.Fatal(sent, err)
		}
	}
	comes := func(message, part, status string) {
		t.Helper()
		if got, text := get(f, path, receipt(status, "client-ref", message+".1.2", "messageId", part)); got != 204 {
			t.Fatal(got, text)
		}
	}
	send("msg_a", "A1", "A2")
	comes("msg_a", "A1", "delivered")
	comes("msg_a", "A1", "delivered") // once more
	if f.Got.Count() != 0 {
		t.Error("the message was told before its last part")
	}
	comes("msg_a", "A2", "delivered")
	reports, _ := f.Got.Wait(t, 1, 0)
	if r := reports[0]; r.Status != gateway.StatusDelivered || r.MessageID != "msg_a" || r.Step != 1 || r.Ref != "A1,A2" || r.By.ID != a.ID {
		t.Errorf("%+v", r)
	}
	send("msg_b", "B1", "B2")
	comes("msg_b", "B2", "failed")
	if reports, _ = f.Got.Wait(t, 2, 0); reports[1].Status != gateway.StatusFailed || reports[1].MessageID != "msg_b" {
		t.Errorf("%+v", reports[1])
	}
	// Receipts before the answer say that the provider has the message, and count once it is there.
	comes("msg_c", "C1", "delivered")
	comes("msg_c", "C2", "delivered")
	if reports, _ = f.Got.Wait(t, 4, 0); reports[2].Status != gateway.StatusSent || reports[2].MessageID != "msg_c" {
		t.Errorf("%+v", reports[2])
	}
	send("msg_c", "C1", "C2")
	f.SweepOnce(t.Context())
	if reports, _ = f.Got.Wait(t, 5, 0); reports[4].Status != gateway.StatusDelivered || reports[4].MessageID != "msg_c" {
		t.Errorf("%+v", reports[4])
	}
	f.SweepOnce(t.Context())
	if f.Got.Count() != 5 {
		t.Error("it was told twice")
	}
}

func TestVonageInbound(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	account := testAccount(newStandIn(t))
	account.Application = "APP"
	a := f.Add(account)
	path := "/channels/" + a.ID + "/inbound"
	params := callback("msisdn", "4479460001", "to", "4470000", "messageId", "0B01", "text", "Héllo & = 你", "type", "unicode", "keyword", "HÉLLO", "message-timestamp", "2026-01-01 12:00:00")
	if status, text := post(f, path, withSignature(params)); status != 204 {
		t.Fatal(status, text)
	}
	_, inbound := f.Got.Wait(t, 0, 1)
	in := inbound[0]
	if in.At.IsZero() || !strings.Contains(string(in.Raw), `"keyword":"HÉLLO"`) || strings.Contains(string(in.Raw), "sig") || strings.Contains(string(in.Raw), "abcd1234") {
		t.Errorf("%+v %s", in, in.Raw)
	}
	in.At, in.Raw = time.Time{}, nil
	want := gateway.ChannelInbound{Account: a.ID, Channel: "sms", Application: "APP", From: "4479460001", To: "4470000", Text: "Héllo & = 你", Ref: "0B01"}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
	for name, params := range map[string]map[string]string{"no sender": callback("messageId", "1", "text", "x"), "no id": callback("msisdn", "4479460001", "text", "x")} {
		if status, _ := get(f, path, withSignature(params)); status != 400 {
			t.Error(name, status)
		}
	}
	f.Got.SetRefuse(errors.New("the disk is full"))
	if status, _ := post(f, path, withSignature(params)); status != 503 {
		t.Error(status)
	}
	f.Got.SetRefuse(nil)
	if _, err := f.Vault.UpdateChannel(t.Context(), a.ID, func(a *gateway.ChannelAccount) error { a.State = gateway.AccountDisabled; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := post(f, path, withSignature(params)); status != 403 {
		t.Error(status)
	}
	// What had gone out before is still reported.
	if status, _ := get(f, "/channels/"+a.ID+"/status", receipt("delivered")); status != 204 {
		t.Error(status)
	}
}

func TestVonageInboundInParts(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	a := f.Add(testAccount(newStandIn(t)))
	comes := func(ref string, part int, id, text string) {
		t.Helper()
		params := callback("msisdn", "4479460001", "to", "4470000", "messageId", id, "text", text, "type", "text", "concat", "true", "concat-ref", ref, "concat-total", "2", "concat-part", strconv.Itoa(part))
		if status, text := get(f, "/channels/"+a.ID+"/inbound", withSignature(params)); status != 204 {
			t.Fatal(status, text)
		}
	}
	comes("1f", 2, "0B02", "world")
	comes("1f", 2, "0B02", "world") // the provider had not seen the answer
	if f.Got.Count() != 0 {
		t.Error("a part was taken for the whole")
	}
	comes("1f", 1, "0B01", "Hello, ")
	_, inbound := f.Got.Wait(t, 0, 1)
	if in := inbound[0]; in.Text != "Hello, world" || in.From != "4479460001" || in.To != "4470000" || in.Ref == "" {
		t.Errorf("%+v", in)
	}
	// A part that never comes does not keep the others for ever.
	comes("7", 1, "0B03", "Where is")
	f.SetNow(time.Now().Add(time.Hour))
	f.SweepOnce(t.Context())
	if _, inbound = f.Got.Wait(t, 0, 2); inbound[1].Text != "Where is" {
		t.Errorf("%+v", inbound[1])
	}
	f.SweepOnce(t.Context())
	if f.Got.Count() != 2 {
		t.Error("it was taken twice")
	}
}

// A receipt may be there before the answer to the request: it names message and step itself.
func TestVonageReceiptBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := f.Add(testAccount(p))
	p.answer(func(w http.ResponseWriter, form url.Values) {
		if status, text := get(f, "/channels/"+a.ID+"/status", receipt("delivered", "client-ref", form.Get("client-ref"))); status != 204 {
			t.Error(status, text)
		}
		say(w, takenAs("0C01"))
	})
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil || !sent.Accepted {
		t.Fatal(sent, err)
	}
	if reports, _ := f.Got.Wait(t, 1, 0); reports[0].Status != gateway.StatusDelivered || reports[0].MessageID != "msg_1" || reports[0].Step != 1 {
		t.Errorf("%+v", reports)
	}
}
