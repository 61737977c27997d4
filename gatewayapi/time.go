package gatewayapi

import (
	"encoding/json"
	"fmt"
	"time"
)

// Time is a moment as the API writes it: RFC 3339 in UTC with milliseconds. It reads every form of
// RFC 3339.
type Time struct{ time.Time }

const timeForm = "2006-01-02T15:04:05.000Z"

// At makes a Time of a moment.
func At(t time.Time) Time { return Time{t} }

// String is the moment as the API writes it.
func (t Time) String() string { return t.UTC().Format(timeForm) }

// MarshalJSON writes the moment; the zero Time is null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().AppendFormat(nil, `"`+timeForm+`"`), nil
}

// UnmarshalJSON reads a moment; null is the zero Time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Time{}
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("a time must be a string")
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("%q is not a time such as 2026-01-31T12:00:00.000Z", text)
	}
	t.Time = parsed
	return nil
}
