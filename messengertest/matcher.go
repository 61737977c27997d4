package messengertest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

// Matcher says what a message of the page is expected to be.
type Matcher struct {
	what string
	fits func(graphemu.ThreadMessage) bool
}

// Text expects a message whose text, as [TextOf] gives it, is the given one.
func Text(text string) Matcher {
	return Matcher{fmt.Sprintf("the text %q", text), func(m graphemu.ThreadMessage) bool { return TextOf(m) == text }}
}

// Contains expects a message whose text has the given part.
func Contains(part string) Matcher {
	return Matcher{fmt.Sprintf("a text with %q", part), func(m graphemu.ThreadMessage) bool { return strings.Contains(TextOf(m), part) }}
}

// Match expects a message whose text matches a regular expression; one that
// cannot be compiled panics.
func Match(pattern string) Matcher {
	re := regexp.MustCompile(pattern)
	return Matcher{fmt.Sprintf("a text that matches %q", pattern), func(m graphemu.ThreadMessage) bool { return re.MatchString(TextOf(m)) }}
}

// QuickReplies expects a message with exactly these quick replies, in this order.
func QuickReplies(titles ...string) Matcher {
	return Matcher{fmt.Sprintf("the quick replies %q", titles), func(m graphemu.ThreadMessage) bool {
		var got []string
		for _, q := range read(m).QuickReplies {
			got = append(got, q.Title)
		}
		return slices.Equal(got, titles)
	}}
}

// Buttons expects a message with exactly these buttons, over all its cards.
func Buttons(titles ...string) Matcher {
	return Matcher{fmt.Sprintf("the buttons %q", titles), func(m graphemu.ThreadMessage) bool {
		var got []string
		for _, b := range read(m).buttons() {
			got = append(got, b.Title)
		}
		return slices.Equal(got, titles)
	}}
}

// Template expects a template of a kind: generic, button, receipt and so on.
func Template(kind string) Matcher {
	return Matcher{"a template " + kind, func(m graphemu.ThreadMessage) bool { return read(m).Attachment.Payload.Kind == kind }}
}

// Attachment expects a file of a kind: image, audio, video or file.
func Attachment(kind string) Matcher {
	return Matcher{"an attachment " + kind, func(m graphemu.ThreadMessage) bool { return read(m).Attachment.Type == kind }}
}

// All expects a message that fits every one of the matchers.
func All(matchers ...Matcher) Matcher {
	var what []string
	for _, m := range matchers {
		what = append(what, m.what)
	}
	return Matcher{strings.Join(what, " and "), func(m graphemu.ThreadMessage) bool {
		return !slices.ContainsFunc(matchers, func(one Matcher) bool { return !one.fits(m) })
	}}
}

// Expect waits for a message of the page that fits, and fails the test with the
// conversation when none comes within the timeout. It looks at the messages that
// no expectation has met yet; those before the one that fits count as met, too.
func (pe *Person) Expect(timeout time.Duration, want Matcher) graphemu.ThreadMessage {
	p := pe.platform
	pe.t.Helper()
	ctx, cancel := pe.context(timeout)
	defer cancel()
	var found graphemu.ThreadMessage
	met := 0
	_, err := p.Emulator.WaitThread(ctx, p.Page.ID, pe.PSID, func(thread []graphemu.ThreadMessage) bool {
		n := 0
		for _, m := range thread {
			if m.From != "page" {
				continue
			}
			if n++; n > pe.seen && want.fits(m) {
				found, met = m, n
				return true
			}
		}
		return false
	})
	if err != nil {
		pe.t.Fatalf("the page did not write %s within %v\n%s", want.what, timeout, pe.conversation())
	}
	pe.seen = met
	return found
}

// shown is a message as a person sees it.
type shown struct {
	QuickReplies []button `json:"quick_replies"`
	Attachment   struct {
		Type    string
		Payload struct {
			Kind     string `json:"template_type"`
			Buttons  []button
			Elements []struct{ Buttons []button }
		}
	}
}

type button struct {
	Type, Title, Payload string
	ContentType          string `json:"content_type"`
}

func read(m graphemu.ThreadMessage) (s shown) {
	if json.Unmarshal(m.Message, &s) != nil {
		return shown{}
	}
	return s
}

func (s shown) buttons() []button {
	all := s.Attachment.Payload.Buttons
	for _, e := range s.Attachment.Payload.Elements {
		all = append(all, e.Buttons...)
	}
	return all
}
