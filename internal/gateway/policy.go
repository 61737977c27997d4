package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Windows of the platform.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/policy/policy-overview
const (
	StandardWindow   = 24 * time.Hour     // after what the person did last
	HumanAgentWindow = 7 * 24 * time.Hour // for answers by people
	// threadControl is how long control of a thread is presumed to stay where it was last seen: the platform lets it go when nothing happens for a day.
	threadControl = 24 * time.Hour
)

// History is what is known of a conversation. Zero times are not known: what is not known is allowed, for the platform's own verdict always wins.
type History struct {
	LastInbound    time.Time // when the person last did something that opens the window
	RefusedAt      time.Time // when the platform last said that the window of 24 hours was closed
	HumanRefusedAt time.Time // when it last said so of the 7 days for answers by people
	ElsewhereAt    time.Time // when it was last seen that another app controls the thread; zero once ours does again
	OptedOut       bool      // the person wants nothing more on Messenger
}

// PolicyQuestion is a message that might be sent.
type PolicyQuestion struct {
	Options MessengerOptions
	Message json.RawMessage // as it goes on the wire, for its limits; nil when it is not known, or made by Render
	Human   bool            // people wrote it
	Version string          // of the Graph API, such as v26.0
	Now     time.Time
}

// PolicyAnswer says whether the platform's rules allow a message.
type PolicyAnswer struct {
	Allowed bool
	Code    FailureCode // why not
	Field   string      // the field at fault
	Message string      // in plain words; also for what is allowed but changed
	Until   time.Time   // when the window that allows it closes; zero when none does, or it is not known
	Would   []string    // what would be allowed instead
	SendAs  MessengerOptions
}

const (
	fieldType = "channelOptions.fbMessenger.messagingType"
	fieldTag  = "channelOptions.fbMessenger.messageTag"
)

// Policy applies the platform's rules to a message and the history of its conversation. It is pure.
func Policy(q PolicyQuestion, h History) PolicyAnswer {
	a := PolicyAnswer{Allowed: true, SendAs: q.Options}
	a.SendAs.MessagingType = q.Options.Settled()
	if template := templateOf(q.Message); template != "" {
		if feature, ok := templateFeatures[template]; ok && !messenger.Support(feature, q.Version, q.Now).OK {
			return a.refuse(FailurePlatformRefused, "customBody.fbMessenger.attachment.payload.template_type", fmt.Sprintf("the platform has withdrawn the template %q", template), "another template, or text")
		}
	}
	if field, words := overLimit(q.Message); words != "" {
		return a.refuse(FailureInvalidContent, field, words, "the same within the platform's limits")
	}
	if feature, field := q.Options.token(); feature != "" {
		// A token is an allowance of its own, for as long as the platform has that kind.
		if s := messenger.Support(feature, q.Version, q.Now); !s.OK {
			return a.refuse(FailurePlatformRefused, "channelOptions.fbMessenger."+field, fmt.Sprintf("the platform ended messages to such tokens on %s", s.Until.Format(time.DateOnly)), wouldBe(q, h)...)
		}
		return a
	}
	if since := q.Now.Sub(h.ElsewhereAt); !h.ElsewhereAt.IsZero() && since < threadControl {
		return a.refuse(FailureNoThreadControl, "to", fmt.Sprintf("another app or the page's inbox controls the conversation, as was seen at %s", FormatTime(h.ElsewhereAt)), "any message once the conversation is given back")
	}
	open := h.open(q.Now, StandardWindow)
	if open && !h.LastInbound.IsZero() {
		a.Until = h.LastInbound.Add(StandardWindow)
	}
	if a.SendAs.MessagingType == messenger.TypeMessageTag {
		return tagged(a, q, h, open)
	}
	if open || a.SendAs.MessagingType == messenger.TypeUtility {
		return a
	}
	would := wouldBe(q, h)
	words := fmt.Sprintf("%s; %s is for within 24 hours. Allowed now: %s", h.closed(q.Now), a.SendAs.MessagingType, strings.Join(would, "; "))
	return a.refuse(FailureOutsideWindow, fieldType, words, would...)
}

