package ingest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/ingest"
	"github.com/chasqui/chasqui/internal/service/servicetest"
	"github.com/chasqui/chasqui/messenger"
)

// door is the endpoint of one application, A, beside which B is connected.
type door struct {
	*servicetest.Inside
	mux     *http.ServeMux
	figures []string // what was counted
}

func open(t *testing.T) *door {
	t.Helper()
	t.Parallel()
	d := &door{Inside: servicetest.Open(t), mux: http.NewServeMux()}
	d.Connect("A", "B")
	ingest.New(ingest.Options{Store: d.Store, Directory: d.Directory, Logger: d.Logger, MaxBody: 4096, Metrics: ingest.Metrics{
		Received: func(app string, events, dup int) {
			d.figures = append(d.figures, fmt.Sprint(app, " ", events, " ", dup))
		},
		BadSignature: func(app string) { d.figures = append(d.figures, "forged "+app) },
		Refused:      func(reason string) { d.figures = append(d.figures, reason) },
	}}).Register(d.mux)
	return d
}

// post posts a body, signed with a secret unless that is empty, and returns the status.
func (d *door) post(key, body string, secret gateway.Secret) int {
	d.T.Helper()
	r := httptest.NewRequest(http.MethodPost, "/webhooks/"+key, strings.NewReader(body))
	if secret != "" {
		r.Header.Set("X-Hub-Signature-256", messenger.Sign(secret.Reveal(), []byte(body)))
	}
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	return w.Code
}

func text(page, person, mid string) string {
	return fmt.Sprintf(`{"id":%q,"time":1700000000000,"messaging":[{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":1700000000000,"message":{"mid":%q,"text":"Hello"}}]}`, page, person, page, mid)
}

func delivery(entries ...string) string {
	return `{"object":"page","entry":[` + strings.Join(entries, ",") + `]}`
}

// One delivery may hold events of several pages: each goes to the application of its page, once.
func TestEventsGoToTheApplicationOfTheirPage(t *testing.T) {
	d := open(t)
	body := delivery(text("A", "100", "m1"), text("B", "200", "m2"), text("X", "300", "m3"))
	for range 2 {
		if status := d.post("A", body, servicetest.AppSecret); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	var got []string
	for _, e := range d.Events() {
		got = append(got, fmt.Sprint(e.Application, " ", e.Person, " ", e.Type))
	}
	want := "A 100 message.inbound, B 200 message.inbound,  300 message.inbound"
	if strings.Join(got, ", ") != want {
		t.Errorf("%q, wanted %q", got, want)
	}
}

// What is not signed with the app's secret, not for a connected application, too large, too deep or
// no JSON leaves nothing.
func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	d := open(t)
	body := delivery(text("A", "100", "m1"))
	for name, c := range map[string]struct {
		key, body string
		secret    gateway.Secret
		status    int
		figure    string
	}{
		"no signature":  {"A", body, "", http.StatusForbidden, "forged A"},
		"another's key": {"A", body, "another secret", http.StatusForbidden, "forged A"},
		"no such door":  {"C", body, servicetest.AppSecret, http.StatusNotFound, "unknown_key"},
		"no JSON":       {"A", body + "}", servicetest.AppSecret, http.StatusBadRequest, "not_json"},
		"too large":     {"A", body + strings.Repeat(" ", 4096), servicetest.AppSecret, http.StatusRequestEntityTooLarge, "too_large"},
		"too deep":      {"A", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), servicetest.AppSecret, http.StatusBadRequest, "too_deep"},
	} {
		d.figures = nil
		if status := d.post(c.key, c.body, c.secret); status != c.status || len(d.figures) != 1 || d.figures[0] != c.figure {
			t.Errorf("%s: %d, %q", name, status, d.figures)
		}
	}
	if events := d.Events(); len(events) != 0 {
		t.Errorf("%d events are stored", len(events))
	}
}

// The platform's question is answered to whoever knows the verify token.
func TestVerification(t *testing.T) {
	d := open(t)
	for query, want := range map[string]int{
		"hub.mode=subscribe&hub.verify_token=verify+token&hub.challenge=77":  http.StatusOK,
		"hub.mode=subscribe&hub.verify_token=verify+tokem&hub.challenge=77":  http.StatusForbidden,
		"hub.mode=unsubscribe&hub.verify_token=verify+token&hub.challenge=1": http.StatusForbidden,
		"": http.StatusForbidden,
	} {
		w := httptest.NewRecorder()
		d.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/facebook/1/applications/A/webhook?"+query, nil))
		if w.Code != want || want == http.StatusOK && w.Body.String() != "77" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
