package vonage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testAPISecret       = channeltest.SecretMark + "-api"
	testSignatureSecret = channeltest.SecretMark + "-signature"
)

// standIn is a provider of the API's public shape. It checks what every request must have, and
// answers by answer.
type standIn struct {
	*httptest.Server
	t        *testing.T
	requests chan url.Values
	answers  atomic.Pointer[func(w http.ResponseWriter, form url.Values)]
}

// answer sets how requests are answered from now on.
func (p *standIn) answer(how func(w http.ResponseWriter, form url.Values)) { p.answers.Store(&how) }

func newStandIn(t *testing.T) *standIn {
	p := &standIn{t: t, requests: make(chan url.Values, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sms/json", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
			t.Error(err, r.URL.RawQuery)
		}
		if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
			t.Errorf("content type %q", got)
		}
		if !p.proven(r.PostForm) {
			say(w, `{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}`)
			return
		}
		p.requests <- r.PostForm
		if how := p.answers.Load(); how != nil {
			(*how)(w, r.PostForm)
			return
		}
		say(w, takenAs("0C01"))
	})
	mux.HandleFunc("GET /account/get-balance", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "abcd1234" || password != testAPISecret {
			w.WriteHeader(http.StatusUnauthorized)
			say(w, `{"error-code":"401","error-code-label":"authentication failed"}`)
			return
		}
		say(w, `{"value":10.28,"autoReload":false}`)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// proven reports whether a request is the account's, by its secret or by a signature, and takes
// that out of it.
func (p *standIn) proven(form url.Values) bool {
	params := map[string]string{}
	for name := range form {
		params[name] = form.Get(name)
	}
	secret, signed := form.Get("api_secret"), form.Has("sig")
	ok := form.Get("api_key") == "abcd1234" && (secret == testAPISecret && !signed || secret == "" && signature("sha256", testSignatureSecret, params) == form.Get("sig"))
	for _, name := range []string{"api_key", "api_secret", "sig", "timestamp"} {
		form.Del(name)
	}
	return ok
}

func say(w io.Writer, text string) { io.WriteString(w, text) }

// takenAs is the answer to a message whose parts were all taken.
func takenAs(ids ...string) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = fmt.Sprintf(`{"to":"4479460001","message-id":%q,"status":"0","remaining-balance":"3.14159265","message-price":"0.03330000","network":"23410"}`, id)
	}
	return answered(parts...)
}

func answered(parts ...string) string {
	return fmt.Sprintf(`{"message-count":"%d","messages":[%s]}`, len(parts), strings.Join(parts, ","))
}

func testAccount(p *standIn, changes ...func(*VonageSettings)) *gateway.ChannelAccount {
	s := &VonageSettings{BaseURL: p.URL, APIKey: "abcd1234", From: "Shop", SignatureMethod: "sha256"}
	for _, change := range changes {
		change(s)
	}
	return &gateway.ChannelAccount{Provider: Name, Settings: channeltest.Settings(s), Secrets: map[string]gateway.Secret{secretAPI: testAPISecret, secretSignature: testSignatureSecret}}
}

