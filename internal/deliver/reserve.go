package deliver

import (
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
)

// Reserve lets a message be sent as soon as it is accepted: where nothing is in its way, its lane
// is taken and it is marked as sending, so that the commit that accepts it is also the one that
// comes before its POST. It returns false when the message has to wait for its turn like any other.
// After true either Go or Release must follow.
//
// Only a node that has the database to itself may do this: another could have accepted an earlier
// message of the conversation that this one has not heard of.
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
	frontier := d.frontier
	d.mu.Unlock()
	// What came before it is in its lane, or was accepted beyond the frontier.
	if d.o.Store.AcceptedAfter(m.Lane(), frontier) || !d.lanes.Reserve(m.Lane(), lineOf(parts[0].Media)) {
		return false
	}
	m.Status, m.Epoch, m.SendingAt = gateway.StatusSending, epoch, now
	return true
}

// Go sends a message that was reserved and is committed.
func (d *Deliverer) Go(m *gateway.Message) {
	// Nothing changes a marked message before it is decided about, which makes it another.
	d.lanes.Begin(m.Lane(), &job{seq: m.Seq, m: m, marked: true})
}

// Release gives back what Reserve took, for a message that was not accepted.
func (d *Deliverer) Release(m *gateway.Message) { d.lanes.Finish(m.Lane(), lane.Done()) }
