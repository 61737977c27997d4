package rivescript

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDelay bounds <delay seconds=N>.
const maxDelay = 120 * time.Second

// Message is one of the messages that a reply in Dexter's dialect is made of.
type Message struct {
	Text       string        `json:"text,omitempty"`
	Delay      time.Duration `json:"-"`               // before it is sent, up to two minutes
	Seconds    float64       `json:"delay,omitempty"` // the same in seconds
	NoCancel   bool          `json:"nocancel,omitempty"`
	Shortcodes []Shortcode   `json:"shortcodes,omitempty"` // that stood in it, in order
}

// Shortcode is a ^name(…) in a reply.
type Shortcode struct {
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"` // without the quotes around them
}

// Shortcodes are the names that are known. What looks like another stays in the text.
var shortcodes = []string{"buttons", "image", "link", "template", "reminder", "reminderCancel", "notifyAgent", "metadata", "quick", "audio", "video", "file",
	"typing", "persona", "menu", "goal", "alexaEndSession"}

// jsonShortcodes have one argument, as it stands.
var jsonShortcodes = []string{"template", "metadata", "menu"}

// Shortcodes are the names of the shortcodes that are known.
func Shortcodes() []string { return slices.Clone(shortcodes) }

// Messages splits a reply of Dexter's dialect into the messages that are sent: at <send> and
// <delay>. With <noreply> anywhere in it there are none. What the person wrote is never taken for
// any of these, and neither is what <raw> holds.
func (r Reply) Messages() []Message {
	if r.Err != nil {
		return nil
	}
	return SplitMessages(r.marked)
}

// SplitMessages does what [Reply.Messages] does for a text that is not a reply, such as the content
// of a reminder.
func SplitMessages(text string) []Message {
	if strings.Contains(text, "<noreply>") {
		return nil
	}
	var all []Message
	var m Message
	var b strings.Builder
	end := func() {
		m.Text = readable(strings.TrimSpace(b.String()))
		if m.Text != "" || len(m.Shortcodes) > 0 {
			all = append(all, m)
			m = Message{}
		}
		b.Reset()
	}
	for text != "" {
		i := strings.IndexAny(text, "<^")
		if i < 0 {
			break
		}
		b.WriteString(text[:i])
		text = text[i:]
		if rest, ok := strings.CutPrefix(text, "<send>"); ok {
			end()
			text = rest
			continue
		}
		if d, nocancel, size := delay(text); size > 0 {
			end()
			m.wait(d, nocancel)
			text = text[size:]
			continue
		}
		if code, size := shortcode(text); size > 0 {
			m.Shortcodes = append(m.Shortcodes, code)
			text = text[size:]
			continue
		}
		b.WriteByte(text[0])
		text = text[1:]
	}
	b.WriteString(text)
	end()
	return all
}

// wait adds to the pause before the message: two in a row are one after the other.
func (m *Message) wait(d time.Duration, nocancel bool) {
	m.Delay += d
	m.Seconds = m.Delay.Seconds()
	m.NoCancel = m.NoCancel || nocancel
}

// delay reads <delay seconds=N>, with or without nocancel; size is 0 when s does not begin with it.
func delay(s string) (d time.Duration, nocancel bool, size int) {
	rest, ok := strings.CutPrefix(s, "<delay ")
	end := strings.IndexByte(rest, '>')
	if !ok || end < 0 {
		return 0, false, 0
	}
	seconds := -1.0
	for _, f := range strings.Fields(rest[:end]) {
		switch value, isSeconds := strings.CutPrefix(f, "seconds="); {
		case isSeconds:
			if n, err := strconv.ParseFloat(strings.Trim(value, `"'`), 64); err == nil && n >= 0 {
				seconds = n
			}
		case f == "nocancel", f == "nodelay": // the page on delays writes the first and shows the second
			nocancel = true
		}
	}
	if seconds < 0 {
		return 0, false, 0
	}
	d = maxDelay
	if seconds < maxDelay.Seconds() {
		d = time.Duration(seconds * float64(time.Second))
	}
	return d, nocancel, len("<delay ") + end + 1
}

// shortcode reads ^name(…); size is 0 when s does not begin with one that is known.
func shortcode(s string) (code Shortcode, size int) {
	if !strings.HasPrefix(s, "^") {
		return code, 0
	}
	name := leading(s[1:], isWord)
	open := 1 + len(name)
	if !slices.Contains(shortcodes, name) || open >= len(s) || s[open] != '(' {
		return code, 0
	}
	inner, ok := enclosed(s[open:])
	if !ok {
		return code, 0
	}
	code = Shortcode{Name: name}
	if slices.Contains(jsonShortcodes, name) {
		if arg := readable(strings.TrimSpace(inner)); arg != "" {
			code.Args = []string{arg}
		}
	} else {
		code.Args = commas(inner)
	}
	return code, open + len(inner) + 2
}

// enclosed returns what stands between the bracket that s begins with and the one that closes it.
// Brackets in quotes do not count.
func enclosed(s string) (string, bool) {
	depth := 0
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'' && opensQuote(s, i):
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return s[1:i], true
			}
		}
	}
	return "", false
}

// opensQuote reports whether a mark is a quote rather than an apostrophe: a quote stands where an
// argument begins.
func opensQuote(s string, i int) bool {
	before := strings.TrimRight(s[:i], " \n")
	return before == "" || strings.ContainsRune("(,[{:", rune(before[len(before)-1]))
}

// commas splits arguments, bare or in quotes.
func commas(s string) []string {
	var args []string
	from, depth := 0, 0
	var quote byte
	add := func(to int) {
		arg := strings.TrimSpace(s[from:to])
		if n := len(arg); n >= 2 && (arg[0] == '"' || arg[0] == '\'') && arg[n-1] == arg[0] {
			arg = unquote(arg[1:n-1], arg[0])
		}
		args = append(args, readable(arg))
		from = to + 1
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'' && strings.TrimSpace(s[from:i]) == "":
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == ',' && depth <= 0:
			add(i)
		}
	}
	if len(args) > 0 || strings.TrimSpace(s) != "" {
		add(len(s))
	}
	return args
}

func unquote(s string, quote byte) string {
	return strings.NewReplacer(`\`+string(quote), string(quote), `\\`, `\`).Replace(s)
}

// readable removes the marks from a text.
func readable(s string) string {
	if strings.ContainsAny(s, guardAll) {
		return unguarding.Replace(s)
	}
	return s
}
