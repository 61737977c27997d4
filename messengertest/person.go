package messengertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

// Person speaks with the page and expects its answers. A person belongs to one
// test and is not for concurrent use.
type Person struct {
	PSID string
	Name string

	platform *Platform
	t        testing.TB
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
	made := p.Emulator.AddPerson(p.Page.ID, who)
	return &Person{PSID: made.ID, Name: made.Name(), platform: p, t: p.t}

}

// PersonOption changes a person before they are added.
type PersonOption func(*graphemu.Person)

// Named gives a person a first name; without it one is made.
func Named(first string) PersonOption { return func(p *graphemu.Person) { p.FirstName = first } }

// WithThread makes a person who has written to the page before, so that the page
// may write first.
func WithThread() PersonOption { return func(p *graphemu.Person) { p.Open = true } }

// NewPerson adds a person who has never written to the page, unless an option
// says otherwise. What fails fails t.
func (p *Platform) NewPerson(t testing.TB, opts ...PersonOption) *Person {
	t.Helper()
	var who graphemu.Person
	for _, opt := range opts {
		opt(&who)
	}
	person := p.add(who)
	person.t = t
	return person
}

func (pe *Person) context(timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout)
}

// Says writes a text and returns its mid.
func (pe *Person) Says(text string) string {
	pe.t.Helper()
	return pe.Does(graphemu.Action{Text: text}).MID
}

// Sends sends an attachment by its address; kind is image, audio, video or file.
func (pe *Person) Sends(kind, url string) {
	pe.t.Helper()
	pe.Does(graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: kind, URL: url}})
}

// GetsStarted taps Get Started; a ref, unless empty, says which link led here.
func (pe *Person) GetsStarted(ref string) {
	pe.t.Helper()
	a := graphemu.Action{GetStarted: true}
	if ref != "" {
		a.Referral = &graphemu.Referral{Ref: ref}
	}
	pe.Does(a)
}

// Follows enters through an m.me link with a ref.
func (pe *Person) Follows(ref string) {
	pe.t.Helper()
	pe.Does(graphemu.Action{Referral: &graphemu.Referral{Ref: ref}})
}

// Reads looks at everything the page has written.
func (pe *Person) Reads() {
	pe.t.Helper()
	pe.Does(graphemu.Action{Read: true})
}

