package deliver

import (
	"context"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// loadBatch is how many messages are read from the outbox at once.
const loadBatch = 500

// outbox is the source of the lanes: what is not in memory is in the database.
type outbox struct{ s *store.Store }

// Owner reads unfinished messages of an application.
func (o outbox) Owner(ctx context.Context, app string, from int64, limit int) ([]lane.Keyed[gateway.Lane, *job], int64, error) {
	messages, err := o.s.OpenMessages(ctx, app, from, limit)
	jobs := make([]lane.Keyed[gateway.Lane, *job], len(messages))
	for i, m := range messages {
		jobs[i] = lane.Keyed[gateway.Lane, *job]{Key: m.Lane(), Job: &job{seq: m.Seq, m: m}}
	}
	return jobs, after(messages, limit), err
}

// Lane reads unfinished messages of a conversation.
func (o outbox) Lane(ctx context.Context, key gateway.Lane, from int64, limit int) ([]*job, int64, error) {
	messages, err := o.s.OpenInLane(ctx, key, from, limit)
	jobs := make([]*job, len(messages))
	for i, m := range messages {
		jobs[i] = &job{seq: m.Seq, m: m}
	}
	return jobs, after(messages, limit), err
}

// after returns the position to go on from after a read; 0 when there is nothing beyond.
func after(messages []*gateway.Message, limit int) int64 {
	if len(messages) < limit {
		return 0
	}
	return messages[len(messages)-1].Seq + 1
}

// admits reports whether a message may come into memory: it is unfinished, its partition is this
// node's, and that partition's backlog has been noted. One that comes before that is noted with it,
// for it must not overtake what the last owner has left. A lease that is only late in being renewed
// still counts: each send looks at it again.
func (d *Deliverer) admits(_ gateway.Lane, j *job) lane.Admission {
	m := j.m
	if !m.Status.Open() {
		return lane.LeaveOut
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.taken[m.Partition]; !taken {
		if first, ok := d.passed[m.Application]; !ok || m.Seq < first {
			d.passed[m.Application] = m.Seq
		}
		return lane.Elsewhere
	}
	if m.Status == gateway.StatusUncertain && d.o.Store.Now().Sub(m.UpdatedAt) > d.o.WaitProof && !outcome.Echoed(m) {
		return lane.LeaveOut // its lane has gone on; an echo or the sweep settles it
	}
	d.pokeSteps(m.StepDue)
	return lane.Take
}

// takeBacklog notes what the last run, or the last owner of a partition, has left: it is read from
// the database. From here on what is accepted for the partitions held is admitted.
func (d *Deliverer) takeBacklog(ctx context.Context, held map[int]int64) error {
	head := d.o.Store.Head()
	open, err := d.o.Store.OpenApplications(ctx)
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	d.lanes.SpillAll(func() map[string]int64 {
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
		return open
	})
	return nil
}

// follow takes messages into their lanes as they are accepted.
func (d *Deliverer) follow() {
	d.mu.Lock()
	frontier := d.frontier
	d.mu.Unlock()
	for d.ctx.Err() == nil {
		messages, upto, err := d.o.Store.ReadOutbox(d.ctx, frontier, loadBatch)
		if err != nil {
			d.pause("read the outbox", err)
			continue
		}
		for _, m := range messages {
			if m.Status.Open() && m.Status != gateway.StatusSending { // which was reserved when it was accepted
				d.lanes.Push(m.Lane(), newJob(m))
			}
		}
		d.mu.Lock()
		d.frontier = max(d.frontier, upto)
		frontier = d.frontier
		d.mu.Unlock()
		if len(messages) == 0 {
			d.o.Store.WaitOutbox(d.ctx, upto)
		}
	}
}

// followLeases takes up the backlog of partitions that this node gains, and drops the lanes of
// those it loses.
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
		d.dropLost(held)
		if gained {
			for err := d.takeBacklog(d.ctx, held); err != nil && d.ctx.Err() == nil; err = d.takeBacklog(d.ctx, held) {
				d.pause("read the outbox of new partitions", err)
			}
		}
	}
}

// dropLost stops working the partitions that this node has lost.
func (d *Deliverer) dropLost(held map[int]int64) {
	d.mu.Lock()
	taken := map[int]int64{} // what takeBacklog was given is not ours to change
	for part, epoch := range d.taken {
		if held[part] == epoch {
			taken[part] = epoch
		}
	}
	d.taken = taken
	d.mu.Unlock()
	d.lanes.Forget(func(key gateway.Lane) bool {
		_, ok := taken[gateway.Partition(key.Application, key.Person)]
		return !ok
	})
}
