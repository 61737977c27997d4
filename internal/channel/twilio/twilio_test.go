package twilio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/channel/webhook"
	"github.com/chasqui/chasqui/internal/gateway"
)

const twilioToken = channeltest.SecretMark + "-token"

// twilioProvider is a provider in Twilio's shape. It checks what every request must have, and answers by answer.
type twilioProvider struct {
	*httptest.Server
	t        *testing.T
	requests chan url.Values
	answers  atomic.Pointer[func(w http.ResponseWriter, form url.Values)]
}

// answer sets how requests are answered from now on.
func (p *twilioProvider) answer(how func(w http.ResponseWriter, form url.Values)) {
	p.answers.Store(&how)
}

func newTwilioProvider(t *testing.T) *twilioProvider {
	p := &twilioProvider{t: t, requests: make(chan url.Values, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/AC1/Messages.json", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "AC1" || password != twilioToken {
			twilioAnswer(w, 401, map[string]any{"code": 20003, "message": "Authenticate", "status": 401})
			return
		}
		if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
			t.Errorf("content type %q", got)
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		p.requests <- r.PostForm
		if how := p.answers.Load(); how != nil {
			(*how)(w, r.PostForm)
			return
		}
		twilioAnswer(w, 201, map[string]any{"sid": "SM1", "status": "queued", "error_code": nil})
	})
	mux.HandleFunc("GET /2010-04-01/Accounts/AC1.json", func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if password != twilioToken {
			twilioAnswer(w, 401, map[string]any{"code": 20003, "message": "Authenticate", "status": 401})
			return
		}
		twilioAnswer(w, 200, map[string]any{"sid": "AC1", "status": "active"})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func twilioAnswer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func twilioAccount(p *twilioProvider) *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: gatewayapi.ProviderTwilio, Settings: channeltest.Settings(&gatewayapi.TwilioSettings{BaseURL: p.URL, AccountSID: "AC1", From: "+4470000"}),
		Secrets: map[string]gateway.Secret{secretAuthToken: twilioToken}}
}

