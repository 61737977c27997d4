package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// description is openapi.json, by which answers are judged.
type description struct {
	Paths      map[string]map[string]operationDescription `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

type operationDescription struct {
	OperationID string `json:"operationId"`
	Responses   map[string]struct {
		Content map[string]struct {
			Schema any `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

// readDescription asks a gateway for its description.
func readDescription(t *testing.T, body []byte) *description {
	t.Helper()
	d := &description{}
	if err := json.Unmarshal(body, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// judge says what of an answer is not as it is described; pattern is its method and path.
func (d *description) judge(pattern string, status int, kind string, body []byte) error {
	method, path, _ := strings.Cut(pattern, " ")
	answer, ok := d.Paths[path][strings.ToLower(method)].Responses[strconv.Itoa(status)]
	if !ok {
		return fmt.Errorf("%s: status %d is not described", pattern, status)
	}
	if len(body) == 0 {
		return nil
	}
	media, ok := answer.Content[kind]
	if !ok {
		return fmt.Errorf("%s: %d as %s is not described", pattern, status, kind)
	}
	if kind != "application/json" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("%s: %w", pattern, err)
	}
	if trouble := d.fits(media.Schema, value); trouble != "" {
		return fmt.Errorf("%s: %d%s", pattern, status, trouble)
	}
	return nil
}

// fits says in what a value differs from a schema, beginning with the path to it; empty when in
// nothing. It knows what stands in our description, and fails on all else.
func (d *description) fits(schema, value any) string {
	s, ok := schema.(map[string]any)
	if !ok {
		return ": a schema that is none"
	}
	for name, of := range s {
		var trouble string
		switch name {
		case "$ref":
			target, known := d.Components.Schemas[strings.TrimPrefix(fmt.Sprint(of), "#/components/schemas/")]
			if !known {
				return fmt.Sprintf(": %v is not described", of)
			}
			trouble = d.fits(target, value)
		case "type":
			trouble = isOf(of, value)
		case "enum":
			if !slices.Contains(of.([]any), value) {
				trouble = fmt.Sprintf(" is %v, none of %v", value, of)
			}
		case "format":
			trouble = hasFormat(fmt.Sprint(of), value)
		case "required":
			for _, member := range of.([]any) {
				if object, is := value.(map[string]any); is {
					if _, there := object[member.(string)]; !there {
						trouble = fmt.Sprintf(" lacks %v", member)
					}
				}
			}
		case "properties":
			trouble = d.members(of.(map[string]any), value)
		case "additionalProperties":
			trouble = d.others(s, of, value)
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				if found := d.fits(of, item); found != "" {
					trouble = fmt.Sprintf("[%d]%s", i, found)
				}
			}
		case "oneOf":
			trouble = d.one(of.([]any), value)
		case "description", "default", "minimum", "maximum":
		default:
			trouble = fmt.Sprintf(": this test does not know %q", name)
		}
		if trouble != "" {
			return trouble
		}
	}
	return ""
}

func isOf(types, value any) string {
	all, several := types.([]any)
	if !several {
		all = []any{types}
	}
	is := "object"
	switch v := value.(type) {
	case nil:
		is = "null"
	case bool:
		is = "boolean"
	case string:
		is = "string"
	case []any:
		is = "array"
	case float64:
		if is = "number"; v == math.Trunc(v) && slices.Contains(all, any("integer")) {
			is = "integer"
		}
	}
	if !slices.Contains(all, any(is)) {
		return fmt.Sprintf(" is %s, not %v", is, types)
	}
	return ""
}

func hasFormat(format string, value any) string {
	text, is := value.(string)
	if !is || format != "date-time" {
		return ""
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", text); err != nil || at.IsZero() {
		return fmt.Sprintf(" is %q, no time in UTC with milliseconds", text)
	}
	return ""
}

func (d *description) members(properties map[string]any, value any) string {
	object, _ := value.(map[string]any)
	for name, member := range object {
		if schema, there := properties[name]; there {
			if trouble := d.fits(schema, member); trouble != "" {
				return "." + name + trouble
			}
		}
	}
	return ""
}

// others judges the members that the schema does not name.
func (d *description) others(s map[string]any, of, value any) string {
	named, _ := s["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	for name, member := range object {
		if _, there := named[name]; there {
			continue
		}
		if open, is := of.(bool); is {
			if !open {
				return "." + name + " is not described"
			}
			continue
		}
		if trouble := d.fits(of, member); trouble != "" {
			return "." + name + trouble
		}
	}
	return ""
}

func (d *description) one(of []any, value any) string {
	fitting, trouble := 0, ""
	for _, schema := range of {
		if found := d.fits(schema, value); found == "" {
			fitting++
		} else {
			trouble = found
		}
	}
	if fitting != 1 {
		return fmt.Sprintf(" fits %d of %d: %s", fitting, len(of), trouble)
	}
	return ""
}

// What is not described is found: the judge of TestAPIExamples is no rubber stamp.
func TestTheJudgeOfAnswers(t *testing.T) {
	t.Parallel()
	d := readDescription(t, []byte(`{"paths":{"/v1/x":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/X"}}}}}}}},
		"components":{"schemas":{"X":{"type":"object","required":["id"],"properties":{"id":{"type":"string","enum":["a","b"]},"n":{"type":"integer"},"at":{"type":"string","format":"date-time"},
			"list":{"type":"array","items":{"$ref":"#/components/schemas/Y"}},"who":{"oneOf":[{"$ref":"#/components/schemas/Y"},{"type":"null"}]},"app":{"type":["string","null"]}}},
			"Y":{"type":"object","additionalProperties":false,"properties":{"z":{"type":"boolean"}}}}}}`))
	for body, want := range map[string]string{
		`{"id":"a","new":1,"n":3,"at":"2026-01-31T12:00:00.120Z","list":[{"z":true}],"who":null,"app":null}`: "",
		`{"id":"c"}`: "none of", `{}`: "lacks id", `{"id":1}`: "is", `{"id":"a","n":1.5}`: ".n is number", `{"id":"a","at":"2026-01-31T12:00:00.123456Z"}`: "milliseconds", `{"id":"a","at":"2026-01-31T12:00:00.1Z"}`: "milliseconds",
		`{"id":"a","list":null}`: ".list is null", `{"id":"a","list":[{"z":1}]}`: "[0].z is number", `{"id":"a","list":[{"other":1}]}`: "not described", `{"id":"a","who":{"z":1}}`: "fits 0", `{"id":"a","app":7}`: "is number", `[]`: "is array",
	} {
		err := d.judge("GET /v1/x", http.StatusOK, "application/json", []byte(body))
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	if d.judge("GET /v1/x", http.StatusTeapot, "application/json", nil) == nil || d.judge("GET /v1/x", http.StatusOK, "text/html", []byte("x")) == nil {
		t.Error("what is not described passes")
	}
}
