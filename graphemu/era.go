package graphemu

import (
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// A version of the Graph API as a number that compares: v2.6 is 206.
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

// settled is how long after its release a version is taken to be in use: what
// was announced with it holds by then.
const settled = 31 * 24 * time.Hour

// era is the day whose rules hold for a call: the clock's when a date is set,
// else one in the life of the version that the call names.
func (s *Server) era(version string) time.Time {
	if s.clock.isDated() {
		return s.now()
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

// span are the days between which the platform takes something; a zero until is
// for ever. first is the release of the version that brought it.
type span struct{ from, until, first time.Time }

// spans are those of the platform's calendar, by feature.
func spans() map[messenger.Feature]span {
	all := map[messenger.Feature]span{}
	for r := range messenger.Rules() {
		first, _ := messenger.Released(r.First)
		all[r.Feature] = span{r.Begins(), r.Ends(), first}
	}
	return all
}

// takes reports whether the platform takes a feature in an era. Without a date
// what a version brought is there with the version.
func (s *Server) takes(feature messenger.Feature, at time.Time) bool {
	sp := s.spans[feature]
	if !sp.first.IsZero() && !s.clock.isDated() {
		sp.from = sp.first
	}
	return !at.Before(sp.from) && (sp.until.IsZero() || at.Before(sp.until))
}

// ended reports whether the day that is set is one on which no version takes a
// feature any more. It is false without a date, for clients of all versions.
func (s *Server) ended(feature messenger.Feature) bool {
	r, _ := messenger.RuleOf(feature)
	return s.clock.isDated() && !r.Until.IsZero() && !s.now().Before(r.Until)
}

// tagRule is the row of the calendar by which a tag may be used in an era, or
// else the row that ended last; false for no tag of the platform.
func (s *Server) tagRule(tag string, at time.Time) (rule messenger.Rule, taken, known bool) {
	for _, r := range messenger.RulesOfTag(messenger.Tag(tag)) {
		if s.takes(r.Feature, at) {
			return r, true, true
		}
		if !known || r.Until.After(rule.Until) {
			rule, known = r, true
		}
	}
	return rule, false, known
}
