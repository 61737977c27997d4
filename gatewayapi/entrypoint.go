package gatewayapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// EntryPoint is a code or link that says where a person came from.
type EntryPoint struct {
	ID          string         `json:"id,omitempty"`
	Application string         `json:"application" doc:"Key of the application."`
	Kind        EntryPointKind `json:"kind" enum:"code,link,ad,sendToMessenger" doc:"code, link, ad or sendToMessenger."`
	Ref         string         `json:"ref,omitempty" doc:"Up to 250 characters of a-z A-Z 0-9 + / = - . : _; unique within the application. Without one it is static."`
	Name        string         `json:"name,omitempty"`
	Campaign    string         `json:"campaign,omitempty"`
	Tags        []string       `json:"tags,omitempty"`
	Text        string         `json:"text,omitempty" doc:"Stands in the composer when the thread opens."`
	ExpiresAt   Time           `json:"expiresAt,omitzero"`
	RetiredAt   Time           `json:"retiredAt,omitzero" doc:"A retired ref is still recognised, and marked."`
	Link        string         `json:"link,omitempty" doc:"The m.me link."`
	ShortLink   string         `json:"shortLink,omitempty" doc:"Our own link, which counts visits and leads to the other."`
	Image       string         `json:"image,omitempty" doc:"Path of the code's picture, without its ending."`
	CreatedAt   Time           `json:"createdAt,omitzero"`
	UpdatedAt   Time           `json:"updatedAt,omitzero"`
}

// EntryPointPage is one page of entry points, the newest first.
type EntryPointPage struct {
	EntryPoints []EntryPoint `json:"entryPoints"`
	Cursor      string       `json:"cursor,omitempty" doc:"Gets the next page; missing on the last."`
}

// BulkEntryPointsRequest makes many entry points: {n} in ref, name and text stands for the number.
type BulkEntryPointsRequest struct {
	EntryPoint
	From int `json:"from"`
	To   int `json:"to" doc:"At most 10,000 numbers from one to the other."`
}

// EntryPointPatch changes an entry point. What is left out stays.
type EntryPointPatch struct {
	Name      *string   `json:"name,omitempty"`
	Campaign  *string   `json:"campaign,omitempty"`
	Tags      *[]string `json:"tags,omitempty"`
	Text      *string   `json:"text,omitempty"`
	ExpiresAt *string   `json:"expiresAt,omitempty" doc:"RFC 3339; empty for never."`
	Retired   *bool     `json:"retired,omitempty"`
}

// OptInStateRequest asks for a token that binds a profile to the person who comes back with it.
type OptInStateRequest struct {
	ProfileID   string          `json:"profileId" doc:"Created when the token comes back, if there is none."`
	Application string          `json:"application" doc:"Key of the application."`
	ExpiresIn   int             `json:"expiresIn,omitempty" doc:"Seconds; 86,400 when left out."`
	SingleUse   bool            `json:"singleUse,omitempty"`
	Data        json.RawMessage `json:"data,omitempty" doc:"Any JSON up to 64 KiB; comes back in the event."`
}

// OptInState is the token, and how to use it.
type OptInState struct {
	State     string `json:"state" doc:"Letters, digits, - and _ only; at most 250 characters."`
	Link      string `json:"link" doc:"An m.me link that carries it."`
	HTML      string `json:"html" doc:"The Send to Messenger button and a plain link, to be pasted into a page."`
	ExpiresAt Time   `json:"expiresAt"`
}

// GoalRequest says that a person has reached a goal.
type GoalRequest struct {
	Application string  `json:"application" doc:"Key of the application."`
	To          To      `json:"to" doc:"Who reached it."`
	Name        string  `json:"name" doc:"Up to 100 bytes."`
	Value       float64 `json:"value,omitempty"`
	At          Time    `json:"at,omitzero" doc:"When; now when left out."`
}

// Goal is a goal that was reached.
type Goal struct {
	ID string `json:"id"`
}

// EntryPointReport is what came of entry points.
type EntryPointReport struct {
	From  Time        `json:"from"`
	To    Time        `json:"to"`
	Group ReportGroup `json:"group"`
	Zone  string      `json:"tz"`
	Rows  []ReportRow `json:"rows"`
	Total ReportRow   `json:"total"`
}

// ReportRow is what came of one day, ref, source, campaign or tag.
type ReportRow struct {
	Key           string             `json:"key"`
	EntryPoints   int                `json:"entryPoints" doc:"That are summed up; 0 for days."`
	Visits        int64              `json:"visits" doc:"Of short links, programs left out."`
	Scans         int64              `json:"scans" doc:"Threads opened by codes."`
	Opens         int64              `json:"opens" doc:"Threads opened in any way."`
	FirstContacts int64              `json:"firstContacts"`
	Returning     int64              `json:"returning"`
	FirstMessages int64              `json:"firstMessages" doc:"People who wrote after they came."`
	Answered      int64              `json:"answered" doc:"People who got an answer after they came."`
	Goals         map[string]GoalSum `json:"goals"`
}

