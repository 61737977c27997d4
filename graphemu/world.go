package graphemu

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// world is the emulated platform without HTTP: who there is, what they wrote, and what becomes of
// it. Its methods take and return plain values and hold the lock themselves, unless they say that
// it is held; nothing that changes leaves by reference. It is safe for concurrent use.
//
// Locks are taken in this order: the world's, the courier's, those of the other parts, and last
// those of the clock and the hub.
type world struct {
	worldConfig
	clock      *clock
	calendar   *calendar
	ids        *ids
	files      *fileStore
	codes      *codeStore
	linkTokens *linkTokens
	tokens     *tokenStore
	faults     *faultRules
	records    *records
	courier    *courier
	changes    *hub

	stop    context.CancelFunc
	running sync.WaitGroup // receipts under way

	mu sync.Mutex
	registry
	threads     threads
	attachments attachments
	closed      bool
}

// worldConfig is what a world is made with. It does not change.
type worldConfig struct {
	epoch        string
	now          func() time.Time // nil means time.Now
	receiptDelay time.Duration    // 0 means 20 ms
	quiet        bool             // no webhooks
	batching     Batching
	retry        RetrySchedule
	log          *slog.Logger
	post         func(*clock) postFunc // posts webhooks
}

func newWorld(c worldConfig) *world {
	w := &world{worldConfig: c, clock: &clock{base: c.now}, ids: &ids{epoch: c.epoch}, faults: &faultRules{}, changes: &hub{}}
	life, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.calendar = newCalendar(w.clock)
	w.files = &fileStore{ids: w.ids}
	w.records = &records{changes: w.changes}
	w.courier = &courier{
		world: w, clock: w.clock, calendar: w.calendar, faults: w.faults, records: w.records, changes: w.changes,
		log: c.log, post: c.post(w.clock), batching: c.batching, retry: c.retry, life: life,
	}
	w.courier.reset()
	w.tokens = newTokenStore(w.ids)
	w.registry = newRegistry()
	w.threads = threads{ids: w.ids, clock: w.clock, calendar: w.calendar}
	w.attachments = attachments{ids: w.ids, clock: w.clock, saved: map[string]attachment{}}
	w.codes = &codeStore{ids: w.ids, clock: w.clock, codes: map[string]codeState{}}
	w.linkTokens = &linkTokens{ids: w.ids, clock: w.clock, tokens: map[string]linkToken{}}
	return w
}

// close ends deliveries and receipts, waits for those under way, and ends the
// streams of changes.
func (w *world) close() {
	w.mu.Lock()
	w.closed = true
	for _, page := range w.pages {
		for _, person := range page.people {
			if person.receipts != nil && person.receipts.stop() {
				w.running.Done()
			}
			person.receipts = nil
		}
	}
	w.mu.Unlock()
	w.courier.close()
	w.stop()
	w.clock.close()
	w.changes.close()
	w.running.Wait()
	w.courier.running.Wait()
}

// reset empties threads and records, as [Server.Reset] says.
func (w *world) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.courier.reset()
	w.threads.reset()
	w.faults.set(nil)
	w.files.clear()
	w.records.clear()
	for _, page := range w.pages {
		for _, p := range page.people {
			p.Messages, p.Pending = nil, nil
			p.Owner, p.Prior, p.Request = "", nil, false
			p.Blocks, p.Offline, p.TypingUntil = false, false, time.Time{}
			if p.Open {
				p.LastActive = w.clock.now()
			}
		}
	}
	w.announce(change{Type: "reset"})
}

// idle reports whether no webhook is in flight or waiting, and no message is waiting for its
// receipt.
func (w *world) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, page := range w.pages {
		for _, p := range page.people {
			if p.receipts != nil {
				return false
			}
		}
	}
	return w.courier.idle()
}

func (w *world) announce(c change) { w.changes.send(c) }

func (w *world) announceThread(page *pageState, p *personState) {
	w.announce(change{Type: "thread", Page: page.ID, Person: p.ID})
}

// setTime sets the clock. The times of threads begin anew when it goes back.
func (w *world) setTime(t time.Time) {
	if t.Before(w.clock.now()) {
		w.forgetTimes()
	}
	w.clock.move(t.Sub(w.clock.now()), true)
	w.announce(change{Type: "clock"})
}

func (w *world) forgetTimes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, page := range w.pages {
		for _, p := range page.people {
			p.LastTime = 0
		}
	}
}

func (w *world) advance(d time.Duration) {
	w.clock.move(d, false)
	w.announce(change{Type: "clock"})
}

func (w *world) resetTime() {
	w.clock.undate()
	w.clock.move(-w.clock.moved(), false)
	w.announce(change{Type: "clock"})
}
