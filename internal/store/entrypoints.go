package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// entryPoints are codes and links.
var entryPoints = newTable("entry_points",
	plain("id", func(e *gateway.EntryPoint) *string { return &e.ID }),
	plain("app", func(e *gateway.EntryPoint) *string { return &e.Application }),
	word("kind", func(e *gateway.EntryPoint) *gateway.EntryPointKind { return &e.Kind }),
	plain("ref", func(e *gateway.EntryPoint) *string { return &e.Ref }),
	plain("slug", func(e *gateway.EntryPoint) *string { return &e.Slug }),
	plain("name", func(e *gateway.EntryPoint) *string { return &e.Name }),
	plain("campaign", func(e *gateway.EntryPoint) *string { return &e.Campaign }),
	lines("tags", func(e *gateway.EntryPoint) *[]string { return &e.Tags }),
	plain("prefill", func(e *gateway.EntryPoint) *string { return &e.Prefill }),
	moment("expires_at", func(e *gateway.EntryPoint) *time.Time { return &e.ExpiresAt }),
	moment("retired_at", func(e *gateway.EntryPoint) *time.Time { return &e.RetiredAt }),
	moment("created_at", func(e *gateway.EntryPoint) *time.Time { return &e.CreatedAt }),
	moment("updated_at", func(e *gateway.EntryPoint) *time.Time { return &e.UpdatedAt }),
)

var (
	scanEntryPoint = entryPoints.reads("entry point")
	saveEntryPoint = entryPoints.updates("id", "name", "campaign", "tags", "prefill", "expires_at", "retired_at", "updated_at")
)

// EntryPoints returns all entry points.
func (s *Store) EntryPoints(ctx context.Context) ([]*gateway.EntryPoint, error) {
	rows, err := s.Query(ctx, entryPoints.selected)
	return Collect(rows, err, scanEntryPoint)
}

// EntryPointFilter selects entry points, the newest first. Empty fields select all.
type EntryPointFilter struct {
	Applications []string
	Kind         string
	Campaign     string
	Tag          string
	Ref          string
	Before       string // id of the last one of the page before
	Limit        int
}

