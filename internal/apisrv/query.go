package apisrv

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Sizes of pages.
const (
	pageSize     = 50
	maxPageSize  = 200
	eventSize    = 100
	maxEventSize = 1000
)

// known refuses query parameters that the route does not have: a slip of the pen would otherwise
// select everything.
func (q *request) known(params []param) error {
	for name := range q.URL.Query() {
		if !slices.ContainsFunc(params, func(p param) bool { return p.in == "query" && p.name == name }) {
			return gateway.Invalid(name, "this parameter is not known")
		}
	}
	return nil
}

// limit reads the parameter limit.
func (q *request) limit(usual, most int) (int, error) {
	text := q.URL.Query().Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, gateway.Invalid("limit", "must be a number from 1 to %d", most)
	}
	return n, nil
}

// list reads a parameter that may be given several times or hold commas.
func (q *request) list(name string) []string {
	var values []string
	for _, given := range q.URL.Query()[name] {
		for v := range strings.SplitSeq(given, ",") {
			if v != "" {
				values = append(values, v)
			}
		}
	}
	return values
}

// A cursor is opaque to callers: the letter says what it is of, so that one of another list is
// refused rather than misread.
func cursor(kind byte, value string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + value))
}

func parseCursor(field string, kind byte, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 1 || b[0] != kind || gateway.CheckText(field, string(b[1:])) != nil {
		return "", gateway.Invalid(field, "this is not a cursor of this list")
	}
	return string(b[1:]), nil
}

func positionCursor(kind byte, pos int64) string { return cursor(kind, strconv.FormatInt(pos, 36)) }

func parsePosition(field string, kind byte, text string) (int64, error) {
	value, err := parseCursor(field, kind, text)
	if err != nil || value == "" {
		return 0, err
	}
	pos, err := strconv.ParseInt(value, 36, 64)
	if err != nil || pos < 0 {
		return 0, gateway.Invalid(field, "this is not a cursor of this list")
	}
	return pos, nil
}
