package messenger

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// FieldError says that a request breaks a rule of the platform. It was found
// before anything was sent. It matches [ErrInvalid].
type FieldError struct {
	Field string // as it stands on the wire, such as message.quick_replies[3].title
	Rule  string // such as "must have at most 20 characters"
	Limit int    // the number of the rule, 0 when it has none
	Got   int    // what was given in its place
}

// Error names the field, the rule and what was given.
func (e *FieldError) Error() string {
	if e.Limit == 0 {
		return e.Field + " " + e.Rule
	}
	return fmt.Sprintf("%s %s, not %d", e.Field, e.Rule, e.Got)
}

// Is reports that every FieldError is an [ErrInvalid].
func (e *FieldError) Is(target error) bool {
	return target == ErrInvalid //nolint:errorlint // sentinels are compared by identity on purpose
}

// WithoutChecks sends requests as they are: what breaks a rule of the platform is
// then refused by the platform, if at all.
func WithoutChecks() Option {
	return func(c *Client) error { c.unchecked = true; return nil }
}

// check checks a request against the rules of the platform, unless the client does without.
func (c *Client) check(method, path string, rules func(*checker)) error {
	if c.unchecked {
		return nil
	}
	var k checker
	rules(&k)
	if k.err == nil {
		return nil
	}
	return &CallError{method, path, k.err, true}
}

// CheckMessage checks a message object, as it goes on the wire, against the documented limits of
// its type, such as 13 quick replies or 3 buttons. The error is a *FieldError below "message", or
// that of the decoder.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/send-api
func CheckMessage(message json.RawMessage) error {
	var m Message
	if err := json.Unmarshal(message, &m); err != nil {
		return err
	}
	var k checker
	m.check(&k, "message")
	if k.err == nil {
		return nil
	}
	return k.err
}

// checker keeps the first rule that is broken. The field's name is a format, so
// that it costs nothing while all is well.
type checker struct{ err *FieldError }

func (k *checker) fail(limit, got int, rule, field string, at ...any) {
	if k.err == nil {
		k.err = &FieldError{fmt.Sprintf(field, at...), rule, limit, got}
	}
}

// require wants a text that is not empty.
func (k *checker) require(s, field string, at ...any) {
	if s == "" {
		k.fail(0, 0, "is required", field, at...)
	}
}

// chars wants a text of at most limit characters.
func (k *checker) chars(s string, limit int, field string, at ...any) {
	if len(s) <= limit {
		return
	}
	if n := utf8.RuneCountInString(s); n > limit {
		k.fail(limit, n, fmt.Sprintf("must have at most %d characters", limit), field, at...)
	}
}

// count wants from low to high of something.
func (k *checker) count(n, low, high int, field string, at ...any) {
	switch {
	case n < low:
		k.fail(low, n, fmt.Sprintf("must have at least %d", low), field, at...)
	case n > high:
		k.fail(high, n, fmt.Sprintf("must have at most %d", high), field, at...)
	}
}

// within wants a number from low to high, or 0 for one that is left out.
func (k *checker) within(n, low, high int, field string, at ...any) {
	if n != 0 && (n < low || n > high) {
		k.fail(high, n, fmt.Sprintf("must be from %d to %d", low, high), field, at...)
	}
}
