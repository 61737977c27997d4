// Package records keeps in the database what only Infobip's APIs have: configurations with their
// actions, sessions of keys, and reports and messages that are handed out once. It reads the log
// for the reports that messages have asked for, and posts them.
package records

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Limits of Infobip's APIs.
const (
	reportWindow = 48 * time.Hour // for which reports wait to be fetched
	sessionLife  = time.Hour
	maxPending   = 1000 // to which messages that still wait are counted
	readAtOnce   = 500  // messages looked at in one step
)

// Records are the use cases of what only Infobip's APIs have. All fields are required.
type Records struct {
	Store         *store.Store
	Vault         *store.Vault
	Keys          *service.Keys
	Subscriptions *service.Subscriptions
	Events        *service.Events
	Messages      *service.Messages
}

// CreateConfiguration makes a container of actions for an application; with a name it is an
// application of OMNI Chat.
func (s *Records) CreateConfiguration(ctx context.Context, key *gateway.APIKey, application, name string) (*wire.Configuration, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	c := &wire.Configuration{Key: gateway.NewApplicationKey(), Application: application, Name: name}
	return c, db{s.Store}.addConfiguration(ctx, c)
}

// Configurations returns the containers of actions of an application, the oldest first.
func (s *Records) Configurations(ctx context.Context, key *gateway.APIKey, application string) ([]*wire.Configuration, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	return db{s.Store}.configurations(ctx, application)
}

// Configuration returns one container of actions of an application; a not_found error when there is
// none that the API key may use.
func (s *Records) Configuration(ctx context.Context, key *gateway.APIKey, application, id string) (*wire.Configuration, error) {
	c, err := db{s.Store}.configuration(ctx, id)
	if err == nil && (c.Application != application || c.Name != "" || !key.AllowsApplication(application)) {
		return nil, gateway.NotFound("configuration", id)
	}
	return c, err
}

// Chat returns the application of OMNI Chat under a key; a not_found error when there is none that
// the API key may use.
func (s *Records) Chat(ctx context.Context, key *gateway.APIKey, chat string) (*wire.Configuration, error) {
	c, err := db{s.Store}.configuration(ctx, chat)
	if err == nil && (c.Name == "" || !key.AllowsApplication(c.Application)) {
		return nil, gateway.NotFound("application", chat)
	}
	return c, err
}

// DeleteConfiguration removes a container with its actions.
func (s *Records) DeleteConfiguration(ctx context.Context, key *gateway.APIKey, c *wire.Configuration) error {
	if !key.AllowsApplication(c.Application) {
		return gateway.NotFound("configuration", c.Key)
	}
	actions, err := s.Actions(ctx, key, c)
	if err != nil {
		return err
	}
	for _, a := range actions {
		if err := s.Subscriptions.Delete(ctx, key, a.ID); err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
			return err
		}
	}
	return db{s.Store}.deleteConfiguration(ctx, c.Key)
}

// Actions returns the actions of a container, the oldest first.
func (s *Records) Actions(ctx context.Context, key *gateway.APIKey, c *wire.Configuration) ([]*gateway.Subscription, error) {
	all, err := s.Subscriptions.List(ctx, key)
	return slices.DeleteFunc(all, func(sub *gateway.Subscription) bool {
		return wire.ActionOf(sub) == nil || wire.ActionOf(sub).Configuration != c.Key
	}), err
}

// CreateAction makes an action of a container, which begins now: it posts what people write to
// target, or, where that is empty, keeps it to be fetched.
func (s *Records) CreateAction(ctx context.Context, key *gateway.APIKey, c *wire.Configuration, target, callbackData string) (*gateway.Subscription, error) {
	kept, err := json.Marshal(wire.Action{Configuration: c.Key, CallbackData: callbackData, Chat: c.Name != ""})
	if err != nil {
		return nil, err
	}
	sub := &gateway.Subscription{
		Name: "Infobip action", Kind: gateway.KindPull, Format: wire.Dialect, FormatData: kept, Applications: []string{c.Application},
		EventTypes: []gateway.EventType{gateway.EventMessageInbound, gateway.EventPostback},
	}
	if target != "" {
		sub.Kind, sub.URL = gateway.KindForward, target
	}
	return sub, s.Subscriptions.Create(ctx, key, sub, "now")
}

