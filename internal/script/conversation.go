package script

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/rivescript"
)

// Conversation is one person who talks with an engine, with a clock that only moves when it is told
// to: for transcripts and for talking in a terminal.
type Conversation struct {
	Engine *rivescript.Engine
	User   *rivescript.User
	Now    time.Time

	reminders []reminder
}

type reminder struct {
	name, content string
	at            time.Time
}

// NewConversation begins a conversation. The same seed makes the same choices; 0 leaves them to
// chance.
func NewConversation(e *rivescript.Engine, seed uint64) *Conversation {
	c := &Conversation{Engine: e, User: &rivescript.User{ID: "person"}, Now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	if seed != 0 {
		c.User.Rand = rand.New(rand.NewPCG(seed, 0)).IntN
	}
	c.User.Set("_platform", "facebook")
	c.User.Set("_platformId", c.User.ID)
	return c
}

// Say returns what the person writes.
func (c *Conversation) Say(ctx context.Context, text string) rivescript.Reply {
	Heard(c.User, text, c.Now)
	return c.done(c.Engine.Reply(ctx, c.User, text))
}

// Happen tells the bot of an event by its name, such as the payload of a postback.
func (c *Conversation) Happen(ctx context.Context, name string) rivescript.Reply {
	return c.done(c.Engine.Event(ctx, c.User, name))
}

// Refer tells the bot of a referral: with the payload of Get Started for a person who is new, else
// with that of a returning one.
func (c *Conversation) Refer(ctx context.Context, r Referral, payload string) rivescript.Reply {
	r.Set(c.User)
	if payload == "" {
		payload = EventReferral
	}
	return c.Happen(ctx, payload)
}

// Wait lets time pass, and returns the reminders that fall due.
func (c *Conversation) Wait(d time.Duration) []rivescript.Message {
	until := c.Now.Add(d)
	var all []rivescript.Message
	for {
		next := -1
		for i, r := range c.reminders {
			if !r.at.After(until) && (next < 0 || r.at.Before(c.reminders[next].at)) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		due := c.reminders[next]
		c.reminders = slices.Delete(c.reminders, next, next+1)
		c.Now = later(c.Now, due.at)
		c.User.Unset(ReminderVar(due.name))
		r := c.done(c.Engine.Process(context.Background(), c.User, due.content))
		all = append(all, r.Messages()...)
	}
	c.Now = later(c.Now, until)
	return all
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// done keeps the reminders of a reply.
func (c *Conversation) done(r rivescript.Reply) rivescript.Reply {
	for _, m := range r.Messages() {
		for _, s := range m.Shortcodes {
			switch {
			case s.Name == "reminder" && len(s.Args) >= 3:
				if ms, err := strconv.ParseInt(strings.TrimSpace(s.Args[2]), 10, 64); err == nil {
					c.cancel(s.Args[0])
					c.reminders = append(c.reminders, reminder{s.Args[0], s.Args[1], time.UnixMilli(ms).UTC()})
					c.User.Set(ReminderVar(s.Args[0]), s.Args[2])
				}
			case s.Name == "reminderCancel" && len(s.Args) >= 1:
				c.cancel(s.Args[0])
			}
		}
	}
	return r
}

func (c *Conversation) cancel(name string) {
	c.reminders = slices.DeleteFunc(c.reminders, func(r reminder) bool { return ReminderName(r.name) == ReminderName(name) })
	c.User.Unset(ReminderVar(name))
}

// Lines shows messages as transcripts write them: the pause before one in brackets, then its text
// with its line breaks as \n, then its shortcodes.
func Lines(messages []rivescript.Message) []string {
	var lines []string
	for _, m := range messages {
		var b strings.Builder
		if m.Seconds > 0 {
			fmt.Fprintf(&b, "(%ss) ", strconv.FormatFloat(m.Seconds, 'f', -1, 64))
		}
		b.WriteString(strings.ReplaceAll(m.Text, "\n", `\n`))
		for _, s := range m.Shortcodes {
			if b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
				b.WriteByte(' ')
			}
			b.WriteString("^" + s.Name + "(" + strings.Join(s.Args, ", ") + ")")
		}
		lines = append(lines, b.String())
	}
	return lines
}

// Shown are the lines of a reply: its messages, or what stands for the lack of one.
func Shown(r rivescript.Reply, d rivescript.Dialect) []string {
	switch {
	case r.Err != nil:
		return []string{"(" + r.Text + ")"}
	case d != rivescript.Dexter:
		return []string{strings.ReplaceAll(r.Text, "\n", `\n`)}
	}
	if lines := Lines(r.Messages()); len(lines) > 0 {
		return lines
	}
	return []string{"(nothing)"}
}
