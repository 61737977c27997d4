package transfer

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// exportPage is how many records are read at once.
const exportPage = 500

// Export writes records out of a database. It reads them page by page, so that what a running
// gateway changes meanwhile may or may not be in it.
type Export struct {
	Store        *store.Store
	Applications []string // empty for all
	// Spreadsheet makes CSV for people: with a mark by which spreadsheets read UTF-8, and nothing
	// that they would take for a formula. Import does not read it as it was.
	Spreadsheet bool
}

// Profiles writes all profiles in the order of their ids, as Import reads them, and returns how
// many. CSV needs the profiles read twice: first for their fields.
func (x Export) Profiles(ctx context.Context, w io.Writer, format Format) (int64, error) {
	if format == FormatCSV {
		return x.profilesCSV(ctx, w)
	}
	n := int64(0)
	err := x.each(ctx, func(p *gateway.Profile) error {
		n++
		return writeLine(w, p)
	})
	return n, err
}

// each calls do for every profile.
func (x Export) each(ctx context.Context, do func(*gateway.Profile) error) error {
	f := store.ProfileFilter{Applications: x.Applications, Limit: exportPage}
	for {
		page, err := x.Store.ListProfiles(ctx, f)
		if err != nil {
			return fmt.Errorf("read profiles after %q: %w", f.After, err)
		}
		for _, p := range page {
			if err := do(p); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
		f.After = page[len(page)-1].ID
	}
}

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func (x Export) profilesCSV(ctx context.Context, w io.Writer) (int64, error) {
	people, fields := map[string]bool{}, map[string]bool{}
	err := x.each(ctx, func(p *gateway.Profile) error {
		for app := range p.Addresses {
			people[gateway.FieldMessenger+"."+app] = true
		}
		for name, value := range p.Doc {
			column, _ := cellOf(name, value)
			fields[column] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	header := slices.Concat([]string{gateway.FieldID}, slices.Sorted(maps.Keys(people)), slices.Sorted(maps.Keys(fields)), []string{gateway.FieldCreatedAt, gateway.FieldUpdatedAt})
	if x.Spreadsheet {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return 0, err
		}
	}
	out := csv.NewWriter(w)
	write := func(row []string) error {
		if x.Spreadsheet {
			for i := range row {
				row[i] = gateway.SpreadsheetCell(row[i])
			}
		}
		return out.Write(row)
	}
	if err := write(slices.Clone(header)); err != nil {
		return 0, err
	}
	n := int64(0)
	err = x.each(ctx, func(p *gateway.Profile) error {
		n++
		cells := map[string]string{gateway.FieldID: p.ID, gateway.FieldCreatedAt: gateway.FormatTime(p.CreatedAt), gateway.FieldUpdatedAt: gateway.FormatTime(p.UpdatedAt)}
		for app, person := range p.Addresses {
			cells[gateway.FieldMessenger+"."+app] = person
		}
		for name, value := range p.Doc {
			column, cell := cellOf(name, value)
			cells[column] = cell
		}
		row := make([]string, len(header))
		for i, column := range header {
			row[i] = cells[column]
		}
		return write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return n, err
}

// cellOf returns the column of a field and its cell: text as it is, everything else as JSON.
func cellOf(name string, value json.RawMessage) (column, cell string) {
	var text string
	column = escapePath(name)
	switch {
	case name == gateway.FieldOptIn:
		return column, string(value)
	case json.Unmarshal(value, &text) == nil && text != "" && string(value) != "null" && !strings.Contains(text, "\r"):
		if !strings.HasSuffix(column, jsonSuffix) {
			return column, text
		}
	}
	return column + jsonSuffix, string(value)
}

// Span is a stretch of time; a zero end means none.
type Span struct{ Since, Until time.Time }

// Events writes the events that came in a span, in order, as subscribers get them, and returns how
// many.
func (x Export) Events(ctx context.Context, w io.Writer, span Span) (int64, error) {
	f := store.EventFilter{Applications: x.Applications, Limit: exportPage}
	var err error
	if !span.Since.IsZero() {
		if f.After, err = x.Store.PositionAt(ctx, span.Since); err != nil {
			return 0, err
		}
	}
	if !span.Until.IsZero() {
		if f.Upto, err = x.Store.PositionAt(ctx, span.Until); err != nil || f.Upto == 0 {
			return 0, err
		}
	}
	for n := int64(0); ; {
		page, err := x.Store.ListEvents(ctx, f)
		if err != nil {
			return n, fmt.Errorf("read events after %s: %w", gateway.EventID(f.After), err)
		}
		profiles, err := x.Store.ProfilesOf(ctx, page)
		if err != nil {
			return n, err
		}
		for _, e := range page {
			n++
			if err := writeLine(w, gateway.Publish(e, profiles[e.Lane()], "")); err != nil {
				return n, err
			}
		}
		if len(page) < exportPage {
			return n, nil
		}
		f.After = page[len(page)-1].Pos
	}
}

// Messages writes the messages that were accepted in a span, newest first, as show makes them, and
// returns how many.
func (x Export) Messages(ctx context.Context, w io.Writer, span Span, show func(*gateway.Message) (any, error)) (int64, error) {
	f := store.MessageFilter{Applications: x.Applications, Limit: exportPage}
	for n := int64(0); ; {
		page, err := x.Store.ListMessages(ctx, f)
		if err != nil {
			return n, fmt.Errorf("read messages: %w", err)
		}
		for _, m := range page {
			if m.AcceptedAt.Before(span.Since) {
				return n, nil
			}
			if !span.Until.IsZero() && !m.AcceptedAt.Before(span.Until) {
				continue
			}
			shown, err := show(m)
			if err != nil {
				return n, err
			}
			n++
			if err := writeLine(w, shown); err != nil {
				return n, err
			}
		}
		if len(page) < exportPage {
			return n, nil
		}
		f.Before = page[len(page)-1].Seq
	}
}
