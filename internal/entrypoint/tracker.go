// Package entrypoint follows how people come: by which code, link, ad or button, and what came of
// it. It counts visits of short links, binds opt-in states to profiles, and answers the Messenger
// Code API.
package entrypoint

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// maxIdle is how many people are remembered of whom nothing is awaited, to spare the database the
// question.
const maxIdle = 100_000

// Options says what the tracker works with.
type Options struct {
	Store     *store.Store
	Directory *service.Directory
	Points    *service.EntryPoints
	OptIns    *service.OptIns
	Logger    *slog.Logger
}

// Tracker reads the log for how people come. It is made by New, started once and stopped once.
type Tracker struct {
	o        Options
	consumer store.Consumer
	idle     map[gateway.Lane]struct{} // people of whom nothing is awaited; used by the consumer only
	visits   visits

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a tracker.
func New(o Options) *Tracker {
	t := &Tracker{o: o, idle: map[gateway.Lane]struct{}{}}
	t.visits.counts = map[string]int64{}
	t.consumer = store.Consumer{Name: store.ReaderEntryPoints, Handle: t.handle}
	return t
}

// Start begins to read the log and to count visits. The leases must have been started.
func (t *Tracker) Start(ctx context.Context) error {
	if err := t.o.Points.Refresh(ctx); err != nil {
		return err
	}
	ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	t.work.Go(func() { t.o.Store.Consume(ctx, &t.consumer) })
	t.work.Go(func() { t.flushVisits(ctx) })
	return nil
}

// Stop ends both; visits that were counted are kept.
func (t *Tracker) Stop() {
	t.cancel()
	t.work.Wait()
}

// handle looks for referrals, and for what follows them.
func (t *Tracker) handle(ctx context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
	var steps []step
	for _, e := range events {
		if e.Application == "" || e.Person == "" {
			continue
		}
		switch {
		case e.Type == gateway.EventReferral && len(e.Data) > 0:
			r, err := gateway.ParseReferral(e.Data)
			if err != nil {
				t.o.Logger.Error("read a referral", "event", e.ID(), "err", err)
				continue
			}
			steps = append(steps, step{event: e, referral: r})
			delete(t.idle, e.Lane())
		case e.Type == gateway.EventMessageInbound && e.Channel == "messaging":
			steps = t.follow(steps, e, gateway.PendingMessage)
		case e.Type == gateway.EventMessageSent:
			steps = t.follow(steps, e, gateway.PendingAnswer)
		}
	}
	for i := range steps {
		if r := steps[i].referral; r != nil && service.IsToken(r.Ref) {
			steps[i].token = r.Ref
			steps[i].handle, _ = t.o.OptIns.Handle(ctx, steps[i].event.Application, r.Ref)
			hidden := *r
			hidden.Ref = "" // a token is nobody's statistics
			steps[i].referral = &hidden
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	return func(tx *store.Tx) error { return t.write(tx, steps) }, nil
}

// step is something to be done about an event.
type step struct {
	event    *gateway.Event
	referral *gateway.ReferralRecord // of a referral
	settles  int                     // what the event is, that may have been awaited
	token    string                  // of an opt-in state
	handle   string                  // empty when the token is not good for this page
}

func (t *Tracker) follow(steps []step, e *gateway.Event, settles int) []step {
	if _, idle := t.idle[e.Lane()]; idle {
		return steps
	}
	return append(steps, step{event: e, settles: settles})
}

// write does all steps in one transaction.
func (t *Tracker) write(tx *store.Tx, steps []step) error {
	touches := map[gateway.Lane]*gateway.Touches{}
	changed := map[gateway.Lane]bool{}
	var counts []store.Count
	for _, s := range steps {
		lane := s.event.Lane()
		now, read := touches[lane]
		if !read {
			var err error
			if now, err = tx.Touches(lane); err != nil {
				return err
			}
			touches[lane] = now
		}
		if s.referral != nil {
			now = t.arrive(now, s, &counts)
			touches[lane], changed[lane] = now, true
			if err := t.settleProfile(tx, s, now); err != nil {
				return err
			}
			continue
		}
		if now == nil || now.Pending&s.settles == 0 {
			continue
		}
		now.Pending &^= s.settles
		changed[lane] = true
		metric := gateway.MetricFirstMessages
		if s.settles == gateway.PendingAnswer {
			metric = gateway.MetricAnswered
		}
		counts = append(counts, countOf(s.event, now.Last, metric))
	}
	for lane, now := range touches {
		if changed[lane] {
			if err := tx.SaveTouches(lane, now); err != nil {
				return err
			}
		}
		if now == nil || now.Pending == 0 {
			t.rest(lane)
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return tx.AddCounts(counts...)
}

// rest remembers that nothing is awaited of a person. Should the transaction fail, the worst is
// that a referral that is handled again forgets it.
func (t *Tracker) rest(lane gateway.Lane) {
	if len(t.idle) >= maxIdle {
		clear(t.idle)
	}
	t.idle[lane] = struct{}{}
}

func countOf(e *gateway.Event, touch gateway.Touch, metric string) store.Count {
	return store.Count{Application: e.Application, Point: touch.Point, Ref: touch.Ref, Source: touch.Source, Metric: metric, At: e.ReceivedAt, N: 1}
}

// arrive adds a referral to how a person came, and counts it.
func (t *Tracker) arrive(now *gateway.Touches, s step, counts *[]store.Count) *gateway.Touches {
	touch := gateway.TouchOf(s.referral, s.event)
	first := s.referral.First && now == nil
	if now == nil {
		now = &gateway.Touches{First: touch}
	}
	now.Last, now.Pending = touch, gateway.PendingMessage|gateway.PendingAnswer
	metrics := []string{gateway.MetricOpens, gateway.MetricReturning}
	if first {
		metrics[1] = gateway.MetricFirst
	}
	if touch.Source == gateway.SourceCode {
		metrics = append(metrics, gateway.MetricScans)
	}
	for _, m := range metrics {
		*counts = append(*counts, countOf(s.event, touch, m))
	}
	return now
}

// settleProfile binds the person to the profile of an opt-in state, and writes onto the profile how
// the person came.
func (t *Tracker) settleProfile(tx *store.Tx, s step, now *gateway.Touches) error {
	lane := s.event.Lane()
	if err := tx.FirstContact(lane); err != nil {
		return err
	}
	id, err := tx.ProfileOf(lane.Application, lane.Person)
	if err != nil {
		return err
	}
	if s.token != "" {
		if id, err = t.bind(tx, s, id); err != nil {
			return err
		}
	}
	p, err := tx.Profile(id)
	if err != nil {
		return err
	}
	if err := touched(p, now); err != nil {
		return err
	}
	return tx.UpdateProfile(p)
}

// touched writes the touches into a profile.
func touched(p *gateway.Profile, now *gateway.Touches) error {
	if p.Doc == nil {
		p.Doc = map[string]json.RawMessage{}
	}
	for name, touch := range map[string]gateway.Touch{gateway.FieldFirstTouch: now.First, gateway.FieldLastTouch: now.Last} {
		if name == gateway.FieldFirstTouch && p.Doc[name] != nil {
			continue
		}
		b, err := json.Marshal(struct {
			At string `json:"at"` // as all times of the API are written
			gateway.Touch
		}{gateway.FormatTime(touch.At), touch})
		if err != nil {
			return fmt.Errorf("write touches: %w", err)
		}
		p.Doc[name] = b
	}
	return nil
}