// Does anything that a person can do, and fails the test when it is not
// possible.
func (pe *Person) Does(a graphemu.Action) graphemu.ActionResult {
	t := pe.t
	t.Helper()
	res, err := pe.platform.Emulator.Act(context.Background(), pe.platform.Page.ID, pe.PSID, a)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// Taps taps the quick reply or postback button with the given title in the
// newest message of the page; if there is none, a button of an older message, a
// row of the persistent menu, an ice breaker, or "Get Started".
func (pe *Person) Taps(title string) {
	t := pe.t
	t.Helper()
	thread, err := pe.platform.Emulator.Thread(pe.platform.Page.ID, pe.PSID)
	if err != nil {
		t.Fatal(err)
	}
	newest := true
	var offered []string
	for _, m := range slices.Backward(thread) {
		if m.From != "page" {
			continue
		}
		a, titles := tappable(m, title)
		if a != nil && (newest || a.Postback != nil) {
			pe.Does(*a)
			return
		}
		if newest {
			offered = titles
		}
		newest = false
	}
	if title == "Get Started" {
		pe.Does(graphemu.Action{GetStarted: true})
		return
	}
	if row, ok := pe.platform.Emulator.MenuRow(pe.platform.Page.ID, pe.PSID, title); ok {
		pe.Does(graphemu.Action{Postback: &row})
		return
	}
	if newest {
		t.Fatalf("the page has written nothing with a %q to tap\n%s", title, pe.conversation())
	}
	t.Fatalf("the page's newest message has no %q to tap, only %q\n%s", title, offered, pe.conversation())
}

// Scans holds a code before the person's camera: a picture as []byte, io.Reader
// or image.Image, or as a string the address at which the emulator shows the code, or
// the link that the code holds.
func (pe *Person) Scans(code any) graphemu.ActionResult {
	pe.t.Helper()
	switch code := code.(type) {
	case []byte:
		return pe.Does(graphemu.Action{Scan: &graphemu.ScanAction{Image: code}})
	case io.Reader:
		picture, err := io.ReadAll(code)
		if err != nil {
			pe.t.Fatal(err)
		}
		return pe.Does(graphemu.Action{Scan: &graphemu.ScanAction{Image: picture}})
	case image.Image:
		var picture bytes.Buffer
		if err := png.Encode(&picture, code); err != nil {
			pe.t.Fatal(err)
		}
		return pe.Does(graphemu.Action{Scan: &graphemu.ScanAction{Image: picture.Bytes()}})
	case string:
		if strings.HasSuffix(code, ".png") || strings.Contains(code, ".png?") {
			return pe.Does(graphemu.Action{Scan: &graphemu.ScanAction{URL: code}})
		}
		return pe.Does(graphemu.Action{Link: &graphemu.LinkAction{URL: code}})
	}
	pe.t.Fatalf("a code is a picture as []byte, io.Reader or image.Image, or an address as string, and no %T", code)
	return graphemu.ActionResult{}
}

// tappable finds a quick reply or button by its title; without one it returns
// the titles there are.
func tappable(m graphemu.ThreadMessage, title string) (*graphemu.Action, []string) {
	var titles []string
	message := read(m)
	for _, q := range message.QuickReplies {
		if q.Title == title {
			return &graphemu.Action{QuickReply: &graphemu.TapAction{Title: q.Title, Payload: q.Payload}}, nil
		}
		titles = append(titles, q.Title)
	}
	for _, b := range message.buttons() {
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
	pe.t.Helper()
	m := pe.Next()
	if got := TextOf(m); got != text {
		pe.t.Errorf("the page wrote %q, expected %q\n%s", got, text, pe.conversation())
	}
	return m
}

// ExpectsMatch waits for the page's next message and fails the test unless its
// text matches the regular expression.
func (pe *Person) ExpectsMatch(pattern string) graphemu.ThreadMessage {
	pe.t.Helper()
	m := pe.Next()
	if got := TextOf(m); !regexp.MustCompile(pattern).MatchString(got) {
		pe.t.Errorf("the page wrote %q, expected a match of %q\n%s", got, pattern, pe.conversation())
	}
	return m
}

// Next waits for the page's next message, and fails the test when none comes in
// time.
func (pe *Person) Next() graphemu.ThreadMessage {
	p := pe.platform
	pe.t.Helper()
	ctx, cancel := pe.context(p.timeout)
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
		pe.t.Fatalf("no further message of the page: %v\nthe conversation:\n%s", err, transcript(pe.Name, thread))
	}
	pe.seen++
	return next
}

// TextOf is the text of a message: its own, or of a template its text or its
// first title.
func TextOf(m graphemu.ThreadMessage) string {
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

// transcript is a thread for the eye, with what may be tapped.
func transcript(name string, thread []graphemu.ThreadMessage) string {
	var b strings.Builder
	for _, m := range thread {
		who := name
		if m.From == "page" {
			who = "page"
		}
		at := m.SentAt.Format("15:04:05")
		if m.Note != "" {
			fmt.Fprintf(&b, "  %s -- %s\n", at, m.Note)
			continue
		}
		text := TextOf(m)
		if text == "" {
			text = string(m.Message)
		}
		fmt.Fprintf(&b, "  %s %s: %s", at, who, text)
		if _, titles := tappable(m, ""); len(titles) > 0 && m.From == "page" {
			fmt.Fprintf(&b, "  %q", titles)
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "  (nobody has written anything)\n"
	}
	return b.String()
}

// conversation is the transcript of the person's thread, for a failure.
func (pe *Person) conversation() string {
	thread, err := pe.platform.Emulator.Thread(pe.platform.Page.ID, pe.PSID)
	if err != nil {
		return err.Error()
	}
	return "the conversation:\n" + transcript(pe.Name, thread)
}
