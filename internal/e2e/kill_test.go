package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

// The kill test: a gateway is killed at random moments under load in both directions, and
// afterwards everything it has acknowledged must be accounted for.
const (
	killPeople = 10
	killPace   = 100 * time.Millisecond // between two messages of a person, and between two to them
)

// ledger is what was put in, by person.
type ledger struct {
	mu       sync.Mutex
	accepted map[string][]accepted // messages, in the order of their acceptance
	written  map[string][]string   // mids of what the person wrote, in order
	again    int                   // calls whose answer was lost and that were made again
	every    time.Duration         // between two messages of a person, and between two to them; killPace when zero

	// behind is how many messages to a person have not been sent, and how many of theirs have not
	// been read; nil for no limit. While it is more than mostBehind nothing is added: a slow machine
	// would get further behind for ever.
	behind func(psid string) (out, in int)
}

const mostBehind = 30

// accepted is a message that the gateway has taken.
type accepted struct{ id, text string }

func TestKill(t *testing.T) {
	t.Parallel()
	kills, seed := number(t, "CHASQUI_KILLS", 3), number(t, "CHASQUI_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("%d kills, CHASQUI_SEED=%d", kills, seed)
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	p := startPlatform(t, func(s *graphemu.Server) {
		s.Latency = jitter
		s.Latency.Seed = uint64(seed)
	})
	w, g := startApart(t, p, func(c *config.Config) {
		c.Uncertain.Wait, c.Uncertain.GiveUp = 500*time.Millisecond, 2*time.Second
	}, "--forward-allow-private")
	pg := w.connect(graphemu.Page{})
	persons := pg.people(killPeople)
	customer := startReceiver(t, nil)
	w.forward(customer, inboundOnly)
	l := &ledger{accepted: map[string][]accepted{}, written: map[string][]string{}}
	follower := w.follow(w.pull("message.inbound").id)

	load, end := context.WithCancel(t.Context())
	defer end()
	var workers sync.WaitGroup
	for i, psid := range persons {
		workers.Go(func() { l.write(load, pg, psid, i) })
		workers.Go(func() { l.send(load, pg, psid, i) })
	}
	for range kills {
		<-time.After(time.Duration(200+chance.IntN(900)) * time.Millisecond) // the random moment
		g.kill()
		g = w.serve("--forward-allow-private")
	}
	end()
	workers.Wait()
	l.settle(t, w, pg)
	out := l.checkOutbound(t, w, pg)
	in := l.checkInbound(t, follower, customer)
	t.Logf("%d kills; out: %s; in: %s; %d calls made again, %d POSTs to the receiver", kills, out, in, l.again, len(customer.deliveries()))
}

// number reads a whole number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// pace calls do again and again until the load ends.
func (l *ledger) pace(load context.Context, do func(n int)) {
	every := l.every
	if every == 0 {
		every = killPace
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		do(n)
		select {
		case <-tick.C:
		case <-load.Done():
			return
		}
	}
}

// write lets a person write; the platform repeats its webhooks until they are acknowledged.
func (l *ledger) write(load context.Context, p *page, psid string, i int) {
	l.pace(load, func(n int) {
		if l.behind != nil {
			if _, in := l.behind(psid); in > mostBehind {
				return
			}
		}
		res, err := p.w.platform.Act(context.Background(), p.id, psid, graphemu.Action{Text: fmt.Sprintf("in %d-%d", i, n)})
		if err != nil {
			p.w.t.Error(err)
			return
		}
		l.mu.Lock()
		l.written[psid] = append(l.written[psid], res.MID)
		l.mu.Unlock()
	})
}

// send hands messages over, one after the other: a call without an answer is made again under the
// same key, until there is one.
func (l *ledger) send(load context.Context, p *page, psid string, i int) {
	l.pace(load, func(n int) {
		if l.behind != nil {
			if out, _ := l.behind(psid); out > mostBehind {
				return
			}
		}
		text := fmt.Sprintf("out %d-%d", i, n)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			res, err := p.w.client.SendMessage(ctx, withKey(p.text(psid, text), text))
			if err == nil {
				l.mu.Lock()
				l.accepted[psid] = append(l.accepted[psid], accepted{res.Message.ID, text})
				l.mu.Unlock()
				return
			}
			l.mu.Lock()
			l.again++
			l.mu.Unlock()
			select {
			case <-tick.C:
			case <-ctx.Done():
				p.w.t.Errorf("message %q was never accepted: %v", text, err)
				return
			}
		}
	})
}

// settle waits until every message has come to its end, and every webhook was acknowledged.
func (l *ledger) settle(t *testing.T, w *world, p *page) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	for _, status := range []gatewayapi.MessageStatus{gatewayapi.StatusQueued, gatewayapi.StatusSending, gatewayapi.StatusUncertain} {
		for deadline := time.Now().Add(3 * patience); ; {
			list, err := w.client.ListMessages(ctx, gatewayapi.ListMessagesRequest{Status: status, Limit: 1})
			if err == nil && len(list.Messages) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("messages stay %s: %+v, %v", status, list.Messages, err)
			}
		}
	}
	if err := w.platform.WaitIdle(ctx); err != nil {
		t.Fatalf("the platform has webhooks that the gateway does not take: %v", err)
	}
}

// account is what the comparison of what came out with what was put in has found.
type account struct{ total, unknown, proven, lost, twice, inverted, invented int }

// String is the account in one line.
func (a account) String() string {
	return fmt.Sprintf("%d acknowledged, %d of unknown outcome, %d proven by echoes, %d lost, %d twice, %d inverted, %d invented",
		a.total, a.unknown, a.proven, a.lost, a.twice, a.inverted, a.invented)
}

