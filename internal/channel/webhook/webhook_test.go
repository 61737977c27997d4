package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

// hookSignature is the Standard Webhooks signature, made by hand.
func hookSignature(secret gateway.Secret, id, timestamp string, body []byte) string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hookReceiver takes messages as a business's own program would.
type hookReceiver struct {
	*httptest.Server
	requests chan *http.Request
	bodies   chan []byte
	answers  chan func(http.ResponseWriter)
}

func newHookReceiver(t *testing.T, secret gateway.Secret) *hookReceiver {
	h := &hookReceiver{requests: make(chan *http.Request, 50), bodies: make(chan []byte, 50), answers: make(chan func(http.ResponseWriter), 50)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if want := hookSignature(secret, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body); r.Header.Get("webhook-signature") != want {
			t.Errorf("signature %q, want %q", r.Header.Get("webhook-signature"), want)
		}
		h.requests <- r
		h.bodies <- body
		select {
		case answer := <-h.answers:
			answer(w)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func hookAccount(url string, secret gateway.Secret) *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: gatewayapi.ProviderWebhook, Settings: channeltest.Settings(&gatewayapi.WebhookSettings{URL: url}), Secrets: map[string]gateway.Secret{secretSigning: secret}}
}

func TestWebhookRequests(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	secret := gateway.NewSigningSecret()
	h := newHookReceiver(t, secret)
	a := f.Add(hookAccount(h.URL, secret))
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	m := &gateway.ChannelMessage{ID: "msg_1", Step: 2, Application: "APP", To: gateway.To{ProfileID: "ann", PhoneNumber: "4479"}, Title: "News", Body: "Hello",
		Parts: []gateway.PartInput{{Type: "image/png", URL: "https://shop.example/a.png"}}, Custom: json.RawMessage(`{"x":1}`), Options: json.RawMessage(`{"y":2}`),
		Metadata: json.RawMessage(`{"z":3}`), AcceptedAt: at, ExpiresAt: at.Add(time.Hour)}
	account, sent, err := f.Send(t.Context(), gateway.ChannelWebhook, m)
	if err != nil || account != a.ID || sent != (gateway.ChannelSent{Accepted: true}) {
		t.Fatal(account, sent, err)
	}
	r := <-h.requests
	if r.Header.Get("webhook-id") != "msg_1.2" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", r.Header)
	}
	want := `{"messageId":"msg_1","step":2,"application":"APP","to":{"profileId":"ann","phoneNumber":"4479"},"title":"News","body":"Hello",` +
		`"parts":[{"type":"image/png","url":"https://shop.example/a.png"}],"custom":{"x":1},"options":{"y":2},"metadata":{"z":3},` +
		`"statusUrl":"` + channeltest.PublicURL + "/channels/" + a.ID + `/statuses/msg_1.2","acceptedAt":"2026-05-01T12:00:00.000Z","expiresOn":"2026-05-01T13:00:00.000Z"}`
	if diff := cmp.Diff(want, string(<-h.bodies)); diff != "" {
		t.Error(diff)
	}
	if err := f.Check(t.Context(), a); err != nil {
		t.Error(err)
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	secret := gateway.NewSigningSecret()
	h := newHookReceiver(t, secret)
	f.Add(hookAccount(h.URL, secret))
	send := func(answer func(http.ResponseWriter)) (gateway.ChannelSent, error) {
		h.answers <- answer
		_, sent, err := f.Send(t.Context(), gateway.ChannelWebhook, &gateway.ChannelMessage{ID: "msg_1", Body: "x"})
		<-h.requests
		<-h.bodies
		return sent, err
	}
	for body, want := range map[string]gateway.ChannelSent{
		`{"ref":"r1","status":"sent"}`: {Ref: "r1"}, `{"ref":"r2"}`: {Ref: "r2", Accepted: true}, `{"status":"delivered"}`: {}, `thanks`: {Accepted: true}, ``: {Accepted: true},
	} {
		if sent, err := send(func(w http.ResponseWriter) { io.WriteString(w, body) }); err != nil || sent != want {
			t.Errorf("%s: %+v %v", body, sent, err)
		}
	}
	for status, want := range map[int]gateway.ChannelErrorKind{
		400: gateway.ChannelRefused, 401: gateway.ChannelRefused, 404: gateway.ChannelRefused, 410: gateway.ChannelRefused, 302: gateway.ChannelRefused,
		408: gateway.ChannelRetry, 425: gateway.ChannelRetry, 429: gateway.ChannelRetry, 500: gateway.ChannelRetry, 503: gateway.ChannelRetry,
	} {
		_, err := send(func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3")
			w.Header().Set("Location", "https://elsewhere.example")
			w.WriteHeader(status)
		})
		e := channeltest.RefusalOf(t, err)
		if e.Kind != want || (want == gateway.ChannelRetry) != (e.After == 3*time.Second) {
			t.Errorf("%d: %+v", status, e)
		}
	}
	// The receiver tells a repeat by its identifier: a lost answer is tried again.
	if _, err := send(func(http.ResponseWriter) { panic(http.ErrAbortHandler) }); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRetry {
		t.Error(err)
	}
}

