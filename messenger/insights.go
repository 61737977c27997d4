package messenger

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Metric names one of a page's figures.
type Metric string

// The metrics of messaging, one value for each day.
const (
	MetricBlockedConversations      Metric = "page_messages_blocked_conversations_unique"
	MetricReportedConversations     Metric = "page_messages_reported_conversations_unique"
	MetricTotalMessagingConnections Metric = "page_messages_total_messaging_connections"
	MetricNewConversations          Metric = "page_messages_new_conversations_unique"

	// MetricActiveThreads counts the threads with a message.
	//
	// Deprecated: withdrawn on April 30, 2019 (v3.3). Use
	// [MetricTotalMessagingConnections].
	MetricActiveThreads Metric = "page_messages_active_threads_unique"
	// MetricOpenConversations counts the open conversations.
	//
	// Deprecated: withdrawn on April 30, 2019 (v3.3). Use
	// [MetricTotalMessagingConnections].
	MetricOpenConversations Metric = "page_messages_open_conversations_unique"
	// MetricReportedByType counts reports by their type.
	//
	// Deprecated: withdrawn on April 30, 2019 (v3.3). Use
	// [MetricReportedConversations].
	MetricReportedByType Metric = "page_messages_reported_conversations_by_report_type_unique"
)

// InsightsRequest asks for figures of the token's page.
type InsightsRequest struct {
	Metrics []Metric
	Since   time.Time // the first day; the platform chooses when it is zero
	Until   time.Time // the day after the last one
	Period  string    // such as "day"; the platform chooses when it is empty
}

// Insight is one metric over some days.
type Insight struct {
	ID          string         `json:"id"`
	Name        Metric         `json:"name"`
	Period      string         `json:"period"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Values      []InsightValue `json:"values"`
}

// InsightValue is the value of one day. A metric by types has an object here.
type InsightValue struct {
	Value   json.RawMessage `json:"value"`
	EndTime string          `json:"end_time"` // such as 2018-03-12T07:00:00+0000
}

// Count returns the value as a whole number, 0 when it is not one.
func (v InsightValue) Count() int64 {
	n, _ := scalarInt(v.Value)
	return n
}

// Insights reads figures of the token's page, which needs at least 30 likes and
// the permission read_insights.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/insights/page-messaging-insights
func (c *Client) Insights(ctx context.Context, req InsightsRequest) ([]Insight, error) {
	names := make([]string, len(req.Metrics))
	for i, m := range req.Metrics {
		names[i] = string(m)
	}
	query := url.Values{"metric": {strings.Join(names, ",")}}
	setUnix(query, "since", req.Since)
	setUnix(query, "until", req.Until)
	setNonEmpty(query, "period", req.Period)
	answer, err := get[data[[]Insight]](ctx, c, "me/insights", query)
	return answer.Data, err
}

func setUnix(query url.Values, name string, t time.Time) {
	if !t.IsZero() {
		query.Set(name, strconv.FormatInt(t.Unix(), 10))
	}
}
