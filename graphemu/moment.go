package graphemu

import (
	"strconv"
	"time"
)

// graphTime is the format in which the platform writes a time.
const graphTime = "2006-01-02T15:04:05+0000"

// parseMoment parses a time as the platform accepts it: seconds since 1970, or ISO 8601.
func parseMoment(text string) (time.Time, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), nil
	}
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04-07:00", "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		var t time.Time
		if t, err = time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, err
}
