package rivescript

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// heard is a message, or the text of a redirect, as it is matched.
type heard struct {
	text  string
	inner []mark // punctuation that it lost within words, such as the dots of an address
}

// mark is punctuation that stood before a byte of a text.
type mark struct {
	at    int
	signs string
}

// restored is a part of the text with the punctuation that stood within its words.
func (h *heard) restored(from, to int) string {
	var b strings.Builder
	at := from
	for _, m := range h.inner {
		if m.at > from && m.at < to {
			b.WriteString(h.text[at:m.at])
			b.WriteString(m.signs)
			at = m.at
		}
	}
	if at == from {
		return h.text[from:to]
	}
	b.WriteString(h.text[at:to])
	return b.String()
}

// hear makes a message small.
func (f *formatter) hear(s string) heard { return f.strip(f.subs.apply(f.small(s))) }

// redirect makes the text of a redirect small. Nothing is substituted in it.
func (f *formatter) redirect(s string) (h heard, unstripped string) {
	unstripped = squeeze(f.small(s))
	return f.strip(unstripped), unstripped
}

// small is a text in lower case, with the apostrophes and hyphens of a plain keyboard, and in UTF-8
// without the punctuation that only other keyboards have.
func (f *formatter) small(s string) string {
	s = lower(s)
	if f.utf8 {
		s = plainSigns(s)
	}
	return s
}

// strip removes the punctuation from a text, and remembers what stood within words.
func (f *formatter) strip(s string) heard {
	h := heard{text: tidy(s, f.keeps)}
	if !f.utf8 || !strings.ContainsAny(s, punctuation) {
		return h
	}
	at, inside, signs := 0, false, ""
	blank := true // no character of a word yet, or a blank comes before the next
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			blank, inside, signs = true, false, ""
		case f.keeps(r):
			if blank && at > 0 {
				at++
			}
			if signs != "" {
				h.inner = append(h.inner, mark{at, signs})
			}
			at += utf8.RuneLen(r)
			blank, inside, signs = false, true, ""
		case inside && strings.ContainsRune(punctuation, r):
			signs += string(r)
		}
	}
	return h
}

// keeps reports whether a character is matched.
func (f *formatter) keeps(r rune) bool {
	if !f.utf8 {
		return plain(r)
	}
	switch r {
	case '\\', '<', '>':
		return false
	}
	return r >= ' ' && !strings.ContainsRune(f.punct, r)
}

// plainSigns writes typographic apostrophes and hyphens as the plain ones, and other punctuation
// beyond ASCII (¿ ¡ « “ … — 。 、 and so on) as blanks; a sign that is part of words, such as the dot
// of Catalan, is left out. What cannot be seen is left out too.
func plainSigns(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for _, r := range s[i:] {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case strings.ContainsRune("’‘ʼ＇‛", r):
			b.WriteByte('\'')
		case strings.ContainsRune("‐‑−", r):
			b.WriteByte('-')
		case strings.ContainsRune("·‧׳״\u00ad\u200b\u200e\u200f\u2060\ufeff", r):
		case unicode.IsPunct(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// spaceless reports whether a character belongs to a script that writes no blanks between words:
// each may begin or end one.
func spaceless(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && !unicode.IsMark(r)
}

// joined reports whether two characters that follow each other are of one word.
func joined(before, after rune) bool {
	if !isWord(before) || !isWord(after) {
		return false
	}
	return before < 0x0e00 && after < 0x0e00 || unicode.IsMark(after) || !spaceless(before) && !spaceless(after)
}
