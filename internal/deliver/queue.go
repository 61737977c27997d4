package deliver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// How much of the outbox is held in memory: so many messages of a page, and so many of one conversation. What goes beyond is read again from the
// database when there is room, so that neither a long queue of one page nor one person's trouble keeps others out.
const (
	maxPageRows = 2000
	maxLaneRows = 32
	loadBatch   = 500
)

// lane is a conversation with messages to send. It is guarded by the Deliverer's mutex.
type lane struct {
	key     gateway.Lane
	part    int
	queue   []*gateway.Message
	busy    bool  // its head is being sent, or waits for proof
	resend  bool  // its head is uncertain, and is to be sent again
	queued  bool  // it stands in one of the page's ready queues
	spilled int64 // first message that is only in the database; 0 for none, -1 while they are being read
	timer   *time.Timer
	doubt   *store.Sending // a mark of the head whose commit is not known; only whoever has made the lane busy uses it
	proof   chan struct{}  // closed when the head's uncertain outcome may have been settled
}

func (l *lane) head() *gateway.Message { return l.queue[0] }

// loadBacklog notes what the last run, or the last owner of a partition, has left: each page reads its part from the database. From here on what is accepted for
// the partitions held is admitted.
func (d *Deliverer) loadBacklog(ctx context.Context, held map[int]int64) error {
	head := d.o.Store.Head()
	open, err := d.o.Store.OpenApplications(ctx)
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.frontier = max(d.frontier, head)
	d.taken = held
	for app, seq := range d.passed {
		if first, ok := open[app]; !ok || seq < first {
			open[app] = seq
		}
	}
	clear(d.passed)
	for app, seq := range open {
		d.spill(d.page(app), seq)
	}
	return nil
}

// ours tells whether a message may be admitted: its partition is this node's, and its backlog has been noted. One that comes before that is noted with it, for it
// must not overtake what the last owner has left. A lease that is only late in being renewed still counts: each send looks at it again.
func (d *Deliverer) ours(m *gateway.Message) bool {
	if _, taken := d.taken[m.Partition]; taken {
		return true
	}
	if first, ok := d.passed[m.Application]; !ok || m.Seq < first {
		d.passed[m.Application] = m.Seq
	}
	return false
}

// follow admits messages as they are accepted.
func (d *Deliverer) follow() {
	for d.ctx.Err() == nil {
		d.mu.Lock()
		frontier := d.frontier
		d.mu.Unlock()
		messages, upto, err := d.o.Store.ReadOutbox(d.ctx, frontier, loadBatch)
		if err != nil {
			d.pause("read the outbox", err)
			continue
		}
		d.mu.Lock()
		for _, m := range messages {
			d.admit(m, false)
		}
		d.frontier = max(d.frontier, upto)
		d.mu.Unlock()
		if len(messages) == 0 {
			d.o.Store.WaitOutbox(d.ctx, upto)
		}
	}
}

// pause logs a failure of the database and waits a little before the next try.
func (d *Deliverer) pause(what string, err error) {
	if d.ctx.Err() != nil {
		return
	}
	d.log.Warn(what, "err", err)
	select {
	case <-time.After(200 * time.Millisecond):
	case <-d.ctx.Done():
	}
}

// admit takes a message into memory if there is room, or else notes that it is in the database. With loading, it comes from there.
func (d *Deliverer) admit(m *gateway.Message, loading bool) {
	if !m.Status.Open() || !d.ours(m) {
		return
	}
	if m.Status == gateway.StatusUncertain && d.o.Store.Now().Sub(m.UpdatedAt) > d.o.WaitProof && !echoed(m) {
		return // its lane has gone on; an echo or the sweep settles it
	}
	if m.Status == gateway.StatusSending && !loading {
		return // reserved when it was accepted, and under way
	}
	p := d.page(m.Application)
	if p.spilled != 0 && !loading || p.rows >= maxPageRows {
		d.spill(p, m.Seq)
		return
	}
	l := p.lanes[m.Person]
	if l == nil {
		l = &lane{key: m.Lane(), part: m.Partition}
		p.lanes[m.Person] = l
	}
	if l.spilled != 0 || len(l.queue) >= maxLaneRows {
		if l.spilled <= 0 || m.Seq < l.spilled {
			l.spilled = m.Seq
		}
		return
	}
	d.push(p, l, m)
}

// echoed reports whether the echo of the part that comes next is there: it was sent, whatever became of the answer.
func echoed(m *gateway.Message) bool { return m.Echoed>>m.PartsSent&1 == 1 }

func (d *Deliverer) push(p *page, l *lane, m *gateway.Message) {
	if slices.ContainsFunc(l.queue, func(q *gateway.Message) bool { return q.Seq == m.Seq }) {
		return
	}
	own := *m // what the outbox hands out is shared with whoever answers the caller
	own.Steps = slices.Clone(m.Steps)
	d.pokeSteps(m.StepDue)
	l.queue = append(l.queue, &own)
	p.rows++
	if len(l.queue) == 1 {
		d.ready(p, l)
	}
}

