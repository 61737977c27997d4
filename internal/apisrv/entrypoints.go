package apisrv

import (
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

const (
	tagEntryPoints    = "entry points"
	cursorEntryPoints = 'e'
)

func (s *server) entryPointRoutes() []route {
	read, write := gateway.ScopeEntryPointsRead, gateway.ScopeEntryPointsWrite
	return []route{
		{method: http.MethodPost, path: "/v1/entry-points", scope: write, tag: tagEntryPoints, summary: "Make a code or link",
			status: http.StatusCreated, do: takes(s.createEntryPoint)},
		{method: http.MethodPost, path: "/v1/entry-point-batches", scope: write, tag: tagEntryPoints, summary: "Make many codes or links",
			detail: "`{n}` in ref, name and text stands for the number. All are made or none.", status: http.StatusCreated,
			do: takes(s.createEntryPoints)},
		{method: http.MethodGet, path: "/v1/entry-points", scope: read, tag: tagEntryPoints, summary: "List codes and links, the newest first",
			params: listEntryPointParams(), status: http.StatusOK, do: answers(s.listEntryPoints)},
		{method: http.MethodGet, path: "/v1/entry-points/{id}", scope: read, tag: tagEntryPoints, summary: "Read a code or link",
			status: http.StatusOK, do: answers(s.getEntryPoint)},
		{method: http.MethodPatch, path: "/v1/entry-points/{id}", scope: write, tag: tagEntryPoints, summary: "Change, retire or bring back a code or link",
			detail: "Its ref and kind never change: they are printed somewhere.", status: http.StatusOK, do: takes(s.patchEntryPoint)},
		{method: http.MethodDelete, path: "/v1/entry-points/{id}", scope: write, tag: tagEntryPoints, summary: "Retire a code or link",
			detail: "Its ref is still recognised, and marked.", status: http.StatusNoContent, do: does(s.retireEntryPoint)},
		{method: http.MethodGet, path: "/v1/entry-points/{id}/{image}", scope: read, tag: tagEntryPoints, summary: "Download the code's picture",
			detail: "`image.png`, `image.svg` or `image.pdf`.", params: imageParams(), status: http.StatusOK, media: []string{"image/png", "image/svg+xml", "application/pdf"}, do: writes(s.entryPointImage)},
		{method: http.MethodGet, path: "/v1/entry-point-images", scope: read, tag: tagEntryPoints, summary: "Download the pictures of many codes as a zip file",
			params: imagesParams(), status: http.StatusOK, media: []string{"application/zip"}, do: writes(s.entryPointImages)},
		{method: http.MethodGet, path: "/v1/entry-point-sheet", scope: read, tag: tagEntryPoints, summary: "Download a print sheet of many codes as a PDF",
			params: sheetParams(), status: http.StatusOK, media: []string{"application/pdf"}, do: writes(s.entryPointSheet)},
		{method: http.MethodPost, path: "/v1/opt-in-states", scope: gateway.ScopeProfilesWrite, tag: tagEntryPoints, summary: "Make a token that binds a profile to who comes back with it",
			detail: "Use it as the `data-ref` of the Send to Messenger button or as the ref of an m.me link. When it comes back, the person is given to the profile and an `optin` event says so.",
			status: http.StatusCreated, do: takes(s.createOptInState)},
		{method: http.MethodPost, path: "/v1/goals", scope: write, tag: tagEntryPoints, summary: "Say that a person has reached a goal",
			status: http.StatusCreated, do: takes(s.reachGoal)},
		{method: http.MethodGet, path: "/v1/reports/entry-points", scope: read, tag: tagEntryPoints, summary: "What came of codes and links",
			detail: "As CSV with `Accept: text/csv` or `format=csv`.",
			params: reportParams(), status: http.StatusOK, media: []string{"text/csv"}, do: writesJSON[gatewayapi.EntryPointReport](s.reportEntryPoints)},
	}
}

func listEntryPointParams() []param {
	return append(pageParams(), selectPointsParams()...)
}

// selectPointsParams are those that select entry points.
func selectPointsParams() []param {
	return []param{list("application", "Keys of applications."), choice("kind", "A kind.", words(gateway.EntryKinds())...), text("campaign", "A campaign."), text("tag", "A tag."), text("ref", "A ref.")}
}

func (s *server) wireEntryPoint(e *gateway.EntryPoint) gatewayapi.EntryPoint {
	return gatewayapi.EntryPoint{
		ID: e.ID, Application: e.Application, Kind: e.Kind, Ref: e.Ref, Name: e.Name, Campaign: e.Campaign, Tags: e.Tags, Text: e.Prefill,
		ExpiresAt: gatewayapi.At(e.ExpiresAt), RetiredAt: gatewayapi.At(e.RetiredAt), CreatedAt: gatewayapi.At(e.CreatedAt), UpdatedAt: gatewayapi.At(e.UpdatedAt),
		Link: s.o.EntryPoints.Link(e), ShortLink: s.o.EntryPoints.ShortLink(e), Image: "/v1/entry-points/" + e.ID + "/image",
	}
}

func entryPointOf(in gatewayapi.EntryPoint) gateway.EntryPoint {
	return gateway.EntryPoint{Application: in.Application, Kind: in.Kind, Ref: in.Ref, Name: in.Name, Campaign: in.Campaign, Tags: in.Tags, Prefill: in.Text, ExpiresAt: in.ExpiresAt.Time}
}

func (s *server) createEntryPoint(q *request, in *gatewayapi.EntryPoint) (*gatewayapi.EntryPoint, error) {
	e := entryPointOf(*in)
	if err := s.o.EntryPoints.Create(q.Context(), q.Key, &e); err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/entry-points/"+e.ID)
	return new(s.wireEntryPoint(&e)), nil
}

func (s *server) createEntryPoints(q *request, in *gatewayapi.BulkEntryPointsRequest) (*gatewayapi.EntryPointPage, error) {
	all, err := s.o.EntryPoints.CreateMany(q.Context(), q.Key, entryPointOf(in.EntryPoint), in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := gatewayapi.EntryPointPage{EntryPoints: make([]gatewayapi.EntryPoint, len(all))}
	for i, e := range all {
		out.EntryPoints[i] = s.wireEntryPoint(e)
	}
	return &out, nil
}

// entryPointFilter reads what selects entry points; limit is the usual size of a page and the
// largest.
func (q *request) entryPointFilter(params []param, usual, most int) (f service.EntryPointFilter, err error) {
	if err := q.known(params); err != nil {
		return f, err
	}
	query := q.URL.Query()
	f = service.EntryPointFilter{Applications: q.list("application"), Kind: query.Get("kind"), Campaign: query.Get("campaign"), Tag: query.Get("tag"), Ref: query.Get("ref")}
	if f.Limit, err = q.limit(usual, most); err != nil {
		return f, err
	}
	f.Before, err = parseCursor("cursor", cursorEntryPoints, query.Get("cursor"))
	return f, err
}

func (s *server) listEntryPoints(q *request) (*gatewayapi.EntryPointPage, error) {
	f, err := q.entryPointFilter(listEntryPointParams(), pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	limit := f.Limit
	f.Limit++
	all, err := s.o.EntryPoints.List(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	page := gatewayapi.EntryPointPage{EntryPoints: []gatewayapi.EntryPoint{}}
	if len(all) > limit {
		all = all[:limit]
		page.Cursor = cursor(cursorEntryPoints, all[limit-1].ID)
	}
	for _, e := range all {
		page.EntryPoints = append(page.EntryPoints, s.wireEntryPoint(e))
	}
	return &page, nil
}

func (s *server) getEntryPoint(q *request) (*gatewayapi.EntryPoint, error) {
	e, err := s.o.EntryPoints.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return new(s.wireEntryPoint(e)), nil
}

func (s *server) patchEntryPoint(q *request, in *gatewayapi.EntryPointPatch) (*gatewayapi.EntryPoint, error) {
	change := service.EntryPointChange{Name: in.Name, Campaign: in.Campaign, Tags: in.Tags, Prefill: in.Text, Retired: in.Retired}
	if in.ExpiresAt != nil {
		at := time.Time{}
		if *in.ExpiresAt != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, *in.ExpiresAt); err != nil {
				return nil, gateway.Invalid("expiresAt", "%q is not a time such as 2026-01-31T12:00:00Z", *in.ExpiresAt)
			}
		}
		change.ExpiresAt = &at
	}
	e, err := s.o.EntryPoints.Update(q.Context(), q.Key, q.PathValue("id"), change)
	if err != nil {
		return nil, err
	}
	return new(s.wireEntryPoint(e)), nil
}

func (s *server) retireEntryPoint(q *request) error {
	retired := true
	if _, err := s.o.EntryPoints.Update(q.Context(), q.Key, q.PathValue("id"), service.EntryPointChange{Retired: &retired}); err != nil {
		return err
	}
	return nil
}

func (s *server) createOptInState(q *request, in *gatewayapi.OptInStateRequest) (*gatewayapi.OptInState, error) {
	token, expires, err := s.o.OptIns.Create(q.Context(), q.Key, service.OptInInput{
		Application: in.Application, ProfileID: in.ProfileID, Data: in.Data, ExpiresIn: gateway.Times(in.ExpiresIn, time.Second), SingleUse: in.SingleUse,
	})
	if err != nil {
		return nil, err
	}
	link := s.o.EntryPoints.Link(&gateway.EntryPoint{Application: in.Application, Ref: token})
	html := service.OptInSnippet(s.o.Directory.Application(in.Application), token, link)
	return &gatewayapi.OptInState{State: token, Link: link, HTML: html, ExpiresAt: gatewayapi.At(expires)}, nil
}

func (s *server) reachGoal(q *request, in *gatewayapi.GoalRequest) (*gatewayapi.Goal, error) {
	g := &gateway.Goal{Lane: gateway.Lane{Application: in.Application}, Name: in.Name, Value: in.Value, At: in.At.Time}
	if err := s.o.EntryPoints.Goal(q.Context(), q.Key, gateway.To{ProfileID: in.To.ProfileID, FBMessengerID: in.To.FBMessengerID}, g); err != nil {
		return nil, err
	}
	return &gatewayapi.Goal{ID: g.ID}, nil
}

func reportParams() []param {
	return []param{text("from", "Begin: RFC 3339 or a date; seven days ago when left out."), text("to", "End, not included: RFC 3339 or a date; now when left out."),
		choice("group", "What makes a row; day when left out.", service.GroupDay, "ref", "source", "campaign", "tag"), text("tz", "In which days begin, such as America/Lima or -05:00; UTC when left out."),
		list("application", "Keys of applications."), choice("format", "json when left out.", "json", "csv")}
}

// reportQuery reads what a report is asked for. Dates are midnights of the time zone.
func (q *request) reportQuery(now time.Time) (r service.ReportQuery, err error) {
	if err := q.known(reportParams()); err != nil {
		return r, err
	}
	query := q.URL.Query()
	r = service.ReportQuery{Applications: q.list("application"), Group: query.Get("group")}
	if r.Group == "" {
		r.Group = service.GroupDay
	}
	if err := service.CheckGroup(r.Group); err != nil {
		return r, err
	}
	if r.Zone, err = service.Zone(query.Get("tz")); err != nil {
		return r, err
	}
	local := now.In(r.Zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, r.Zone)
	if r.From, err = moment("from", query.Get("from"), r.Zone, midnight.AddDate(0, 0, -6)); err != nil {
		return r, err
	}
	r.To, err = moment("to", query.Get("to"), r.Zone, midnight.AddDate(0, 0, 1))
	return r, err
}

func moment(field, text string, zone *time.Location, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
	if err != nil {
		return t, gateway.Invalid(field, "%q is neither a date nor a time such as 2026-01-31T12:00:00Z", text)
	}
	return t, nil
}

func (s *server) reportEntryPoints(q *request) error {
	r, err := q.reportQuery(s.o.Now())
	if err != nil {
		return err
	}
	rows, total, err := s.o.EntryPoints.Report(q.Context(), q.Key, r)
	if err != nil {
		return err
	}
	out := gatewayapi.EntryPointReport{From: gatewayapi.At(r.From), To: gatewayapi.At(r.To), Group: gatewayapi.ReportGroup(r.Group), Zone: r.Zone.String(), Rows: []gatewayapi.ReportRow{}, Total: wireReportRow(total)}
	for _, row := range rows {
		out.Rows = append(out.Rows, wireReportRow(row))
	}
	if q.URL.Query().Get("format") == "csv" || strings.HasPrefix(q.Header.Get("Accept"), "text/csv") {
		return q.replyCSV(out)
	}
	return q.reply(http.StatusOK, out)
}

func wireReportRow(row *service.ReportRow) gatewayapi.ReportRow {
	c := row.Counts
	out := gatewayapi.ReportRow{
		Key: row.Key, EntryPoints: row.Points, Visits: c[gateway.MetricVisits], Scans: c[gateway.MetricScans], Opens: c[gateway.MetricOpens], FirstContacts: c[gateway.MetricFirst],
		Returning: c[gateway.MetricReturning], FirstMessages: c[gateway.MetricFirstMessages], Answered: c[gateway.MetricAnswered], Goals: map[string]gatewayapi.GoalSum{},
	}
	for name, g := range row.Goals {
		out.Goals[name] = gatewayapi.GoalSum{Count: g.Count, People: g.People, Value: g.Value, FirstCount: g.FirstCount, FirstValue: g.FirstValue}
	}
	return out
}