// open tells whether a window since the person's last act is open, or not known to be closed.
func (h History) open(now time.Time, window time.Duration) bool {
	refused := h.RefusedAt
	if window == HumanAgentWindow {
		refused = h.HumanRefusedAt
	}
	if refused.After(h.LastInbound) {
		return false // the platform has said so
	}
	return h.LastInbound.IsZero() || now.Sub(h.LastInbound) <= window
}

// closed says how it is known that the window of 24 hours is closed.
func (h History) closed(now time.Time) string {
	if !h.LastInbound.IsZero() && now.Sub(h.LastInbound) > StandardWindow {
		return fmt.Sprintf("the person last did something at %s, more than 24 hours ago", FormatTime(h.LastInbound))
	}
	return fmt.Sprintf("the platform said at %s that the window of 24 hours is closed, and the person has done nothing since", FormatTime(h.RefusedAt))
}

// OpenUntil is up to when the history allows a message of type RESPONSE for certain; zero for not now. Where nothing is known of the person it is for as long as the
// platform does not object.
func (h History) OpenUntil(now time.Time) time.Time {
	switch {
	case !h.open(now, StandardWindow):
		return time.Time{}
	case h.LastInbound.IsZero():
		return now.Add(StandardWindow)
	}
	return h.LastInbound.Add(StandardWindow)
}

func (a PolicyAnswer) refuse(code FailureCode, field, words string, would ...string) PolicyAnswer {
	a.Allowed, a.Code, a.Field, a.Message, a.Would, a.Until = false, code, field, words, would, time.Time{}
	return a
}

// tagged judges a message with a tag.
func tagged(a PolicyAnswer, q PolicyQuestion, h History, open bool) PolicyAnswer {
	tag := q.Options.MessageTag
	features := tagFeatures[tag]
	taken, ended := false, time.Time{}
	for _, f := range features {
		support := messenger.Support(f, q.Version, q.Now)
		taken = taken || support.OK
		if support.Until.After(ended) {
			ended = support.Until
		}
	}
	if !taken {
		words := fmt.Sprintf("%q is no tag of the platform", tag)
		if !ended.IsZero() {
			words = fmt.Sprintf("the tag %s ended on %s", tag, ended.Format(time.DateOnly))
		}
		if open {
			a.SendAs.MessagingType, a.SendAs.MessageTag = messenger.TypeResponse, ""
			a.Message = words + "; inside the 24 hours it is sent as RESPONSE"
			return a
		}
		return a.refuse(FailurePlatformRefused, fieldTag, words, wouldBe(q, h)...)
	}
	if tag != messenger.TagHumanAgent {
		a.Until = time.Time{}
		return a
	}
	switch {
	case !h.open(q.Now, HumanAgentWindow):
		return a.refuse(FailureOutsideWindow, fieldTag, h.closedToPeople(q.Now), wouldBe(q, h)...)
	case !q.Human && open:
		a.SendAs.MessagingType, a.SendAs.MessageTag = messenger.TypeResponse, ""
		a.Message = "HUMAN_AGENT is for what people write, not for programs; inside the 24 hours it is sent as RESPONSE"
		return a
	case !q.Human:
		return a.refuse(FailurePlatformRefused, fieldTag, "HUMAN_AGENT is for what people write, not for programs", wouldBe(q, h)...)
	}
	if !h.LastInbound.IsZero() {
		a.Until = h.LastInbound.Add(HumanAgentWindow)
	}
	return a
}

func (h History) closedToPeople(now time.Time) string {
	if !h.LastInbound.IsZero() && now.Sub(h.LastInbound) > HumanAgentWindow {
		return fmt.Sprintf("HUMAN_AGENT is for 7 days after the person last did something, which was at %s", FormatTime(h.LastInbound))
	}
	return fmt.Sprintf("the platform refused HUMAN_AGENT at %s, and the person has done nothing since", FormatTime(h.HumanRefusedAt))
}

