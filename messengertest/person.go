package messengertest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/chasqui/chasqui/graphemu"
)

// Person speaks with the page and expects its answers. A person belongs to one
// test and is not for concurrent use.
type Person struct {
	PSID string

	platform *Platform
	seen     int // how many messages of the page were expected already
}

// Person adds a person who has written to the page before, so that the page may
// write first.
func (p *Platform) Person(firstName string) *Person {
	p.t.Helper()
	return p.add(graphemu.Person{FirstName: firstName, Open: true})
}

// Newcomer adds a person who has never written to the page.
func (p *Platform) Newcomer(firstName string) *Person {
	p.t.Helper()
	return p.add(graphemu.Person{FirstName: firstName})
}

func (p *Platform) add(who graphemu.Person) *Person {
	return &Person{PSID: p.Emulator.AddPerson(p.Page.ID, who).ID, platform: p}
}

// Says writes a text and returns its mid.
func (pe *Person) Says(text string) string {
	pe.platform.t.Helper()
	return pe.Does(graphemu.Action{Text: text}).MID
}

// Sends sends an attachment by its address; kind is image, audio, video or file.
func (pe *Person) Sends(kind, url string) {
	pe.platform.t.Helper()
	pe.Does(graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: kind, URL: url}})
}

// GetsStarted taps Get Started; a ref, unless empty, says which link led here.
func (pe *Person) GetsStarted(ref string) {
	pe.platform.t.Helper()
	a := graphemu.Action{GetStarted: true}
	if ref != "" {
		a.Referral = &graphemu.Referral{Ref: ref}
	}
	pe.Does(a)
}

// Follows enters through an m.me link with a ref.
func (pe *Person) Follows(ref string) {
	pe.platform.t.Helper()
	pe.Does(graphemu.Action{Referral: &graphemu.Referral{Ref: ref}})
}

// Reads looks at everything the page has written.
func (pe *Person) Reads() {
	pe.platform.t.Helper()
	pe.Does(graphemu.Action{Read: true})
}

// Does anything that a person can do, and fails the test when it is not
// possible.
func (pe *Person) Does(a graphemu.Action) graphemu.ActionResult {
	t := pe.platform.t
	t.Helper()
	res, err := pe.platform.Emulator.Act(context.Background(), pe.platform.Page.ID, pe.PSID, a)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// Taps taps the quick reply or postback button with the given title in the
// newest message of the page.
func (pe *Person) Taps(title string) {
	t := pe.platform.t
	t.Helper()
	thread, err := pe.platform.Emulator.Thread(pe.platform.Page.ID, pe.PSID)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(thread) - 1; i >= 0; i-- {
		if thread[i].From == "page" {
			a, titles := tappable(thread[i], title)
			if a == nil {
				t.Fatalf("the page's newest message has no %q to tap, only %q", title, titles)
			}
			pe.Does(*a)
			return
		}
	}
	t.Fatalf("the page has written nothing with a %q to tap", title)
}

type button struct {
	Type, Title, Payload string
}

// tappable finds a quick reply or button by its title; without one it returns
// the titles there are.
func tappable(m graphemu.ThreadMessage, title string) (*graphemu.Action, []string) {
	var message struct {
		QuickReplies []button `json:"quick_replies"`
		Attachment   struct {
			Payload struct {
				Buttons  []button
				Elements []struct{ Buttons []button }
			}
		}
	}
	if json.Unmarshal(m.Message, &message) != nil {
		return nil, nil
	}
	var titles []string
	for _, q := range message.QuickReplies {
		if q.Title == title {
			return &graphemu.Action{QuickReply: &graphemu.TapAction{Title: q.Title, Payload: q.Payload}}, nil
		}
		titles = append(titles, q.Title)
	}
	buttons := message.Attachment.Payload.Buttons
	for _, e := range message.Attachment.Payload.Elements {
		buttons = append(buttons, e.Buttons...)
	}
	for _, b := range buttons {
		if b.Type == "postback" && b.Title == title {
			return &graphemu.Action{Postback: &graphemu.TapAction{Title: b.Title, Payload: b.Payload}}, nil
		}
		titles = append(titles, b.Title)
	}
	return nil, titles
}

// Expects waits for the page's next message and fails the test unless its text
// is the given one. A template's text is that of its text or its first title.
func (pe *Person) Expects(text string) graphemu.ThreadMessage {
	pe.platform.t.Helper()
	m := pe.Next()
	if got := Text(m); got != text {
		pe.platform.t.Errorf("the page wrote %q, expected %q", got, text)
	}
	return m
}

// ExpectsMatch waits for the page's next message and fails the test unless its
// text matches the regular expression.
func (pe *Person) ExpectsMatch(pattern string) graphemu.ThreadMessage {
	pe.platform.t.Helper()
	m := pe.Next()
	if got := Text(m); !regexp.MustCompile(pattern).MatchString(got) {
		pe.platform.t.Errorf("the page wrote %q, expected a match of %q", got, pattern)
	}
	return m
}

// Next waits for the page's next message, and fails the test when none comes in
// time.
func (pe *Person) Next() graphemu.ThreadMessage {
	p := pe.platform
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	var next graphemu.ThreadMessage
	thread, err := p.Emulator.WaitThread(ctx, p.Page.ID, pe.PSID, func(thread []graphemu.ThreadMessage) bool {
		n := 0
		for _, m := range thread {
			if m.From == "page" {
				if n++; n > pe.seen {
					next = m
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		p.t.Fatalf("no further message of the page: %v\nthe thread:\n%s", err, script(thread))
	}
	pe.seen++
	return next
}

// Text is the text of a message: its own, or of a template its text or its
// first title.
func Text(m graphemu.ThreadMessage) string {
	if m.Text != "" {
		return m.Text
	}
	var message struct {
		Attachment struct {
			Payload struct {
				Text     string
				Elements []struct{ Title string }
			}
		}
	}
	if json.Unmarshal(m.Message, &message) != nil {
		return ""
	}
	if p := message.Attachment.Payload; p.Text == "" && len(p.Elements) > 0 {
		return p.Elements[0].Title
	}
	return message.Attachment.Payload.Text
}

// script is a thread for the eye.
func script(thread []graphemu.ThreadMessage) string {
	var b strings.Builder
	for _, m := range thread {
		fmt.Fprintf(&b, "  %s: %s\n", m.From, Text(m))
	}
	return b.String()
}
