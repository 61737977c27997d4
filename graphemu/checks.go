package graphemu

import (
	"encoding/json"
	"fmt"
	"net/url"
	"unicode/utf8"

	"github.com/chasqui/chasqui/messenger"
)

// isWebURL reports whether text is an absolute http or https URL.
func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// tooLong refuses a parameter of more than limit characters.
func tooLong(name, text string, limit int) *messenger.Error {
	if utf8.RuneCountInString(text) > limit {
		return refuse(100, 0, fmt.Sprintf("(#100) Length of param %s must be less than or equal to %d", name, limit))
	}
	return nil
}

// checkCount refuses a list of fewer than low or more than high elements.
func checkCount(name string, n, low, high int) *messenger.Error {
	if n < low {
		return refuse(194, 0, "(#194) param "+name+" has too few elements.")
	}
	if n > high {
		return refuse(105, 0, "(#105) param "+name+" has too many elements.")
	}
	return nil
}

// required refuses a payload that lacks one of the named members.
func required(raw json.RawMessage, names ...string) *messenger.Error {
	var p params
	if json.Unmarshal(raw, &p) != nil {
		return refuse(100, 2018032, "(#100) Invalid data")
	}
	for _, name := range names {
		if !p.has(name) {
			return refuse(100, 0, "(#100) The parameter name_placeholder["+name+"] is required.")
		}
	}
	return nil
}
