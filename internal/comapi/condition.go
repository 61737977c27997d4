package comapi

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// condition is one thing that a query wants of a field, in the notation of mongo-querystring: an
// operator before the value (`tier=!tin`, `age=>=18`), a list in `name[]`, an empty value for a
// field that is there and `!` alone for one that is not. `name[$gt]=` and its like are taken too. A
// name with dots leads into objects.
//
// Docs: https://github.com/Turistforeningen/node-mongo-querystring
type condition struct {
	path   []string
	op     string // eq, ne, gt, gte, lt, lte, in, nin, starts, ends, contains, there, missing
	values []string
	quoted bool // a value in single quotes is a string, whatever it looks like
}

// operators are those of values, the longer before those they begin with.
func operators() [][2]string {
	return [][2]string{{">=", "gte"}, {"<=", "lte"}, {">", "gt"}, {"<", "lt"}, {"!", "ne"}, {"^", "starts"}, {"$", "ends"}, {"~", "contains"}}
}

// named are the operators of names, such as `age[$gt]`.
func namedOperators() map[string]string {
	return map[string]string{"$eq": "eq", "$ne": "ne", "$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte", "$in": "in", "$nin": "nin", "$exists": "there"}
}

// conditionsOf reads what a query wants of one name.
func conditionsOf(name string, given []string) ([]condition, error) {
	field, inside, bracketed := strings.Cut(name, "[")
	op := ""
	if bracketed {
		inside = strings.TrimSuffix(inside, "]")
		if inside != "" {
			if op = namedOperators()[inside]; op == "" {
				return nil, gateway.Invalid(name, "%q is no operator", inside)
			}
		}
	}
	if field == "" {
		return nil, gateway.Invalid(name, "names no field")
	}
	path := strings.Split(field, ".")
	switch {
	case bracketed && inside == "" && len(given) > 0 && allBegin(given, "!"):
		list := make([]string, len(given))
		for i, v := range given {
			list[i] = v[1:]
		}
		return []condition{{path: path, op: "nin", values: list}}, nil
	case bracketed && inside == "":
		return []condition{{path: path, op: "in", values: given}}, nil
	case op == "in" || op == "nin":
		var list []string
		for _, v := range given {
			list = append(list, strings.Split(v, ",")...)
		}
		return []condition{{path: path, op: op, values: list}}, nil
	case op == "there" && given[0] == "false":
		return []condition{{path: path, op: "missing"}}, nil
	case op != "":
		return []condition{{path: path, op: op, values: given[:1]}}, nil
	}
	all := make([]condition, len(given)) // several of one name all hold, such as a range
	for i, v := range given {
		all[i] = valued(path, v)
	}
	return all, nil
}

func allBegin(values []string, with string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !strings.HasPrefix(v, with) })
}

func valued(path []string, value string) condition {
	switch value {
	case "":
		return condition{path: path, op: "there"}
	case "!":
		return condition{path: path, op: "missing"}
	}
	c := condition{path: path, op: "eq"}
	for _, o := range operators() {
		if rest, ok := strings.CutPrefix(value, o[0]); ok {
			c.op, value = o[1], rest
			break
		}
	}
	if n := len(value); n >= 2 && value[0] == '\'' && value[n-1] == '\'' {
		value, c.quoted = value[1:n-1], true
	}
	c.values = []string{value}
	return c
}

// plain returns the value of a condition that a field simply has it.
func (c condition) plain() (string, bool) {
	if c.op != "eq" || len(c.values) != 1 {
		return "", false
	}
	return c.values[0], true
}

// holds reports whether a profile is as the condition wants it.
func (c condition) holds(shown map[string]any) bool {
	have, ok := at(shown, c.path)
	equal := func(value string) bool { return ok && c.same(have, value) }
	switch c.op {
	case "there":
		return ok
	case "missing":
		return !ok
	case "eq", "in":
		return slices.ContainsFunc(c.values, equal)
	case "ne", "nin":
		return !slices.ContainsFunc(c.values, equal)
	case "starts":
		return ok && strings.HasPrefix(plainText(have), c.values[0])
	case "ends":
		return ok && strings.HasSuffix(plainText(have), c.values[0])
	case "contains":
		return ok && strings.Contains(plainText(have), c.values[0])
	}
	order, comparable := c.compare(have)
	if !ok || !comparable {
		return false
	}
	switch c.op {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

// same compares a field with a value: a string as it is, anything else as JSON, and a list by what
// it holds.
func (c condition) same(have any, value string) bool {
	switch v := have.(type) {
	case string:
		return v == value
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return c.same(one, value) })
	}
	return !c.quoted && string(encode(have)) == value
}

// compare orders a field against the value, numbers as numbers and strings as strings.
func (c condition) compare(have any) (int, bool) {
	value, err := strconv.ParseFloat(c.values[0], 64)
	numeric := err == nil && !c.quoted
	if number, ok := have.(float64); ok {
		return cmp.Compare(number, value), numeric
	}
	text, ok := have.(string)
	return strings.Compare(text, c.values[0]), ok && !numeric
}

func plainText(have any) string {
	text, _ := have.(string)
	return text
}

// at follows a path into a profile.
func at(shown map[string]any, path []string) (any, bool) {
	var v any = shown
	for _, name := range path {
		object, ok := opened(v).(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return opened(v), true
}

// opened decodes what is JSON still.
func opened(v any) any {
	raw, ok := v.(json.RawMessage)
	if !ok {
		return v
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// sorting is a field that a query is sorted by.
type sorting struct {
	path []string
	down bool
}

func sortings(values url.Values) []sorting {
	var all []sorting
	for name := range strings.SplitSeq(values.Get("$sort"), ",") {
		field, down := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(name), "+"), "-")
		if field != "" {
			all = append(all, sorting{strings.Split(field, "."), down})
		}
	}
	return all
}

// order compares two profiles by the fields in turn: those that lack one come first, then numbers,
// then strings, then the rest.
func order(by []sorting, a, b map[string]any) int {
	for _, s := range by {
		x, _ := at(a, s.path)
		y, _ := at(b, s.path)
		n := compareValues(x, y)
		if s.down {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

func compareValues(x, y any) int {
	rank := func(v any) int {
		switch v.(type) {
		case nil:
			return 0
		case float64:
			return 1
		case string:
			return 2
		}
		return 3
	}
	if n := cmp.Compare(rank(x), rank(y)); n != 0 {
		return n
	}
	switch x := x.(type) {
	case float64:
		return cmp.Compare(x, y.(float64))
	case string:
		return strings.Compare(x, y.(string))
	}
	return 0
}
