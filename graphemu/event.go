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

// AdContext describes the ad of a referral.
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

// complete returns the referral with its source and type filled in.
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

// event is something that happened, before it is written for each app.
type event struct {
	id     string
	field  string // the webhook field it belongs to
	mid    string // of a person's message: delivered once the webhook is answered
	only   string // the one app that it is for; "" is all
	sender string // app whose button was tapped: others do not see the payload
	seq    int
	fault  *Fault // that the person's words ask for
	wire   wireEvent
	change json.RawMessage // of a field that is not one of Messenger's: in place of wire
	raw    json.RawMessage // members that are added to wire, whatever they are
}

// newID returns the next mid or event id of a thread: 86 characters after the prefix, as in
// mids of the platform.
func (t *threads) newID(prefix string, page *pageState, p *personState) string {
	p.Seq++
	sum := sha512.Sum512(fmt.Appendf(nil, "%s|%s|%s|%s|%d", t.ids.epoch, prefix, page.ID, p.ID, p.Seq))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// newMID returns the id of the next message of a thread, in the format of the date that is set.
func (t *threads) newMID(page *pageState, p *personState) string {
	id := t.newID("m_", page, p)
	if !t.clock.isDated() {
		return id
	}
	switch now := t.clock.now(); {
	case t.calendar.takes(messenger.FeatureMIDsWithTime, now):
		sum := sha512.Sum512([]byte(id))
		return fmt.Sprintf("mid.%d:%x", now.UnixMilli(), sum[:9])
	case t.calendar.takes(messenger.FeatureMIDsWithDollar, now):
		return "mid.$" + id[2:31]
	case t.calendar.takes(messenger.FeatureMIDsWithoutPrefix, now):
		return id[2:]
	}
	return id
}

// timestamp returns the time of the next event of a thread in milliseconds. It never goes back.
func (t *threads) timestamp(p *personState) int64 {
	p.LastTime = max(p.LastTime, t.clock.now().UnixMilli())
	return p.LastTime
}

// fromPerson makes an event whose sender is the person.
func (t *threads) fromPerson(page *pageState, p *personState, field string) event {
	p.Event++
	e := event{
		id: t.newID("ev_", page, p), field: field, seq: p.Event,
		wire: wireEvent{Sender: &party{ID: p.ID}, Recipient: party{ID: page.ID}, Timestamp: t.timestamp(p)},
	}
	switch field {
	case "messages", "messaging_postbacks", "messaging_optins":
		e.wire.Prior, p.Prior = p.Prior, nil
	}
	return e
}

// fromPage makes an event that is not about a person.
func (t *threads) fromPage(page *pageState, field string) event {
	e := event{id: "ev_" + t.ids.fresh("event", 20), field: field}
	e.wire = wireEvent{Recipient: party{ID: page.ID}, Timestamp: t.clock.now().UnixMilli()}
	return e
}

// echo makes the echo of a message of the page.
func (t *threads) echo(page *pageState, p *personState, m *ThreadMessage, attachments json.RawMessage) event {
	p.Event++
	e := event{id: t.newID("ev_", page, p), field: "message_echoes", seq: p.Event}
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
