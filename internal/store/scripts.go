package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// scripts are the versions of bots' scripts.
var scripts = newTable("scripts",
	plain("id", func(s *gateway.Script) *string { return &s.ID }),
	plain("app", func(s *gateway.Script) *string { return &s.Application }),
	plain("version", func(s *gateway.Script) *int { return &s.Version }),
	plain("dialect", func(s *gateway.Script) *string { return &s.Dialect }),
	plain("note", func(s *gateway.Script) *string { return &s.Note }),
	blob("files", func(s *gateway.Script) *json.RawMessage { return &s.Files }),
	truth("active", func(s *gateway.Script) *bool { return &s.Active }).later(),
	moment("created_at", func(s *gateway.Script) *time.Time { return &s.CreatedAt }),
	moment("activated_at", func(s *gateway.Script) *time.Time { return &s.ActivatedAt }).later(),
)

var scanScript = scripts.reads("script")

// AddScript stores a new version of an application's scripts, not active. Version and CreatedAt are
// set.
func (tx *Tx) AddScript(s *gateway.Script) error {
	if err := tx.QueryRow(`SELECT COALESCE(MAX(version), 0) + 1 FROM scripts WHERE app = ?`, s.Application).Scan(&s.Version); err != nil {
		return fmt.Errorf("number script: %w", err)
	}
	s.CreatedAt = tx.Now().UTC()
	_, err := tx.Exec(scripts.insert, scripts.args(s)...)
	if err != nil {
		return fmt.Errorf("store script: %w", err)
	}
	return nil
}

// ActivateScript makes a version the active one of its application, or none when active is false.
func (tx *Tx) ActivateScript(s *gateway.Script, active bool) error {
	if _, err := tx.Exec(`UPDATE scripts SET active = 0 WHERE app = ? AND active = 1`, s.Application); err != nil {
		return fmt.Errorf("retire script: %w", err)
	}
	if err := bump(tx, ChangeScripts); err != nil {
		return err
	}
	s.Active = active
	if !active {
		return nil
	}
	s.ActivatedAt = tx.Now().UTC()
	if _, err := tx.Exec(`UPDATE scripts SET active = 1, activated_at = ? WHERE id = ?`, Millis(s.ActivatedAt), s.ID); err != nil {
		return fmt.Errorf("activate script: %w", err)
	}
	return nil
}

// DeleteScript removes a version that is not active.
func (tx *Tx) DeleteScript(id string) error {
	_, err := tx.Exec(`DELETE FROM scripts WHERE id = ? AND active = 0`, id)
	return err
}

// Script returns one version; a not_found error when there is none.
func (s *Store) Script(ctx context.Context, id string) (*gateway.Script, error) {
	rows, err := s.Query(ctx, scripts.selected+` WHERE id = ?`, id)
	return One("script", id, rows, err, scanScript)
}

// Script returns one version inside the transaction; a not_found error when there is none.
func (tx *Tx) Script(id string) (*gateway.Script, error) {
	rows, err := tx.Query(scripts.selected+` WHERE id = ?`, id)
	return One("script", id, rows, err, scanScript)
}

// Scripts returns the versions of an application, the newest first; those of all applications when
// app is empty.
func (s *Store) Scripts(ctx context.Context, app string) ([]*gateway.Script, error) {
	rows, err := s.Query(ctx, scripts.selected+` WHERE app = ? OR ? = '' ORDER BY app, version DESC LIMIT 1000`, app, app)
	return Collect(rows, err, scanScript)
}

// ActiveScripts returns the active version of each application that has one, without its files: id
// by application.
func (s *Store) ActiveScripts(ctx context.Context) (map[string]string, error) {
	rows, err := s.Query(ctx, `SELECT app, id FROM scripts WHERE active = 1`)
	list, err := Collect(rows, err, func(r *sql.Rows) ([2]string, error) {
		var pair [2]string
		return pair, r.Scan(&pair[0], &pair[1])
	})
	active := map[string]string{}
	for _, pair := range list {
		active[pair[0]] = pair[1]
	}
	return active, err
}

const selectBotPerson = `SELECT pos, rev, human, state, updated_at FROM bot_people WHERE app = ? AND person = ?`

func scanBotPerson(row *sql.Row, lane gateway.Lane) (*gateway.BotPerson, error) {
	p := &gateway.BotPerson{Lane: lane}
	var human int
	var updated int64
	var state []byte
	err := row.Scan(&p.Pos, &p.Rev, &human, &state, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what the bot knows: %w", err)
	}
	p.Human, p.State, p.UpdatedAt = human == 1, state, FromMillis(updated)
	return p, nil
}