// spill notes that messages of the page from seq on are to be read from the database.
func (d *Deliverer) spill(p *page, seq int64) {
	if p.spilled <= 0 || seq < p.spilled {
		p.spilled = seq
	}
	if p.rows < maxPageRows/2 {
		d.load(p)
	}
}

// load reads messages of a page from the database in the background, one batch after the other, while there is room.
func (d *Deliverer) load(p *page) {
	if p.loading || d.ctx.Err() != nil {
		return
	}
	p.loading = true
	d.work.Go(func() {
		for d.loadSome(p) {
		}
	})
}

func (d *Deliverer) loadSome(p *page) (more bool) {
	d.mu.Lock()
	from := p.spilled
	if from == 0 || p.rows >= maxPageRows || d.ctx.Err() != nil {
		p.loading = false
		d.mu.Unlock()
		return false
	}
	p.spilled = -1 // what is spilled from here on mostly comes after what is being read, or is part of it
	d.mu.Unlock()

	messages, err := d.o.Store.OpenMessages(d.ctx, p.key, from, loadBatch)
	if err != nil {
		d.mu.Lock()
		if p.spilled <= 0 || from < p.spilled {
			p.spilled = from
		}
		d.mu.Unlock()
		d.pause("read messages of a page", err)
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	skipped := p.spilled // a message that came meanwhile, or -1
	if skipped > 0 && skipped < from {
		return true // a partition was taken over meanwhile: its older messages go first
	}
	p.spilled = 0
	for i, m := range messages {
		if p.rows >= maxPageRows {
			p.spilled = messages[i].Seq
			break
		}
		d.admit(m, true)
	}
	if p.spilled == 0 && len(messages) == loadBatch {
		p.spilled = messages[len(messages)-1].Seq + 1
	} else if p.spilled == 0 && skipped > 0 {
		p.spilled = skipped
	}
	return true
}

// loadLane reads the next messages of a conversation whose queue in memory has run out.
func (d *Deliverer) loadLane(p *page, l *lane) {
	from := l.spilled
	l.busy, l.spilled = true, -1 // what comes from here on may not be among what is read
	d.work.Go(func() {
		messages, err := d.o.Store.OpenInLane(d.ctx, l.key, from, maxLaneRows)
		for err != nil && d.ctx.Err() == nil {
			d.pause("read messages of a conversation", err)
			messages, err = d.o.Store.OpenInLane(d.ctx, l.key, from, maxLaneRows)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		l.busy, l.spilled = false, max(l.spilled, 0)
		if len(messages) == maxLaneRows {
			l.spilled = messages[maxLaneRows-1].Seq + 1
		}
		for _, m := range messages {
			d.push(p, l, m)
		}
		d.settle(p, l)
	})
}

// settle is called when a lane's head has been dealt with: the next is made ready, or the lane ends.
func (d *Deliverer) settle(p *page, l *lane) {
	switch {
	case l.busy:
	case len(l.queue) > 0:
		d.ready(p, l)
	case l.spilled != 0:
		d.loadLane(p, l)
	default:
		if p.lanes[l.key.Person] == l {
			delete(p.lanes, l.key.Person)
		}
	}
	if p.spilled > 0 && p.rows < maxPageRows/2 {
		d.load(p)
	}
}

// pop takes the head off a lane.
func (d *Deliverer) pop(p *page, l *lane) {
	l.queue[0] = nil
	l.queue = l.queue[1:]
	p.rows--
}

// followLeases takes up the backlog of partitions that this node gains, and lays down the lanes of those it loses.
func (d *Deliverer) followLeases(before map[int]int64, changed <-chan struct{}) {
	for {
		select {
		case <-changed:
		case <-d.ctx.Done():
			return
		}
		var held map[int]int64
		held, changed = d.o.Store.Leases().Held()
		gained := false
		for part, epoch := range held {
			gained = gained || before[part] != epoch
		}
		before = held
		d.layDown(held)
		if gained {
			for err := d.loadBacklog(d.ctx, held); err != nil && d.ctx.Err() == nil; err = d.loadBacklog(d.ctx, held) {
				d.pause("read the outbox of new partitions", err)
			}
		}
	}
}

// layDown stops working the partitions that this node has lost.
func (d *Deliverer) layDown(held map[int]int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := map[int]int64{} // what loadBacklog was given is not ours to change
	for part, epoch := range d.taken {
		if held[part] == epoch {
			taken[part] = epoch
		}
	}
	d.taken = taken
	for _, p := range d.pages {
		for person, l := range p.lanes {
			if _, ok := taken[l.part]; !ok && !l.busy {
				d.discard(p, l)
				delete(p.lanes, person)
			}
		}
		if p.spilled > 0 && p.rows < maxPageRows/2 {
			d.load(p) // there is room now for what is kept
		}
	}
}

// discard forgets what a lane holds in memory; the database has it.
func (d *Deliverer) discard(p *page, l *lane) {
	if l.timer != nil {
		l.timer.Stop()
	}
	p.rows -= len(l.queue)
	l.queue, l.spilled = nil, 0
}
