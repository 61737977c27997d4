package graphemu

import (
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// A graphVersion is a version of the Graph API as a number that compares: v2.6
// is 206.
type graphVersion int

func parseVersion(s string) graphVersion {
	major, minor, ok := strings.Cut(strings.TrimPrefix(s, "v"), ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if !ok || errA != nil || errB != nil || a > 999 || b > 99 {
		return 0
	}
	return graphVersion(a*100 + b)
}

// settled is how long after its release a version is assumed to be in use, with all that was
// announced for it in force.
const settled = 31 * 24 * time.Hour

// span is the time during which the platform accepts something. A zero until
// means without end; first is the release of the version that brought it.
type span struct{ from, until, first time.Time }

// calendar says which rules of the platform apply: those of the clock's date when one is set,
// else those of the version that a call names. It never changes, and is safe for concurrent
// use.
type calendar struct {
	clock *clock
	spans map[messenger.Feature]span
}

func newCalendar(c *clock) *calendar {
	cal := &calendar{clock: c, spans: map[messenger.Feature]span{}}
	for r := range messenger.Rules() {
		first, _ := messenger.Released(r.First)
		cal.spans[r.Feature] = span{r.Begins(), r.Ends(), first}
	}
	return cal
}

// era returns the day whose rules apply to a call: the clock's when a date is set, else one in
// the life of the version that the call names.
func (cal *calendar) era(version string) time.Time {
	if cal.clock.isDated() {
		return cal.clock.now()
	}
	known := parseVersion(version) != 0
	var at time.Time
	for r := range messenger.Releases() {
		if at.IsZero() || !known || messenger.CompareVersions(r.Version, version) <= 0 {
			at = r.Day
		}
	}
	return at.Add(settled)
}

// takes reports whether the platform accepts a feature in an era. Without a date
// set, what came with a version is there from that version on.
func (cal *calendar) takes(feature messenger.Feature, at time.Time) bool {
	sp := cal.spans[feature]
	if !sp.first.IsZero() && !cal.clock.isDated() {
		sp.from = sp.first
	}
	return !at.Before(sp.from) && (sp.until.IsZero() || at.Before(sp.until))
}

// takesNow reports whether the platform accepts a feature at the clock's time.
func (cal *calendar) takesNow(feature messenger.Feature) bool {
	return cal.takes(feature, cal.clock.now())
}

// ended reports whether a date is set on which no version accepts a feature any
// more. It is false without a date, for clients of all versions.
func (cal *calendar) ended(feature messenger.Feature) bool {
	r, _ := messenger.RuleOf(feature)
	return cal.clock.isDated() && !r.Until.IsZero() && !cal.clock.now().Before(r.Until)
}

// lastHour returns the last hour in which the platform accepted a feature.
func (cal *calendar) lastHour(feature messenger.Feature) time.Time {
	return cal.spans[feature].until.Add(-time.Hour)
}

// tagRule returns the rule by which a tag may be used in an era, or else the rule that ended
// last. known is false for what never was a tag of the platform.
func (cal *calendar) tagRule(tag string, at time.Time) (rule messenger.Rule, taken, known bool) {
	for _, r := range messenger.RulesOfTag(messenger.Tag(tag)) {
		if cal.takes(r.Feature, at) {
			return r, true, true
		}
		if !known || r.Until.After(rule.Until) {
			rule, known = r, true
		}
	}
	return rule, false, known
}
