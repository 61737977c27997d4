package graphemu

import (
	"slices"
	"time"
)

// count counts what happened at a page on one day.
type count struct {
	New      int            `json:"new,omitempty"` // conversations that began
	Blocked  int            `json:"blocked,omitempty"`
	Reported map[string]int `json:"reported,omitempty"` // by kind of report
	Active   []string       `json:"active,omitempty"`   // people who wrote or tapped
	Opened   []string       `json:"opened,omitempty"`   // people to whom the page wrote
}

// tally changes the counts of a day.
func (page *pageState) tally(now time.Time, f func(*count)) {
	if page.Counts == nil {
		page.Counts = map[string]count{}
	}
	key := now.Format(time.DateOnly)
	c := page.Counts[key]
	f(&c)
	page.Counts[key] = c
}

// insights returns the values of a metric of a page, one for each of some days.
func (w *world) insights(pageID, metric string, days []time.Time) []any {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]any, len(days))
	if page := w.pages[pageID]; page != nil {
		for i, d := range days {
			out[i] = page.insight(metric, d)
		}
	}
	return out
}

// insight returns the value of a metric on a day.
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

// once returns list with s added, unless it is already in it.
func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