// GoalSum is how often a goal was reached.
type GoalSum struct {
	Count      int64   `json:"count" doc:"By the last touch."`
	People     int64   `json:"people" doc:"Who reached it for the first time."`
	Value      float64 `json:"value" doc:"By the last touch."`
	FirstCount int64   `json:"firstTouchCount"`
	FirstValue float64 `json:"firstTouchValue"`
}

func entryPointPath(id string) string { return "/v1/entry-points/" + url.PathEscape(id) }

// CreateEntryPoint makes a code or link.
func (c *Client) CreateEntryPoint(ctx context.Context, e EntryPoint) (EntryPoint, error) {
	return send[EntryPoint](ctx, c, http.MethodPost, "/v1/entry-points", e)
}

// CreateEntryPoints makes many.
func (c *Client) CreateEntryPoints(ctx context.Context, req BulkEntryPointsRequest) ([]EntryPoint, error) {
	page, err := send[EntryPointPage](ctx, c, http.MethodPost, "/v1/entry-point-batches", req)
	return page.EntryPoints, err
}

// ListEntryPointsRequest selects entry points. Empty fields select all.
type ListEntryPointsRequest struct {
	Application string
	Kind        EntryPointKind
	Campaign    string
	Tag         string
	Ref         string
	Cursor      string // of the page before
	Limit       int    // 1 to 200; 0 for 50
}

// ListEntryPoints reads one page of entry points, the newest first.
func (c *Client) ListEntryPoints(ctx context.Context, req ListEntryPointsRequest) (EntryPointPage, error) {
	return get[EntryPointPage](ctx, c, "/v1/entry-points", query("application", req.Application, "kind", string(req.Kind), "campaign", req.Campaign, "tag", req.Tag, "ref", req.Ref,
		"cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllEntryPoints walks all entry points from a page on, the newest first. An error ends the walk.
func (c *Client) AllEntryPoints(ctx context.Context, req ListEntryPointsRequest) iter.Seq2[EntryPoint, error] {
	return walk(req.Cursor, func(cursor string) ([]EntryPoint, string, error) {
		req.Cursor = cursor
		page, err := c.ListEntryPoints(ctx, req)
		return page.EntryPoints, page.Cursor, err
	})
}

// GetEntryPoint reads one.
func (c *Client) GetEntryPoint(ctx context.Context, id string) (EntryPoint, error) {
	return get[EntryPoint](ctx, c, entryPointPath(id), nil)
}

// UpdateEntryPoint changes or retires one.
func (c *Client) UpdateEntryPoint(ctx context.Context, id string, patch EntryPointPatch) (EntryPoint, error) {
	return send[EntryPoint](ctx, c, http.MethodPatch, entryPointPath(id), patch)
}

// RetireEntryPoint retires one.
func (c *Client) RetireEntryPoint(ctx context.Context, id string) error {
	return c.remove(ctx, entryPointPath(id))
}

// CreateOptInState makes a token.
func (c *Client) CreateOptInState(ctx context.Context, req OptInStateRequest) (OptInState, error) {
	return send[OptInState](ctx, c, http.MethodPost, "/v1/opt-in-states", req)
}

// ReachGoal says that a person has reached a goal.
func (c *Client) ReachGoal(ctx context.Context, req GoalRequest) (Goal, error) {
	return send[Goal](ctx, c, http.MethodPost, "/v1/goals", req)
}

// ReportGroup says what makes a row of a report.
type ReportGroup string

// The groups of reports.
const (
	GroupDay      ReportGroup = "day"
	GroupRef      ReportGroup = "ref"
	GroupSource   ReportGroup = "source"
	GroupCampaign ReportGroup = "campaign"
	GroupTag      ReportGroup = "tag"
)

// EntryPointReportRequest says what a report is about.
type EntryPointReportRequest struct {
	From        time.Time   // seven days ago when zero
	To          time.Time   // not included; now when zero
	Group       ReportGroup // GroupDay when empty
	Zone        string      // in which days begin, such as America/Lima or -05:00; UTC when empty
	Application string      // every one when empty
}

// ReportEntryPoints reads what came of entry points.
func (c *Client) ReportEntryPoints(ctx context.Context, req EntryPointReportRequest) (EntryPointReport, error) {
	return get[EntryPointReport](ctx, c, "/v1/reports/entry-points", query("from", moment(req.From), "to", moment(req.To), "group", string(req.Group), "tz", req.Zone, "application", req.Application))
}
