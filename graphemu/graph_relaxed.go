package graphemu

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may be nested in a parameter, in relaxed JSON and in
// names with brackets.
const maxDepth = 64

// relaxed converts relaxed JSON to JSON: it accepts strings in single quotes, names and strings
// without quotes, and commas before a closing bracket, as the platform's own examples have
// them. It returns false when the text is not an object or a list.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/send-api
func relaxed(text string) (json.RawMessage, bool) {
	r := relaxedReader{in: text}
	r.space()
	if c := r.peek(); c != '{' && c != '[' {
		return nil, false
	}
	if !r.value(0) {
		return nil, false
	}
	if r.space(); r.at != len(r.in) || !json.Valid(r.out) {
		return nil, false
	}
	return r.out, true
}

// relaxedReader reads relaxed JSON from in and appends JSON to out.
type relaxedReader struct {
	in  string
	at  int
	out []byte
}

// peek returns the next byte, 0 at the end.
func (r *relaxedReader) peek() byte {
	if r.at < len(r.in) {
		return r.in[r.at]
	}
	return 0
}

func (r *relaxedReader) space() {
	for r.at < len(r.in) && strings.IndexByte(" \t\r\n", r.in[r.at]) >= 0 {
		r.at++
	}
}

func (r *relaxedReader) value(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch r.space(); r.peek() {
	case '{':
		return r.group('{', '}', func() bool { return r.member(depth + 1) })
	case '[':
		return r.group('[', ']', func() bool { return r.value(depth + 1) })
	case '"', '\'':
		return r.quoted()
	}
	return r.bare(",]}", false)
}

// group reads an object or a list.
func (r *relaxedReader) group(begin, end byte, item func() bool) bool {
	r.at++
	r.out = append(r.out, begin)
	for n := 0; ; n++ {
		if r.space(); r.peek() == end {
			r.at++
			r.out = append(r.out, end)
			return true
		}
		if n > 0 {
			r.out = append(r.out, ',')
		}
		if !item() {
			return false
		}
		switch r.space(); r.peek() {
		case ',':
			r.at++
		case end:
		default:
			return false
		}
	}
}

// member reads a name, a colon and a value.
func (r *relaxedReader) member(depth int) bool {
	named := false
	if c := r.peek(); c == '"' || c == '\'' {
		named = r.quoted()
	} else {
		named = r.bare(":,{}[]", true)
	}
	if r.space(); !named || r.peek() != ':' {
		return false
	}
	r.at++
	r.out = append(r.out, ':')
	return r.value(depth)
}

// quoted reads a string in quotes of either kind.
func (r *relaxedReader) quoted() bool {
	quote := r.in[r.at]
	r.at++
	r.out = append(r.out, '"')
	for r.at < len(r.in) {
		c := r.in[r.at]
		r.at++
		switch {
		case c == quote:
			r.out = append(r.out, '"')
			return true
		case c == '\\' && r.peek() == '\'':
			r.at++
			r.out = append(r.out, '\'')
		case c == '\\' && r.at < len(r.in):
			r.out = append(r.out, c, r.in[r.at])
			r.at++
		case c == '"':
			r.out = append(r.out, '\\', '"')
		case c < ' ':
			r.out = append(r.out, `\u00`...)
			r.out = append(r.out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			r.out = append(r.out, c)
		}
	}
	return false
}

// bare reads a value without quotes: a number, true, false or null, else a string. A name
// always becomes a string.
func (r *relaxedReader) bare(ends string, name bool) bool {
	begin := r.at
	for r.at < len(r.in) && strings.IndexByte(ends, r.in[r.at]) < 0 {
		r.at++
	}
	word := strings.TrimSpace(r.in[begin:r.at])
	switch {
	case word == "" || strings.ContainsAny(word, `"'\`) || !utf8.ValidString(word):
		return false
	case !name && json.Valid([]byte(word)):
		r.out = append(r.out, word...)
	default:
		r.out = append(r.out, mustJSON(word)...)
	}
	return true
}
