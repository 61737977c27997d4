package apisrv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// decode reads the request's body into a value, strictly.
func (q *request) decode(into any) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	return decode(body, into)
}

// decode reads one JSON value, strictly: names that are not known, values of the wrong type and
// anything after the value are errors that name the field.
func decode(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return gateway.Invalid("", "the body is empty; JSON is expected")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return decodeError(err, body, into)
	}
	if _, err := d.Token(); err != io.EOF {
		return gateway.Invalid("", "the body holds more than one JSON value")
	}
	return nil
}

func decodeError(err error, body []byte, into any) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return gateway.Invalid("", "the body is not JSON: %s at byte %d", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return gateway.Invalid("", "the body is not JSON: it ends too early")
	case errors.As(err, &wrongType):
		return gateway.Invalid(wrongType.Field, "must be %s, not %s", kindInWords(wrongType.Type), wrongType.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		field := unknownField(body, reflect.TypeOf(into))
		if field == "" {
			field = strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		}
		return gateway.Invalid(field, "this field is not known")
	}
	// What is left are the words of our own types, such as a time that is none.
	var quoted *json.MarshalerError
	if errors.As(err, &quoted) {
		err = quoted.Unwrap()
	}
	return gateway.Invalid(wrongTime(body, reflect.TypeOf(into)), "%s", strings.TrimPrefix(err.Error(), "json: "))
}

func kindInWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Int32:
		return "a whole number, in digits"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// unknownField returns the path of the first name in a JSON value that the type does not know, ""
// when there is none.
func unknownField(body json.RawMessage, t reflect.Type) string {
	return findField(body, t, "", func(json.RawMessage, reflect.Type) bool { return false })
}

// wrongTime returns the path of the first value that the type's own decoder refuses, "" when there
// is none.
func wrongTime(body json.RawMessage, t reflect.Type) string {
	return findField(body, t, "", func(v json.RawMessage, t reflect.Type) bool {
		return json.Unmarshal(v, reflect.New(t).Interface()) != nil
	})
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// findField walks a JSON value along a type and returns the path of the first name that the type
// does not know, or of the first leaf that is wrong.
func findField(v json.RawMessage, t reflect.Type, path string, wrong func(json.RawMessage, reflect.Type) bool) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) || (t.Kind() != reflect.Struct && t.Kind() != reflect.Slice) {
		if wrong(v, t) {
			return path
		}
		return ""
	}
	if t.Kind() == reflect.Slice {
		var items []json.RawMessage
		json.Unmarshal(v, &items) // what is no list has been told of before
		for i, item := range items {
			if found := findField(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i), wrong); found != "" {
				return found
			}
		}
		return ""
	}
	var members map[string]json.RawMessage
	json.Unmarshal(v, &members) // what is no object has been told of before
	for name, member := range members {
		at := name
		if path != "" {
			at = path + "." + name
		}
		field, ok := fieldByName(t, name)
		if !ok {
			return at
		}
		if found := findField(member, field, at, wrong); found != "" {
			return found
		}
	}
	return ""
}

// fieldByName returns the type of the member that encoding/json would decode a name into.
func fieldByName(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			if found, ok := fieldByName(f.Type, name); ok {
				return found, true
			}
			continue
		}
		if strings.EqualFold(tag, name) {
			return f.Type, true
		}
	}
	return nil, false
}
