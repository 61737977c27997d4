package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Limits of Infobip's APIs.
const (
	infobipReportWindow = 48 * time.Hour // for which reports wait to be fetched
	infobipSessionLife  = time.Hour
	maxInfobipPending   = 1000 // to which messages that still wait are counted
	infobipReadAtOnce   = 500  // messages looked at in one step
)

// Infobip keeps what only Infobip's APIs have: configurations with their actions, sessions of keys, and reports and messages that are handed out once.
type Infobip struct {
	Store         *store.Store
	Vault         *store.Vault
	Keys          *Keys
	Subscriptions *Subscriptions
	Events        *Events
	Messages      *Messages
}

// CreateConfiguration makes a container of actions for an application; with a name it is an application of OMNI Chat.
func (s *Infobip) CreateConfiguration(ctx context.Context, key *gateway.APIKey, application, name string) (*gateway.InfobipConfiguration, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	c := &gateway.InfobipConfiguration{Key: gateway.NewApplicationKey(), Application: application, Name: name}
	return c, s.Store.AddConfiguration(ctx, c)
}

// Configurations answers the containers of actions of an application, the oldest first.
func (s *Infobip) Configurations(ctx context.Context, key *gateway.APIKey, application string) ([]*gateway.InfobipConfiguration, error) {
	if !key.AllowsApplication(application) {
		return nil, gateway.NotFound("application", application)
	}
	return s.Store.Configurations(ctx, application)
}

// Configuration returns one container of actions of an application; a not_found error when there is none that the API key may use.
func (s *Infobip) Configuration(ctx context.Context, key *gateway.APIKey, application, id string) (*gateway.InfobipConfiguration, error) {
	c, err := s.Store.Configuration(ctx, id)
	if err == nil && (c.Application != application || c.Name != "" || !key.AllowsApplication(application)) {
		return nil, gateway.NotFound("configuration", id)
	}
	return c, err
}

// Chat answers the application of OMNI Chat under a key; a not_found error when there is none that the API key may use.
func (s *Infobip) Chat(ctx context.Context, key *gateway.APIKey, chat string) (*gateway.InfobipConfiguration, error) {
	c, err := s.Store.Configuration(ctx, chat)
	if err == nil && (c.Name == "" || !key.AllowsApplication(c.Application)) {
		return nil, gateway.NotFound("application", chat)
	}
	return c, err
}

// DeleteConfiguration removes a container with its actions.
func (s *Infobip) DeleteConfiguration(ctx context.Context, key *gateway.APIKey, c *gateway.InfobipConfiguration) error {
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
	return s.Store.DeleteConfiguration(ctx, c.Key)
}

// Actions answers the actions of a container, the oldest first.
func (s *Infobip) Actions(ctx context.Context, key *gateway.APIKey, c *gateway.InfobipConfiguration) ([]*gateway.Subscription, error) {
	all, err := s.Subscriptions.List(ctx, key)
	return slices.DeleteFunc(all, func(sub *gateway.Subscription) bool { return sub.Action == nil || sub.Action.Configuration != c.Key }), err
}

// CreateAction makes an action of a container, which begins now: it posts what people write to target, or, where that is empty, keeps it to be fetched.
func (s *Infobip) CreateAction(ctx context.Context, key *gateway.APIKey, c *gateway.InfobipConfiguration, target, callbackData string) (*gateway.Subscription, error) {
	sub := &gateway.Subscription{
		Name: "Infobip action", Kind: gateway.KindPull, Format: gateway.FormatInfobip, Applications: []string{c.Application},
		EventTypes: []gateway.EventType{gateway.EventMessageInbound, gateway.EventPostback},
		Action:     &gateway.InfobipAction{Configuration: c.Key, CallbackData: callbackData, Chat: c.Name != ""},
	}
	if target != "" {
		sub.Kind, sub.URL = gateway.KindForward, target
	}
	return sub, s.Subscriptions.Create(ctx, key, sub, "now")
}

