package store

import (
	"strconv"
	"strings"
	"sync"
)

// dialect is all in which SQLite and PostgreSQL differ for us. Statements are written once, with ?
// for arguments.
type dialect struct {
	name      string
	serial    string // a primary key of 64 bits
	begin     string // opens a writing transaction
	now       string // the database's clock, milliseconds
	dollars   bool   // arguments are $1, $2 … instead of ?
	exclusive bool   // one process owns the database, so that a lease cannot be taken from it
	forRead   string // suffix that keeps the rows read from changing until the commit

	rewritten sync.Map // statements as bind made them
}

func sqliteDialect() *dialect {
	return &dialect{
		name: "sqlite", serial: "INTEGER PRIMARY KEY", begin: "BEGIN IMMEDIATE", exclusive: true,
		now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
	}
}

func postgresDialect() *dialect {
	return &dialect{
		name: "postgres", serial: "BIGINT PRIMARY KEY", begin: "BEGIN", dollars: true,
		now:     "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
		forRead: " FOR SHARE",
	}
}

// bind turns the ? of a statement into the dialect's arguments. No statement of ours has a question
// mark in a literal.
func (d *dialect) bind(query string) string {
	if !d.dollars {
		return query
	}
	if q, ok := d.rewritten.Load(query); ok {
		return q.(string)
	}
	var b strings.Builder
	n := 0
	for _, c := range query {
		if c == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		} else {
			b.WriteRune(c)
		}
	}
	q := b.String()
	d.rewritten.Store(query, q)
	return q
}

// Holes returns "?, ?, …" n times, for lists whose length is known only when the statement runs.
func Holes(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}
