package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
)

// TestKillFallback kills the gateway while messages go from Messenger to another channel, by
// failure and by time: each comes to one end, and nothing is there twice on any channel.
// CHASQUI_FALLBACKS says how many messages.
func TestKillFallback(t *testing.T) {
	t.Parallel()
	total, seed := number(t, "CHASQUI_FALLBACKS", 1000), number(t, "CHASQUI_SEED", int(time.Now().UnixNano()%1_000_000))
	kills := max(3, total/1000)
	t.Logf("%d messages, %d kills, CHASQUI_SEED=%d", total, kills, seed)
	chance := rand.New(rand.NewPCG(uint64(seed), 1))
	w, g := startApart(t, startPlatform(t), func(c *config.Config) {
		c.Uncertain.Wait, c.Uncertain.GiveUp = 500*time.Millisecond, 20*time.Second // an echo may take its time on a busy machine
	}, "--forward-allow-private")
	p := w.connect(graphemu.Page{})
	c := w.carrier(nil)
	persons := p.people(100)
	var faults []graphemu.Fault
	for i, psid := range persons {
		if i%2 == 0 {
			faults = append(faults, graphemu.Fault{Endpoint: "messages", Page: p.id, PSID: psid, Code: 551})
		}
	}
	w.platform.SetFaults(faults)

	var load sync.WaitGroup
	const batch = 50
	for worker := range 2 {
		load.Go(func() {
			for n := worker * batch; n < total; n += 2 * batch {
				w.sendFallbacks(p, persons, n, min(batch, total-n))
			}
		})
	}
	for range kills {
		<-time.After(time.Duration(300+chance.IntN(1200)) * time.Millisecond) // the random moment
		g.kill()
		g = w.serve("--forward-allow-private")
	}
	load.Wait()
	(&ledger{}).settle(t, w, p)
	l := &fallbackLedger{w: w, c: c, threads: map[string]map[string]int{}}
	for _, psid := range persons {
		l.threads[psid] = map[string]int{}
		for _, text := range p.thread(psid) {
			l.threads[psid][text]++
		}
	}
	await(t, "every message to have come to its end", func() (bool, string) {
		l.read(t)
		return l.waiting == 0 && l.seen == total, fmt.Sprintf("%d of %d, %d wait", l.seen, total, l.waiting)
	})
	l.hold(t)
	t.Logf("%d messages: %d over Messenger, %d over both by time, %d over the other channel alone, %d of unknown outcome", l.seen, l.messenger, l.both, l.other, l.unknown)
}

// sendFallbacks hands over messages, again until it is answered. Every third waits a second to be
// read before it goes on.
func (w *world) sendFallbacks(p *page, persons []string, from, n int) {
	req := gatewayapi.SendBatchRequest{}
	for i := from; i < from+n; i++ {
		m := p.text(persons[i%len(persons)], "f"+strconv.Itoa(i))
		m.Rules = gatewayapi.Rules("fbMessenger", "webhook")
		if i%3 == 0 {
			m.Rules[0].Until, m.Rules[0].Within = "read", gatewayapi.Duration(time.Second)
		}
		req.Messages = append(req.Messages, m)
	}
	for deadline := time.Now().Add(3 * patience); ; {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		res, err := w.client.SendBatch(ctx, gatewayapi.SendBatchRequest{Messages: req.Messages, IdempotencyKey: "batch " + strconv.Itoa(from)})
		cancel()
		if err == nil && res.Accepted == n {
			return
		}
		if time.Now().After(deadline) {
			w.t.Errorf("messages from %d on were never accepted: %+v, %v", from, res, err)
			return
		}
		<-time.After(20 * time.Millisecond)
	}
}

// fallbackLedger compares what the gateway says of messages with what came out on their channels.
type fallbackLedger struct {
	w        *world
	c        *carrier
	threads  map[string]map[string]int // by person and text
	messages []gatewayapi.Message

	seen, waiting, messenger, other, both, unknown int
}

// read reads every message anew.
func (l *fallbackLedger) read(t *testing.T) {
	t.Helper()
	l.messages, l.seen, l.waiting = nil, 0, 0
	for f := (gatewayapi.ListMessagesRequest{Limit: 200}); ; {
		list, err := l.w.client.ListMessages(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.Messages {
			l.seen++
			for _, s := range m.Steps {
				if s.Outcome == "active" {
					l.waiting++
				}
			}
		}
		l.messages = append(l.messages, list.Messages...)
		if f.Cursor = list.Cursor; f.Cursor == "" {
			return
		}
	}
}

// hold fails the test unless each message has one end and is nowhere twice.
func (l *fallbackLedger) hold(t *testing.T) {
	t.Helper()
	handed, again := map[string]int{}, map[string]bool{}
	for _, h := range l.c.got {
		if id := h.ID + "." + strconv.Itoa(h.Step); !again[id] { // after a kill the receiver may get one twice, under the same id
			again[id] = true
			handed[h.ID]++
		}
	}
	for _, m := range l.messages {
		sent, given := l.threads[m.To.FBMessengerID][m.Body], handed[m.ID]
		reached := 0
		for _, s := range m.Steps {
			if s.Outcome == "reached" {
				reached++
			}
		}
		byTime := m.Rules[0].Until == "read"
		unknown := m.Status == "failed" && m.Failure != nil && m.Failure.Code == "unknown_outcome"
		switch {
		case sent > 1 || given > 1 || sent+given > 1 && !byTime:
			t.Errorf("%s is %d times on Messenger and %d times on the other channel: %s", m.Body, sent, given, mustJSON(m))
		case unknown:
			l.unknown++
		case reached != 1 || m.Status != "sent" && m.Status != "delivered" || sent+given == 0:
			t.Errorf("%s is %s, %d times on Messenger and %d times on the other channel: %s", m.Body, m.Status, sent, given, mustJSON(m.Steps))
		case given == 0:
			l.messenger++
		case sent == 0:
			l.other++
		default:
			l.both++
		}
	}
}
