package messenger

import (
	"encoding/json"
	"net/http"
	"time"
)

// Usage is how much of its limits an app or a page has used, as the headers of
// an answer tell it.
//
// Docs: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
type Usage struct {
	App          UsagePercent    // X-App-Usage
	Page         UsagePercent    // X-Page-Usage
	Business     []BusinessUsage // X-Business-Use-Case-Usage
	PageID       PageID          // the page of the business usage with the highest figure
	RegainAccess time.Duration   // the longest wait that a header names; 0 when none does
}

// UsagePercent is the used part of three budgets, each in percent. More than
// 100 means that calls are refused.
type UsagePercent struct {
	CallCount    int `json:"call_count"`
	TotalCPUTime int `json:"total_cputime"`
	TotalTime    int `json:"total_time"`
}

// BusinessUsage is the usage of one page for one kind of calls.
type BusinessUsage struct {
	PageID       PageID
	Type         string // "messenger", "pages", ...
	RegainAccess time.Duration
	UsagePercent
}

// Highest is the largest figure of the three budgets, in percent.
func (u UsagePercent) Highest() int { return max(u.CallCount, u.TotalCPUTime, u.TotalTime) }

// Highest is the largest figure of all, in percent.
func (u Usage) Highest() int {
	high := max(u.App.Highest(), u.Page.Highest())
	for _, b := range u.Business {
		high = max(high, b.Highest())
	}
	return high
}

const (
	appUsageHeader      = "X-App-Usage"
	pageUsageHeader     = "X-Page-Usage"
	businessUsageHeader = "X-Business-Use-Case-Usage"
)

func hasUsage(h http.Header) bool {
	return h.Get(appUsageHeader) != "" || h.Get(pageUsageHeader) != "" || h.Get(businessUsageHeader) != ""
}

// parseUsage reads the three headers. A header that cannot be read counts as
// absent: usage is advice, and no reason to fail a call.
func parseUsage(h http.Header) Usage {
	var u Usage
	if v := h.Get(appUsageHeader); v != "" && json.Unmarshal([]byte(v), &u.App) != nil {
		u.App = UsagePercent{}
	}
	if v := h.Get(pageUsageHeader); v != "" && json.Unmarshal([]byte(v), &u.Page) != nil {
		u.Page = UsagePercent{}
	}
	var business map[PageID][]struct {
		UsagePercent
		Type    string  `json:"type"`
		Minutes float64 `json:"estimated_time_to_regain_access"`
	}
	if v := h.Get(businessUsageHeader); v != "" && json.Unmarshal([]byte(v), &business) != nil {
		return u
	}
	high := -1
	for id, list := range business {
		for _, b := range list {
			wait := time.Duration(max(0, min(b.Minutes, 60*24*30)) * float64(time.Minute))
			u.Business = append(u.Business, BusinessUsage{id, b.Type, wait, b.UsagePercent})
			u.RegainAccess = max(u.RegainAccess, wait)
			if b.Highest() > high {
				high, u.PageID = b.Highest(), id
			}
		}
	}
	return u
}
