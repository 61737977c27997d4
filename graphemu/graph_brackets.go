package graphemu

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Parameters whose names have brackets, as PHP writes them: a[]=, a[0]=, a[b][c]=. Names with
// more than maxDepth brackets are left as they are.

// bracketNode is a value, or a set of named nodes.
type bracketNode struct {
	value    json.RawMessage
	children map[string]*bracketNode
	order    []string // the names of the children, as they came
	next     int      // the number of the next [] among them
}

// child returns the node with a name; "" stands for the next number.
func (n *bracketNode) child(name string) *bracketNode {
	if name == "" {
		name = strconv.Itoa(n.next)
	}
	if i, err := strconv.Atoi(name); err == nil && i >= n.next && i < 1<<30 {
		n.next = i + 1
	}
	if n.children == nil {
		n.children = map[string]*bracketNode{}
	}
	if n.children[name] == nil {
		n.children[name] = &bracketNode{}
		n.order = append(n.order, name)
	}
	return n.children[name]
}

// json returns the node as JSON: a list if all names are numbers, in their order, else an
// object.
func (n *bracketNode) json() json.RawMessage {
	if n.children == nil {
		return n.value
	}
	numbers := make([]int, 0, len(n.order))
	for _, name := range n.order {
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 {
			break
		}
		numbers = append(numbers, i)
	}
	out := []byte{'{'}
	isList := len(numbers) == len(n.order)
	if isList {
		slices.SortStableFunc(n.order, func(a, b string) int {
			x, _ := strconv.Atoi(a) //nolint:errcheck // all are numbers
			y, _ := strconv.Atoi(b) //nolint:errcheck // likewise
			return x - y
		})
		out[0] = '['
	}
	for i, name := range n.order {
		if i > 0 {
			out = append(out, ',')
		}
		if !isList {
			out = append(append(out, mustJSON(name)...), ':')
		}
		out = append(out, n.children[name].json()...)
	}
	if isList {
		return append(out, ']')
	}
	return append(out, '}')
}

// splitBrackets splits a name: a[b][] into a, b and "". It returns nil for a name without
// brackets or with unbalanced ones.
func splitBrackets(name string) []string {
	base, rest, ok := strings.Cut(name, "[")
	if !ok || base == "" || !strings.HasSuffix(rest, "]") {
		return nil
	}
	parts := strings.Split(rest[:len(rest)-1], "][")
	if len(parts) > maxDepth || slices.ContainsFunc(parts, func(p string) bool { return strings.ContainsAny(p, "[]") }) {
		return nil
	}
	return append([]string{base}, parts...)
}

// bracketed returns the parameters of a form whose names have brackets, by their first name.
func bracketed(form url.Values) map[string]json.RawMessage {
	var roots map[string]*bracketNode
	for _, name := range sortedNames(form) {
		parts := splitBrackets(name)
		if parts == nil {
			continue
		}
		if roots == nil {
			roots = map[string]*bracketNode{}
		}
		if roots[parts[0]] == nil {
			roots[parts[0]] = &bracketNode{}
		}
		values := form[name]
		if !slices.Contains(parts[1:], "") {
			values = values[len(values)-1:]
		}
		for i, value := range values {
			node := roots[parts[0]]
			for j, p := range parts[1:] {
				if p == "" && j < len(parts)-2 {
					p = strconv.Itoa(i) // a[][b], as Ruby writes it: the first values of each name belong together
				}
				node = node.child(p)
			}
			node.value = leaf(parts, value)
		}
	}
	out := make(map[string]json.RawMessage, len(roots))
	for name, node := range roots {
		out[name] = node.json()
	}
	return out
}

// sortedNames returns the names with brackets in a fixed order: alphabetically, with shorter
// numbers first.
func sortedNames(form url.Values) []string {
	var names []string
	for name := range form {
		if strings.IndexByte(name, '[') > 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) && strings.ContainsAny(a+b, "0123456789") {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names
}

// leaf returns the value of a parameter with brackets. PHP writes true and false as 1 and 0.
func leaf(parts []string, value string) json.RawMessage {
	last := parts[len(parts)-1]
	switch {
	case wordsOf(parts):
		return mustJSON(value)
	case value == "true" || value == "false":
		return json.RawMessage(value)
	case slices.Contains([]string{"is_reusable", "messenger_extensions", "composer_input_disabled", "sharable", "in_test"}, last) && (value == "1" || value == "0"):
		return mustJSON(value == "1")
	}
	return formValue(value)
}

// wordsOf reports whether a name with brackets holds free text, which is a string whatever it
// looks like.
func wordsOf(parts []string) bool {
	last := parts[len(parts)-1]
	if last == "payload" {
		return len(parts) < 2 || parts[len(parts)-2] != "attachment"
	}
	return slices.Contains([]string{"text", "title", "subtitle", "metadata", "ref", "name", "question", "id", "verify_token"}, last)
}