func TestVonageRequests(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := f.Add(testAccount(p))
	now := time.Now()
	f.SetNow(now)
	picture := gateway.PartInput{Type: "image/png", URL: "https://shop.example/a.png"}
	for _, test := range []struct {
		name   string
		change func(m *gateway.ChannelMessage)
		want   url.Values
	}{
		{"text", func(*gateway.ChannelMessage) {}, url.Values{"text": {"Hello"}}},
		{"title, parts and a picture", func(m *gateway.ChannelMessage) {
			m.Title, m.Parts = "News", []gateway.PartInput{{Type: "text/plain", Data: "more"}, picture}
		}, url.Values{"text": {"News\nHello\nmore\nhttps://shop.example/a.png"}}},
		{"letters beyond the alphabet", func(m *gateway.ChannelMessage) { m.Body = "Dziękuję" }, url.Values{"text": {"Dziękuję"}, "type": {"unicode"}}},
		{"another sender, without Unicode", func(m *gateway.ChannelMessage) {
			m.Body, m.Options = "Dziękuję", json.RawMessage(`{"from":"+4470001","allowUnicode":false}`)
		}, url.Values{"from": {"4470001"}, "text": {"Dziekuje"}}},
		{"two parts", func(m *gateway.ChannelMessage) { m.Body = strings.Repeat("a", 161) }, url.Values{"text": {strings.Repeat("a", 161)}, "client-ref": {"msg_1.1.2"}}},
		{"too long", func(m *gateway.ChannelMessage) { m.Body = strings.Repeat("ä", 2000) }, url.Values{"text": {strings.Repeat("ä", 1600)}, "client-ref": {"msg_1.1.11"}}},
		{"a text of its own", func(m *gateway.ChannelMessage) { m.Custom = json.RawMessage(`"Hi"`) }, url.Values{"text": {"Hi"}}},
		{"parameters of the provider", func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"message-class":0,"body":"Hi","to":"1","callback":"https://evil.example","client-ref":"x","api_key":"y","status-report-req":false}`)
		}, url.Values{"message-class": {"0"}, "text": {"Hi"}}},
		{"binary", func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"type":"binary","body":"00ff","udh":"06"}`)
		},
			url.Values{"type": {"binary"}, "body": {"00ff"}, "udh": {"06"}}},
		{"an expiry", func(m *gateway.ChannelMessage) { m.ExpiresAt = now.Add(10 * time.Minute) }, url.Values{"text": {"Hello"}, "ttl": {"600000"}}},
		{"one that is near", func(m *gateway.ChannelMessage) { m.ExpiresAt = now.Add(time.Second) }, url.Values{"text": {"Hello"}, "ttl": {"20000"}}},
		{"one that is far", func(m *gateway.ChannelMessage) { m.ExpiresAt = now.Add(8 * 24 * time.Hour) }, url.Values{"text": {"Hello"}}},
	} {
		m := channeltest.SMS("Hello")
		test.change(m)
		account, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		if err != nil || account != a.ID || sent != (gateway.ChannelSent{Ref: "0C01", Accepted: true}) {
			t.Fatalf("%s: %s %+v %v", test.name, account, sent, err)
		}
		for name, value := range map[string]string{"to": "4479460001", "from": "Shop", "client-ref": "msg_1.1.1", "status-report-req": "true", "callback": channeltest.PublicURL + "/channels/" + a.ID + "/status"} {
			if !test.want.Has(name) {
				test.want.Set(name, value)
			}
		}
		if diff := cmp.Diff(test.want, <-p.requests); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestVonageSignsRequests(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := testAccount(p, func(s *VonageSettings) { s.SignRequests, s.From = true, "+4470000" })
	delete(a.Secrets, secretAPI)
	f.Add(a)
	m := channeltest.SMS("a=b&c=d é €")
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil {
		t.Fatal(err)
	}
	if form := <-p.requests; form.Get("text") != m.Body || form.Get("from") != "4470000" {
		t.Error(form)
	}
	if err := f.Check(t.Context(), a); err != nil {
		t.Error(err)
	}
}

// Without a secret that proves callbacks nothing is reported, so nothing is asked for; taking a
// message is sending it.
func TestVonageWithoutSignatures(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	a := testAccount(p)
	delete(a.Secrets, secretSignature)
	f.Add(a)
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil || sent.Accepted {
		t.Error(sent, err)
	}
	if form := <-p.requests; form.Get("status-report-req") != "false" || form.Has("callback") || form.Has("client-ref") {
		t.Error(form)
	}
	params := callback("msisdn", "4479460001", "messageId", "1", "text", "x")
	params["sig"] = signature("sha256", "", params)
	if status, _ := get(f, "/channels/"+a.ID+"/inbound", params); status != 403 {
		t.Error(status)
	}
}

func TestVonageAnswers(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	f.Add(testAccount(p))
	refused := func(status string) func(http.ResponseWriter, url.Values) {
		return func(w http.ResponseWriter, _ url.Values) {
			say(w, answered(`{"status":"`+status+`","error-text":"provider's words"}`))
		}
	}
	httpStatus := func(status int, body string, header ...string) func(http.ResponseWriter, url.Values) {
		return func(w http.ResponseWriter, _ url.Values) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			say(w, body)
		}
	}
	for _, test := range []struct {
		name   string
		answer func(http.ResponseWriter, url.Values)
		kind   gateway.ChannelErrorKind
		code   gateway.FailureCode
		after  time.Duration
	}{
		{"throttled", refused("1"), gateway.ChannelRetry, gateway.FailureRateLimited, time.Second},
		{"missing parameters", refused("2"), gateway.ChannelRefused, gateway.FailureInvalidContent, 0},
		{"credentials", refused("4"), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"internal error", refused("5"), gateway.ChannelRetry, gateway.FailureProviderUnavailable, time.Second},
		{"invalid message", refused("6"), gateway.ChannelRefused, gateway.FailureAddressInvalid, 0},
		{"number barred", refused("7"), gateway.ChannelRefused, gateway.FailureUnreachable, 0},
		{"no credit", refused("9"), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"too long", refused("12"), gateway.ChannelRefused, gateway.FailureInvalidContent, 0},
		{"signature", refused("14"), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"number given up", refused("33"), gateway.ChannelRefused, gateway.FailureAddressInvalid, 0},
		{"a status of another day", refused("99"), gateway.ChannelRefused, gateway.FailureProviderRefused, 0},
		{"a status in digits alone", func(w http.ResponseWriter, _ url.Values) { say(w, answered(`{"status":1}`)) }, gateway.ChannelRetry, gateway.FailureRateLimited, time.Second},
		// What was taken would go out twice.
		{"one part of two", func(w http.ResponseWriter, _ url.Values) {
			say(w, answered(`{"status":"0","message-id":"0C01"}`, `{"status":"1","error-text":"Throttled"}`))
		}, gateway.ChannelRefused, gateway.FailureRateLimited, 0},
		{"unauthorized", httpStatus(401, `{}`), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"too many", httpStatus(429, "", "Retry-After", "7"), gateway.ChannelRetry, gateway.FailureRateLimited, 7 * time.Second},
		{"server error", httpStatus(503, "<html>"), gateway.ChannelRetry, gateway.FailureProviderUnavailable, 0},
		{"redirect", httpStatus(301, "", "Location", "https://elsewhere.example"), gateway.ChannelRefused, gateway.FailureAccountRefused, 0},
		{"no JSON", httpStatus(200, "fine"), gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
		{"no message", httpStatus(200, `{"message-count":"0","messages":[]}`), gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
		{"no identifier", httpStatus(200, answered(`{"status":"0"}`)), gateway.ChannelUnknown, gateway.FailureUnknownOutcome, 0},
		{"answer cut off", func(w http.ResponseWriter, _ url.Values) {
			w.Header().Set("Content-Length", "1000")
			say(w, `{"messages":[`)
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
	f.Close()
	p.Close()
	f.Open()
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRetry {
		t.Errorf("nobody there: %v", err)
	}
}

func TestVonageCheck(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	good, bad := testAccount(p), testAccount(p)
	bad.Secrets[secretAPI] = "wrong"
	if err := f.Check(t.Context(), good); err != nil {
		t.Error(err)
	}
	if err := f.Check(t.Context(), bad); channeltest.RefusalOf(t, err).Failure.Code != gateway.FailureAccountRefused {
		t.Error(err)
	}
}

func TestVonageReachesNoPrivateAddress(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	p := newStandIn(t)
	guarded := f.Options
	guarded.Reach = nil
	if e := channeltest.RefusalOf(t, channel.New(guarded).Check(t.Context(), testAccount(p))); e.Failure.Code != gateway.FailureRefusedAddress {
		t.Errorf("%+v", e)
	}
}

func TestVonageSettings(t *testing.T) {
	t.Parallel()
	described := channel.Describe([]channel.Provider{Provider()})
	for _, test := range []struct{ name, settings, secret, field string }{
		{"as it should be", `{"apiKey":"k","from":"Shop"}`, secretAPI, ""},
		{"signed", `{"apiKey":"k","from":"Shop","signRequests":true}`, secretSignature, ""},
		{"no key", `{"from":"Shop"}`, secretAPI, "vonage.apiKey"},
		{"no sender", `{"apiKey":"k"}`, secretAPI, "vonage.from"},
		{"method", `{"apiKey":"k","from":"Shop","signatureMethod":"rot13"}`, secretAPI, "vonage.signatureMethod"},
		{"address", `{"apiKey":"k","from":"Shop","baseUrl":"ftp://x"}`, secretAPI, "vonage.baseUrl"},
		{"length", `{"apiKey":"k","from":"Shop","maxCharacters":5}`, secretAPI, "vonage.maxCharacters"},
		{"no secret", `{"apiKey":"k","from":"Shop"}`, secretSignature, "secrets.apiSecret"},
		{"nothing to sign with", `{"apiKey":"k","from":"Shop","signRequests":true}`, secretAPI, "secrets.signatureSecret"},
		{"another's secret", `{"apiKey":"k","from":"Shop"}`, "password", "secrets.password"},
	} {
		a := &gateway.ChannelAccount{Provider: Name, Settings: json.RawMessage(test.settings), Secrets: map[string]gateway.Secret{test.secret: "s"}}
		targets, err := described.Settle(a)
		var e *gateway.Error
		if errors.As(err, &e); (err != nil) != (test.field != "") || e != nil && e.Field != test.field {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil && (a.Channel != gateway.ChannelSMS || targets["vonage.baseUrl"] != "https://rest.nexmo.com" || !strings.Contains(string(a.Settings), `"signatureMethod":"md5hash"`)) {
			t.Errorf("%s: %s %v", test.name, a.Settings, targets)
		}
	}
}

// callback is what a callback holds: names and values, with the time of now.
func callback(pairs ...string) map[string]string {
	params := map[string]string{"timestamp": strconv.FormatInt(time.Now().Unix(), 10), "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "api-key": "abcd1234"}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	return params
}

// withSignature adds the signature of the test's accounts.
func withSignature(params map[string]string) map[string]string {
	params["sig"] = signature("sha256", testSignatureSecret, params)
	return params
}

func encoded(params map[string]string) string {
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	return form.Encode()
}

func get(f *channeltest.Fixture, path string, params map[string]string) (int, string) {
	return f.Call(http.MethodGet, path+"?"+encoded(params), "", "")
}

func post(f *channeltest.Fixture, path string, params map[string]string) (int, string) {
	return f.Post(path, "application/x-www-form-urlencoded", encoded(params))
}