// TakeInbound hands out up to limit messages that wait at actions, each once, and counts those that
// still wait. application narrows it to one.
func (s *Records) TakeInbound(ctx context.Context, key *gateway.APIKey, application string, limit int) ([]wire.Inbound, int, error) {
	all, err := s.Subscriptions.List(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	taken, pending := []wire.Inbound{}, 0
	for _, sub := range all {
		if sub.Kind != gateway.KindPull || wire.ActionOf(sub) == nil || application != "" && !slices.Contains(sub.Applications, application) {
			continue
		}
		rows, waiting, err := s.takeInbound(ctx, key, sub, limit-len(taken))
		if err != nil {
			return nil, 0, err
		}
		taken, pending = append(taken, rows...), pending+waiting
	}
	return taken, pending, nil
}

// takeInbound hands out messages of one action. When another caller moves its position meanwhile,
// what was read is theirs and is read anew.
func (s *Records) takeInbound(ctx context.Context, key *gateway.APIKey, sub *gateway.Subscription, limit int) (rows []wire.Inbound, pending int, err error) {
	for {
		found, upto, err := s.Events.Scan(ctx, sub, sub.AckedPos, limit+maxPending)
		if err != nil {
			return nil, 0, err
		}
		n := min(limit, len(found))
		if n < len(found) {
			upto = sub.AckedPos
			if n > 0 {
				upto = found[n-1].Pos
			}
		}
		ours := true
		if upto != sub.AckedPos {
			if ours, err = s.Vault.Advance(ctx, sub.ID, sub.AckedPos, upto); err != nil {
				return nil, 0, err
			}
		}
		if ours {
			for _, e := range found[:n] {
				rows = append(rows, wire.PublishInbound(e, sub))
			}
			return rows, len(found) - n, nil
		}
		if sub, err = s.Subscriptions.Get(ctx, key, sub.ID); err != nil {
			return nil, 0, err
		}
	}
}

// Query selects reports or rows of the logs. Empty fields select all.
type Query struct {
	API                        string // required
	From, To, BulkID           string
	MessageID, Status, Channel string // Status is the name of a group, Channel Infobip's name
	Since, Until               time.Time
	Limit                      int
}

// TakeReports hands out delivery reports of the last 48 hours, the oldest first, each once.
func (s *Records) TakeReports(ctx context.Context, key *gateway.APIKey, q Query) ([]wire.Row, error) {
	if key.Limited() && len(key.Applications) == 0 {
		return nil, gateway.Errorf(gateway.CodeForbidden, "this key may touch no application")
	}
	events, err := db{s.Store}.takeReports(ctx, reportFilter{
		API: q.API, Applications: key.Applications, BulkID: q.BulkID, MessageID: q.MessageID, Channel: q.Channel,
		Since: s.Store.Now().Add(-reportWindow), Limit: q.Limit,
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = wire.Reported(e)
	}
	origins, err := s.Store.Origins(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]wire.Row, 0, len(events))
	for i, e := range events {
		if row, _ := wire.PublishReport(e, origins[ids[i]]); row != nil {
			rows = append(rows, *row)
		}
	}
	return rows, nil
}

// Logs returns what was sent through an API, newest first, since q.Since.
func (s *Records) Logs(ctx context.Context, key *gateway.APIKey, q Query) ([]wire.Row, error) {
	f := store.MessageFilter{Limit: readAtOnce}
	if q.From != "" {
		f.Applications = []string{q.From}
	}
	rows := []wire.Row{}
	for {
		list, err := s.Messages.List(ctx, key, f)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if m.AcceptedAt.Before(q.Since) || len(rows) == q.Limit {
				return rows, nil
			}
			if r := wire.Log(m, q.API); r != nil && q.selects(m, r) {
				rows = append(rows, *r)
			}
		}
		if len(list) < readAtOnce {
			return rows, nil
		}
		f.Before = list[len(list)-1].Seq
	}
}

func (q *Query) selects(m *gateway.Message, r *wire.Row) bool {
	sent := m.SentAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	return (q.To == "" || r.To == q.To) && (q.BulkID == "" || r.BulkID != nil && *r.BulkID == q.BulkID) && (q.MessageID == "" || r.MessageID == q.MessageID) &&
		(q.Status == "" || r.Status.GroupName == q.Status) && (q.Channel == "" || r.Channel == q.Channel) && (q.Until.IsZero() || !sent.After(q.Until))
}

// sessionPrefix is how the tokens of sessions begin.
const sessionPrefix = "ibs_"

// StartSession makes a session in the place of an API key: the token that it returns does for an
// hour what the key does. The error is unauthorized when the key is none.
func (s *Records) StartSession(ctx context.Context, apiKey gateway.Secret) (gateway.Secret, error) {
	hash := gateway.HashAPIKey(strings.TrimSpace(apiKey.Reveal()))
	if _, err := s.Keys.ByHash(ctx, hash); err != nil {
		return "", err
	}
	var b [24]byte
	rand.Read(b[:])
	token := sessionPrefix + hex.EncodeToString(b[:])
	return gateway.Secret(token), db{s.Store}.addKeySession(ctx, gateway.HashAPIKey(token), hash, s.Store.Now().Add(sessionLife))
}

// Authenticate returns the API key that a session's token stands for, or the key itself;
// unauthorized when it is neither, or over.
func (s *Records) Authenticate(ctx context.Context, token gateway.Secret) (*gateway.APIKey, error) {
	hash := gateway.HashAPIKey(token.Reveal())
	if strings.HasPrefix(token.Reveal(), sessionPrefix) {
		key, err := db{s.Store}.keySession(ctx, hash, s.Store.Now())
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return nil, gateway.Errorf(gateway.CodeUnauthorized, "the session is not known or over")
		}
		if err != nil {
			return nil, gateway.Errorf(gateway.CodeStoreUnavailable, "the database cannot be asked about the session; try again").WithCause(err)
		}
		hash = key
	}
	return s.Keys.ByHash(ctx, hash)
}

// EndSession ends the session of a token; unauthorized when there is none.
func (s *Records) EndSession(ctx context.Context, token gateway.Secret) error {
	err := db{s.Store}.endKeySession(ctx, gateway.HashAPIKey(token.Reveal()))
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return gateway.Errorf(gateway.CodeUnauthorized, "the session is not known or over")
	}
	return err
}
