package apisrv

import (
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// This file turns the domain's types into those of the API.

func wireMessage(m *gateway.Message) (*gatewayapi.Message, error) {
	in, err := m.Input()
	if err != nil {
		return nil, err
	}
	expires := gatewayapi.At(m.ExpiresAt)
	out := &gatewayapi.Message{
		ID: m.ID, Status: m.Status, Parts: m.Parts, PartsSent: m.PartsSent, PlatformMessageID: m.MID,
		SendMessageRequest: gatewayapi.SendMessageRequest{
			To: in.To, Title: in.Title, Body: in.Body, MessageParts: in.MessageParts, CustomBody: in.CustomBody, Rules: in.Rules, Route: in.Route, RequireOptIn: in.RequireOptIn,
			Human: in.Human, ChannelOptions: in.ChannelOptions, Metadata: in.Metadata, Application: m.Application, ExpiresOn: &expires,
		},
		AcceptedAt: gatewayapi.At(m.AcceptedAt), UpdatedAt: gatewayapi.At(m.UpdatedAt), SentAt: gatewayapi.At(m.SentAt),
		DeliveredAt: gatewayapi.At(m.DeliveredAt), ReadAt: gatewayapi.At(m.ReadAt), Failure: m.Error, Late: m.Late, Resent: m.Resent,
		Steps: wireSteps(m), Attempts: m.Attempts, Timeline: timeline(m),
	}
	if out.Attempts == nil {
		out.Attempts = []gatewayapi.Attempt{}
	}
	return out, nil
}

func wireSteps(m *gateway.Message) []gatewayapi.Step {
	var out []gatewayapi.Step
	for i := range m.Steps {
		s := &m.Steps[i]
		why := s.Why
		if s.Outcome == gateway.StepUnused {
			why = nil // it would have been skipped, which no longer matters
		}
		out = append(out, gatewayapi.Step{
			Channel: s.Rule.Channel, Until: s.Goal(), Within: s.Rule.Within, Address: s.Address, Outcome: s.Outcome, Failure: why, Note: s.Note,
			Account: s.Account, Ref: s.Ref, StartedAt: gatewayapi.At(s.StartedAt), EndedAt: gatewayapi.At(s.EndedAt), AcceptedAt: gatewayapi.At(s.AcceptedAt),
			SentAt: gatewayapi.At(s.SentAt), DeliveredAt: gatewayapi.At(s.DeliveredAt), ReadAt: gatewayapi.At(s.ReadAt), Late: s.Late,
		})
	}
	return out
}

// queued returns a message that was accepted just now as JSON, made of the request as it is stored;
// nil when it takes wireMessage. This avoids encoding the request twice on the hot path.
func queued(m *gateway.Message) []byte {
	in, _, err := m.Content()
	if err != nil || len(m.Steps) > 0 || in.ExpiresOn != nil || m.Status != gateway.StatusQueued || len(m.Attempts) > 0 || m.PartsSent > 0 || !m.SendingAt.IsZero() ||
		m.UpdatedAt != m.AcceptedAt || m.Error != nil || m.Resent || m.Late || len(m.Request) < 3 {
		return nil
	}
	b := make([]byte, 0, len(m.Request)+400)
	b = append(b, `{"id":"`...)
	b = append(b, m.ID...)
	b = append(b, `","status":"queued",`...)
	b = append(b, m.Request[1:len(m.Request)-1]...)
	b = append(b, `,"expiresOn":`...)
	b = appendTime(b, m.ExpiresAt)
	b = append(b, `,"parts":`...)
	b = strconv.AppendInt(b, int64(m.Parts), 10)
	b = append(b, `,"partsSent":0,"acceptedAt":`...)
	b = appendTime(b, m.AcceptedAt)
	b = append(b, `,"updatedAt":`...)
	b = appendTime(b, m.UpdatedAt)
	b = append(b, `,"attempts":[],"timeline":[{"status":"queued","at":`...)
	b = appendTime(b, m.AcceptedAt)
	return append(b, `}]}`...)
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, `"`+gateway.TimeFormat+`"`)
}

