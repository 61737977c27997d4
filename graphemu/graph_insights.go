package graphemu

import (
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

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

// insightsAPI answers the call for the statistics of a page.
type insightsAPI struct{ *world }

// get is GET /{page}/insights.
func (a insightsAPI) get(c *call) (any, *messenger.Error) {
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
	since, until, e := a.days(c)
	if e != nil {
		return nil, e
	}
	var days []time.Time
	for d := since; d.Before(until); d = d.AddDate(0, 0, 1) {
		days = append(days, d)
	}
	data := []any{}
	for _, m := range metrics {
		values := []any{}
		for i, value := range a.insights(c.page, m, days) {
			values = append(values, map[string]any{"value": value, "end_time": days[i].AddDate(0, 0, 1).Format("2006-01-02T07:00:00+0000")})
		}
		data = append(data, map[string]any{
			"name": m, "period": "day", "values": values, "title": titles[m], "description": titles[m],
			"id": c.page + "/insights/" + m + "/day",
		})
	}
	base := "http://" + c.host + "/" + c.version() + "/" + c.page + "/insights?metric=" + c.params.text("metric")
	span := until.Sub(since)
	return map[string]any{"data": data, "paging": map[string]string{
		"previous": base + "&since=" + unixText(since.Add(-span)) + "&until=" + unixText(since),
		"next":     base + "&since=" + unixText(until) + "&until=" + unixText(until.Add(span)),
	}}, nil
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// days returns the days that a call asks for, by default the last two.
func (a insightsAPI) days(c *call) (since, until time.Time, e *messenger.Error) {
	until = a.clock.now().Truncate(24*time.Hour).AddDate(0, 0, 1)
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
