package console

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

const (
	perPage  = 25   // entry points in the list
	fewRows  = 20   // of the table of refs
	mostRows = 1000 // when all are asked for
)

// overviewPage is the list with what came of it all.
type overviewPage struct {
	Query        query
	Span         span
	Applications []choice
	Kinds        []choice

	Total  figures
	Charts []chart
	Days   []dayFigures

	Group  string
	Groups []choice
	Rows   []reportRow
	Hidden int // rows that are not shown

	Points []item
	Older  string // address of the next page of the list
}

// reportRow is a line of the table.
type reportRow struct {
	Key, Name, Link string
	Bars            []step // visits, first contacts and goals beside those of the other rows
	figures
}

// item is an entry point as the list shows it.
type item struct {
	*gateway.EntryPoint
	Page, Link, ShortLink string
	State                 state
}

// Title is what an entry point is called.
func (i item) Title() string {
	switch {
	case i.Name != "":
		return i.Name
	case i.Ref != "":
		return i.Ref
	}
	return i.Page
}

// Path is its own page.
func (i item) Path() string { return home + "/" + i.ID }

// state says in a word whether an entry point is in use.
type state struct{ Word, Class string }

func stateOf(e *gateway.EntryPoint, now time.Time) state {
	switch {
	case !e.RetiredAt.IsZero():
		return state{"Retired", "off"}
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(now):
		return state{"Expired", "off"}
	}
	return state{"In use", "on"}
}

func (c *Console) item(e *gateway.EntryPoint) item {
	return item{e, c.named(e.Application), c.o.EntryPoints.Link(e), c.o.EntryPoints.ShortLink(e), stateOf(e, c.o.Now())}
}

func (c *Console) overview(v *visit) error {
	q := query{v.URL.Query()}
	p := &overviewPage{Query: q, Span: spanOf(q.values, c.o.Now()), Applications: c.applications(v.key, q.Get("application")), Kinds: kinds(q.Get("kind"))}
	if err := c.report(v, p); err != nil {
		return err
	}
	points, err := c.o.EntryPoints.List(v.Context(), v.key, q.filter(perPage+1))
	if err != nil {
		return err
	}
	if len(points) > perPage {
		points = points[:perPage]
		p.Older = q.With("before", points[perPage-1].ID)
	}
	for _, e := range points {
		p.Points = append(p.Points, c.item(e))
	}
	c.render(v, http.StatusOK, "overview", layout{Title: "Entry points", Tab: "list", Done: done(q.values)}, p)
	return nil
}

// done says what the page before has done.
func done(q url.Values) string {
	switch q.Get("done") {
	case "made":
		return "The entry point is made."
	case "many":
		if n, err := strconv.Atoi(q.Get("n")); err == nil && n > 0 && n <= service.MaxBulk {
			return number(n) + " entry points are made."
		}
	case "changed":
		return "The changes are kept."
	case "retired":
		return "The entry point is retired. Its ref is still recognised, and marked."
	case "restored":
		return "The entry point is back in use."
	}
	return ""
}

// report fills in what came of entry points: the chart by day and the table.
func (c *Console) report(v *visit, p *overviewPage) error {
	ask := service.ReportQuery{Applications: p.Query.filter(0).Applications, From: p.Span.from, To: p.Span.to, Group: service.GroupDay, Zone: p.Span.zone}
	rows, total, err := c.o.EntryPoints.Report(v.Context(), v.key, ask)
	if err != nil {
		return err
	}
	p.Total = figuresOf(total)
	byDay := map[string]*service.ReportRow{}
	for _, row := range rows {
		byDay[row.Key] = row
	}
	for _, d := range p.Span.days() {
		p.Days = append(p.Days, dayFigures{d, figuresOf(byDay[d.Format(time.DateOnly)])})
	}
	p.Charts = []chart{newChart("wide", 1080, 250, 10, p.Days), newChart("narrow", 360, 210, 4, p.Days)}

	p.Group = service.GroupRef
	for _, g := range []choice{{service.GroupRef, "Ref", false}, {service.GroupCampaign, "Campaign", false}, {service.GroupTag, "Tag", false}, {service.GroupSource, "Source", false}} {
		if g.Chosen = g.Value == p.Query.Get("by"); g.Chosen {
			p.Group = g.Value
		}
		p.Groups = append(p.Groups, g)
	}
	p.Groups[0].Chosen = p.Group == service.GroupRef
	ask.Group = p.Group
	if rows, _, err = c.o.EntryPoints.Report(v.Context(), v.key, ask); err != nil {
		return err
	}
	most := fewRows
	if p.Query.Get("rows") == "all" {
		most = mostRows
	}
	p.Hidden = max(0, len(rows)-most)
	for _, row := range rows[:min(len(rows), most)] {
		p.Rows = append(p.Rows, c.row(p, row))
	}
	p.drawBars()
	return nil
}

// drawBars gives every row its bars, all to one scale.
func (p *overviewPage) drawBars() {
	var most int64 = 1
	for _, r := range p.Rows {
		most = max(most, r.Visits, r.First, r.Goals)
	}
	bar := func(class string, n int64) step {
		return step{Class: class, N: n, Width: float64(n) / float64(most) * 100}
	}
	for i, r := range p.Rows {
		p.Rows[i].Bars = []step{bar("visits", r.Visits), bar("contacts", r.First), bar("goals", r.Goals)}
	}
}

// row is a line of the table, which leads to the entry point when there is just one with its ref.
func (c *Console) row(p *overviewPage, row *service.ReportRow) reportRow {
	r := reportRow{Key: row.Key, figures: figuresOf(row)}
	switch {
	case row.Key != "" && p.Group == service.GroupCampaign, row.Key != "" && p.Group == service.GroupTag:
		r.Link = p.Query.With(p.Group, row.Key) + "#list"
	case row.Key != "" && p.Group == service.GroupRef:
		var found []*gateway.EntryPoint
		for _, app := range p.Applications {
			if e := c.o.EntryPoints.OfRef(app.Value, row.Key); e != nil && (p.Query.Get("application") == "" || app.Chosen) {
				found = append(found, e)
			}
		}
		if len(found) == 1 {
			r.Name, r.Link = found[0].Name, home+"/"+found[0].ID+"?"+url.Values{"days": {strconv.Itoa(p.Span.Days)}, "tz": {p.Span.ZoneName}}.Encode()
		}
	}
	return r
}

// Kept are the parameters that filtering the list leaves as they are.
func (*overviewPage) Kept() []string { return []string{"application", "days", "tz", "by"} }

// BarTops is where the bars of a row lie.
func (*overviewPage) BarTops() []int { return []int{0, 7, 14} }