func TestTwilioRequests(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	a := f.Add(twilioAccount(p))
	callback := channeltest.PublicURL + "/channels/" + a.ID + "/status?message=msg_1&step=1"
	picture := gateway.PartInput{Type: "image/png", URL: "https://shop.example/a.png"}
	now := time.Now()
	f.SetNow(now)
	for _, test := range []struct {
		name   string
		change func(m *gateway.ChannelMessage)
		want   url.Values
	}{
		{"text", func(*gateway.ChannelMessage) {}, url.Values{"Body": {"Hello"}}},
		{"title, parts and a picture", func(m *gateway.ChannelMessage) {
			m.Title, m.Parts = "News", []gateway.PartInput{{Type: "text/plain", Data: "more"}, picture, {Type: "text/html", URL: "https://shop.example/b"}}
		}, url.Values{"Body": {"News\nHello\nmore\nhttps://shop.example/b"}, "MediaUrl": {picture.URL}}},
		{"only a picture", func(m *gateway.ChannelMessage) { m.Body, m.Parts = "", []gateway.PartInput{picture} }, url.Values{"MediaUrl": {picture.URL}}},
		{"another sender, without Unicode", func(m *gateway.ChannelMessage) {
			m.Body, m.Options = "Dziękuję “Łódź” — 5 €", json.RawMessage(`{"from":"Shop","allowUnicode":false}`)
		}, url.Values{"From": {"Shop"}, "Body": {`Dziekuje "Lodz" - 5 €`}}},
		{"parameters of the provider", func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"ContentSid":"HX1","ContentVariables":{"1":"Ann"},"To":"+1","Attempt":2}`)
		}, url.Values{"Body": {"Hello"}, "ContentSid": {"HX1"}, "ContentVariables": {`{"1":"Ann"}`}, "Attempt": {"2"}}},
		{"an expiry", func(m *gateway.ChannelMessage) { m.ExpiresAt = now.Add(10 * time.Minute) }, url.Values{"Body": {"Hello"}, "ValidityPeriod": {"600"}}},
		{"a far expiry", func(m *gateway.ChannelMessage) { m.ExpiresAt = now.Add(24 * time.Hour) }, url.Values{"Body": {"Hello"}}},
		{"too long", func(m *gateway.ChannelMessage) { m.Body = strings.Repeat("ä", 2000) }, url.Values{"Body": {strings.Repeat("ä", 1600)}}},
	} {
		m := channeltest.SMS("Hello")
		test.change(m)
		account, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		if err != nil || account != a.ID || sent != (gateway.ChannelSent{Ref: "SM1", Accepted: true}) {
			t.Fatalf("%s: %s %+v %v", test.name, account, sent, err)
		}
		for name, value := range map[string]string{"To": "+4479460001", "From": "+4470000", "StatusCallback": callback} {
			if !test.want.Has(name) {
				test.want.Set(name, value)
			}
		}
		if diff := cmp.Diff(test.want, <-p.requests); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestTwilioAnswers(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	f.Add(twilioAccount(p))
	refuse := func(status, code int, header ...string) func(http.ResponseWriter, url.Values) {
		return func(w http.ResponseWriter, _ url.Values) {
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			twilioAnswer(w, status, map[string]any{"code": code, "message": "provider's words", "status": status})
		}
	}
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter, url.Values)
		kind   gateway.ChannelErrorKind
		code   gateway.FailureCode
		after  time.Duration
	}{
		{"invalid number", refuse(400, 21211), gateway.ChannelRefused, gateway.FailureAddressInvalid, 0},
		{"unsubscribed", refuse(400, 21610), gateway.ChannelRefused, gateway.FailureOptedOut, 0},
		{"no permission for the region", refuse(400, 21408), gateway.ChannelRefused, gateway.FailureUnreachable, 0},
		{"unknown code", refuse(400, 29999), gateway.ChannelRefused, gateway.FailureProviderRefused, 0},
		{"forbidden", refuse(403, 0), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"too many", refuse(429, 20429, "Retry-After", "7"), gateway.ChannelRetry, gateway.FailureRateLimited, 7 * time.Second},
		{"server error", refuse(503, 0), gateway.ChannelRetry, gateway.FailureProviderUnavailable, 0},
		{"redirect", refuse(301, 0, "Location", "https://elsewhere.example"), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"failed at once", func(w http.ResponseWriter, _ url.Values) {
			twilioAnswer(w, 201, map[string]any{"sid": "SM2", "status": "failed", "error_code": 30007, "error_message": "filtered"})
		}, gateway.ChannelRefused, gateway.FailureContentRefused, 0},
		{"no JSON", func(w http.ResponseWriter, _ url.Values) { io.WriteString(w, "fine") }, gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
		{"answer cut off", func(w http.ResponseWriter, _ url.Values) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(201)
			io.WriteString(w, `{"sid":`)
			panic(http.ErrAbortHandler)
		}, gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
		{"no answer", func(http.ResponseWriter, url.Values) { panic(http.ErrAbortHandler) }, gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
	} {
		p.answer(test.answer)
		_, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello"))
		e := channeltest.RefusalOf(t, err)
		if e.Kind != test.kind || e.Failure.Code != test.code || e.After != test.after {
			t.Errorf("%s: %+v", test.name, e)
		}
		<-p.requests
	}
	for status, accepted := range map[string]bool{"accepted": true, "queued": true, "sending": true, "scheduled": true, "sent": false, "delivered": false} {
		p.answer(func(w http.ResponseWriter, _ url.Values) {
			twilioAnswer(w, 201, map[string]any{"sid": "SM3", "status": status})
		})
		if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil || sent.Accepted != accepted {
			t.Errorf("%s: %+v %v", status, sent, err)
		}
	}
	f.Close()
	p.Close()
	f.Open()
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRetry {
		t.Errorf("nobody there: %v", err)
	}
}

func TestTwilioAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	f.Add(twilioAccount(p))
	for _, address := range []string{"", "ann@shop.example", "12", "+44 79x"} {
		m := channeltest.SMS("Hello")
		m.Address = address
		if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, m); channeltest.RefusalOf(t, err).Failure.Code != gateway.FailureAddressInvalid {
			t.Errorf("%q: %v", address, err)
		}
	}
	empty := channeltest.SMS("")
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, empty); channeltest.RefusalOf(t, err).Failure.Code != gateway.FailureInvalidContent {
		t.Error(err)
	}
	if len(p.requests) != 0 {
		t.Error("something was sent")
	}
}

func TestTwilioCheck(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	good, bad := twilioAccount(p), twilioAccount(p)
	bad.Secrets = map[string]gateway.Secret{secretAuthToken: "wrong"}
	if err := f.Check(t.Context(), good); err != nil {
		t.Error(err)
	}
	if err := f.Check(t.Context(), bad); channeltest.RefusalOf(t, err).Failure.Code != gateway.FailureAccountRefused {
		t.Error(err)
	}
}

// sign is the signature of a callback at an address of the gateway, for the address as the provider knows it.
func sign(path, body string) string {
	form, _ := url.ParseQuery(body)
	return signature(twilioToken, channeltest.PublicURL+path, form)
}

func TestTwilioSignature(t *testing.T) {
	t.Parallel()
	form := url.Values{"To": {"+18005551212"}, "From": {"+14158675309"}, "Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}}
	const address, token = "https://mycompany.com/myapp.php?foo=1&bar=2", "12345"
	got := signature(token, address, form)
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl, which recomputes the signature, is not installed")
	}
	// By another tool, over what the provider's documentation says to put together.
	cmd := exec.CommandContext(t.Context(), openssl, "dgst", "-sha1", "-hmac", token, "-binary")
	cmd.Stdin = strings.NewReader(address + "CallSidCA1234567890ABCDE" + "Caller+14158675309" + "Digits1234" + "From+14158675309" + "To+18005551212")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if want := base64.StdEncoding.EncodeToString(out.Bytes()); got != want {
		t.Errorf("signature %s, openssl says %s", got, want)
	}
}

func TestTwilioReports(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	a := f.Add(twilioAccount(p))
	path := "/channels/" + a.ID + "/status?message=msg_1&step=2"
	post := func(body string) int {
		status, _ := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body))
		return status
	}
	for _, quiet := range []string{"queued", "sending", "accepted"} {
		if got := post("MessageSid=SM1&MessageStatus=" + quiet); got != 204 {
			t.Error(quiet, got)
		}
	}
	for _, body := range []string{"MessageSid=SM1&MessageStatus=sent", "MessageSid=SM1&MessageStatus=delivered", "MessageSid=SM1&MessageStatus=read",
		"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003", "SmsSid=SM1&SmsStatus=failed&ErrorCode=21610"} {
		if got := post(body); got != 204 {
			t.Error(body, got)
		}
	}
	reports, _ := f.Got.Wait(t, 5, 0)
	want := []struct {
		status gateway.Status
		code   gateway.FailureCode
	}{{gateway.StatusSent, ""}, {gateway.StatusDelivered, ""}, {gateway.StatusRead, ""}, {gateway.StatusFailed, gateway.FailureUnreachable}, {gateway.StatusFailed, gateway.FailureOptedOut}}
	for i, r := range reports {
		if r.Account != a.ID || r.Ref != "SM1" || r.MessageID != "msg_1" || r.Step != 2 || r.Status != want[i].status || (r.Failure == nil) != (want[i].code == "") ||
			r.Failure != nil && r.Failure.Code != want[i].code {
			t.Errorf("%d: %+v %+v", i, r, r.Failure)
		}
	}
	// Nothing is acknowledged that was not committed; a message that is gone is done with.
	f.Got.SetRefuse(errors.New("the disk is full"))
	if got := post("MessageSid=SM1&MessageStatus=read"); got != 503 {
		t.Error(got)
	}
	f.Got.SetRefuse(gateway.NotFound("message", "msg_1"))
	if got := post("MessageSid=SM1&MessageStatus=read"); got != 204 {
		t.Error(got)
	}
}

func TestTwilioDoorsAreForTheProvider(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider(), webhook.Provider())
	p := newTwilioProvider(t)
	a := f.Add(twilioAccount(p))
	other := f.Add(&gateway.ChannelAccount{Provider: gatewayapi.ProviderWebhook, Settings: channeltest.Settings(&gatewayapi.WebhookSettings{URL: p.URL}), Secrets: map[string]gateway.Secret{"signing": gateway.NewSigningSecret()}})
	const body = "MessageSid=SM1&MessageStatus=sent&From=%2B4479&Body=x"
	for _, door := range []string{"/status?message=msg_1&step=1", "/inbound"} {
		path := "/channels/" + a.ID + door
		right := sign(path, body)
		var answers []string
		for name, try := range map[string][2]string{
			"no signature":         {path, ""},
			"another body":         {path, sign(path, body+"&x=1")},
			"another address":      {path + "x", right},
			"this machine's":       {path, signature(twilioToken, f.Web.URL+path, url.Values{})},
			"no such account":      {"/channels/chn_none" + door, sign("/channels/chn_none"+door, body)},
			"another provider's":   {"/channels/" + other.ID + door, sign("/channels/"+other.ID+door, body)},
			"a token of our guess": {path, signature("", channeltest.PublicURL+path, url.Values{})},
		} {
			status, text := f.Post(try[0], "application/x-www-form-urlencoded", body, "X-Twilio-Signature", try[1])
			if strings.HasSuffix(try[0], "inboundx") && status == 404 {
				continue // no door at all
			}
			if status != 403 {
				t.Errorf("%s %s: %d", door, name, status)
			}
			answers = append(answers, text)
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

func TestTwilioInbound(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	account := twilioAccount(p)
	account.Application = "APP"
	a := f.Add(account)
	path := "/channels/" + a.ID + "/inbound"
	body := url.Values{"MessageSid": {"SM9"}, "From": {"+4479460001"}, "To": {"+4470000"}, "Body": {"Héllo"}, "NumMedia": {"1"}, "MediaUrl0": {"https://m.example/1"},
		"MediaContentType0": {"image/jpeg"}, "AccountSid": {"AC1"}}.Encode()
	status, answer := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body))
	if status != 200 || answer != "<Response/>" {
		t.Fatal(status, answer)
	}
	_, inbound := f.Got.Wait(t, 0, 1)
	in := inbound[0]
	if in.At.IsZero() || !strings.Contains(string(in.Raw), `"Body":"Héllo"`) {
		t.Errorf("%+v", in)
	}
	in.At, in.Raw = time.Time{}, nil
	want := gateway.ChannelInbound{Account: a.ID, Channel: "sms", Application: "APP", From: "4479460001", To: "4470000", Text: "Héllo", Ref: "SM9",
		Parts: []gateway.PartInput{{Type: "image/jpeg", URL: "https://m.example/1"}}}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
	f.Got.SetRefuse(errors.New("the disk is full"))
	if status, _ := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body)); status != 503 {
		t.Error(status)
	}
	f.Got.SetRefuse(nil)
	if _, err := f.Vault.UpdateChannel(t.Context(), a.ID, func(a *gateway.ChannelAccount) error { a.State = gateway.AccountDisabled; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body)); status != 403 {
		t.Error(status)
	}
	// What had gone out before is still reported.
	f.Got.SetRefuse(nil)
	path, body = "/channels/"+a.ID+"/status?message=msg_1&step=0", "MessageSid=SM1&MessageStatus=delivered"
	if status, _ := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body)); status != 204 {
		t.Error(status)
	}
}

// A report may be there before the answer to the request: it names message and step itself.
func TestTwilioReportBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newTwilioProvider(t)
	f.Add(twilioAccount(p))
	p.answer(func(w http.ResponseWriter, form url.Values) {
		path := strings.TrimPrefix(form.Get("StatusCallback"), channeltest.PublicURL)
		const body = "MessageSid=SM1&MessageStatus=delivered"
		if status, _ := f.Post(path, "application/x-www-form-urlencoded", body, "X-Twilio-Signature", sign(path, body)); status != 204 {
			t.Error(status)
		}
		twilioAnswer(w, 201, map[string]any{"sid": "SM1", "status": "queued"})
	})
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil || !sent.Accepted {
		t.Fatal(sent, err)
	}
	if reports, _ := f.Got.Wait(t, 1, 0); reports[0].Status != gateway.StatusDelivered || reports[0].MessageID != "msg_1" || reports[0].Step != 1 {
		t.Errorf("%+v", reports)
	}
}
