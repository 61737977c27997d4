package gateway

import "log/slog"

// Secret is a token, an app secret or a signing secret. It prints, logs and marshals as a fixed
// mark, so that it cannot reach a log line, an error or an answer by accident; Reveal gives the
// value where it is really needed.
type Secret string

const hiddenSecret = "[hidden]"

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the value; an empty secret stays empty, so that its absence shows.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hiddenSecret
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return `gateway.Secret("` + s.String() + `")` }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the value from encoding/json.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText hides the value from encoders that ask for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
