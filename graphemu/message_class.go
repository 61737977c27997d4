package graphemu

import (
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// messageClass is the messaging_type, tag and notification_type of a message.
type messageClass struct{ kind, tag, notification string }

// checkClass checks the class of a message against the rules of an era. News pages keep some
// tags longer than others.
func (cal *calendar) checkClass(c messageClass, news bool, at time.Time) *messenger.Error {
	var kinds []string
	for r := range messenger.Rules() {
		if cal.takes(r.Feature, at) {
			for _, t := range r.Types {
				kinds = append(kinds, string(t))
			}
		}
	}
	if c.kind != "" && !slices.Contains(kinds, c.kind) {
		return refuse(100, 0, "(#100) Param messaging_type must be one of {"+strings.Join(kinds, ", ")+"}")
	}
	if e := cal.checkTag(c.tag, news, at); e != nil {
		return e
	}
	if c.kind == "MESSAGE_TAG" && c.tag == "" {
		return refuse(100, 0, "(#100) Param tag is required with messaging_type MESSAGE_TAG")
	}
	if c.notification != "" && !slices.Contains([]string{"REGULAR", "SILENT_PUSH", "NO_PUSH"}, c.notification) {
		return refuse(100, 0, "(#100) Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")
	}
	return nil
}

// checkTag checks a tag against the rules of an era.
func (cal *calendar) checkTag(tag string, news bool, at time.Time) *messenger.Error {
	if tag == "" {
		return nil
	}
	rule, taken, known := cal.tagRule(tag, at)
	switch {
	case taken, known && news && slices.Contains(rule.News, messenger.Tag(tag)):
		return nil
	case rule.Feature == messenger.FeatureTagsOf2020 && !at.Before(rule.Until):
		return refuse(100, 1893061, "Invalid parameter")
	}
	return refuse(100, 0, "(#100) Param tag is not a valid message tag")
}
