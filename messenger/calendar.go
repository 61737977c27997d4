package messenger

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule is a row of the platform's calendar: something that the platform accepts, or accepted for a
// time, and the source of that.
type Rule struct {
	Feature Feature
	// Tags are the message tags that the row is about.
	Tags []Tag
	// Types are the messaging types that the row is about.
	Types []MessagingType
	// Templates are the types of template that the row is about. In a row of
	// tags they are the only ones that the tags go with.
	Templates []string
	// News are the tags that registered news pages keep after the end.
	News []Tag
	// Window is how long after the person's last act such a message is taken;
	// zero for at any time.
	Window time.Duration
	// Since is the day it came; zero where it was there from the beginning.
	Since time.Time
	// Until is the day from which no version accepts it; zero while there is none.
	Until time.Time
	// First and Removed are the first version that has it and the first that
	// has it no more, such as v8.0; empty for all.
	First, Removed string
	// Successor is what to use instead, empty where there is nothing.
	Successor string
	// Source is where the days come from.
	Source string
}

// Takes reports whether the real platform accepts it with a version of the API, such as v26.0, at a
// moment.
func (r Rule) Takes(version string, at time.Time) bool {
	return !at.Before(r.Since) && (r.Until.IsZero() || at.Before(r.Until)) &&
		(r.First == "" || CompareVersions(version, r.First) >= 0) &&
		(r.Removed == "" || CompareVersions(version, r.Removed) < 0)
}

// Begins is the first day on which any version accepts it: Since, or the release of First where
// that is later.
func (r Rule) Begins() time.Time {
	if first, ok := Released(r.First); ok && first.After(r.Since) {
		return first
	}
	return r.Since
}

// Ends is the day from which the newest version no longer accepts it: the release of Removed, or
// Until where that is earlier; zero while there is none.
func (r Rule) Ends() time.Time {
	removed, ok := Released(r.Removed)
	if !ok || !r.Until.IsZero() && r.Until.Before(removed) {
		return r.Until
	}
	return removed
}

// Rules walks the platform's calendar: every feature, message tag and messaging
// type whose days are known, in the order of the constants of [Feature]. Rows
// share their lists: change none.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/changelog
func Rules() iter.Seq[Rule] { return slices.Values(calendar) }

// RuleOf finds the row of a feature. It is false for one that is not known here.
func RuleOf(feature Feature) (Rule, bool) {
	i := slices.IndexFunc(calendar, func(r Rule) bool { return r.Feature == feature })
	if i < 0 {
		return Rule{}, false
	}
	return calendar[i], true
}

// RulesOfTag finds the rows of a message tag: none for one that the platform
// never had, and two for ACCOUNT_UPDATE, which changed its meaning in 2020.
func RulesOfTag(tag Tag) []Rule {
	var found []Rule
	for _, r := range calendar {
		if slices.Contains(r.Tags, tag) {
			found = append(found, r)
		}
	}
	return found
}

// RuleOfType finds the row of a messaging type. It is false for one that the
// platform never had.
func RuleOfType(t MessagingType) (Rule, bool) {
	i := slices.IndexFunc(calendar, func(r Rule) bool { return slices.Contains(r.Types, t) })
	if i < 0 {
		return Rule{}, false
	}
	return calendar[i], true
}

// Release is a version of the Graph API and the day it came out.
type Release struct {
	Version string
	Day     time.Time
}

// Releases walks the versions since Messenger is part of the Graph API, oldest
// first.
//
// Docs: https://developers.facebook.com/docs/graph-api/changelog/versions
func Releases() iter.Seq[Release] { return slices.Values(releases) }

// Released is the day on which a version came out. It is false for one that is
// not known here.
func Released(version string) (time.Time, bool) {
	i := slices.IndexFunc(releases, func(r Release) bool { return r.Version == version })
	if i < 0 {
		return time.Time{}, false
	}
	return releases[i].Day, true
}

// CompareVersions compares versions of the Graph API, such as v2.12 and v26.0,
// as [strings.Compare] does texts.
func CompareVersions(a, b string) int {
	number := func(version string) int {
		first, second, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
		major, _ := strconv.Atoi(first)
		minor, _ := strconv.Atoi(second)
		return major*1000 + minor
	}
	return number(a) - number(b)
}
