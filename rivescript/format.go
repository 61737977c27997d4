package rivescript

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalize brings what can be written in several ways into one form, so that é is é.
func normalize(s string) string {
	if norm.NFC.IsNormalString(s) {
		return s
	}
	return norm.NFC.String(s)
}

// punctuation is what a message loses when the engine works in UTF-8.
const (
	punctuation       = ".,!?;:"
	punctuationDexter = punctuation + "'’"
	punctuationReply  = ".?,!;:@#$%^&*()" // what the bot's last reply loses too, for %
)

// formatter makes of a message what triggers are matched against.
type formatter struct {
	utf8  bool
	punct string
	subs  *substitutions
}

// kept is the message with its punctuation, for triggers that want it.
func (f *formatter) kept(s string) string {
	return tidy(f.subs.apply(lower(s)), func(r rune) bool { return r >= ' ' && r != '\\' && r != '<' && r != '>' })
}

// reply makes of the bot's last reply what % is matched against.
func (f *formatter) reply(s string) string {
	s = f.subs.apply(f.small(s))
	if !f.utf8 {
		return tidy(s, plain)
	}
	return tidy(s, func(r rune) bool {
		switch r {
		case '\\', '<', '>':
			return false
		}
		return !strings.ContainsRune(punctuationReply, r) && !strings.ContainsRune(f.punct, r)
	})
}

func plain(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' }

func lower(s string) string { return strings.ToLower(normalize(s)) }

// tidy keeps some characters, and squeezes blanks. A text that is as it should be comes back
// without a copy.
func tidy(s string, keep func(rune) bool) string {
	clean := true
	blank := true         // what came before
	for _, r := range s { // most texts need nothing
		if r == ' ' {
			clean = clean && !blank
			blank = true
			continue
		}
		blank = false
		if r == utf8.RuneError || unicode.IsSpace(r) || !keep(r) {
			clean = false
		}
		if !clean {
			break
		}
	}
	if clean && (s == "" || !blank) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	wait := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			wait = b.Len() > 0
		case !keep(r):
		default:
			if wait {
				b.WriteByte(' ')
				wait = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}
