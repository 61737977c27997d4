package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Windows of the platform, by its calendar: after what the person did last, and for answers by
// people.
var (
	standardWindow   = windowOf(messenger.FeatureStandardMessages)
	humanAgentWindow = windowOf(messenger.FeatureTagHumanAgent)
)

func windowOf(feature messenger.Feature) time.Duration {
	r, _ := messenger.RuleOf(feature)
	return r.Window
}

const (
	// threadControl is how long control of a thread is presumed to stay where it was last seen: the
	// platform lets it go when nothing happens for a day.
	threadControl = 24 * time.Hour
)

// History is what is known of a conversation. Zero times are not known: what is not known is
// allowed, for the platform's own verdict always wins.
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
	a.SendAs.MessagingType = Settled(q.Options)
	if template := templateOf(q.Message); template != "" {
		if withdrawn(template, q) {
			return a.refuse(FailurePlatformRefused, "customBody.fbMessenger.attachment.payload.template_type", fmt.Sprintf("the platform has withdrawn the template %q", template), "another template, or text")
		}
	}
	if field, words := overLimit(q.Message); words != "" {
		return a.refuse(FailureInvalidContent, field, words, "the same within the platform's limits")
	}
	if feature, field := tokenOf(q.Options); feature != "" {
		// A token is an allowance of its own, for as long as the platform has that kind.
		if s := messenger.Support(feature, q.Version, q.Now); !s.OK {
			return a.refuse(FailurePlatformRefused, "channelOptions.fbMessenger."+field, fmt.Sprintf("the platform ended messages to such tokens on %s", s.Until.Format(time.DateOnly)), wouldBe(q, h)...)
		}
		return a
	}
	if since := q.Now.Sub(h.ElsewhereAt); !h.ElsewhereAt.IsZero() && since < threadControl {
		return a.refuse(FailureNoThreadControl, "to", fmt.Sprintf("another app or the page's inbox controls the conversation, as was seen at %s", FormatTime(h.ElsewhereAt)), "any message once the conversation is given back")
	}
	open := h.open(q.Now, standardWindow)
	if open && !h.LastInbound.IsZero() {
		a.Until = h.LastInbound.Add(standardWindow)
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

// open reports whether a window since the person's last act is open, or not known to be closed.
func (h History) open(now time.Time, window time.Duration) bool {
	refused := h.RefusedAt
	if window == humanAgentWindow {
		refused = h.HumanRefusedAt
	}
	if refused.After(h.LastInbound) {
		return false // the platform has said so
	}
	return h.LastInbound.IsZero() || now.Sub(h.LastInbound) <= window
}

// closed says how it is known that the window of 24 hours is closed.
func (h History) closed(now time.Time) string {
	if !h.LastInbound.IsZero() && now.Sub(h.LastInbound) > standardWindow {
		return fmt.Sprintf("the person last did something at %s, more than 24 hours ago", FormatTime(h.LastInbound))
	}
	return fmt.Sprintf("the platform said at %s that the window of 24 hours is closed, and the person has done nothing since", FormatTime(h.RefusedAt))
}

// OpenUntil is up to when the history allows a message of type RESPONSE for certain; zero for not
// now. Where nothing is known of the person it is for as long as the platform does not object.
func (h History) OpenUntil(now time.Time) time.Time {
	switch {
	case !h.open(now, standardWindow):
		return time.Time{}
	case h.LastInbound.IsZero():
		return now.Add(standardWindow)
	}
	return h.LastInbound.Add(standardWindow)
}

func (a PolicyAnswer) refuse(code FailureCode, field, words string, would ...string) PolicyAnswer {
	a.Allowed, a.Code, a.Field, a.Message, a.Would, a.Until = false, code, field, words, would, time.Time{}
	return a
}

// tagged judges a message with a tag.
func tagged(a PolicyAnswer, q PolicyQuestion, h History, open bool) PolicyAnswer {
	tag := q.Options.MessageTag
	rule, taken := tagRule(tag, q)
	if !taken {
		words := fmt.Sprintf("%q is not a tag of the platform", tag)
		if !rule.Until.IsZero() {
			words = fmt.Sprintf("the tag %s ended on %s", tag, rule.Until.Format(time.DateOnly))
		}
		if open {
			a.SendAs.MessagingType, a.SendAs.MessageTag = messenger.TypeResponse, ""
			a.Message = words + "; inside the 24 hours it is sent as RESPONSE"
			return a
		}
		return a.refuse(FailurePlatformRefused, fieldTag, words, wouldBe(q, h)...)
	}
	if template := templateOf(q.Message); q.Message != nil && len(rule.Templates) > 0 && !slices.Contains(rule.Templates, template) {
		return a.refuse(FailurePlatformRefused, fieldTag, fmt.Sprintf("the tag %s goes with the template %s only", tag, strings.Join(rule.Templates, " or ")), wouldBe(q, h)...)
	}
	if rule.Window == 0 {
		a.Until = time.Time{}
		return a
	}
	people := tag == messenger.TagHumanAgent
	switch {
	case people && !h.open(q.Now, rule.Window), !people && h.past(q.Now, rule.Window):
		return a.refuse(FailureOutsideWindow, fieldTag, h.closedToTag(rule, tag, q.Now), wouldBe(q, h)...)
	case people && !q.Human && open:
		a.SendAs.MessagingType, a.SendAs.MessageTag = messenger.TypeResponse, ""
		a.Message = "HUMAN_AGENT is for what people write, not for programs; inside the 24 hours it is sent as RESPONSE"
		return a
	case people && !q.Human:
		return a.refuse(FailurePlatformRefused, fieldTag, "HUMAN_AGENT is for what people write, not for programs", wouldBe(q, h)...)
	}
	if !h.LastInbound.IsZero() {
		a.Until = h.LastInbound.Add(rule.Window)
	}
	return a
}

// tagRule is the row of the platform's calendar by which a tag may be used now; the row that ended
// last, where it may not.
func tagRule(tag messenger.Tag, q PolicyQuestion) (rule messenger.Rule, taken bool) {
	for _, r := range messenger.RulesOfTag(tag) {
		if r.Takes(q.Version, q.Now) {
			return r, true
		}
		if r.Until.After(rule.Until) {
			rule = r
		}
	}
	return rule, false
}

// withdrawn reports whether the platform has a template no more, or not yet.
func withdrawn(template string, q PolicyQuestion) bool {
	for r := range messenger.Rules() {
		if len(r.Tags) == 0 && slices.Contains(r.Templates, template) {
			return !r.Takes(q.Version, q.Now)
		}
	}
	return false
}

// past reports whether a window since the person's last act is known to be over.
func (h History) past(now time.Time, window time.Duration) bool {
	return !h.LastInbound.IsZero() && now.Sub(h.LastInbound) > window
}

// closedToTag says how it is known that the window of a tag is closed.
func (h History) closedToTag(rule messenger.Rule, tag messenger.Tag, now time.Time) string {
	if h.past(now, rule.Window) {
		return fmt.Sprintf("%s is for %d days after the person last did something, which was at %s", tag, rule.Window/(24*time.Hour), FormatTime(h.LastInbound))
	}
	return fmt.Sprintf("the platform refused %s at %s, and the person has done nothing since", tag, FormatTime(h.HumanRefusedAt))
}

// wouldBe names what would be allowed now.
func wouldBe(q PolicyQuestion, h History) []string {
	var would []string
	if h.open(q.Now, standardWindow) {
		would = append(would, "messagingType RESPONSE")
	}
	if h.open(q.Now, humanAgentWindow) && messenger.Support(messenger.FeatureTagHumanAgent, q.Version, q.Now).OK {
		would = append(would, "messageTag HUMAN_AGENT, by people")
	}
	if r, _ := messenger.RuleOf(messenger.FeatureTagsOf2020); r.Takes(q.Version, q.Now) {
		for _, tag := range r.Tags {
			would = append(would, "messageTag "+string(tag))
		}
	}
	return append(would, "a notification token that the person has given", "any message once the person writes")
}

// tokenOf returns the feature of the platform that the options' token belongs to, and its field;
// empty without a token.
func tokenOf(o MessengerOptions) (messenger.Feature, string) {
	switch {
	case o.OneTimeToken != "":
		return messenger.FeatureOneTimeNotif, "oneTimeNotifToken"
	case o.NotificationToken != "":
		return messenger.FeatureNotificationMessages, "notificationMessagesToken"
	}
	return "", ""
}

// CheckLimits says which limit of the platform the caller's own message object breaks, such as a
// title of more than 20 characters; nil for none. It is refused when it is given, and not when it
// is sent.
func (in *MessageInput) CheckLimits() error {
	if field, words := overLimit(in.CustomBody[ChannelMessenger]); words != "" {
		return Invalid(field, "%s", words)
	}
	return nil
}

// overLimit says which documented limit of its type a message object breaks; empty when it breaks
// none that is known.
func overLimit(message json.RawMessage) (field, words string) {
	var over *messenger.FieldError
	if len(message) == 0 || !errors.As(messenger.CheckMessage(message), &over) {
		return "", ""
	}
	return strings.Replace(over.Field, "message", "customBody."+ChannelMessenger, 1), over.Error()
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
