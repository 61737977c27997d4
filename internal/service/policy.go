package service

import (
	"bytes"
	"context"

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
}

// Ask answers what the rules say of the message at its current step, which must be one on Messenger, as of now. A person who has opted out of the channel is refused too.
func (p *Policy) Ask(ctx context.Context, m *gateway.Message) (gateway.PolicyAnswer, error) {
	in, parts, err := m.Content()
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	history, err := p.Store.History(ctx, m.Lane())
	if err != nil {
		return gateway.PolicyAnswer{}, err
	}
	q := gateway.PolicyQuestion{Options: in.ChannelOptions.FBMessenger, Human: in.Human, Version: p.Version(m.Application), Now: p.Store.Now()}
	if m.PartsSent < len(parts) && bytes.Contains(parts[m.PartsSent].Raw, []byte(`"template_type"`)) {
		q.Message = parts[m.PartsSent].Raw
	}
	if history.OptedOut {
		return gateway.PolicyAnswer{
			Code: gateway.FailureOptedOut, Field: "to", Message: "the person has opted out of Messenger", Would: []string{"any message once the person opts in again"},
		}, nil
	}
	return gateway.Policy(q, history), nil
}

// Version is the version of the Graph API that an application uses.
func (p *Policy) Version(application string) string {
	if a := p.Directory.Application(application); a != nil && a.GraphVersion != "" {
		return a.GraphVersion
	}
	return p.GraphVersion
}
