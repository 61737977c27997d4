package gateway

import (
	"bytes"
	"encoding/json"

	"github.com/chasqui/chasqui/messenger"
)

// OptInTokenPrefix is how the tokens of opt-in states begin.
const OptInTokenPrefix = "cqs_"

// SourceCode is the source of a person who scanned a code, SourceLink that of one who followed an
// m.me link, and SourceOptIn stands for the Send to Messenger button, for which the platform has no
// word.
const (
	SourceCode  = "MESSENGER_CODE"
	SourceLink  = "SHORTLINK"
	SourceOptIn = "SEND_TO_MESSENGER"
)

// ViaReferral is the way in of a referral that came by itself: the person had a conversation with
// the page before.
const ViaReferral = "referral"

// mayRefer is what every event that carries a referral or an opt-in's ref has in it.
var mayRefer = [][]byte{[]byte(`"referral"`), []byte(`"optin"`)}

// ReferralOf reads the referral that an event of the platform carries, whichever way in it was; nil
// when it carries none. Lookup returns the entry point that has a ref; nil when there is none.
// Today's codes are links, so that a link whose ref is a code's is said to be that code.
func ReferralOf(e *Event, lookup func(ref string) *EntryPoint) *ReferralRecord {
	if e.Channel != "messaging" || !bytes.Contains(e.Raw, mayRefer[0]) && !bytes.Contains(e.Raw, mayRefer[1]) {
		return nil
	}
	event := e.Parse()
	r := &ReferralRecord{}
	var referral *messenger.Referral
	switch {
	case e.Type == EventReferral:
		referral, r.Via = event.Referral, ViaReferral
	case e.Type == EventPostback && event.Postback != nil:
		referral, r.Via = event.Postback.Referral, "postback"
	case e.Type == EventMessageInbound && event.Message != nil:
		referral, r.Via = event.Message.Referral, "message"
	case e.Type == EventOptin && event.Optin != nil && event.Optin.Ref != "":
		referral, r.Via = &messenger.Referral{Source: SourceOptIn, Ref: event.Optin.Ref}, "optin"
	}
	if referral == nil {
		return nil
	}
	r.Referral = *referralOf(referral)
	if r.Ref == "" || lookup == nil {
		return r
	}
	if point := lookup(r.Ref); point != nil {
		r.EntryPoint = point.ID
		r.Retired = !point.RetiredAt.IsZero() || !point.ExpiresAt.IsZero() && point.ExpiresAt.Before(e.ReceivedAt)
		if r.Source == SourceLink && point.Kind == EntryCode {
			r.Source = SourceCode
		}
	}
	return r
}

// ParseReferral reads the data of a referral event.
func ParseReferral(raw json.RawMessage) (*ReferralRecord, error) {
	r := new(ReferralRecord)
	return r, json.Unmarshal(raw, r)
}

// TouchOf is the referral of an event as a touch.
func TouchOf(r *ReferralRecord, e *Event) Touch {
	return Touch{At: e.ReceivedAt.UTC(), Source: r.Source, Ref: r.Ref, AdID: r.AdID, Point: r.EntryPoint}
}
