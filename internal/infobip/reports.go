package infobip

import (
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// Limits of what one answer lists.
const (
	defaultLimit = 50
	maxLimit     = 1000
	logWindow    = 48 * time.Hour // how far back logs go when no time is given
)

// timeFormat is how times stand in this face.
const timeFormat = "2006-01-02T15:04:05.000-0700"

// limit reads how many rows are wanted.
func (q *request) limit() (int, error) {
	text := q.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, gateway.Invalid("limit", "must be a number from 1 to %d", maxLimit)
	}
	return min(n, maxLimit), nil
}

// query reads what selects reports or rows of the logs.
func (q *request) query(api string) (records.Query, error) {
	v := q.URL.Query()
	out := records.Query{API: api, From: v.Get("from"), To: v.Get("to"), BulkID: v.Get("bulkId"), MessageID: v.Get("messageId"),
		Status: strings.ToUpper(v.Get("generalStatus"))}
	if api == wire.APIOMNI {
		out.Channel = strings.ToUpper(v.Get("channel"))
	}
	var err error
	if out.Limit, err = q.limit(); err != nil {
		return out, err
	}
	out.Since = q.s.o.Now().Add(-logWindow)
	for name, into := range map[string]*time.Time{"sentSince": &out.Since, "sentUntil": &out.Until} {
		if given := v.Get(name); given != "" {
			if *into, err = parseDate(given); err != nil {
				return out, gateway.Invalid(name, "must be a time such as 2017-01-05T12:47:56.221+0000")
			}
		}
	}
	return out, nil
}

// parseDate reads a time in one of the forms that callers write. A plus in a query that was not
// escaped has become a space.
func parseDate(text string) (time.Time, error) {
	if i := len(text) - 5; i > 0 && text[i] == ' ' {
		text = text[:i] + "+" + text[i+1:]
	}
	for _, form := range []string{timeFormat, time.RFC3339, "2006-01-02T15:04:05.000", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, gateway.Invalid("", "%q is no time", text)
}

// reports hands out the delivery reports of an API, each once.
func (s *Server) reports(api string) func(*request) error {
	return func(q *request) error {
		query, err := q.query(api)
		if err != nil {
			return err
		}
		rows, err := s.o.Records.TakeReports(q.Context(), q.Key, query)
		if err != nil {
			return err
		}
		return q.replyRows(rows)
	}
}

// logs lists what was sent through an API, newest first.
func (s *Server) logs(api string) func(*request) error {
	return func(q *request) error {
		query, err := q.query(api)
		if err != nil {
			return err
		}
		if v := q.URL.Query(); v.Get("mcc") != "" || v.Get("mnc") != "" {
			return q.replyRows([]wire.Row{}) // no message has a network of these
		}
		rows, err := s.o.Records.Logs(q.Context(), q.Key, query)
		if err != nil {
			return err
		}
		return q.replyRows(rows)
	}
}
