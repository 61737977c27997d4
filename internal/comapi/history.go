package comapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// Limits of a history.
const defaultHistory, maxHistory = 100, 1000

// historyEntry is one message to or from a customer.
type historyEntry struct {
	MessageID   string         `json:"messageId"`
	SubmittedOn string         `json:"submittedOn"`
	ProfileID   string         `json:"profileId"`
	ChannelID   string         `json:"channelId"`
	Direction   string         `json:"direction"`
	Status      string         `json:"status"`
	Message     historyMessage `json:"message"`
	at          time.Time
}

type historyMessage struct {
	Title       string         `json:"title,omitempty"`
	Body        string         `json:"body"`
	ChannelData map[string]any `json:"channelData"`
}

// history returns the messages to and from a profile, the newest first.
func (f *Face) history(q *request) error {
	query := q.URL.Query()
	limit, err := number(query, "limit", defaultHistory, maxHistory)
	if err != nil {
		return err
	}
	direction, channel := query.Get("direction"), query.Get("channelId")
	if direction != "" && direction != "inbound" && direction != "outbound" {
		return gateway.Invalid("direction", "%q is neither inbound nor outbound", direction)
	}
	var until time.Time
	if from := query.Get("from"); from != "" {
		if until, err = time.Parse(time.RFC3339, from); err != nil {
			return gateway.Invalid("from", "must be a time such as 2026-01-31T12:00:00Z")
		}
	}
	p, err := f.o.Profiles.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return err
	}
	list := []historyEntry{}
	if direction != "inbound" {
		if list, err = q.outbound(list, p, until, channel); err != nil {
			return err
		}
	}
	if direction != "outbound" {
		if list, err = q.inbound(list, p, until, channel); err != nil {
			return err
		}
	}
	slices.SortStableFunc(list, func(a, b historyEntry) int { return b.at.Compare(a.at) })
	return q.Reply(http.StatusOK, list[:min(limit, len(list))])
}

// persons are the conversations that a profile may have with the api space.
func (q *request) persons(p *gateway.Profile) []string {
	persons := []string{gateway.AddressKey("profile", p.ID)}
	if psid := p.Addresses[q.space.Key]; psid != "" {
		persons = append(persons, psid)
	}
	if digits := gateway.Digits(p.Text("phoneNumber")); digits != "" {
		persons = append(persons, gateway.AddressKey(gateway.ChannelSMS, digits))
	}
	if email := p.Text("email"); email != "" {
		persons = append(persons, gateway.AddressKey(gateway.ChannelEmail, email))
	}
	return persons
}

func (q *request) outbound(list []historyEntry, p *gateway.Profile, until time.Time, channel string) ([]historyEntry, error) {
	messages, err := q.f.o.Messages.List(q.Context(), q.Key, service.MessageFilter{Applications: []string{q.space.Key}, Persons: q.persons(p), Until: until, Limit: maxHistory})
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if channel != "" && m.Channel() != channel {
			continue
		}
		in, err := m.Input()
		if err != nil {
			return nil, err
		}
		list = append(list, historyEntry{
			MessageID: m.ID, SubmittedOn: gateway.FormatTime(m.AcceptedAt), ProfileID: p.ID, ChannelID: m.Channel(), Direction: "outbound", Status: statusOf(m.Status),
			Message: historyMessage{in.Title, in.Body, map[string]any{}}, at: m.AcceptedAt,
		})
	}
	return list, nil
}

func (q *request) inbound(list []historyEntry, p *gateway.Profile, until time.Time, channel string) ([]historyEntry, error) {
	events, err := q.f.o.Events.LastInbound(q.Context(), q.Key, q.space.Key, q.persons(p), until, maxHistory)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		var shown struct {
			Channel     string         `json:"channel"`
			Title       string         `json:"title"`
			Body        string         `json:"body"`
			ChannelData map[string]any `json:"channelData"`
		}
		if err := json.Unmarshal(encode(Inbound(e, p.ID, q.space.PageID)), &shown); err != nil {
			return nil, err
		}
		if channel != "" && shown.Channel != channel {
			continue
		}
		list = append(list, historyEntry{
			MessageID: e.ID(), SubmittedOn: gateway.FormatTime(e.ReceivedAt), ProfileID: p.ID, ChannelID: shown.Channel, Direction: "inbound", Status: "delivered",
			Message: historyMessage{shown.Title, shown.Body, shown.ChannelData}, at: e.ReceivedAt,
		})
	}
	return list, nil
}
