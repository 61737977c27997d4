package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// column is one column of a table, with the field of a row's type that it holds. Every INSERT, SELECT and scan of the table is made of its columns.
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
