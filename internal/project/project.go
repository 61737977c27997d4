// Package project reads the log into profiles and conversations: at first contact a person gets a
// profile, and what the platform says about them is fetched in the background, never while a
// webhook waits.
package project

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// noteInterval is how often at most it is written when an application was last heard of.
const noteInterval = 2 * time.Second

// maxKnown is how many people are remembered as having a profile, to spare the database the
// question.
const maxKnown = 100_000

// Options says what the projector works with.
type Options struct {
	Store     *store.Store
	Directory *service.Directory
	Platform  service.Platform
	Logger    *slog.Logger
}

// Projector keeps profiles and conversations up to date with the log. It is made by New, started
// once and stopped once.
type Projector struct {
	o        Options
	consumer store.Consumer
	known    map[gateway.Lane]struct{} // people that have a profile; used by the consumer only, as are the next three
	heard    map[string]time.Time      // when the newest event of an application came
	noted    time.Time                 // when heard was written
	fresh    bool                      // the events being handled bring somebody new
	newcomer chan struct{}             // there may be somebody to fetch

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a projector.
func New(o Options) *Projector {
	p := &Projector{o: o, known: map[gateway.Lane]struct{}{}, heard: map[string]time.Time{}, newcomer: make(chan struct{}, 1)}
	p.consumer = store.Consumer{Name: store.ReaderProjector, Handle: p.handle, After: p.after}
	return p
}

// Start begins to read the log. The leases must have been started.
func (p *Projector) Start(ctx context.Context) {
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.work.Go(func() { p.o.Store.Consume(ctx, &p.consumer) })
	p.work.Go(func() { p.fetch(ctx) })
}

// Stop ends reading and waits for it.
func (p *Projector) Stop() {
	p.cancel()
	p.work.Wait()
}

// Covers is Position for the partitions that this node holds under the epochs given: what other
// nodes do does not hold it up.
func (p *Projector) Covers(epochs map[int]int64) int64 { return p.consumer.Covers(epochs) }

// note notes who controls a conversation: what the person does reaches the app that does, and
// others in standby.
func note(s *store.Seen, e *gateway.Event) {
	switch e.Type {
	case gateway.EventMessageInbound, gateway.EventPostback:
		s.Here = e.ReceivedAt
	case gateway.EventStandby:
		s.Elsewhere = e.ReceivedAt
		switch e.Parse().Kind {
		case messenger.KindMessage, messenger.KindPostback:
			s.Inbound = e.ReceivedAt // opens the window, whoever answers
		}
	case gateway.EventHandover:
		switch e.Parse().Kind {
		case messenger.KindPassThreadControl:
			s.Here = e.ReceivedAt
		case messenger.KindTakeThreadControl:
			s.Elsewhere = e.ReceivedAt
		}
	}
}

// handle finds out which conversations events touch, and who is new.
func (p *Projector) handle(ctx context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
	var order []gateway.Lane
	seen := map[gateway.Lane]*store.Seen{}
	people := map[gateway.Lane]bool{} // who did something themselves
	for _, e := range events {
		if e.Application != "" && e.Channel != "" {
			p.heard[e.Application] = e.ReceivedAt
		}
		if e.Application == "" || e.Person == "" || e.Channel == "" || e.Internal() {
			continue
		}
		lane := e.Lane()
		s := seen[lane]
		if s == nil {
			s = &store.Seen{Lane: lane, First: e.ReceivedAt}
			seen[lane] = s
			order = append(order, lane)
		}
		s.Last = e.ReceivedAt
		if e.ByPerson() {
			s.Inbound = e.ReceivedAt
			people[lane] = true
		}
		note(s, e)
	}
	if len(order) == 0 && len(p.heard) == 0 {
		return nil, nil
	}
	var newcomers []gateway.Lane
	for _, lane := range order {
		if _, ok := p.known[lane]; ok || !people[lane] {
			continue
		}
		id, err := p.o.Store.ProfileOf(ctx, lane.Application, lane.Person)
		if err != nil {
			return nil, err
		}
		if id == "" {
			newcomers = append(newcomers, lane)
			p.fresh = true
		}
	}
	touched := make([]store.Seen, len(order))
	for i, lane := range order {
		touched[i] = *seen[lane]
	}
	return func(tx *store.Tx) error {
		if err := tx.TouchConversations(touched); err != nil {
			return err
		}
		for _, lane := range newcomers {
			if err := tx.FirstContact(lane); err != nil {
				return err
			}
		}
		tx.OnCommit(func() {
			for _, lane := range order {
				if people[lane] {
					p.remember(lane)
				}
			}
		})
		return p.note(tx)
	}, nil
}

// note writes now and then when applications were last heard of.
func (p *Projector) note(tx *store.Tx) error {
	if tx.Now().Sub(p.noted) < noteInterval {
		return nil
	}
	if err := tx.HeardOf(p.heard); err != nil {
		return err
	}
	tx.OnCommit(func() {
		p.noted = tx.Now()
		clear(p.heard)
	})
	return nil
}

func (p *Projector) remember(lane gateway.Lane) {
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[lane] = struct{}{}
}

func (p *Projector) after([]*gateway.Event) {
	if !p.fresh {
		return
	}
	p.fresh = false
	select {
	case p.newcomer <- struct{}{}:
	default:
	}
}