func TestWebhookStatuses(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	secret := gateway.NewSigningSecret()
	h := newHookReceiver(t, secret)
	a := f.Add(hookAccount(h.URL, secret))
	path := "/channels/" + a.ID + "/statuses/msg_1.2"
	post := func(path, body string, secret gateway.Secret, at time.Time) int {
		stamp := strconv.FormatInt(at.Unix(), 10)
		status, _ := f.Post(path, "application/json", body, "webhook-id", "s1", "webhook-timestamp", stamp, "webhook-signature", hookSignature(secret, "s1", stamp, []byte(body)))
		return status
	}
	now := time.Now()
	for body, want := range map[string]int{
		`{"status":"delivered","at":"2026-05-01T12:00:00Z","ref":"r1"}`:                        204,
		`{"status":"failed","failure":{"code":"unreachable","message":"nobody\nat home"}}`:     204,
		`{"status":"failed","failure":{"code":"of our own","message":"whatever it may mean"}}`: 204,
		`{"status":"failed"}`: 204,
		`{"status":"lost"}`:   400,
		`{`:                   400,
	} {
		if got := post(path, body, secret, now); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	reports, _ := f.Got.Wait(t, 4, 0)
	codes := map[gateway.FailureCode]int{}
	for _, r := range reports {
		if r.MessageID != "msg_1" || r.Step != 2 || r.Account != a.ID {
			t.Errorf("%+v", r)
		}
		if r.Status == gateway.StatusDelivered && (r.Ref != "r1" || !r.At.Equal(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))) {
			t.Errorf("%+v", r)
		}
		if r.Failure != nil {
			codes[r.Failure.Code]++
		}
	}
	if diff := cmp.Diff(map[gateway.FailureCode]int{gateway.FailureUnreachable: 1, gateway.FailureProviderRefused: 2}, codes); diff != "" {
		t.Error(diff)
	}
	const sent = `{"status":"sent"}`
	for name, got := range map[string]int{
		"another secret":  post(path, sent, gateway.NewSigningSecret(), now),
		"an old request":  post(path, sent, secret, now.Add(-time.Hour)),
		"another account": post("/channels/chn_none/statuses/msg_1.2", sent, secret, now),
	} {
		if got != 403 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if status, _ := f.Post(path, "application/json", sent); status != 403 {
		t.Errorf("no signature: %d", status)
	}
	if got := post("/channels/"+a.ID+"/statuses/msg_1", sent, secret, now); got != 404 {
		t.Errorf("no step: %d", got)
	}
	f.Got.SetRefuse(errors.New("the disk is full"))
	if got := post(path, sent, secret, now); got != 503 {
		t.Error(got)
	}
	big := bytes.Repeat([]byte("x"), 256<<10+1)
	if got := post(path, string(big), secret, now); got != 400 {
		t.Errorf("a large body: %d", got)
	}
}
