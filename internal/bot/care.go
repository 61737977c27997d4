package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/store"
)

// care is how a session deals with what may have ended the process before it, or that of another
// node: one after the other, each noted in the database before it begins. What stands noted when
// the next session begins was under way when the process ended. Once may be chance, as when
// somebody ended it; what was under way twice is set aside.
//
// That is a second line: no script should be able to end the gateway. In normal running nothing is
// noted, and neither where partitions come from a node that has given them back.
type care struct {
	found map[string]int // tries of what was noted before
	gate  chan struct{}  // held by the one that is under way
	parts map[int]caution
}

// caution is up to where care is taken in a partition that another node, or this one's last
// process, has left without a word.
type caution struct {
	epoch int64     // under which this node took it
	pos   int64     // the head of the log then
	at    time.Time // and the time: timers that were due
}

// event reports whether an event may have been under way when a process ended.
func (c *care) event(partition int, pos int64) bool { return pos <= c.parts[partition].pos }

// timer reports whether a timer may have been.
func (c *care) timer(partition int, due time.Time) bool { return !due.After(c.parts[partition].at) }

// trial is a job that is done with care.
type trial struct {
	id        string
	partition int
	before    int // how often it was under way when a process ended
	noted     bool
}

// beCareful reads what was noted.
func (r *Runner) beCareful(ctx context.Context) error {
	trials, err := r.o.Store.BotTrials(ctx)
	if err != nil {
		return err
	}
	c := &care{found: map[string]int{}, gate: make(chan struct{}, 1), parts: map[int]caution{}}
	leases := r.o.Store.Leases()
	held, _ := leases.Held()
	for part, epoch := range held {
		switch before := r.cautions[part]; {
		case before.epoch == epoch:
			c.parts[part] = before // since when it took it
		case leases.Abandoned(part, epoch):
			c.parts[part] = caution{epoch, r.o.Store.Head(), r.o.Store.Now()}
		default:
			c.parts[part] = caution{epoch: epoch}
		}
	}
	r.cautions = c.parts
	for _, t := range trials {
		if _, mine := held[t.Partition]; mine {
			c.found[t.ID] = t.Tries
		}
	}
	r.care = c
	return nil
}

// trial says how careful a job is to be done: nil when there is no need.
func (r *Runner) trial(careful bool, id string, partition int) *trial {
	before, found := r.care.found[id]
	if !careful && !found {
		return nil
	}
	return &trial{id: id, partition: partition, before: before}
}

// carefully does a job, with care if there is need.
func (r *Runner) carefully(ctx context.Context, j *job) error {
	t := j.trial
	if t == nil {
		return r.attempt(ctx, *j)
	}
	if j.event != nil {
		person, err := r.o.Store.BotPerson(ctx, j.lane())
		if err != nil {
			return err
		}
		if person.Pos >= j.event.Pos {
			return nil // answered before
		}
	}
	if t.before >= maxEnded {
		return r.setAside(ctx, *j, fmt.Sprintf("the process ended %d times while this was under way", t.before), t.before)
	}
	pass := &passage{gate: r.care.gate, held: t.before > 0}
	if err := pass.enter(ctx); err != nil {
		return err
	}
	defer pass.leave()
	if !t.noted {
		err := r.o.Store.Write(ctx, func(tx *store.Tx) error {
			return tx.SaveBotTrial(store.BotTrial{ID: t.id, Partition: t.partition, Tries: t.before + 1})
		})
		if err != nil {
			return err
		}
		t.noted = true
	}
	if err := r.attempt(context.WithValue(ctx, passageKey{}, pass), *j); err != nil {
		return err
	}
	if !t.noted {
		return nil // forgotten with the turn's own commit
	}
	return r.o.Store.Write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { t.noted = false })
		return tx.ForgetBotTrial(t.id)
	})
}

// giveUp takes back what was noted of a job that this session leaves to the next, here or
// elsewhere: its script has ended nothing.
func (r *Runner) giveUp(ctx context.Context, j job) {
	t := j.trial
	if t == nil || !t.noted {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err := r.o.Store.Write(ctx, func(tx *store.Tx) error {
		return tx.WithdrawBotTrial(store.BotTrial{ID: t.id, Tries: t.before + 1})
	})
	if err != nil {
		r.log.Warn("take back what was noted of a bot's turn", "id", t.id, "err", err)
	}
}

type passageKey struct{}

// passage is the way through the gate of those that are done with care. While a script waits for
// somebody else's server, another may pass, unless the script is suspected.
type passage struct {
	gate chan struct{}
	held bool // also while it waits
}

func (p *passage) enter(ctx context.Context) error {
	select {
	case p.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *passage) leave() { <-p.gate }

// waiting lets another pass until the function that it returns is called.
func waiting(ctx context.Context) (back func()) {
	p, ok := ctx.Value(passageKey{}).(*passage)
	if !ok || p.held {
		return func() {}
	}
	p.leave()
	return func() { p.gate <- struct{}{} }
}
