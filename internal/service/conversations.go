package service

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/rivescript"
)

// Conversations reads and changes what bots know of people.
type Conversations struct {
	Store     *store.Store
	Directory *Directory
}

// BotState is what a bot knows of a person, for the API.
type BotState struct {
	Lane      gateway.Lane
	Variables map[string]string
	Topic     string
	Human     bool
}

// BotPatch changes it. A nil value of a variable forgets it.
type BotPatch struct {
	Variables map[string]*string
	Human     *bool
}

// ConversationID is the identifier of a conversation: application and person.
func ConversationID(l gateway.Lane) string { return l.Application + ":" + l.Person }

func (s *Conversations) lane(key *gateway.APIKey, id string) (gateway.Lane, error) {
	app, person, ok := strings.Cut(id, ":")
	if !ok || person == "" || s.Directory.Application(app) == nil || !key.AllowsApplication(app) {
		return gateway.Lane{}, gateway.NotFound("conversation", id)
	}
	return gateway.Lane{Application: app, Person: person}, nil
}

// State returns what the bot knows; an empty state of a person that it has not met.
func (s *Conversations) State(ctx context.Context, key *gateway.APIKey, id string) (*BotState, error) {
	lane, err := s.lane(key, id)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.BotPerson(ctx, lane)
	if err != nil {
		return nil, err
	}
	_, state, err := botState(p)
	return state, err
}

func botState(p *gateway.BotPerson) (*rivescript.User, *BotState, error) {
	u := &rivescript.User{ID: p.Person}
	if len(p.State) > 0 {
		if err := json.Unmarshal(p.State, u); err != nil {
			return nil, nil, fmt.Errorf("read what the bot knows of a person: %w", err)
		}
	}
	if u.Vars == nil {
		u.Vars = map[string]string{}
	}
	return u, &BotState{p.Lane, u.Vars, u.Topic(), p.Human}, nil
}

const (
	maxVariables     = 1000
	maxVariableBytes = 64 << 10
)

// Change sets and forgets variables, and reports whether people or the bot answer.
func (s *Conversations) Change(ctx context.Context, key *gateway.APIKey, id string, patch BotPatch) (*BotState, error) {
	lane, err := s.lane(key, id)
	if err != nil {
		return nil, err
	}
	var state *BotState
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.BotPerson(lane)
		if err != nil {
			return err
		}
		u, _, err := botState(p)
		if err != nil {
			return err
		}
		for name, value := range patch.Variables {
			switch {
			case name == "" || len(name) > 200:
				return gateway.Invalid("variables", "a name has 1 to 200 bytes")
			case value == nil:
				u.Unset(name)
			case len(*value) > maxVariableBytes:
				return gateway.Invalid("variables."+name, "a value has at most %d bytes", maxVariableBytes)
			default:
				u.Set(name, *value)
			}
		}
		if len(u.Vars) > maxVariables {
			return gateway.Invalid("variables", "a person has at most %d variables", maxVariables)
		}
		if patch.Human != nil {
			p.Human = *patch.Human
			if !p.Human && u.Topic() == script.TopicBypass {
				u.Unset("topic")
			}
		}
		if p.State, err = json.Marshal(u); err != nil {
			return err
		}
		if ok, err := tx.SaveBotPerson(p); err != nil || !ok {
			return orConflict(err, id)
		}
		_, state, err = botState(p)
		return err
	})
	return state, err
}

func orConflict(err error, id string) error {
	if err != nil {
		return err
	}
	return gateway.Errorf(gateway.CodeConflict, "conversation %s has changed at the same moment; try again", id)
}
