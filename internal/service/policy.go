package service

import (
	"context"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Policy asks the platform's rules about messages that are to go to Messenger.
type Policy struct {
	Store        *store.Store
	Directory    *Directory
	GraphVersion string // for applications that do not name their own
	// Observe lets everything pass; what would have been refused is only told.
	Observe bool

	mu     sync.Mutex
	open   map[gateway.Lane]openWindow
	closed int64 // how often Forget was called: what was read before it is not remembered after it
}

// openWindow is what is remembered of a conversation, to spare the database the question for each
// message: up to when a window is known to be open. It only ever opens wider without this node's
// doing, as long as the node works the conversation's partition and nobody opts out.
type openWindow struct {
	until   time.Time
	epoch   int64 // of the lease under which it was read
	optOuts int64 // version of the opt-outs
}

// maxOpen is how many conversations are remembered.
const maxOpen = 50_000

// Ask returns what the rules say of the message at its current step, which must be one on
// Messenger, as of now. A person who has opted out of the channel is refused too, and one whose
// conversation another app was seen to control.
func (p *Policy) Ask(ctx context.Context, m *gateway.Message) (gateway.PolicyAnswer, error) {
	history, err := p.read(ctx, m.Lane())
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	return p.judge(m, history)
}

// read asks the database for what the rules ask of a conversation, and whether the person has opted
// out where anybody has.
func (p *Policy) read(ctx context.Context, lane gateway.Lane) (gateway.History, error) {
	h, err := p.Store.History(ctx, lane)
	if err == nil && p.Directory.MessengerOptOuts() {
		h.OptedOut, err = p.Store.OptedOut(ctx, lane.Application, gateway.ChannelMessenger, lane.Person)
	}
	return h, err
}

// Judge is Ask with a cache, for the send path: while a window is known to be open it skips the
// database and leaves out until when. Who controls the conversation is left to the platform, which
// may give it back without telling anybody.
func (p *Policy) Judge(ctx context.Context, m *gateway.Message) (gateway.PolicyAnswer, error) {
	history, err := p.history(ctx, m)
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	return p.judge(m, history)
}

func (p *Policy) judge(m *gateway.Message, history gateway.History) (gateway.PolicyAnswer, error) {
	in, parts, err := m.Content()
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	q := gateway.PolicyQuestion{Options: in.ChannelOptions.FBMessenger, Human: in.Human, Version: p.Version(m.Application), Now: p.Store.Now()}
	if _, own := in.CustomBody[gateway.ChannelMessenger]; own && m.PartsSent < len(parts) {
		q.Message = parts[m.PartsSent].Raw
	}
	if history.OptedOut {
		return gateway.PolicyAnswer{
			Code: gateway.FailureOptedOut, Field: "to", Message: "the person has opted out of Messenger", Would: []string{"any message once the person opts in again"},
		}, nil
	}
	return gateway.Policy(q, history), nil
}

// history reads what the rules ask of a conversation, unless its window is known to be open: then
// an empty history says as much.
func (p *Policy) history(ctx context.Context, m *gateway.Message) (gateway.History, error) {
	now, optOuts := p.Store.Now(), p.Directory.OptOutsVersion()
	epoch, held := p.Store.Leases().Epoch(m.Partition)
	p.mu.Lock()
	known, ok := p.open[m.Lane()]
	closed := p.closed
	p.mu.Unlock()
	if ok && held && known.epoch == epoch && known.optOuts == optOuts && now.Before(known.until) {
		return gateway.History{}, nil
	}
	h, err := p.read(ctx, m.Lane())
	h.ElsewhereAt = time.Time{}
	if err != nil || !held || h.OptedOut {
		return h, err
	}
	until := h.OpenUntil(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.IsZero() || p.closed != closed {
		return h, nil
	}
	if p.open == nil || len(p.open) >= maxOpen {
		p.open = map[gateway.Lane]openWindow{}
	}
	p.open[m.Lane()] = openWindow{until, epoch, optOuts}
	return h, nil
}

// Forget drops what is remembered of a conversation, once it is stored that the platform has said
// that its window is closed.
func (p *Policy) Forget(lane gateway.Lane) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	delete(p.open, lane)
}

// Version is the version of the Graph API that an application uses.
func (p *Policy) Version(application string) string {
	if a := p.Directory.Application(application); a != nil && a.GraphVersion != "" {
		return a.GraphVersion
	}
	return p.GraphVersion
}
