package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Extension is what a package outside the store keeps in the database: its migrations, numbered in
// one sequence with all others, and its tables.
type Extension struct {
	Name       string
	Migrations []Migration
	Tables     []Table
}

// Migration changes the schema, or what is stored, from one version to the next.
type Migration struct {
	Version int64
	SQL     string // statements; @serial is the dialect's primary key of 64 bits
	// Run does what statements cannot; nil for none. It comes after them.
	Run func(ctx context.Context, tx *MigrationTx) error
}

// MigrationTx is the transaction of a migration. Statements are written with ? for arguments.
type MigrationTx struct {
	tx      *sql.Tx
	dialect *dialect
}

// Exec runs a statement.
func (m *MigrationTx) Exec(ctx context.Context, query string, args ...any) error {
	_, err := m.tx.ExecContext(ctx, m.dialect.bind(query), args...)
	return err
}

// EachMessage goes through all messages in order and lets change alter a message's request and
// origin, which are stored when it returns true. It holds a thousand in memory.
func (m *MigrationTx) EachMessage(ctx context.Context, change func(r *MessageRow) bool) error {
	for after := int64(0); ; {
		rows, err := m.tx.QueryContext(ctx, m.dialect.bind(`SELECT seq, app, request, origin, origin_data FROM messages WHERE seq > ? ORDER BY seq LIMIT 1000`), after)
		found, err := Collect(rows, err, func(r *sql.Rows) (*MessageRow, error) {
			var x MessageRow
			return &x, r.Scan(&x.seq, &x.Application, &x.Request, &x.Origin, &x.OriginData)
		})
		if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		for _, r := range found {
			after = r.seq
			if !change(r) {
				continue
			}
			if err := m.Exec(ctx, `UPDATE messages SET request = ?, origin = ?, origin_data = ? WHERE seq = ?`, r.Request, r.Origin, r.OriginData, r.seq); err != nil {
				return fmt.Errorf("store message: %w", err)
			}
		}
	}
}

// MessageRow is the part of a message's row that a migration may change.
type MessageRow struct {
	seq                 int64
	Application         string // not stored
	Request, OriginData []byte
	Origin              string
}

// EachDocument goes through the rows of a table that has a key and a document, and lets change
// alter the document, which is stored when it returns true.
func (m *MigrationTx) EachDocument(ctx context.Context, table, key string, change func(doc []byte) ([]byte, bool)) error {
	rows, err := m.tx.QueryContext(ctx, `SELECT `+key+`, doc FROM `+table)
	type row struct{ key, doc string }
	found, err := Collect(rows, err, func(r *sql.Rows) (row, error) {
		var x row
		return x, r.Scan(&x.key, &x.doc)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	for _, r := range found {
		changed, ok := change([]byte(r.doc))
		if !ok {
			continue
		}
		if err := m.Exec(ctx, `UPDATE `+table+` SET doc = ? WHERE `+key+` = ?`, string(changed), r.key); err != nil {
			return fmt.Errorf("store %s: %w", table, err)
		}
	}
	return nil
}

// allMigrations returns the store's own migrations and those of the extensions, in order.
func allMigrations(extensions []Extension) ([]Migration, error) {
	all, err := ownMigrations()
	if err != nil {
		return nil, err
	}
	for _, e := range extensions {
		all = append(all, e.Migrations...)
	}
	slices.SortFunc(all, func(a, b Migration) int { return cmp.Compare(a.Version, b.Version) })
	for i := 1; i < len(all); i++ {
		if all[i].Version == all[i-1].Version {
			return nil, fmt.Errorf("there are two migrations %d", all[i].Version)
		}
	}
	return all, nil
}