// check fails the test unless everything is accounted for.
func (a account) check(t *testing.T, what string) {
	t.Helper()
	if a.lost+a.twice+a.inverted+a.invented > 0 || a.total == 0 {
		t.Errorf("%s: %s", what, a)
	}
}

// compare adds what is found of one conversation: what came out against what was put in, leaving
// out what is excused.
func (a *account) compare(in, out []string, excused map[string]bool) {
	place := map[string]int{}
	for i, item := range in {
		place[item] = i
	}
	seen := map[string]bool{}
	last := -1
	for _, item := range out {
		at, known := place[item]
		switch {
		case !known || excused[item]:
			a.invented++
		case seen[item]:
			a.twice++
		case at < last:
			a.inverted++
		default:
			last = at
		}
		seen[item] = true
	}
	for _, item := range in {
		a.total++
		if !seen[item] && !excused[item] {
			a.lost++
		}
	}
}

// checkOutbound holds the threads of the platform to the ledger: every message once and in order,
// or reported as of unknown outcome and not there.
func (l *ledger) checkOutbound(t *testing.T, w *world, p *page) account {
	t.Helper()
	var a account
	for psid, messages := range l.accepted {
		var texts []string
		thread := p.thread(psid)
		unknown := map[string]bool{}
		for _, m := range messages {
			texts = append(texts, m.text)
			ends := []gatewayapi.MessageStatus{gatewayapi.StatusSent, gatewayapi.StatusDelivered}
			if !slices.Contains(thread, m.text) {
				ends = append(ends, gatewayapi.StatusFailed)
			}
			state := w.awaitStatus(m.id, ends...) // what was given up is corrected when its echo is read
			switch {
			case state.Status == gatewayapi.StatusFailed && state.Failure != nil && state.Failure.Code == "unknown_outcome":
				unknown[m.text] = true
				a.unknown++
			case state.Status == gatewayapi.StatusFailed:
				t.Errorf("%q failed because of %+v", m.text, state.Failure)
			case slices.ContainsFunc(state.Attempts, func(a gatewayapi.Attempt) bool { return a.Outcome == "sent" && a.Failure != nil }):
				a.proven++
			}
		}
		a.compare(texts, thread, unknown)
	}
	a.check(t, "sent")
	return a
}

// checkInbound holds what was pulled and what was pushed to what people wrote: everything, in
// order, and each under one event.
func (l *ledger) checkInbound(t *testing.T, f *follower, r *receiver) account {
	t.Helper()
	total := 0
	for _, mids := range l.written {
		total += len(mids)
	}
	pulled := l.account(t, f.end(total))
	pulled.check(t, "pulled")
	await(t, "everything to be pushed", func() (bool, string) {
		n := len(firstOfEach(pushedEvents(r)))
		return n >= total, fmt.Sprintf("%d of %d", n, total)
	})
	pushed := l.account(t, firstOfEach(pushedEvents(r)))
	pushed.check(t, "pushed")
	return pulled
}

// account compares events with what people wrote.
func (l *ledger) account(t *testing.T, events []gatewayapi.Event) account {
	t.Helper()
	got := map[string][]string{}
	for _, e := range events {
		got[e.Person.ID] = append(got[e.Person.ID], dataOf[struct{ PlatformMessageID string }](t, e).PlatformMessageID)
	}
	var a account
	for psid, mids := range l.written {
		a.compare(mids, got[psid], nil)
	}
	return a
}

func pushedEvents(r *receiver) []gatewayapi.Event {
	var events []gatewayapi.Event
	for _, d := range r.deliveries() {
		events = append(events, d.event)
	}
	return events
}

// firstOfEach leaves out events that are there again: after a kill a receiver may get one twice,
// under the same id.
func firstOfEach(events []gatewayapi.Event) []gatewayapi.Event {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(events), func(e gatewayapi.Event) bool {
		again := seen[e.ID]
		seen[e.ID] = true
		return again
	})
}

// follower reads a pull subscription while the gateway comes and goes.
type follower struct {
	w      *world
	mu     sync.Mutex
	events []gatewayapi.Event
	cancel context.CancelFunc
	ended  chan struct{}
}

// follow reads and acknowledges until it is ended.
func (w *world) follow(id string) *follower {
	ctx, cancel := context.WithCancel(w.t.Context())
	f := &follower{w: w, cancel: cancel, ended: make(chan struct{})}
	w.t.Cleanup(func() { cancel(); <-f.ended })
	go func() {
		defer close(f.ended)
		pause := time.NewTicker(10 * time.Millisecond)
		defer pause.Stop()
		for ctx.Err() == nil {
			page, err := w.client.PullEvents(ctx, gatewayapi.PullRequest{Subscription: id, Limit: 100, Wait: time.Second})
			if err == nil {
				f.mu.Lock()
				f.events = append(f.events, page.Events...)
				f.mu.Unlock()
				_, err = w.client.Ack(ctx, id, gatewayapi.AckRequest{Cursor: page.Cursor})
			}
			if err != nil {
				<-pause.C
			}
		}
	}()
	return f
}

// end waits for n different events and ends the reading. What was read and could not be
// acknowledged is read again, under the same id.
func (f *follower) end(n int) []gatewayapi.Event {
	f.w.t.Helper()
	var events []gatewayapi.Event
	await(f.w.t, fmt.Sprintf("%d events", n), func() (bool, string) {
		f.mu.Lock()
		events = firstOfEach(f.events)
		f.mu.Unlock()
		return len(events) >= n, fmt.Sprint(len(events))
	})
	f.cancel()
	<-f.ended
	return events
}
