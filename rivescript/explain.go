package rivescript

import (
	"context"
	"fmt"
	"strings"
)

// Candidate is a trigger that takes a message, and where it stands.
type Candidate struct {
	Trigger  string `json:"trigger"`
	Previous string `json:"previous,omitempty"` // its %
	Topic    string `json:"topic"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Why      string `json:"why"` // what put it where it is among the others
	Stars    []string
}

var classNames = [...]string{"words only", "an option", "a word of any letters (_)", "a number (#)", "anything (*)", "nothing but _", "nothing but #", "nothing but *"}

// Explain returns the triggers that take a message of a person, the one that wins first, at most
// limit of them. It changes nothing.
func (e *Engine) Explain(u *User, message string, limit int) []Candidate {
	t := &turn{e: e, ctx: context.Background(), u: u, m: &machine{}, message: e.form.hear(message)}
	t.kept = t.message.text
	if e.o.Dialect == Dexter {
		t.kept = e.form.kept(message)
	}
	t.asked = &t.message
	v := e.views[u.Topic()]
	if v == nil {
		v = e.views[topicRandom]
	}
	var all []Candidate
	add := func(r ranked, text string) {
		caps, ok := t.takes(r.pattern, text)
		for i, c := range caps {
			if c == absent {
				caps[i] = undefined
			}
		}
		if !ok || len(all) >= limit {
			return
		}
		all = append(all, Candidate{Trigger: r.text, Previous: r.previous, Topic: r.top, File: r.file, Line: r.line, Why: r.key.why(r.previous != ""), Stars: caps})
	}
	if len(u.Replies) > 0 {
		last := e.form.reply(u.Replies[0])
		for _, r := range v.after {
			if _, ok := t.takes(r.before, last); ok {
				add(r, t.messageFor(r))
			}
		}
	}
	for _, r := range v.plain {
		add(r, t.messageFor(r))
	}
	return all
}

// messageFor is the message as a trigger sees it.
func (t *turn) messageFor(r ranked) string {
	if r.keep {
		return t.kept
	}
	return t.message.text
}

// why says a key in words.
func (k sortKey) why(after bool) string {
	var parts []string
	if after {
		parts = append(parts, "after what the bot said last (%)")
	}
	if k.weight != 0 {
		parts = append(parts, fmt.Sprintf("weight %d", k.weight))
	}
	if k.level > 0 {
		parts = append(parts, fmt.Sprintf("inherited, level %d", k.level))
	}
	parts = append(parts, classNames[k.class], fmt.Sprintf("%d words", k.words))
	return strings.Join(parts, ", ")
}
