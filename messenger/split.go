package messenger

import (
	"encoding/json"
	"errors"
)

// The channels of a delivery: where in its entry an event stood.
const (
	ChannelMessaging = "messaging" // the app owns the thread
	ChannelStandby   = "standby"   // another app owns the thread
	ChannelChanges   = "changes"   // page fields outside messaging, and test events
)

// ErrNotJSON is returned by [Split] and [Parse] for a body that is not JSON.
var ErrNotJSON = errors.New("webhook body is not JSON")

// Envelope is one event of a delivery together with what its entry says.
type Envelope struct {
	Object  string          // "page" for Messenger
	PageID  PageID          // the entry's id
	Time    int64           // the entry's time as received, usually in milliseconds; 0 when absent
	Channel string          // "messaging", "standby", "changes", or "" when the entry held nothing known
	Raw     json.RawMessage // the event as received: a sub-slice of the body
}

// Split splits a delivery into its events, in their order. It does not parse the events. An entry
// in which nothing is known yields one envelope with an empty channel and the entry's bytes; a JSON
// body of another shape yields one such envelope with the whole body, so that nothing is lost. The
// only error is [ErrNotJSON]. The envelopes share the body's memory.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func Split(body []byte) ([]Envelope, error) {
	if !json.Valid(body) {
		return nil, ErrNotJSON
	}
	var (
		object  string
		entries []byte
		out     []Envelope
	)
	if eachElement(body, func(item []byte) { out = append(out, sampleEnvelope(item)) }) {
		return out, nil
	}
	eachMember(body, func(key, value []byte) {
		switch string(key) {
		case "object":
			object = scalarText(value)
		case "entry":
			entries = value
		}
	})
	if !eachElement(entries, func(entry []byte) { out = splitEntry(out, object, entry) }) {
		start := skipSpace(body, 0)
		end, _ := skipValue(body, start)
		return []Envelope{{Object: object, Raw: body[start:end:end]}}, nil
	}
	return out, nil
}

func splitEntry(out []Envelope, object string, entry []byte) []Envelope {
	head := Envelope{Object: object}
	before := len(out)
	var messaging, standby, changes []byte
	eachMember(entry, func(key, value []byte) {
		switch string(key) {
		case "id":
			head.PageID = PageID(scalarText(value))
		case "time":
			head.Time, _ = scalarInt(value)
		case ChannelMessaging:
			messaging = value
		case ChannelStandby:
			standby = value
		case ChannelChanges:
			changes = value
		}
	})
	add := func(channel string, list []byte) {
		eachElement(list, func(event []byte) {
			e := head
			e.Channel, e.Raw = channel, event[:len(event):len(event)]
			out = append(out, e)
		})
	}
	add(ChannelMessaging, messaging)
	add(ChannelStandby, standby)
	add(ChannelChanges, changes)
	if len(out) == before {
		head.Raw = entry[:len(entry):len(entry)]
		out = append(out, head)
	}
	return out
}

// sampleEnvelope is for the bare list that a test delivery sends.
func sampleEnvelope(item []byte) Envelope {
	return Envelope{
		PageID:  PageID(scalarText(member(member(item, "value"), "page_id"))),
		Channel: ChannelChanges,
		Raw:     item[:len(item):len(item)],
	}
}

// Keys is what is needed to place an event: who, where, which message.
type Keys struct {
	Kind      Kind   // KindUnknown when the event is not recognised
	Page      PageID // the entry's page
	Sender    string // sender.id, "" when absent
	Recipient string // recipient.id, "" when absent
	UserRef   string // sender.user_ref or optin.user_ref
	MID       string // of the message, postback, edit or reaction
	Timestamp int64  // milliseconds; seconds are converted; 0 when absent
	IsEcho    bool   // a message that the page sent
}

// Keys reads the keys of the event in one light pass. It never fails: what is
// missing or of another type stays empty. Ids may be numbers or strings.
func (e Envelope) Keys() Keys {
	k := Keys{Kind: KindUnknown, Page: e.PageID}
	event := []byte(e.Raw)
	if e.Channel == ChannelChanges {
		event = member(event, "value")
	}
	eachMember(event, func(key, value []byte) { k.take(key, value) })
	if k.IsEcho && k.Kind == KindMessage {
		k.Kind = KindEcho
	}
	return k
}

func (k *Keys) take(key, value []byte) {
	switch string(key) {
	case "sender":
		eachMember(value, func(key, value []byte) {
			switch string(key) {
			case "id":
				k.Sender = scalarText(value)
			case "user_ref":
				k.UserRef = scalarText(value)
			}
		})
		return
	case "recipient":
		k.Recipient = scalarText(member(value, "id"))
		return
	case "timestamp":
		n, _ := scalarInt(value)
		k.Timestamp = inMillis(n)
		return
	}
	kind := kindOfKey(key)
	if kind == KindUnknown || (k.Kind != KindUnknown && kindRank(kind) > kindRank(k.Kind)) {
		return
	}
	// A string here is a change of another field that shares the name, such as a comment's text.
	if len(value) == 0 || (value[0] != '{' && kind != KindMessageRequest) {
		return
	}
	k.Kind, k.MID, k.IsEcho = kind, "", false
	switch kind {
	case KindMessage, KindPostback, KindEdit, KindReaction, KindResponseFeedback:
		eachMember(value, func(key, value []byte) {
			switch string(key) {
			case "mid":
				k.MID = scalarText(value)
			case "is_echo":
				k.IsEcho = string(value) == "true"
			}
		})
	case KindOptin:
		if ref := scalarText(member(value, "user_ref")); ref != "" {
			k.UserRef = ref
		}
	}
}

// Person is the id of the person the event is about: of sender and recipient
// the one that is not the page. It is empty when the event names nobody, as
// policy events and events of the checkbox plugin do.
func (k Keys) Person() PSID {
	first, second := k.Sender, k.Recipient
	if k.IsEcho {
		first, second = second, first
	}
	if first == "" || first == string(k.Page) {
		first = second
	}
	if first == string(k.Page) || (k.Sender == "" && !k.IsEcho) {
		return ""
	}
	return PSID(first)
}

// Person is the person of the event; see [Keys.Person].
func (e Envelope) Person() PSID { return e.Keys().Person() }

// inMillis converts a moment in seconds, as some events carry it, to
// milliseconds. The border is the year 1973 read as milliseconds and the year
// 5138 read as seconds.
func inMillis(n int64) int64 {
	if n > 0 && n < 100_000_000_000 {
		return n * 1000
	}
	return n
}
