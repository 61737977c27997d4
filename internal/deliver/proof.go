package deliver

import (
	"context"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/lane"
	"github.com/chasqui/chasqui/internal/outcome"
)

// seekProof deals with a message whose answer was lost: with proof it goes on, and while there is
// time its lane waits. Then it is sent again if the policy says so, or else its lane goes on
// without it.
func (d *Deliverer) seekProof(j *job) lane.Next {
	if j.m.Status == gateway.StatusSending { // as whoever sent it has left it
		return d.finish(j, d.decide(j.m, outcome.Interrupted{}))
	}
	if j.proofBy.IsZero() {
		j.proofBy = j.m.UpdatedAt.Add(d.o.WaitProof)
	}
	row, err := d.o.Store.Message(context.WithoutCancel(d.ctx), j.m.ID)
	switch {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		return lane.Done()
	case err != nil:
		return d.later("read an uncertain message", err)
	case row.Status == gateway.StatusQueued: // proven, and its next part or step follows
		*j = *newJob(row)
		return lane.Again(row.DueAt)
	case row.Status != gateway.StatusUncertain:
		return lane.Done()
	}
	j.m = row
	switch {
	case outcome.Echoed(row): // the echo came before the row said that the answer was lost
		return d.finish(j, d.decide(row, outcome.Proof{}))
	case d.o.Store.Now().Before(j.proofBy):
		j.waited = true
		return lane.Wait(j.proofBy)
	}
	return d.finish(j, d.decide(row, outcome.NoProof{Waited: j.waited}))
}
