package deliver

import (
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Reserve lets a message be sent as soon as it is accepted: where nothing is in its way, its lane is taken and it is marked as sending, so that the commit that
// accepts it is also the one that comes before its POST. It answers false when the message has to wait for its turn like any other. After true either
// Go or Release must follow.
//
// Only a node that has the database to itself may do this: another could have accepted an earlier message of the conversation that this one has not heard of.
func (d *Deliverer) Reserve(m *gateway.Message) bool {
	if !d.o.Store.Exclusive() {
		return false
	}
	epoch, held := d.o.Store.Leases().Epoch(m.Partition)
	_, parts, err := m.Content()
	if !held || err != nil || len(parts) == 0 || m.PSID() == "" || d.ctx == nil {
		return false
	}
	now := d.now()
	if why, err := d.refusal(m, now); why != nil || err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pages[m.Application]
	if d.ctx == nil || d.ctx.Err() != nil || p == nil || p.stopped || p.spilled != 0 || p.until.After(now) || p.lanes[m.Person] != nil {
		return false
	}
	s := &p.text
	if parts[0].Media {
		s = &p.media
	}
	if len(s.ready) > 0 || d.o.Store.AcceptedAfter(m.Lane(), d.frontier) || !s.limiter.AllowN(now, 1) {
		return false
	}
	select {
	case p.slots <- struct{}{}:
	default:
		return false
	}
	p.lanes[m.Person] = &lane{key: m.Lane(), part: m.Partition, busy: true}
	d.sends.Add(1) // Stop waits for it
	m.Status, m.Epoch, m.SendingAt = gateway.StatusSending, epoch, now
	return true
}

// Go sends a message that was reserved and is committed.
func (d *Deliverer) Go(m *gateway.Message) {
	d.mu.Lock()
	p := d.pages[m.Application]
	l := p.lanes[m.Person]
	own := *m // the outbox has the message too
	own.Steps = slices.Clone(m.Steps)
	l.queue = append([]*gateway.Message{&own}, l.queue...)
	p.rows++
	client := p.client
	d.mu.Unlock()
	go func() {
		defer d.sends.Done()
		defer func() { <-p.slots }()
		d.transmit(p, l, &own, client)
	}()
}

// Release gives back what Reserve took, for a message that was not accepted.
func (d *Deliverer) Release(m *gateway.Message) {
	defer d.sends.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pages[m.Application]
	<-p.slots
	l := p.lanes[m.Person]
	l.busy = false
	d.settle(p, l)
}
