package graphemu

import (
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// count is what happened at a page on one day.
type count struct {
	New      int            `json:"new,omitempty"` // conversations that began
	Blocked  int            `json:"blocked,omitempty"`
	Reported map[string]int `json:"reported,omitempty"` // by kind of report
	Active   []string       `json:"active,omitempty"`   // people who wrote or tapped
	Opened   []string       `json:"opened,omitempty"`   // people with whom words were exchanged
}

// tally changes the counts of today. The lock is held.
func (s *Server) tally(page *pageState, f func(*count)) {
	if page.Counts == nil {
		page.Counts = map[string]count{}
	}
	key := s.clock.now().Format(time.DateOnly)
	c := page.Counts[key]
	f(&c)
	page.Counts[key] = c
}

func insightMetrics() map[string]string {
	return map[string]string{
		"page_messages_blocked_conversations_unique":                 "Daily unique blocked conversations count",
		"page_messages_reported_conversations_unique":                "Daily unique reported conversations count",
		"page_messages_reported_conversations_by_report_type_unique": "Daily unique reported conversations count by report type",
		"page_messages_total_messaging_connections":                  "Messaging connections",
		"page_messages_new_conversations_unique":                     "Daily unique new conversations count",
		"page_messages_active_threads_unique":                        "Daily unique active threads count",
		"page_messages_open_conversations_unique":                    "Daily unique open conversations count",
		"page_messages_feedback_by_action_unique":                    "Daily unique counts of feedback by action",
	}
}

// graphTime is how the platform writes a time.
const graphTime = "2006-01-02T15:04:05+0000"

// getInsights is GET /{page}/insights.
func (s *Server) getInsights(c *call, page *pageState) (any, *messenger.Error) {
	metrics := c.params.list("metric")
	if len(metrics) == 0 {
		return nil, refuse(100, 0, "(#100) The parameter metric is required.")
	}
	titles := insightMetrics()
	for _, m := range metrics {
		if titles[m] == "" {
			return nil, refuse(100, 0, "(#100) The value must be a valid insights metric")
		}
	}
	since, until, e := s.insightDays(c)
	if e != nil {
		return nil, e
	}
	data := []any{}
	for _, m := range metrics {
		values := []any{}
		for d := since; d.Before(until); d = d.AddDate(0, 0, 1) {
			values = append(values, map[string]any{"value": page.insight(m, d), "end_time": d.AddDate(0, 0, 1).Format("2006-01-02T07:00:00+0000")})
		}
		data = append(data, map[string]any{
			"name": m, "period": "day", "values": values, "title": titles[m], "description": titles[m],
			"id": page.ID + "/insights/" + m + "/day",
		})
	}
	base := "http://" + c.host + "/" + c.version() + "/" + page.ID + "/insights?metric=" + c.params.text("metric")
	span := until.Sub(since)
	return map[string]any{"data": data, "paging": map[string]string{
		"previous": base + "&since=" + unixText(since.Add(-span)) + "&until=" + unixText(since),
		"next":     base + "&since=" + unixText(until) + "&until=" + unixText(until.Add(span)),
	}}, nil
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// insightDays are the days that were asked for: the last two unless others are.
func (s *Server) insightDays(c *call) (since, until time.Time, e *messenger.Error) {
	until = s.clock.now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	bad := refuse(100, 0, "(#100) since and until must be times, and until later than since by at most 93 days")
	if text := c.params.text("until"); text != "" {
		t, err := parseMoment(text)
		if err != nil {
			return since, until, bad
		}
		until = t.Add(24*time.Hour - 1).Truncate(24 * time.Hour)
	}
	since = until.AddDate(0, 0, -2)
	if text := c.params.text("since"); text != "" {
		t, err := parseMoment(text)
		if err != nil {
			return since, until, bad
		}
		since = t.Truncate(24 * time.Hour)
	}
	if !until.After(since) || until.Sub(since) > 93*24*time.Hour {
		return since, until, bad
	}
	return since, until, nil
}

// insight is the value of a metric on a day.
func (page *pageState) insight(metric string, d time.Time) any {
	c := page.Counts[d.Format(time.DateOnly)]
	reported := 0
	for _, n := range c.Reported {
		reported += n
	}
	switch metric {
	case "page_messages_blocked_conversations_unique":
		return c.Blocked
	case "page_messages_reported_conversations_unique":
		return reported
	case "page_messages_reported_conversations_by_report_type_unique":
		out := map[string]int{"spam": 0, "inappropriate": 0, "other": 0}
		for kind, n := range c.Reported {
			out[kind] += n
		}
		return out
	case "page_messages_new_conversations_unique":
		return c.New
	case "page_messages_active_threads_unique":
		return len(c.Active)
	case "page_messages_open_conversations_unique":
		return len(c.Opened)
	case "page_messages_feedback_by_action_unique":
		return map[string]int{"TURN_OFF": c.Blocked, "REPORT_SPAM": reported}
	}
	connections := 0
	for _, p := range page.people {
		if p.Open && !p.Blocks {
			connections++
		}
	}
	return connections
}

// once adds to a list what is not in it.
func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