// ListEntryPoints returns entry points, the newest first: ids grow with time.
func (s *Store) ListEntryPoints(ctx context.Context, f EntryPointFilter) ([]*gateway.EntryPoint, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if len(f.Applications) > 0 {
		values := make([]any, len(f.Applications))
		for i, a := range f.Applications {
			values[i] = a
		}
		add("app IN ("+Holes(len(values))+")", values...)
	}
	for column, value := range map[string]string{"kind": f.Kind, "campaign": f.Campaign, "ref": f.Ref} {
		if value != "" {
			add(column+" = ?", value)
		}
	}
	if f.Tag != "" {
		add(`CAST(? AS TEXT) || tags || CAST(? AS TEXT) LIKE ?`, "\n", "\n", "%\n"+f.Tag+"\n%")
	}
	if f.Before != "" {
		add("id < ?", f.Before)
	}
	args = append(args, f.Limit)
	rows, err := s.Query(ctx, entryPoints.selected+` WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, args...)
	return Collect(rows, err, scanEntryPoint)
}

// AddEntryPoints stores new entry points. The error is a conflict that names the ref when one is
// taken in its application.
func (tx *Tx) AddEntryPoints(points ...*gateway.EntryPoint) error {
	now := tx.Now().UTC()
	for _, e := range points {
		e.CreatedAt, e.UpdatedAt = now, now
		n, err := tx.Exec(entryPoints.insert+` ON CONFLICT DO NOTHING`, entryPoints.args(e)...)
		if err != nil {
			return fmt.Errorf("store entry point: %w", err)
		}
		if n == 0 {
			return gateway.Errorf(gateway.CodeConflict, "there is an entry point with the ref %q already", e.Ref).WithField("ref")
		}
	}
	return bump(tx, ChangeEntryPoints)
}

// UpdateEntryPoint stores what may change of an entry point.
func (tx *Tx) UpdateEntryPoint(e *gateway.EntryPoint) error {
	e.UpdatedAt = tx.Now().UTC()
	_, err := tx.Exec(saveEntryPoint.query, saveEntryPoint.args(e)...)
	if err != nil {
		return fmt.Errorf("store entry point %s: %w", e.ID, err)
	}
	return bump(tx, ChangeEntryPoints)
}

// EntryPoint returns one entry point inside the transaction; a not_found error when there is none.
func (tx *Tx) EntryPoint(id string) (*gateway.EntryPoint, error) {
	rows, err := tx.Query(entryPoints.selected+` WHERE id = ?`, id)
	return One("entry point", id, rows, err, scanEntryPoint)
}

const selectTouches = `SELECT first, last, pending FROM touches WHERE app = ? AND person = ?`

func scanTouches(row *sql.Row) (*gateway.Touches, error) {
	var first, last string
	t := new(gateway.Touches)
	err := row.Scan(&first, &last, &t.Pending)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(first), &t.First), json.Unmarshal([]byte(last), &t.Last))
	}
	if err != nil {
		return nil, fmt.Errorf("read touches: %w", err)
	}
	return t, nil
}

// Touches returns how a person came; nil when no referral is known.
func (s *Store) Touches(ctx context.Context, lane gateway.Lane) (*gateway.Touches, error) {
	return scanTouches(s.QueryRow(ctx, selectTouches, lane.Application, lane.Person))
}

// Touches returns how a person came, inside the transaction; nil when no referral is known.
func (tx *Tx) Touches(lane gateway.Lane) (*gateway.Touches, error) {
	return scanTouches(tx.QueryRow(selectTouches, lane.Application, lane.Person))
}

// SaveTouches stores how a person came.
func (tx *Tx) SaveTouches(lane gateway.Lane, t *gateway.Touches) error {
	_, err := tx.Exec(`INSERT INTO touches (app, person, first, last, pending) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (app, person) DO UPDATE SET first = excluded.first, last = excluded.last, pending = excluded.pending`,
		lane.Application, lane.Person, string(data(t.First)), string(data(t.Last)), t.Pending)
	if err != nil {
		return fmt.Errorf("store touches: %w", err)
	}
	return nil
}

// Count is something that happened at an entry point.
type Count struct {
	Application, Point, Ref, Source, Metric string
	At                                      time.Time
	N                                       int64
	Value                                   float64
}

// The levels of counts, and how long what they sum up lasts.
const (
	levelTotals   = 0
	levelQuarters = 1
	levelDays     = 2

	// maxCountRef is how many bytes of a ref counts are kept under; a longer one, which no entry
	// point can have, is cut and told apart by a hash. The index row holds two thousand more bytes
	// at the most, of the 2,704 that PostgreSQL takes.
	maxCountRef = 1000

	quarter = 15 * time.Minute
	day     = 24 * time.Hour
)

// AddCounts adds what happened to the sums.
func (tx *Tx) AddCounts(counts ...Count) error {
	type key struct {
		level                           int
		app, point, ref, source, metric string
		start                           int64
	}
	sums := map[key]*Count{}
	var order []key
	for _, c := range counts {
		c.Ref, c.Source = gateway.ShortText(c.Ref, maxCountRef), gateway.KeyText(c.Source)
		for _, k := range []key{
			{levelTotals, c.Application, "", "", "", c.Metric, c.At.Truncate(quarter).UnixMilli()},
			{levelQuarters, c.Application, c.Point, c.Ref, c.Source, c.Metric, c.At.Truncate(quarter).UnixMilli()},
			{levelDays, c.Application, c.Point, c.Ref, c.Source, c.Metric, c.At.Truncate(day).UnixMilli()},
		} {
			if sums[k] == nil {
				sums[k] = &Count{}
				order = append(order, k)
			}
			sums[k].N += c.N
			sums[k].Value += c.Value
		}
	}
	rows := make([][]any, len(order))
	for i, k := range order {
		rows[i] = []any{k.app, k.level, k.start, k.point, k.ref, k.source, k.metric, sums[k].N, sums[k].Value}
	}
	_, err := tx.ExecMany(`INSERT INTO entry_counts (app, level, start, point, ref, source, metric, n, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (level, app, start, point, ref, source, metric) DO UPDATE SET n = entry_counts.n + excluded.n, value = entry_counts.value + excluded.value`, rows)
	if err != nil {
		return fmt.Errorf("count at entry points: %w", err)
	}
	return nil
}

// Sum is a row of a report: what happened of one metric under one key.
type Sum struct {
	Start              time.Time // of a quarter of an hour, when the sums are by time
	Point, Ref, Source string
	Metric             string
	N                  int64
	Value              float64
}

// SumQuarters returns the totals of each quarter of an hour of a span of time. Applications are
// those that count; empty means all.
func (s *Store) SumQuarters(ctx context.Context, applications []string, from, to time.Time) ([]Sum, error) {
	where, args := ofApplications(applications)
	args = append([]any{levelTotals}, append(args, Millis(from), Millis(to))...)
	rows, err := s.Query(ctx, `SELECT start, metric, SUM(n), SUM(value) FROM entry_counts WHERE level = ? AND `+where+` AND start >= ? AND start < ? GROUP BY start, metric`, args...)
	return Collect(rows, err, func(r *sql.Rows) (Sum, error) {
		var x Sum
		var start int64
		err := r.Scan(&start, &x.Metric, &x.N, &x.Value)
		x.Start = FromMillis(start)
		return x, err
	})
}

// SumPoints returns the sums of a span of time by entry point, ref and source: whole days from
// their sums, and what is over at both ends by quarters of an hour.
func (s *Store) SumPoints(ctx context.Context, applications []string, from, to time.Time) ([]Sum, error) {
	firstDay, lastDay := from.Truncate(day), to.Truncate(day)
	if firstDay.Before(from) {
		firstDay = firstDay.Add(day)
	}
	where, ofApps := ofApplications(applications)
	condition := `level = ? AND ` + where + ` AND start >= ? AND start < ?`
	span := func(level int, from, to time.Time) []any {
		return append(append([]any{level}, ofApps...), Millis(from), Millis(to))
	}
	parts, args := []string{condition}, span(levelQuarters, from, to)
	if firstDay.Before(lastDay) {
		parts = []string{condition, condition, condition}
		args = slices.Concat(span(levelDays, firstDay, lastDay), span(levelQuarters, from, firstDay), span(levelQuarters, lastDay, to))
	}
	rows, err := s.Query(ctx, `SELECT point, ref, source, metric, SUM(n), SUM(value) FROM entry_counts WHERE (`+strings.Join(parts, ") OR (")+`) GROUP BY point, ref, source, metric`, args...)
	return Collect(rows, err, func(r *sql.Rows) (Sum, error) {
		var x Sum
		return x, r.Scan(&x.Point, &x.Ref, &x.Source, &x.Metric, &x.N, &x.Value)
	})
}

func ofApplications(applications []string) (string, []any) {
	if len(applications) == 0 {
		return "app <> ''", nil
	}
	args := make([]any, len(applications))
	for i, a := range applications {
		args[i] = a
	}
	return "app IN (" + Holes(len(args)) + ")", args
}

// AddGoal stores a goal that was reached, and counts it by the person's last touch and by the
// first.
func (tx *Tx) AddGoal(g *gateway.Goal) error {
	var before int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM goals WHERE app = ? AND person = ? AND name = ?`, g.Lane.Application, g.Lane.Person, g.Name).Scan(&before); err != nil {
		return fmt.Errorf("count goals: %w", err)
	}
	if _, err := tx.Exec(`INSERT INTO goals (id, app, person, name, value, at) VALUES (?, ?, ?, ?, ?, ?)`,
		g.ID, g.Lane.Application, g.Lane.Person, g.Name, g.Value, Millis(g.At)); err != nil {
		return fmt.Errorf("store goal: %w", err)
	}
	touches, err := tx.Touches(g.Lane)
	if err != nil {
		return err
	}
	if touches == nil {
		touches = &gateway.Touches{}
	}
	count := func(t gateway.Touch, metric string, value float64) Count {
		return Count{Application: g.Lane.Application, Point: t.Point, Ref: t.Ref, Source: t.Source, Metric: metric + "/" + g.Name, At: g.At, N: 1, Value: value}
	}
	counts := []Count{count(touches.Last, gateway.MetricGoals, g.Value), count(touches.First, gateway.MetricGoalsFirst, g.Value)}
	if before == 0 {
		counts = append(counts, count(touches.Last, gateway.MetricGoalPeople, 0))
	}
	return tx.AddCounts(counts...)
}

// CountEntryPoints returns how many entry points an application has.
func (s *Store) CountEntryPoints(ctx context.Context, application string) (n int, err error) {
	if err = s.QueryRow(ctx, `SELECT COUNT(*) FROM entry_points WHERE app = ?`, application).Scan(&n); err != nil {
		err = fmt.Errorf("count entry points: %w", err)
	}
	return n, err
}

// AddOptInState stores a state.
func (tx *Tx) AddOptInState(o *gateway.OptInState) error {
	_, err := tx.Exec(`INSERT INTO opt_in_states (handle, app, apps, profile, data, single_use, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		o.Handle, o.Application, keptApplications(o.Key.Applications), o.ProfileID, []byte(o.Data), flag(o.SingleUse), Millis(o.ExpiresAt), Millis(tx.Now()))
	if err != nil {
		return fmt.Errorf("store opt-in state: %w", err)
	}
	return nil
}

// OptInState returns a state inside the transaction; nil when there is none.
func (tx *Tx) OptInState(handle string) (*gateway.OptInState, error) {
	o := &gateway.OptInState{Handle: handle}
	var single int
	var expires, used int64
	var content []byte
	var apps string
	err := tx.QueryRow(`SELECT app, apps, profile, data, single_use, expires_at, used_at, used_by FROM opt_in_states WHERE handle = ?`, handle).
		Scan(&o.Application, &apps, &o.ProfileID, &content, &single, &expires, &used, &o.UsedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read opt-in state: %w", err)
	}
	o.Key.All = apps == ""
	if o.Key.Applications, err = readApplications(apps); err != nil {
		return nil, fmt.Errorf("read opt-in state: %w", err)
	}
	o.Data, o.SingleUse, o.ExpiresAt, o.UsedAt = content, single == 1, FromMillis(expires), FromMillis(used)
	return o, nil
}

// UseOptInState notes that a state came back.
func (tx *Tx) UseOptInState(handle, person string) error {
	_, err := tx.Exec(`UPDATE opt_in_states SET used_at = ?, used_by = ? WHERE handle = ?`, Millis(tx.Now()), person, handle)
	return err
}

// MoveHistory makes what was sent to one profile be another's.
func (tx *Tx) MoveHistory(from, to string) error {
	_, err := tx.Exec(`UPDATE messages SET profile = ? WHERE profile = ?`, to, from)
	return err
}
