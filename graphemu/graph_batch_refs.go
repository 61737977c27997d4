package graphemu

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// resultRef is a reference to the answer of an earlier call of a batch:
// {result=name:$.data.*.id}.
var resultRef = regexp.MustCompile(`(?i)(?:\{|%7B)result(?:=|%3D)([\w-]+)(?::|%3A)(\$.*?)(?:\}|%7D)`)

// namesIn returns the names to which a text refers.
func namesIn(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range resultRef.FindAllStringSubmatch(text, -1) {
		out[m[1]] = true
	}
	return out
}

// references returns the names to which any item refers.
func references(items []batchItem) map[string]bool {
	out := map[string]bool{}
	for _, it := range items {
		for name := range namesIn(it.URL + " " + string(itemBody(it.Body))) {
			out[name] = true
		}
	}
	return out
}

// fill replaces references in a text by values from earlier answers, escaped when the text is a
// form or an address. It reports whether all were found.
func (b *batchRun) fill(text string, escaped bool) (string, bool) {
	found := true
	out := resultRef.ReplaceAllStringFunc(text, func(ref string) string {
		m := resultRef.FindStringSubmatch(ref)
		path, err := url.PathUnescape(m[2])
		var answer any
		if err != nil || json.Unmarshal(b.results[m[1]], &answer) != nil {
			found = false
			return ""
		}
		values := []string{}
		for _, v := range jsonPath(answer, path) {
			values = append(values, pathText(v))
		}
		if len(values) == 0 {
			found = false
		}
		value := strings.Join(values, ",")
		if escaped {
			return url.QueryEscape(value)
		}
		return value
	})
	return out, found
}

func pathText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return string(mustJSON(v))
}

var pathStep = regexp.MustCompile(`\.\.[\w-]+|\.\*|\.[\w-]+|\[\*\]|\[\d+\]|\['[^']*'\]`)

// jsonPath returns the values at a path of members, indexes, * and ..name.
func jsonPath(root any, path string) []any {
	at := []any{root}
	for _, step := range pathStep.FindAllString(strings.TrimPrefix(path, "$"), -1) {
		var next []any
		for _, v := range at {
			next = append(next, pathNext(v, step)...)
		}
		at = next
	}
	return at
}

func pathNext(v any, step string) []any {
	name := strings.Trim(step, ".[]'")
	switch {
	case strings.HasPrefix(step, ".."):
		return deep(v, name)
	case name == "*":
		return children(v)
	}
	switch v := v.(type) {
	case map[string]any:
		if child, ok := v[name]; ok {
			return []any{child}
		}
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i < len(v) {
			return []any{v[i]}
		}
	}
	return nil
}

func children(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		var out []any
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, v[name])
		}
		return out
	}
	return nil
}

// deep returns the members with a name at any depth.
func deep(v any, name string) []any {
	var out []any
	if m, ok := v.(map[string]any); ok {
		if child, ok := m[name]; ok {
			out = append(out, child)
		}
	}
	for _, child := range children(v) {
		out = append(out, deep(child, name)...)
	}
	return out
}
