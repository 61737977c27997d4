package gateway

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// EntryPointKind says what an entry point is.
type EntryPointKind = gatewayapi.EntryPointKind

// Kinds of entry points.
const (
	EntryCode            = gatewayapi.EntryCode
	EntryLink            = gatewayapi.EntryLink
	EntryAd              = gatewayapi.EntryAd
	EntrySendToMessenger = gatewayapi.EntrySendToMessenger
)

// EntryKinds lists the kinds.
func EntryKinds() []EntryPointKind {
	return []EntryPointKind{EntryCode, EntryLink, EntryAd, EntrySendToMessenger}
}

// Limits of entry points.
const (
	MaxRef       = 250  // characters that a ref of ours may have
	MaxEntryName = 200  // bytes
	MaxEntryTags = 20   // of 50 bytes each
	MaxPrefill   = 1000 // characters
)

// refAlphabet is what a ref may be made of.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/messenger-codes
var refAlphabet = regexp.MustCompile(`^[\w+/=\-.:]{1,250}$`)

// ValidRef reports whether a ref can be given to a code or link.
func ValidRef(ref string) bool { return refAlphabet.MatchString(ref) }

// EntryPoint is a code or link with a ref.
type EntryPoint struct {
	ID          string
	Application string
	Kind        EntryPointKind
	Ref         string // empty for a static one
	Slug        string // of our own short link
	Name        string
	Campaign    string
	Tags        []string
	Prefill     string // text that stands in the composer
	ExpiresAt   time.Time
	RetiredAt   time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Check says what is wrong with an entry point.
func (e *EntryPoint) Check(now time.Time) error {
	switch {
	case !slices.Contains(EntryKinds(), e.Kind):
		return Invalid("kind", "%q is not one of code, link, ad, sendToMessenger", e.Kind)
	case e.Ref != "" && !ValidRef(e.Ref):
		return Invalid("ref", "a ref has 1 to %d characters of a-z A-Z 0-9 + / = - . : _", MaxRef)
	case len(e.Name) > MaxEntryName:
		return Invalid("name", "a name has at most %d bytes", MaxEntryName)
	case len(e.Campaign) > MaxEntryName:
		return Invalid("campaign", "a campaign has at most %d bytes", MaxEntryName)
	case len([]rune(e.Prefill)) > MaxPrefill:
		return Invalid("text", "the text has at most %d characters", MaxPrefill)
	case len(e.Tags) > MaxEntryTags:
		return Invalid("tags", "there are at most %d tags", MaxEntryTags)
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(now):
		return Invalid("expiresAt", "must be in the future")
	}
	for _, tag := range e.Tags {
		if tag == "" || len(tag) > 50 {
			return Invalid("tags", "a tag has 1 to 50 bytes")
		}
	}
	return nil
}

// Link is the address that opens the page's thread: base is https://m.me, page the page's id or
// name.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links
func Link(base, page, ref, text string) string {
	q := []string{}
	if ref != "" {
		q = append(q, "ref="+escapeQuery(ref))
	}
	if text != "" {
		q = append(q, "text="+escapeQuery(text))
	}
	link := base + "/" + url.PathEscape(page)
	if len(q) > 0 {
		link += "?" + strings.Join(q, "&")
	}
	return link
}

// escapeQuery percent-encodes, with %20 for a blank.
func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Touch is how a person came once.
type Touch struct {
	At     time.Time `json:"at"`
	Source string    `json:"source,omitempty"`
	Ref    string    `json:"ref,omitempty"`
	AdID   string    `json:"adId,omitempty"`
	Point  string    `json:"entryPoint,omitempty"`
}

// Touches are how a person came the first time and the last.
type Touches struct {
	First, Last Touch
	Pending     int
}

// What of the last touch has yet to follow.
const (
	PendingMessage = 1 // a message of the person
	PendingAnswer  = 2 // one of the page
)

// Goal is something that a person was meant to do, and did.
type Goal struct {
	ID    string
	Lane  Lane
	Name  string
	Value float64
	At    time.Time
}

// CheckGoal says what is wrong with a goal's name.
func CheckGoal(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsAny(name, "/\x00") {
		return Invalid("name", "a goal's name has 1 to 100 bytes without slashes")
	}
	return nil
}

// OptInState is what a token binds to a profile when it comes back.
type OptInState struct {
	Handle      string
	Application string
	Key         APIKey // of the key that made it, the applications: what it may not see it cannot bind
	ProfileID   string
	Data        json.RawMessage
	SingleUse   bool
	ExpiresAt   time.Time
	UsedAt      time.Time
	UsedBy      string // PSID
}

// Metrics of entry points. That of a goal is followed by a slash and the goal's name.
const (
	MetricVisits        = "visits"
	MetricOpens         = "opens"
	MetricScans         = "scans"
	MetricFirst         = "firstContacts"
	MetricReturning     = "returning"
	MetricFirstMessages = "firstMessages"
	MetricAnswered      = "answered"
	MetricGoals         = "goals"      // by the last touch
	MetricGoalPeople    = "goalPeople" // by the last touch: people who reached it the first time
	MetricGoalsFirst    = "goalsFirst" // by the first touch
)

// ReferralRecord is the data of a referral event: one form for every way in.
type ReferralRecord = gatewayapi.ReferralEvent
