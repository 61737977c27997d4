package messenger

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// PSID is the page-scoped id of a person: it means one person for one page.
type PSID string

// PageID is the id of a Facebook page.
type PageID string

// MessageID is the platform's opaque id of one message, its "mid". It may be a
// few hundred bytes long and has no order.
type MessageID string

// AppID is the id of a Facebook app.
type AppID string

// UnmarshalJSON accepts a JSON string or number; null leaves the id empty.
func (id *PSID) UnmarshalJSON(b []byte) error { return setID((*string)(id), b) }

// UnmarshalJSON accepts a JSON string or number; null leaves the id empty.
func (id *PageID) UnmarshalJSON(b []byte) error { return setID((*string)(id), b) }

// UnmarshalJSON accepts a JSON string or number; null leaves the id empty.
func (id *MessageID) UnmarshalJSON(b []byte) error { return setID((*string)(id), b) }

// UnmarshalJSON accepts a JSON string or number; null leaves the id empty.
func (id *AppID) UnmarshalJSON(b []byte) error { return setID((*string)(id), b) }

// Millis is a time in milliseconds since 1970. On the wire it is a number; a string of digits is
// accepted too.
type Millis int64

// UnmarshalJSON accepts a JSON number or a string of digits; null means zero.
func (m *Millis) UnmarshalJSON(b []byte) error {
	n, ok := scalarInt(b)
	if !ok && string(b) != "null" {
		return fmt.Errorf("milliseconds: cannot read %.40q", b)
	}
	*m = Millis(n)
	return nil
}

// Count is a whole number that the platform sends sometimes as a number and
// sometimes as a string of digits.
type Count int

// UnmarshalJSON accepts a JSON number or a string of digits; null means zero.
func (c *Count) UnmarshalJSON(b []byte) error {
	n, ok := scalarInt(b)
	if !ok && string(b) != "null" {
		return fmt.Errorf("count: cannot read %.40q", b)
	}
	*c = Count(n)
	return nil
}

func setID(dst *string, b []byte) error {
	if len(b) == 0 || b[0] == '{' || b[0] == '[' || b[0] == 't' || b[0] == 'f' {
		return fmt.Errorf("id: cannot read %.40q", b)
	}
	*dst = scalarText(b)
	return nil
}

// scalarText returns a JSON string's text or a JSON number's own digits, and "" for anything else.
// The text is valid UTF-8 without NUL, so that any database can hold it.
func scalarText(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	if value[0] == '-' || (value[0] >= '0' && value[0] <= '9') {
		return string(value)
	}
	if value[0] != '"' || len(value) < 2 {
		return ""
	}
	inner := value[1 : len(value)-1]
	plain := true
	for _, c := range inner {
		if c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return string(inner)
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return strings.ReplaceAll(s, "\x00", "\ufffd")
}
