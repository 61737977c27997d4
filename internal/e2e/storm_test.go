package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// storm is a refusal of the platform that befalls one person, or through them their page.
type storm struct {
	code, subcode int
	times         int    // how often; 0 for as long as the storm lasts
	page          bool   // the whole page waits, rather than the person alone
	failure       string // why the messages fail; empty when they arrive in the end
	reason        string // why attempts fail
	paused        bool   // the page waits for a new token
}

func TestStorms(t *testing.T) {
	t.Parallel()
	storms := []storm{
		{code: 613, times: 4, page: true, reason: "rate_limited"},
		{code: 4, times: 4, page: true, reason: "rate_limited"},
		{code: 32, times: 4, page: true, reason: "rate_limited"},
		{code: 190, page: true, paused: true, reason: "token_invalid"},
		{code: 551, failure: "person_unreachable", reason: "person_unreachable"},
		{code: 1200, times: 4, reason: "platform_unavailable"},
		{code: 2, times: 4, reason: "platform_unavailable"},
		{code: 10, subcode: 2018278, failure: "outside_window", reason: "outside_window"},
	}
	for _, s := range storms {
		t.Run(fmt.Sprintf("%d/%d", s.code, s.subcode), func(t *testing.T) {
			t.Parallel()
			s.rage(t)
		})
	}
}

// rage injects the fault for one person and checks that only the expected messages are affected:
// theirs, not another person's of the page, nor another page's.
func (s storm) rage(t *testing.T) {
	w := startWorld(t)
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	victim, neighbour, stranger := p.person("Victim"), p.person("Neighbour"), q.person("Stranger")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Page: p.id, PSID: victim, Times: s.times, Code: s.code, Subcode: s.subcode}})
	struck := p.sendTexts(victim, numbered("struck", 3)...)
	var refused gatewayapi.Attempt
	await(t, "the first refusal", func() (bool, string) {
		m := w.message(struck[0])
		if len(m.Attempts) > 0 {
			refused = m.Attempts[0]
		}
		return len(m.Attempts) > 0, string(m.Status)
	})
	near := p.sendTexts(neighbour, numbered("near", 6)...)
	far := q.sendTexts(stranger, numbered("far", 6)...)

	lastFar := s.allArrive(t, w, far)
	until := refused.EndedAt.Add(400 * time.Millisecond) // the shortest pause, and a little less
	if s.paused {
		w.awaitState(p.key, gatewayapi.ApplicationPaused)
		w.platform.SetFaults(nil)
		token := w.platform.AddToken(p.id, w.platform.app.ID, "")
		until = time.Now()
		if _, err := w.client.UpdateApplication(t.Context(), p.key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: &token}}); err != nil {
			t.Fatal(err)
		}
	}
	lastNear := s.allArrive(t, w, near)
	firstStruck := s.checkStruck(t, w, struck)
	if s.failure == "" && !lastFar.Before(firstStruck) {
		t.Errorf("the other page's last message went out at %s, the struck one at %s", lastFar, firstStruck)
	}
	if s.failure == "" && !s.page && !lastNear.Before(firstStruck) {
		t.Errorf("the other person's last message went out at %s, the struck one at %s", lastNear, firstStruck)
	}
	if first := w.message(near[0]).Attempts[0]; s.page && first.StartedAt.Before(until.Truncate(time.Millisecond)) {
		t.Errorf("the page was to wait until %s, and the next message went out at %s", until, first.StartedAt)
	}
	want := numbered("struck", 3)
	if s.failure != "" {
		want = []string{}
	}
	for _, c := range []struct {
		p    *page
		psid string
		want []string
	}{{p, victim, want}, {p, neighbour, numbered("near", 6)}, {q, stranger, numbered("far", 6)}} {
		if got := c.p.thread(c.psid); !slices.Equal(got, c.want) {
			t.Errorf("%s has %q, wanted %q", c.psid, got, c.want)
		}
	}
}

// allArrive waits until messages have arrived, and returns when the last went out.
func (s storm) allArrive(t *testing.T, w *world, ids []string) time.Time {
	t.Helper()
	var last time.Time
	for _, id := range ids {
		m := w.awaitStatus(id, gatewayapi.StatusDelivered)
		if len(m.Attempts) != 1 {
			t.Errorf("a message that was not struck took %d attempts: %+v", len(m.Attempts), m.Attempts)
		}
		last = m.SentAt.Time
	}
	return last
}

// checkStruck waits for the end of the struck messages and holds them to the verdict. It returns
// when the first went out.
func (s storm) checkStruck(t *testing.T, w *world, ids []string) time.Time {
	t.Helper()
	end := gatewayapi.StatusDelivered
	if s.failure != "" {
		end = gatewayapi.StatusFailed
	}
	var first gatewayapi.Message
	for i, id := range ids {
		m := w.awaitStatus(id, end)
		if i == 0 {
			first = m
		}
		code, attempts := s.code, 1
		if s.failure == "outside_window" && i > 0 {
			code, attempts = 0, 0 // what the platform said of the first is remembered
		}
		if s.failure != "" && (m.Failure == nil || string(m.Failure.Code) != s.failure || m.Failure.PlatformCode != code || len(m.Attempts) != attempts) {
			t.Errorf("failure %+v after %d attempts", m.Failure, len(m.Attempts))
		}
	}
	refused := first.Attempts
	if s.failure == "" {
		refused = refused[:len(refused)-1]
	}
	if s.times > 0 && len(refused) != s.times || len(refused) == 0 {
		t.Errorf("%d attempts were refused: %+v", len(refused), first.Attempts)
	}
	for _, a := range refused {
		if a.Failure == nil || string(a.Failure.Code) != s.reason || a.Failure.PlatformCode != s.code || a.Failure.PlatformSubcode != s.subcode {
			t.Errorf("attempt %+v failed because of %+v, wanted %s", a, a.Failure, s.reason)
		}
	}
	return first.SentAt.Time
}
