package graphemu

import (
	"regexp"
	"strconv"
	"strings"
)

// field is one of the fields that a call asks for: name, name{inner,…},
// name.limit(5){…}.
type field struct {
	name  string
	limit int
	inner []field
}

var limitCall = regexp.MustCompile(`\.limit\((\d+)\)`)

// parseFields reads a list of fields. The parts were separated at every comma,
// those within braces too.
func parseFields(parts []string) []field {
	return fieldsOf(strings.Join(parts, ","), 0)
}

// fieldsOf reads fields; those that lie deeper than maxDepth are left out.
func fieldsOf(text string, depth int) []field {
	var out []field
	if depth > maxDepth {
		return nil
	}
	for _, part := range splitOutside(text) {
		name, rest, braces := strings.Cut(part, "{")
		f := field{}
		if m := limitCall.FindStringSubmatch(name); m != nil {
			f.limit, _ = strconv.Atoi(m[1]) //nolint:errcheck // it consists of digits
		}
		f.name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
		if braces {
			f.inner = fieldsOf(strings.TrimSuffix(strings.TrimSpace(rest), "}"), depth+1)
		}
		if f.name != "" {
			out = append(out, f)
		}
	}
	return out
}

// splitOutside splits at the commas that stand in no braces.
func splitOutside(text string) []string {
	var out []string
	depth, begin := 0, 0
	for i, r := range text {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case r == ',' && depth == 0:
			out = append(out, text[begin:i])
			begin = i + 1
		}
	}
	return append(out, text[begin:])
}
