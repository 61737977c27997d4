package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// names of what a report is grouped by.
const (
	GroupDay      = "day"
	GroupRef      = "ref"
	GroupSource   = "source"
	GroupCampaign = "campaign"
	GroupTag      = "tag"
)

// Groups lists what a report can be grouped by.
func Groups() []string { return []string{GroupDay, GroupRef, GroupSource, GroupCampaign, GroupTag} }

// ReportQuery asks what came of entry points in a span of time.
type ReportQuery struct {
	Applications []string
	From, To     time.Time // quarters of an hour
	Group        string
	Zone         *time.Location // in which days begin
}

// ReportRow is what came of one day, ref, source, campaign or tag.
type ReportRow struct {
	Key    string
	Points int // entry points that are summed up
	Counts map[string]int64
	Goals  map[string]*GoalSum
	seen   map[string]bool // the entry points
}

// GoalSum is how often a goal was reached.
type GoalSum struct {
	Count      int64   // by the last touch
	People     int64   // who reached it for the first time
	Value      float64 // by the last touch
	FirstCount int64   // by the first touch
	FirstValue float64
}

const maxReport = 400 * 24 * time.Hour

// Report sums up what came of entry points. Rows come in the order of their keys for days, and else
// with the most opens first; total is the sum of all.
func (s *EntryPoints) Report(ctx context.Context, key *gateway.APIKey, q ReportQuery) (rows []*ReportRow, total *ReportRow, err error) {
	if q.Applications, err = narrowed(key, q.Applications); err != nil {
		return nil, nil, err
	}
	if !q.To.After(q.From) || q.To.Sub(q.From) > maxReport {
		return nil, nil, gateway.Invalid("to", "to comes after from, by at most %d days", maxReport/(24*time.Hour))
	}
	for field, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.Truncate(15 * time.Minute).Equal(at) {
			return nil, nil, gateway.Invalid(field, "reports begin and end at quarters of an hour")
		}
	}
	r := report{rows: map[string]*ReportRow{}, total: newRow("")}
	if q.Group == GroupDay {
		sums, err := s.Store.SumQuarters(ctx, q.Applications, q.From, q.To)
		if err != nil {
			return nil, nil, err
		}
		for _, x := range sums {
			r.add(x.Start.In(q.Zone).Format(time.DateOnly), x)
			r.total.add(x)
		}
		return r.sorted(true), r.total, nil
	}
	sums, err := s.Store.SumPoints(ctx, q.Applications, q.From, q.To)
	if err != nil {
		return nil, nil, err
	}
	for _, x := range sums {
		r.total.add(x)
		for _, k := range s.keys(q.Group, x) {
			r.add(k, x)
		}
	}
	return r.sorted(false), r.total, nil
}

// keys are the rows that a sum belongs to.
func (s *EntryPoints) keys(group string, x store.Sum) []string {
	switch group {
	case GroupRef:
		return []string{x.Ref}
	case GroupSource:
		return []string{x.Source}
	}
	e := s.Known(x.Point)
	switch {
	case e == nil:
		return []string{""}
	case group == GroupCampaign:
		return []string{e.Campaign}
	case len(e.Tags) == 0:
		return []string{""}
	}
	return e.Tags
}

type report struct {
	rows  map[string]*ReportRow
	total *ReportRow
}

func newRow(key string) *ReportRow {
	return &ReportRow{Key: key, Counts: map[string]int64{}, Goals: map[string]*GoalSum{}, seen: map[string]bool{}}
}

func (r *report) add(key string, x store.Sum) {
	row := r.rows[key]
	if row == nil {
		row = newRow(key)
		r.rows[key] = row
	}
	row.add(x)
}

func (row *ReportRow) add(x store.Sum) {
	if x.Point != "" && !row.seen[x.Point] {
		row.seen[x.Point] = true
		row.Points++
	}
	metric, name, isGoal := strings.Cut(x.Metric, "/")
	if !isGoal {
		row.Counts[metric] += x.N
		return
	}
	g := row.Goals[name]
	if g == nil {
		g = &GoalSum{}
		row.Goals[name] = g
	}
	switch metric {
	case gateway.MetricGoals:
		g.Count += x.N
		g.Value += x.Value
	case gateway.MetricGoalPeople:
		g.People += x.N
	case gateway.MetricGoalsFirst:
		g.FirstCount += x.N
		g.FirstValue += x.Value
	}
}

func (r *report) sorted(byKey bool) []*ReportRow {
	rows := make([]*ReportRow, 0, len(r.rows))
	for _, row := range r.rows {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *ReportRow) int {
		if n := b.Counts[gateway.MetricOpens] - a.Counts[gateway.MetricOpens]; n != 0 && !byKey {
			return cmp.Compare(n, 0)
		}
		return strings.Compare(a.Key, b.Key)
	})
	return rows
}

// Zone reads a time zone: a name of the IANA list, or an offset such as +05:45.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if t, err := time.Parse("Z07:00", strings.Replace(name, " ", "+", 1)); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(name, offset), nil
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, gateway.Invalid("tz", "%q is not a time zone; give one such as America/Lima or -05:00", name)
	}
	return z, nil
}

// CheckGroup reports whether a report can be grouped so.
func CheckGroup(group string) error {
	if slices.Contains(Groups(), group) {
		return nil
	}
	return gateway.Invalid("group", "%q is not one of %s", group, strings.Join(Groups(), ", "))
}