// wouldBe names what would be allowed now.
func wouldBe(q PolicyQuestion, h History) []string {
	var would []string
	if h.open(q.Now, StandardWindow) {
		would = append(would, "messagingType RESPONSE")
	}
	if h.open(q.Now, HumanAgentWindow) && messenger.Support(messenger.FeatureTagHumanAgent, q.Version, q.Now).OK {
		would = append(would, "messageTag HUMAN_AGENT, by people")
	}
	for _, tag := range tagsOf2020 {
		if messenger.Support(messenger.FeatureTagsOf2020, q.Version, q.Now).OK {
			would = append(would, "messageTag "+string(tag))
		}
	}
	return append(would, "a notification token that the person has given", "any message once the person writes")
}

// token answers the feature of the platform that the options' token belongs to, and its field; empty without a token.
func (o MessengerOptions) token() (messenger.Feature, string) {
	switch {
	case o.OneTimeToken != "":
		return messenger.FeatureOneTimeNotif, "oneTimeNotifToken"
	case o.NotificationToken != "":
		return messenger.FeatureNotificationMessages, "notificationMessagesToken"
	}
	return "", ""
}

// CheckLimits says which limit of the platform the caller's own message object breaks, such as a title of more than 20 characters; nil for none. It is refused when it is
// given, and not when it is sent.
func (in *MessageInput) CheckLimits() error {
	if field, words := overLimit(in.CustomBody[ChannelMessenger]); words != "" {
		return Invalid(field, "%s", words)
	}
	return nil
}

// overLimit says which documented limit of its type a message object breaks; empty when it breaks none that is known.
func overLimit(message json.RawMessage) (field, words string) {
	var over *messenger.FieldError
	if len(message) == 0 || !errors.As(messenger.CheckMessage(message), &over) {
		return "", ""
	}
	return strings.Replace(over.Field, "message", "customBody."+ChannelMessenger, 1), over.Error()
}

// tagsOf2020 are those that the platform had from March 4, 2020 to April 27, 2026.
var tagsOf2020 = []messenger.Tag{"ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE"}

// tagsBefore2020 are the 17 that ended on March 4, 2020.
var tagsBefore2020 = []messenger.Tag{
	"BUSINESS_PRODUCTIVITY", "COMMUNITY_ALERT", "CONFIRMED_EVENT_REMINDER", "NON_PROMOTIONAL_SUBSCRIPTION", "PAIRING_UPDATE", "APPLICATION_UPDATE", "ACCOUNT_UPDATE", "PAYMENT_UPDATE",
	"PERSONAL_FINANCE_UPDATE", "SHIPPING_UPDATE", "RESERVATION_UPDATE", "ISSUE_RESOLUTION", "APPOINTMENT_UPDATE", "GAME_EVENT", "TRANSPORTATION_UPDATE", "FEATURE_FUNCTIONALITY_UPDATE", "TICKET_UPDATE",
}

// tagFeatures are the features that a tag belongs to. ACCOUNT_UPDATE is in both lists, with another meaning in each.
var tagFeatures = func() map[messenger.Tag][]messenger.Feature {
	all := map[messenger.Tag][]messenger.Feature{messenger.TagHumanAgent: {messenger.FeatureTagHumanAgent}}
	for _, tag := range tagsOf2020 {
		all[tag] = append(all[tag], messenger.FeatureTagsOf2020)
	}
	for _, tag := range tagsBefore2020 {
		all[tag] = append(all[tag], messenger.FeatureTagsBefore2020)
	}
	return all
}()

// templateFeatures are the templates that the platform did not have at all times.
var templateFeatures = map[string]messenger.Feature{
	"list": messenger.FeatureListTemplate, "open_graph": messenger.FeatureOpenGraphTemplate, "product": messenger.FeatureProductTemplate,
}

func templateOf(message json.RawMessage) string {
	var m struct {
		Attachment struct {
			Payload struct {
				Type string `json:"template_type"`
			} `json:"payload"`
		} `json:"attachment"`
	}
	if len(message) == 0 || json.Unmarshal(message, &m) != nil {
		return ""
	}
	return m.Attachment.Payload.Type
}
