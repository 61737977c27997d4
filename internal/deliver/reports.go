package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/internal/store"
)

// A report that comes before the answer to its send is recorded waits so long for it, looking so
// often.
const (
	reportPatience = 10 * time.Second
	reportPoll     = 50 * time.Millisecond
)

// Report takes what a provider says of a message that it was given. It returns once that is
// committed; after an error the provider has to say it again.
func (d *Deliverer) Report(ctx context.Context, r gateway.ChannelReport) error {
	deadline := time.NewTimer(reportPatience)
	defer deadline.Stop()
	for {
		early := false
		var m *gateway.Message
		err := d.o.Store.Write(ctx, func(tx *store.Tx) (err error) {
			m, early, err = d.report(tx, r)
			return err
		})
		if err != nil || !early {
			if err == nil && m != nil {
				d.pokeSteps(m.StepDue)
				d.lanes.Wake(m.Lane())
			}
			return err
		}
		select {
		case <-time.After(reportPoll):
		case <-deadline.C:
			return fmt.Errorf("the answer to the send of message %s is not recorded yet", r.MessageID)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// report applies a report. early tells that the message is still being sent, so that the report has
// to wait.
func (d *Deliverer) report(tx *store.Tx, r gateway.ChannelReport) (m *gateway.Message, early bool, err error) {
	m, err = tx.Message(r.MessageID)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil, false, nil // gone with its age
	}
	if err != nil || !r.IsOf(m) {
		return nil, false, err
	}
	of := outcome.Decide(m, outcome.Report{ChannelReport: r}, tx.Now(), d.rules)
	return of.Message, of.Next == outcome.Later, recordOutside(tx, of)
}
