package graphemu

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// Referral is where a person came from, in actions and events.
type Referral struct {
	Ref    string `json:"ref,omitempty"`
	Source string `json:"source,omitempty"` // SHORTLINK when empty, ADS with an ad_id
	Type   string `json:"type,omitempty"`   // OPEN_THREAD
	AdID   string `json:"ad_id,omitempty"`

	Ad      *AdContext       `json:"ads_context_data,omitempty"`
	Product *ProductReferral `json:"product,omitempty"`     // of a shop: comes with the person's message
	Referer string           `json:"referer_uri,omitempty"` // page with the chat plugin
	Guest   *bool            `json:"is_guest_user,omitempty"`
}

// AdContext says which ad it was.
type AdContext struct {
	Title     string `json:"ad_title,omitempty"`
	PhotoURL  string `json:"photo_url,omitempty"`
	VideoURL  string `json:"video_url,omitempty"`
	PostID    string `json:"post_id,omitempty"`
	ProductID string `json:"product_id,omitempty"`
}

// ProductReferral is a product that a person asks about.
type ProductReferral struct {
	ID string `json:"id"`
}

func (r Referral) complete() *Referral {
	if r.Source == "" {
		r.Source = "SHORTLINK"
		if r.AdID != "" {
			r.Source = "ADS"
		}
	}
	r.Type = "OPEN_THREAD"
	return &r
}

// newID gives the thread's next mid or event id: 86 characters after the
// prefix, as the platform's mids have.
func (s *Server) newID(prefix string, page *pageState, p *personState) string {
	p.Seq++
	sum := sha512.Sum512(fmt.Appendf(nil, "%s|%s|%s|%s|%d", s.Epoch, prefix, page.ID, p.ID, p.Seq))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// timestamp is the time of the thread's next event in milliseconds; it never
// goes back.
func (s *Server) timestamp(p *personState) int64 {
	p.LastTime = max(p.LastTime, s.clock.now().UnixMilli())
	return p.LastTime
}

// fromPerson makes an event whose sender is the person. The lock is held.
func (s *Server) fromPerson(page *pageState, p *personState, field string) event {
	p.Event++
	e := event{
		id: s.newID("ev_", page, p), field: field, seq: p.Event,
		wire: wireEvent{Sender: &party{ID: p.ID}, Recipient: party{ID: page.ID}, Timestamp: s.timestamp(p)},
	}
	switch field {
	case "messages", "messaging_postbacks", "messaging_optins":
		e.wire.Prior, p.Prior = p.Prior, nil
	}
	return e
}

// fromPage makes an event that is about no person. The lock is held.
func (s *Server) fromPage(page *pageState, field string) event {
	e := event{id: "ev_" + s.ids.fresh("event", 20), field: field}
	e.wire = wireEvent{Recipient: party{ID: page.ID}, Timestamp: s.clock.now().UnixMilli()}
	return e
}

// echo makes the echo of a message of the page. The lock is held.
func (s *Server) echo(page *pageState, p *personState, m *ThreadMessage, attachments json.RawMessage) event {
	p.Event++
	e := event{id: s.newID("ev_", page, p), field: "message_echoes", seq: p.Event}
	e.wire = wireEvent{Sender: &party{ID: page.ID}, Recipient: party{ID: p.ID}, Timestamp: m.SentAt.UnixMilli()}
	e.wire.Message = &wireMessage{
		IsEcho: true, Metadata: m.Metadata, MID: m.MID, Text: m.Text, Attachments: attachments,
	}
	if m.ReplyTo != "" {
		e.wire.Message.ReplyTo = &replyTo{MID: m.ReplyTo}
	}
	if _, err := strconv.ParseUint(m.AppID, 10, 64); err == nil && m.AppID != pageInbox {
		e.wire.Message.AppID = json.Number(m.AppID)
	}
	return e
}

// newMID gives a message its id, in the form of the day that is set.
func (s *Server) newMID(page *pageState, p *personState) string {
	id := s.newID("m_", page, p)
	if !s.clock.isDated() {
		return id
	}
	switch now := s.clock.now(); {
	case s.calendar.takes(messenger.FeatureMIDsWithTime, now):
		sum := sha512.Sum512([]byte(id))
		return fmt.Sprintf("mid.%d:%x", now.UnixMilli(), sum[:9])
	case s.calendar.takes(messenger.FeatureMIDsWithDollar, now):
		return "mid.$" + id[2:31]
	case s.calendar.takes(messenger.FeatureMIDsWithoutPrefix, now):
		return id[2:]
	}
	return id
}
