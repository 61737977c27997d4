package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

// echoGate is the way of webhooks to the gateway: while it is shut, echoes do not get through, and
// whatever of the same conversation comes after them.
type echoGate struct {
	shut atomic.Bool
	http.Transport
}

// RoundTrip carries a webhook unless it is an echo and the gate is shut.
func (g *echoGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.shut.Load() && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		if bytes.Contains(body, []byte(`"is_echo":true`)) {
			return nil, errors.New("the gate is shut for echoes")
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return g.Transport.RoundTrip(r)
}

// startGated starts a world whose echoes can be held back.
func startGated(t *testing.T, change ...func(*config.Config)) (*world, *echoGate) {
	t.Helper()
	gate := &echoGate{}
	t.Cleanup(gate.CloseIdleConnections)
	p := startPlatform(t, func(s *graphemu.Server) { s.HTTPClient = &http.Client{Transport: gate} })
	return startBeside(t, p, change...), gate
}

// hasty settles uncertain messages sooner than by default.
func hasty(c *config.Config) {
	c.Uncertain.Wait, c.Uncertain.GiveUp = 300*time.Millisecond, time.Second
}

// loseAnswers makes the platform take the next n messages to a person, and lose its answers.
func (w *world) loseAnswers(psid string, n int) {
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Times: n, DropResponse: true, PSID: psid}})
}

func TestLostAnswersAreProvenByEchoes(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	pulled := w.pull("message.uncertain", "message.sent", "message.failed")
	w.loseAnswers(ana, 4)
	long := strings.TrimSpace(strings.Repeat("gold ", 1000)) // three parts
	ids := p.sendTexts(ana, "first", long, "last")
	for _, id := range ids {
		m := w.awaitStatus(id, gatewayapi.StatusDelivered)
		if m.Failure != nil || m.Late || m.Resent || m.PlatformMessageID == "" {
			t.Errorf("message %+v", m)
		}
	}
	thread := p.thread(ana)
	if len(thread) != 5 || thread[0] != "first" || strings.Join(thread[1:4], " ") != long || thread[4] != "last" {
		t.Errorf("Ana has %d messages: %.60q", len(thread), thread)
	}
	pulled.await("the last", func(e gatewayapi.Event) bool {
		return e.Type == "message.sent" && dataOf[struct{ MessageID string }](t, e).MessageID == ids[2]
	})
	if n := count(pulled.events, "message.sent"); n != 3 {
		t.Errorf("message.sent came %d times: %q", n, types(pulled.events))
	}
	if n := count(pulled.events, "message.failed"); n != 0 {
		t.Errorf("message.failed came %d times", n)
	}
}

func count(events []gatewayapi.Event, kind string) int {
	n := 0
	for _, e := range events {
		if string(e.Type) == kind {
			n++
		}
	}
	return n
}

func TestLostAnswerWithoutProof(t *testing.T) {
	t.Parallel()
	w, gate := startGated(t, hasty)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	pulled := w.pull("message.uncertain", "message.failed", "message.sent")
	gate.shut.Store(true)
	w.loseAnswers(ana, 1)
	ids := p.sendTexts(ana, "lost", "next")
	uncertain := w.awaitStatus(ids[0], gatewayapi.StatusUncertain)
	next := w.awaitStatus(ids[1], gatewayapi.StatusSent)
	if waited := next.Attempts[0].StartedAt.Sub(uncertain.Attempts[0].StartedAt.Time); waited < 300*time.Millisecond {
		t.Errorf("the conversation went on after %s", waited)
	}
	failed := w.awaitStatus(ids[0], gatewayapi.StatusFailed)
	if failed.Failure == nil || failed.Failure.Code != "unknown_outcome" {
		t.Errorf("failed because of %+v", failed.Failure)
	}
	pulled.await("message.failed", func(e gatewayapi.Event) bool { return e.Type == "message.failed" })

	gate.shut.Store(false)
	corrected := w.awaitStatus(ids[0], gatewayapi.StatusSent, gatewayapi.StatusDelivered)
	if !corrected.Late || corrected.Failure != nil || corrected.PlatformMessageID == "" {
		t.Errorf("after the echo: late %v, failure %+v, mid %q", corrected.Late, corrected.Failure, corrected.PlatformMessageID)
	}
	sent := pulled.await("message.sent of the lost one", func(e gatewayapi.Event) bool {
		return e.Type == "message.sent" && dataOf[struct{ MessageID string }](t, e).MessageID == ids[0]
	})
	if !dataOf[struct{ Late bool }](t, sent).Late {
		t.Errorf("the event does not say that it is late: %s", sent.Data)
	}
	if got := p.thread(ana); !slices.Equal(got, []string{"lost", "next"}) {
		t.Errorf("Ana has %q", got)
	}
	w.awaitStatus(ids[1], gatewayapi.StatusDelivered)
}

// The policies decide what becomes of a message whose answer was lost, whether the platform had
// taken it or not.
func TestResendPolicies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, policy string
		taken        bool // the platform took the message whose answer was lost
		thread       []string
		status       gatewayapi.MessageStatus
		resent       bool
	}{
		{"never, taken", "never", true, []string{"it", "next"}, gatewayapi.StatusFailed, false},
		{"never, not taken", "never", false, []string{"next"}, gatewayapi.StatusFailed, false},
		{"once, taken", "once", true, []string{"it", "it", "next"}, gatewayapi.StatusSent, true},
		{"once, not taken", "once", false, []string{"it", "next"}, gatewayapi.StatusSent, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, gate := startGated(t, hasty, func(o *config.Config) { o.Uncertain.Resend = c.policy })
			p := w.connect(graphemu.Page{})
			ana := p.person("Ana")
			gate.shut.Store(true)
			fault := graphemu.Fault{Endpoint: "messages", Times: 1, DropResponse: true}
			if !c.taken {
				fault.Status = 500
			}
			w.platform.SetFaults([]graphemu.Fault{fault})
			ids := p.sendTexts(ana, "it", "next")
			w.awaitStatus(ids[1], gatewayapi.StatusSent)
			if m := w.awaitStatus(ids[0], c.status); m.Resent != c.resent {
				t.Errorf("resent is %v", m.Resent)
			}
			if got := p.thread(ana); !slices.Equal(got, c.thread) {
				t.Errorf("Ana has %q, wanted %q", got, c.thread)
			}
		})
	}
}

// A message sent twice is lost twice at most: the policy allows one more try, and no other.
func TestResentOnceOnly(t *testing.T) {
	t.Parallel()
	w, gate := startGated(t, hasty, func(o *config.Config) { o.Uncertain.Resend = "once" })
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	gate.shut.Store(true)
	w.loseAnswers(ana, 5)
	ids := p.sendTexts(ana, "it")
	m := w.awaitStatus(ids[0], gatewayapi.StatusFailed)
	if m.Failure.Code != "unknown_outcome" || !m.Resent || len(p.thread(ana)) != 2 {
		t.Errorf("failure %+v, resent %v, Ana has %q", m.Failure, m.Resent, p.thread(ana))
	}
}