// TakeInbound hands out up to limit messages that wait at actions, each once, and counts those that still wait. application narrows it to one.
func (s *Infobip) TakeInbound(ctx context.Context, key *gateway.APIKey, application string, limit int) ([]gateway.InfobipInbound, int, error) {
	all, err := s.Subscriptions.List(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	taken, pending := []gateway.InfobipInbound{}, 0
	for _, sub := range all {
		if sub.Kind != gateway.KindPull || sub.Action == nil || application != "" && !slices.Contains(sub.Applications, application) {
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

// takeInbound hands out messages of one action. When another caller moves its position meanwhile, what was read is theirs and is read anew.
func (s *Infobip) takeInbound(ctx context.Context, key *gateway.APIKey, sub *gateway.Subscription, limit int) (rows []gateway.InfobipInbound, pending int, err error) {
	for {
		found, upto, err := s.Events.scan(ctx, sub, sub.AckedPos, limit+maxInfobipPending)
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
				rows = append(rows, gateway.PublishInfobip(e, sub))
			}
			return rows, len(found) - n, nil
		}
		if sub, err = s.Subscriptions.Get(ctx, key, sub.ID); err != nil {
			return nil, 0, err
		}
	}
}

// InfobipQuery selects reports or rows of the logs. Empty fields select all.
type InfobipQuery struct {
	API                        string // required
	From, To, BulkID           string
	MessageID, Status, Channel string // Status is the name of a group, Channel Infobip's name
	Since, Until               time.Time
	Limit                      int
}

// TakeReports hands out delivery reports of the last 48 hours, the oldest first, each once.
func (s *Infobip) TakeReports(ctx context.Context, key *gateway.APIKey, q InfobipQuery) ([]gateway.InfobipRow, error) {
	events, err := s.Store.TakeReports(ctx, store.ReportFilter{
		API: q.API, Applications: key.Applications, BulkID: q.BulkID, MessageID: q.MessageID, Channel: q.Channel,
		Since: s.Store.Now().Add(-infobipReportWindow), Limit: q.Limit,
	})
	if err != nil {
		return nil, err
	}
	rows := make([]gateway.InfobipRow, 0, len(events))
	for _, e := range events {
		if row, _ := gateway.PublishInfobipReport(e); row != nil {
			rows = append(rows, *row)
		}
	}
	return rows, nil
}

// Logs answers what was sent through an API, newest first, since q.Since.
func (s *Infobip) Logs(ctx context.Context, key *gateway.APIKey, q InfobipQuery) ([]gateway.InfobipRow, error) {
	f := store.MessageFilter{Limit: infobipReadAtOnce}
	if q.From != "" {
		f.Applications = []string{q.From}
	}
	rows := []gateway.InfobipRow{}
	for {
		list, err := s.Messages.List(ctx, key, f)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if m.AcceptedAt.Before(q.Since) || len(rows) == q.Limit {
				return rows, nil
			}
			if r := gateway.LogInfobip(m, q.API); r != nil && q.selects(m, r) {
				rows = append(rows, *r)
			}
		}
		if len(list) < infobipReadAtOnce {
			return rows, nil
		}
		f.Before = list[len(list)-1].Seq
	}
}

func (q *InfobipQuery) selects(m *gateway.Message, r *gateway.InfobipRow) bool {
	sent := m.SentAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	return (q.To == "" || r.To == q.To) && (q.BulkID == "" || r.BulkID != nil && *r.BulkID == q.BulkID) && (q.MessageID == "" || r.MessageID == q.MessageID) &&
		(q.Status == "" || r.Status.GroupName == q.Status) && (q.Channel == "" || r.Channel == q.Channel) && (q.Until.IsZero() || !sent.After(q.Until))
}

// sessionPrefix is how the tokens of sessions begin.
const sessionPrefix = "ibs_"

// StartSession makes a session in the place of an API key: the token that it answers does for an hour what the key does. The error is unauthorized when the key is none.
func (s *Infobip) StartSession(ctx context.Context, apiKey gateway.Secret) (gateway.Secret, error) {
	hash := gateway.HashAPIKey(strings.TrimSpace(apiKey.Reveal()))
	if _, err := s.Keys.byHash(ctx, hash); err != nil {
		return "", err
	}
	var b [24]byte
	rand.Read(b[:])
	token := sessionPrefix + hex.EncodeToString(b[:])
	return gateway.Secret(token), s.Store.AddKeySession(ctx, gateway.HashAPIKey(token), hash, s.Store.Now().Add(infobipSessionLife))
}

// Authenticate answers the API key that a session's token stands for, or the key itself; unauthorized when it is neither, or over.
func (s *Infobip) Authenticate(ctx context.Context, token gateway.Secret) (*gateway.APIKey, error) {
	hash := gateway.HashAPIKey(token.Reveal())
	if strings.HasPrefix(token.Reveal(), sessionPrefix) {
		key, err := s.Store.KeySession(ctx, hash, s.Store.Now())
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return nil, gateway.Errorf(gateway.CodeUnauthorized, "the session is not known or over")
		}
		if err != nil {
			return nil, gateway.Errorf(gateway.CodeStoreUnavailable, "the database cannot be asked about the session; try again").WithCause(err)
		}
		hash = key
	}
	return s.Keys.byHash(ctx, hash)
}

// EndSession ends the session of a token; unauthorized when there is none.
func (s *Infobip) EndSession(ctx context.Context, token gateway.Secret) error {
	err := s.Store.EndKeySession(ctx, gateway.HashAPIKey(token.Reveal()))
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return gateway.Errorf(gateway.CodeUnauthorized, "the session is not known or over")
	}
	return err
}
