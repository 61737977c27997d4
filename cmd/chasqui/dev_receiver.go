package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

const receiverTick = 250 * time.Millisecond

// watchReceiver says in one line when the program that events are forwarded to begins to refuse
// them or is off, with what came of the last try, and in another when it is back.
func (s *devSession) watchReceiver(ctx context.Context, w io.Writer) {
	tick := time.NewTicker(receiverTick)
	defer tick.Stop()
	var failing, disabled bool
	say := func(format string, args ...any) {
		fmt.Fprintf(w, "%s  "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
	}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		sub, err := s.gateway.Subscriptions.Get(ctx, everyone, s.forward.ID)
		if err != nil {
			continue // asked again soon; what is wrong with the database is in the log
		}
		switch off := sub.Disabled != nil; {
		case off && !disabled:
			disabled, failing = true, false
			say("%s gets nothing any more: %s. PATCH /v1/subscriptions/%s {\"state\":\"active\"} enables it", sub.URL, sub.Disabled.Message, sub.ID)
		case off:
		case !sub.FailingSince.IsZero() && !failing:
			if last := s.lastTry(ctx); last != nil {
				failing = true
				say("%s %s. What happens meanwhile is kept, and sent when it is back", sub.URL, told(last))
			}
		case sub.FailingSince.IsZero() && (failing || disabled):
			failing, disabled = false, false
			say("%s is back, and gets what was kept", sub.URL)
		}
	}
}

// lastTry is the newest attempt of the newest delivery that has failed; nil while none is noted.
func (s *devSession) lastTry(ctx context.Context) *gateway.DeliveryAttempt {
	parked, err := s.gateway.Store.ListDeliveries(ctx, store.DeliveryFilter{Subscription: s.forward.ID, Status: gateway.DeliveryPending, Limit: 1})
	if err != nil || len(parked) == 0 || len(parked[0].Attempts) == 0 {
		return nil
	}
	return &parked[0].Attempts[len(parked[0].Attempts)-1]
}

// told says what came of a try.
func told(a *gateway.DeliveryAttempt) string {
	if a.Status != 0 {
		return fmt.Sprintf("answers %d", a.Status)
	}
	return "cannot be reached: " + cmp.Or(a.Error, "no answer came")
}
