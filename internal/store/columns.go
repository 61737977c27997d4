package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// column is one column of a table, with the field of a row's type that it holds. Every INSERT,
// SELECT and scan of the table is made of its columns.
type column[T any] struct {
	name string
	arg  func(*T) any // the value to store
	dest func(*T) any // what to scan into; nil for a column that is written and never read
	late bool         // has its default in a new row, so that INSERT leaves it out
}

// later marks a column that has its default in a new row.
func (c column[T]) later() column[T] {
	c.late = true
	return c
}

// plain is a column that database/sql can store and scan as the field is.
func plain[T, F any](name string, field func(*T) *F) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return *field(row) }, dest: func(row *T) any { return field(row) }}
}

// word is a column of text for a field whose type is a kind of string.
func word[T any, F ~string](name string, field func(*T) *F) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return string(*field(row)) }, dest: func(row *T) any { return wordDest[F]{field(row)} }}
}

type wordDest[F ~string] struct{ field *F }

func (d wordDest[F]) Scan(value any) error {
	switch v := value.(type) {
	case string:
		*d.field = F(v)
	case []byte:
		*d.field = F(v)
	default:
		return fmt.Errorf("a text is expected, not %T", value)
	}
	return nil
}

// moment is a column of milliseconds, 0 for the zero time.
func moment[T any](name string, field func(*T) *time.Time) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return Millis(*field(row)) }, dest: func(row *T) any { return (*momentDest)(field(row)) }}
}

type momentDest time.Time

func (d *momentDest) Scan(value any) error {
	ms, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a number is expected, not %T", value)
	}
	*d = momentDest(FromMillis(ms))
	return nil
}

// truth is a column that is 1 for true and 0 for false.
func truth[T any](name string, field func(*T) *bool) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return flag(*field(row)) }, dest: func(row *T) any { return (*truthDest)(field(row)) }}
}

type truthDest bool

func (d *truthDest) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a number is expected, not %T", value)
	}
	*d = n != 0
	return nil
}

// document is a column of JSON, an empty text for the zero value.
func document[T, F any](name string, encode func(*T) string, field func(*T) *F) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return encode(row) }, dest: func(row *T) any { return documentDest[F]{field(row)} }}
}

type documentDest[F any] struct{ field *F }

func (d documentDest[F]) Scan(value any) error {
	var text []byte
	switch v := value.(type) {
	case string:
		text = []byte(v)
	case []byte:
		text = v
	default:
		return fmt.Errorf("a text is expected, not %T", value)
	}
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, d.field)
}

// jsonOf is the JSON of a value, an empty text for none: what a column made by document keeps.
func jsonOf[F any](value F, some bool) string {
	if !some {
		return ""
	}
	return string(data(value))
}

// lines is a column of texts, one a line.
func lines[T any](name string, field func(*T) *[]string) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return strings.Join(*field(row), "\n") }, dest: func(row *T) any { return (*linesDest)(field(row)) }}
}

type linesDest []string

func (d *linesDest) Scan(value any) error {
	var text string
	if err := (wordDest[string]{&text}).Scan(value); err != nil {
		return err
	}
	*d = nil
	if text != "" {
		*d = strings.Split(text, "\n")
	}
	return nil
}

// custom is a column of text that functions of its own write and read.
func custom[T any](name string, write func(*T) string, read func(*T, string) error) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return write(row) }, dest: func(row *T) any {
		return customDest(func(text string) error { return read(row, text) })
	}}
}

type customDest func(text string) error

func (d customDest) Scan(value any) error {
	var text string
	if err := (wordDest[string]{&text}).Scan(value); err != nil {
		return err
	}
	return d(text)
}

// blob is a column of bytes.
func blob[T any, F ~[]byte](name string, field func(*T) *F) column[T] {
	return column[T]{name: name, arg: func(row *T) any { return []byte(*field(row)) }, dest: func(row *T) any { return blobDest[F]{field(row)} }}
}

type blobDest[F ~[]byte] struct{ field *F }

func (d blobDest[F]) Scan(value any) error {
	switch v := value.(type) {
	case string:
		*d.field = F(v)
	case []byte:
		*d.field = slices.Clone(F(v))
	case nil:
		*d.field = nil
	default:
		return fmt.Errorf("bytes are expected, not %T", value)
	}
	return nil
}

// written is a column that follows from the others: it is stored to be searched by, and never read.
func written[T any](name string, value func(*T) any) column[T] {
	return column[T]{name: name, arg: value}
}

// table makes the statements of one table.
type table[T any] struct {
	name    string
	columns []column[T]

	insert   string // INSERT INTO …, with all columns but the late ones
	selected string // SELECT … FROM …
}

func newTable[T any](name string, columns ...column[T]) *table[T] {
	t := &table[T]{name: name, columns: columns}
	var inserted, read []string
	for _, c := range columns {
		if !c.late {
			inserted = append(inserted, c.name)
		}
		if c.dest != nil {
			read = append(read, c.name)
		}
	}
	t.insert = "INSERT INTO " + name + " (" + strings.Join(inserted, ", ") + ") VALUES (" + Holes(len(inserted)) + ")"
	t.selected = "SELECT " + strings.Join(read, ", ") + " FROM " + name
	return t
}

// args returns the arguments of insert for a row.
func (t *table[T]) args(row *T) []any {
	args := make([]any, 0, len(t.columns))
	for i := range t.columns {
		if c := &t.columns[i]; !c.late {
			args = append(args, c.arg(row))
		}
	}
	return args
}

// upserts returns insert for rows that may be there already under a key: all other columns but the
// lasting ones are replaced.
func (t *table[T]) upserts(key []string, lasting ...string) string {
	var set []string
	for _, c := range t.columns {
		if !slices.Contains(key, c.name) && !slices.Contains(lasting, c.name) {
			set = append(set, c.name+" = excluded."+c.name)
		}
	}
	return t.insert + " ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

// update is a statement that changes some columns of a row.
type update[T any] struct {
	query string
	args  func(*T) []any
}

// updates makes an update of columns where another is the row's.
func (t *table[T]) updates(where string, names ...string) update[T] {
	var columns []column[T]
	for _, name := range append(slices.Clone(names), where) {
		i := slices.IndexFunc(t.columns, func(c column[T]) bool { return c.name == name })
		columns = append(columns, t.columns[i])
	}
	return update[T]{
		query: "UPDATE " + t.name + " SET " + strings.Join(names, " = ?, ") + " = ? WHERE " + where + " = ?",
		args: func(row *T) []any {
			args := make([]any, len(columns))
			for i := range columns {
				args[i] = columns[i].arg(row)
			}
			return args
		},
	}
}

// reads returns what reads rows of selected, for Collect and One.
func (t *table[T]) reads(what string) func(*sql.Rows) (*T, error) {
	return func(rows *sql.Rows) (*T, error) {
		row := new(T)
		if err := t.scan(rows, row); err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		return row, nil
	}
}

// scan reads a row of selected.
func (t *table[T]) scan(rows *sql.Rows, row *T) error {
	dest := make([]any, 0, len(t.columns))
	for i := range t.columns {
		if c := &t.columns[i]; c.dest != nil {
			dest = append(dest, c.dest(row))
		}
	}
	return rows.Scan(dest...)
}