// BotPerson returns what a bot knows of a person; with Rev 0 when it knows nothing.
func (s *Store) BotPerson(ctx context.Context, lane gateway.Lane) (*gateway.BotPerson, error) {
	return scanBotPerson(s.QueryRow(ctx, selectBotPerson, lane.Application, lane.Person), lane)
}

// BotPerson returns what a bot knows of a person inside the transaction.
func (tx *Tx) BotPerson(lane gateway.Lane) (*gateway.BotPerson, error) {
	return scanBotPerson(tx.QueryRow(selectBotPerson, lane.Application, lane.Person), lane)
}

// SaveBotPerson stores what a bot knows of a person, if nobody has since it was read: false when
// somebody has. Rev grows.
func (tx *Tx) SaveBotPerson(p *gateway.BotPerson) (bool, error) {
	read := p.Rev
	p.Rev, p.UpdatedAt = read+1, tx.Now().UTC()
	var n int64
	var err error
	if read == 0 {
		n, err = tx.Exec(`INSERT INTO bot_people (app, person, pos, rev, human, state, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			p.Application, p.Person, p.Pos, p.Rev, flag(p.Human), []byte(p.State), Millis(p.UpdatedAt))
	} else {
		n, err = tx.Exec(`UPDATE bot_people SET pos = ?, rev = ?, human = ?, state = ?, updated_at = ? WHERE app = ? AND person = ? AND rev = ?`,
			p.Pos, p.Rev, flag(p.Human), []byte(p.State), Millis(p.UpdatedAt), p.Application, p.Person, read)
	}
	if err != nil {
		return false, fmt.Errorf("store what the bot knows: %w", err)
	}
	return n == 1, nil
}

// timers are what bots say later.
var timers = newTable("bot_timers",
	plain("id", func(t *gateway.BotTimer) *string { return &t.ID }),
	plain("part", func(t *gateway.BotTimer) *int { return &t.Partition }),
	plain("app", func(t *gateway.BotTimer) *string { return &t.Application }),
	plain("person", func(t *gateway.BotTimer) *string { return &t.Person }),
	plain("kind", func(t *gateway.BotTimer) *string { return &t.Kind }),
	plain("name", func(t *gateway.BotTimer) *string { return &t.Name }),
	blob("content", func(t *gateway.BotTimer) *json.RawMessage { return &t.Content }),
	moment("due_at", func(t *gateway.BotTimer) *time.Time { return &t.DueAt }),
	plain("seq", func(t *gateway.BotTimer) *int { return &t.Seq }),
)

var scanTimer = timers.reads("timer")

// AddTimer stores something to be said later.
func (tx *Tx) AddTimer(t *gateway.BotTimer) error {
	_, err := tx.Exec(timers.insert, timers.args(t)...)
	if err != nil {
		return fmt.Errorf("store timer: %w", err)
	}
	return nil
}

// TakeTimer removes a timer and reports whether it was there.
func (tx *Tx) TakeTimer(id string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM bot_timers WHERE id = ?`, id)
	return n == 1, err
}

// CancelReminder removes the reminders of a name that a person has.
func (tx *Tx) CancelReminder(lane gateway.Lane, name string) error {
	_, err := tx.Exec(`DELETE FROM bot_timers WHERE app = ? AND person = ? AND kind = ? AND name = ?`, lane.Application, lane.Person, gateway.TimerReminder, name)
	return err
}

// DueTimers returns timers that are due, in their order, after one of them; after nil from the
// first.
func (s *Store) DueTimers(ctx context.Context, after *gateway.BotTimer, limit int) ([]*gateway.BotTimer, error) {
	query, args := timers.selected+` WHERE due_at <= ?`, []any{Millis(s.now())}
	if after != nil {
		query += ` AND (due_at, seq, id) > (?, ?, ?)`
		args = append(args, Millis(after.DueAt), after.Seq, after.ID)
	}
	rows, err := s.Query(ctx, query+` ORDER BY due_at, seq, id LIMIT ?`, append(args, limit)...)
	return Collect(rows, err, scanTimer)
}

// Accept adds a message to the outbox in the same commit.
func (tx *Tx) Accept(m *gateway.Message) { tx.accepts = append(tx.accepts, &Accept{Message: m}) }
