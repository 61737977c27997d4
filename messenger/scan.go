package messenger

import (
	"encoding/json"
	"math"
	"strconv"
)

// The functions of this file walk JSON without decoding it, so that a delivery
// of a thousand events is taken apart in one pass and every part is a sub-slice
// of the body. They expect valid JSON; on anything else they stop early and
// report false, and never read outside the slice.

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index after the string that starts at b[i].
func skipString(b []byte, i int) (int, bool) {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return len(b), false
}

// skipValue returns the index after the value that starts at b[i].
func skipValue(b []byte, i int) (int, bool) {
	if i >= len(b) {
		return i, false
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	start := i
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r', ':', '"':
			return i, i > start
		}
		i++
	}
	return i, i > start
}

func skipNested(b []byte, i int) (int, bool) {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			next, ok := skipString(b, i)
			if !ok {
				return next, false
			}
			i = next
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
		i++
	}
	return len(b), false
}

// eachMember calls f with every member of the object b. It reports whether b
// was an object and was read to its end.
func eachMember(b []byte, f func(key, value []byte)) bool {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	for i = skipSpace(b, i+1); i < len(b) && b[i] == '"'; i = skipSpace(b, i+1) {
		end, ok := skipString(b, i)
		if !ok {
			return false
		}
		key := memberName(b[i:end])
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = skipSpace(b, i+1)
		if end, ok = skipValue(b, i); !ok {
			return false
		}
		f(key, b[i:end])
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ',' {
			break
		}
	}
	return i < len(b) && b[i] == '}'
}

// eachElement calls f with every element of the array b. It reports whether b
// was an array and was read to its end.
func eachElement(b []byte, f func(value []byte)) bool {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return false
	}
	i = skipSpace(b, i+1)
	for i < len(b) && b[i] != ']' {
		end, ok := skipValue(b, i)
		if !ok {
			return false
		}
		f(b[i:end])
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ',' {
			break
		}
		i = skipSpace(b, i+1)
	}
	return i < len(b) && b[i] == ']'
}

// memberName strips the quotes of a member's name and resolves escapes.
func memberName(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	for _, c := range inner {
		if c == '\\' {
			var s string
			if json.Unmarshal(quoted, &s) == nil {
				return []byte(s)
			}
			break
		}
	}
	return inner
}

// member returns the value of one member of the object b, nil when absent.
func member(b []byte, name string) []byte {
	var found []byte
	eachMember(b, func(key, value []byte) {
		if string(key) == name {
			found = value
		}
	})
	return found
}

// scalarInt reads a whole number written as a JSON number or as a string.
func scalarInt(value []byte) (int64, bool) {
	s := scalarText(value)
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) >= 1<<62 || math.IsNaN(f) {
		return 0, false
	}
	return int64(f), true
}
