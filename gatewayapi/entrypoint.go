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
	ID string `json:"id,omitempty"`
	// Key of the application.
	Application string `json:"application"`
	// code, link, ad or sendToMessenger.
	Kind EntryPointKind `json:"kind" enum:"code,link,ad,sendToMessenger"`
	// Up to 250 characters of a-z A-Z 0-9 + / = - . : _; unique within the application. Without one
	// it is static.
	Ref      string   `json:"ref,omitempty"`
	Name     string   `json:"name,omitempty"`
	Campaign string   `json:"campaign,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	// Stands in the composer when the thread opens.
	Text      string `json:"text,omitempty"`
	ExpiresAt Time   `json:"expiresAt,omitzero"`
	// A retired ref is still recognised, and marked.
	RetiredAt Time `json:"retiredAt,omitzero"`
	// The m.me link.
	Link string `json:"link,omitempty"`
	// Our own link, which counts visits and leads to the other.
	ShortLink string `json:"shortLink,omitempty"`
	// Path of the code's picture, without its ending.
	Image     string `json:"image,omitempty"`
	CreatedAt Time   `json:"createdAt,omitzero"`
	UpdatedAt Time   `json:"updatedAt,omitzero"`
}

// EntryPointPage is one page of entry points, the newest first.
type EntryPointPage struct {
	EntryPoints []EntryPoint `json:"entryPoints"`
	// Gets the next page; missing on the last.
	Cursor string `json:"cursor,omitempty"`
}

// BulkEntryPointsRequest makes many entry points: {n} in ref, name and text stands for the number.
type BulkEntryPointsRequest struct {
	EntryPoint
	From int `json:"from"`
	// At most 10,000 numbers from one to the other.
	To int `json:"to"`
}

// EntryPointPatch changes an entry point. What is left out stays.
type EntryPointPatch struct {
	Name     *string   `json:"name,omitempty"`
	Campaign *string   `json:"campaign,omitempty"`
	Tags     *[]string `json:"tags,omitempty"`
	Text     *string   `json:"text,omitempty"`
	// RFC 3339; empty for never.
	ExpiresAt *string `json:"expiresAt,omitempty"`
	Retired   *bool   `json:"retired,omitempty"`
}

// OptInStateRequest asks for a token that binds a profile to the person who comes back with it.
type OptInStateRequest struct {
	// Created when the token comes back, if there is none.
	ProfileID string `json:"profileId"`
	// Key of the application.
	Application string `json:"application"`
	// Seconds; 86,400 when left out.
	ExpiresIn int  `json:"expiresIn,omitempty"`
	SingleUse bool `json:"singleUse,omitempty"`
	// Any JSON up to 64 KiB; comes back in the event.
	Data json.RawMessage `json:"data,omitempty"`
}

// OptInState is the token, and how to use it.
type OptInState struct {
	// Letters, digits, - and _ only; at most 250 characters.
	State string `json:"state"`
	// An m.me link that carries it.
	Link string `json:"link"`
	// The Send to Messenger button and a plain link, to be pasted into a page.
	HTML      string `json:"html"`
	ExpiresAt Time   `json:"expiresAt"`
}

// GoalRequest says that a person has reached a goal.
type GoalRequest struct {
	// Key of the application.
	Application string `json:"application"`
	// Who reached it.
	To To `json:"to"`
	// Up to 100 bytes.
	Name  string  `json:"name"`
	Value float64 `json:"value,omitempty"`
	// When; now when left out.
	At Time `json:"at,omitzero"`
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
	Key string `json:"key"`
	// That are summed up; 0 for days.
	EntryPoints int `json:"entryPoints"`
	// Of short links, programs left out.
	Visits int64 `json:"visits"`
	// Threads opened by codes.
	Scans int64 `json:"scans"`
	// Threads opened in any way.
	Opens         int64 `json:"opens"`
	FirstContacts int64 `json:"firstContacts"`
	Returning     int64 `json:"returning"`
	// People who wrote after they came.
	FirstMessages int64 `json:"firstMessages"`
	// People who got an answer after they came.
	Answered int64              `json:"answered"`
	Goals    map[string]GoalSum `json:"goals"`
}

// GoalSum is how often a goal was reached.
type GoalSum struct {
	// By the last touch.
	Count int64 `json:"count"`
	// Who reached it for the first time.
	People int64 `json:"people"`
	// By the last touch.
	Value      float64 `json:"value"`
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
