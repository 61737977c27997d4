package comapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/chasqui/chasqui/internal/gateway"
)

// decode reads one JSON value. Names that are not known are passed over, as the API always did;
// text that is no JSON is an error that says in which line and column.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		line, column := place(body, int(syntax.Offset))
		return gateway.Invalid("", "the body is not JSON: %s at line %d, column %d", syntax.Error(), line, column)
	case errors.As(err, &wrong):
		return gateway.Invalid(wrong.Field, "this must not be a JSON %s", wrong.Value)
	}
	return gateway.Invalid("", "the body cannot be understood: %s", err.Error())
}

// place returns line and column, from 1, of the byte at an offset that counts from 1; past the end
// it is that after the last.
func place(body []byte, offset int) (line, column int) {
	before := body[:min(max(offset-1, 0), len(body))]
	if offset >= len(body) {
		before = bytes.TrimRight(body, " \t\r\n")
	}
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}