// timeline is the states of a message with the times that are known, in order.
func timeline(m *gateway.Message) []gatewayapi.TimelineEntry {
	line := []gatewayapi.TimelineEntry{{Status: gatewayapi.StatusQueued, At: gatewayapi.At(m.AcceptedAt)}}
	add := func(status gatewayapi.MessageStatus, at gatewayapi.Time) {
		if !at.IsZero() {
			line = append(line, gatewayapi.TimelineEntry{Status: status, At: at})
		}
	}
	add(gatewayapi.StatusSending, gatewayapi.At(m.SendingAt))
	if m.Status == gateway.StatusUncertain {
		add(gatewayapi.StatusUncertain, gatewayapi.At(m.UpdatedAt))
	}
	add(gatewayapi.StatusSent, gatewayapi.At(m.SentAt))
	add(gatewayapi.StatusDelivered, gatewayapi.At(m.DeliveredAt))
	add(gatewayapi.StatusRead, gatewayapi.At(m.ReadAt))
	switch m.Status {
	case gateway.StatusFailed, gateway.StatusExpired, gateway.StatusCanceled:
		add(m.Status, gatewayapi.At(m.EndedAt))
	case gateway.StatusHeld:
		add(m.Status, gatewayapi.At(m.UpdatedAt))
	}
	return line
}

func (s *server) wireApplication(a *gateway.Application) gatewayapi.Application {
	out := gatewayapi.Application{
		Key:         a.Key,
		Page:        gatewayapi.Page{ID: a.PageID, Name: a.PageName, ImageURL: a.PageImageURL},
		Application: gatewayapi.FacebookApp{ID: a.AppID, Name: a.AppName, ImageURL: a.AppImageURL},
		State:       a.State, Paused: a.Paused, PausedAt: gatewayapi.At(a.PausedAt), GraphVersion: a.GraphVersion,
		CallbackURL: s.o.PublicURL + gateway.CallbackPath(a.Key), Door: a.Door, LastEventAt: gatewayapi.At(a.LastEventAt),
		CreatedAt: gatewayapi.At(a.CreatedAt), UpdatedAt: gatewayapi.At(a.UpdatedAt), LastCheck: wireCheck(a),
	}
	if a.Limits != (gateway.Limits{}) {
		limits := a.Limits
		out.Limits = &limits
	}
	return out
}

func wireCheck(a *gateway.Application) *gatewayapi.ApplicationCheck {
	c := a.LastCheck
	if c == nil {
		return nil
	}
	return &gatewayapi.ApplicationCheck{
		CheckedAt: gatewayapi.At(c.At), OK: c.OK, TokenValid: c.TokenValid, TokenExpires: gatewayapi.At(c.TokenExpires), Permissions: orEmpty(c.Permissions),
		Fields: orEmpty(c.PageFields), MissingFields: orEmpty(c.MissingFields), CallbackURL: c.CallbackURL, CallbackOK: c.CallbackOK,
		GetStarted: c.GetStarted, LastEventAt: gatewayapi.At(a.LastEventAt), Problems: orEmpty(c.Problems),
		TokenType: c.TokenType, DataAccessExpires: gatewayapi.At(c.DataAccessExpires), Findings: wireFindings(c.Findings),
	}
}

// orEmpty makes a missing list an empty one, so that readers need not tell null from [].
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// wireSubscription shows a subscription; the values of its secrets only when revealed names them.
func wireSubscription(s *gateway.Subscription, revealed func(gateway.SigningSecret) bool) gatewayapi.Subscription {
	out := gatewayapi.Subscription{
		ID: s.ID, Kind: s.Kind, Name: s.Name, URL: s.URL, EventTypes: orEmpty(s.EventTypes), Applications: orEmpty(s.Applications),
		Order: s.Order, State: s.State, Disabled: s.Disabled, DisabledAt: gatewayapi.At(s.DisabledAt),
		FailingSince: gatewayapi.At(s.FailingSince), Secrets: []gatewayapi.SigningSecret{},
		CreatedAt: gatewayapi.At(s.CreatedAt), UpdatedAt: gatewayapi.At(s.UpdatedAt),
	}
	for _, secret := range s.Secrets {
		shown := gatewayapi.SigningSecret{ID: secret.ID, CreatedAt: gatewayapi.At(secret.CreatedAt), ExpiresAt: gatewayapi.At(secret.ExpiresAt)}
		if revealed(secret) {
			shown.Secret = secret.Value.Reveal()
		}
		out.Secrets = append(out.Secrets, shown)
	}
	if !s.Pushed() {
		out.Cursor = service.Cursor(s.AckedPos)
	}
	return out
}

func noSecret(gateway.SigningSecret) bool   { return false }
func allSecrets(gateway.SigningSecret) bool { return true }

// secretsNotIn reveals the secrets that were not there before.
func secretsNotIn(before []gateway.SigningSecret) func(gateway.SigningSecret) bool {
	return func(s gateway.SigningSecret) bool {
		return !slices.ContainsFunc(before, func(old gateway.SigningSecret) bool { return old.ID == s.ID })
	}
}
