package graphemu

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// field is a field that a call asks for: name, name{inner,…}, name.limit(5){…}.
type field struct {
	name  string
	limit int
	inner []field
}

var limitCall = regexp.MustCompile(`\.limit\((\d+)\)`)

// parseFields parses a list of fields that was split at every comma, including those within
// braces.
func parseFields(parts []string) []field {
	return fieldsOf(strings.Join(parts, ","), 0)
}

// fieldsOf parses fields and leaves out those nested deeper than maxDepth.
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

// splitOutside splits at the commas outside braces.
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

// selectFields returns the fields that a call asks for. The id is always among them.
func selectFields(c *call, node string, all map[string]any, byDefault ...string) (any, *messenger.Error) {
	wanted := parseFields(c.params.list("fields"))
	if len(wanted) == 0 {
		for _, name := range byDefault {
			wanted = append(wanted, field{name: name})
		}
	}
	return pick(node, all, wanted)
}

// pick returns the wanted fields, and refuses the call if one does not exist.
func pick(node string, all map[string]any, wanted []field) (map[string]any, *messenger.Error) {
	out := map[string]any{}
	if id, ok := all["id"]; ok {
		out["id"] = id
	}
	for _, f := range wanted {
		value, ok := all[f.name]
		if !ok {
			return nil, refuse(100, 0, "(#100) Tried accessing nonexistent field ("+f.name+") on node type ("+node+")")
		}
		if value == nil {
			continue
		}
		inner, e := pickInner(f, value)
		if e != nil {
			return nil, e
		}
		out[f.name] = inner
	}
	return out, nil
}

// pickInner applies the fields in braces to an object, or to each element of a list in data.
func pickInner(f field, value any) (any, *messenger.Error) {
	object, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	data, isList := object["data"].([]any)
	if !isList {
		if len(f.inner) == 0 {
			return value, nil
		}
		return pick(f.name, object, f.inner)
	}
	if f.limit > 0 {
		data = data[:min(f.limit, len(data))]
	}
	inner := f.inner
	if len(inner) == 0 && f.name == "messages" {
		inner = []field{{name: "id"}, {name: "created_time"}}
	}
	if len(inner) == 0 {
		return map[string]any{"data": data}, nil
	}
	out := []any{}
	for _, v := range data {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		picked, e := pick(f.name, m, inner)
		if e != nil {
			return nil, e
		}
		out = append(out, picked)
	}
	return map[string]any{"data": out}, nil
}
