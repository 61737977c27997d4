package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// How much of an erasure goes into one commit.
const (
	eraseRows = 500    // rows changed
	eraseSpan = 10_000 // positions of the log looked through
)

// EraseSettle is for how long an erasure looks again at what may still come of what was under way:
// answers, echoes and receipts of the last sends.
const EraseSettle = 5 * time.Second

// Erase does the work of an erasure that has begun, in steps of one commit each, and answers with
// the erasure as it is afterwards: done, or due again because a message is in flight or something
// may still come of the last one. What a step has done stays done; after a crash it goes on.
func (s *Store) Erase(ctx context.Context, e *gateway.Erasure) error {
	defer s.forgetTails()
	head, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	steps := []func(context.Context, *gateway.Erasure) error{
		func(ctx context.Context, e *gateway.Erasure) error {
			return s.eraseWrite(ctx, e, func(tx *Tx) error { return tx.eraseRecords(e) })
		},
		s.eraseMessages,
		func(ctx context.Context, e *gateway.Erasure) error { return s.eraseEvents(ctx, e, head) },
		s.eraseDeliveries,
	}
	for _, step := range steps {
		if err := step(ctx, e); err != nil {
			return fmt.Errorf("erasure %s: %w", e.ID, err)
		}
	}
	open, err := s.openOf(ctx, e)
	if err != nil {
		return fmt.Errorf("erasure %s: %w", e.ID, err)
	}
	if err := s.eraseWrite(ctx, e, func(tx *Tx) error { return e.Pass(tx.now, open, EraseSettle) }); err != nil {
		return fmt.Errorf("erasure %s: %w", e.ID, err)
	}
	if e.State == gateway.ErasureDone {
		s.checkpoint(ctx)
	}
	return nil
}

// eraseWrite commits a step with the erasure as it is after it, if this node still holds its lease.
// SQLite overwrites what the step removes.
func (s *Store) eraseWrite(ctx context.Context, e *gateway.Erasure, do func(*Tx) error) error {
	part := erasurePartition(e)
	epoch, _ := s.leases.Epoch(part)
	before := *e
	err := s.Write(ctx, func(tx *Tx) error {
		*e = before
		if ok, err := tx.Holds(part, epoch); err != nil || !ok {
			return errLeaseLost
		}
		if err := do(tx); err != nil {
			return err
		}
		return tx.SaveErasure(e)
	})
	if err != nil {
		*e = before
	}
	return err
}

// within reports whether what belongs to an application may be looked through for an erasure.
func within(e *gateway.Erasure, app string) bool {
	return len(e.Applications) == 0 || slices.Contains(e.Applications, app)
}

// isOf reports whether a row's conversation is of somebody who is erased, and who stands in for
// them.
func isOf(e *gateway.Erasure, app, person string) (standIn string, ok bool) {
	for _, p := range e.People {
		if p.StandIn == person || p.Person == person && (p.Application == "" || app == "" && len(e.Applications) == 0 || p.Application == app) {
			return p.StandIn, true
		}
	}
	return "", false
}

func personArgs(e *gateway.Erasure) []any {
	args := make([]any, len(e.People))
	for i, p := range e.People {
		args[i] = p.Person
	}
	return args
}

// eraseMessages empties the messages to a person that are not under way.
func (s *Store) eraseMessages(ctx context.Context, e *gateway.Erasure) error {
	for _, p := range e.People {
		// An echo may have brought the platform's id to a message that was empty already.
		err := s.eraseWrite(ctx, e, func(tx *Tx) error {
			_, err := tx.Exec(`UPDATE messages SET mid = '' WHERE person = ? AND mid <> ''`, p.StandIn)
			return err
		})
		if err != nil {
			return err
		}
		for more := true; more; {
			rows, err := s.Query(ctx, `SELECT seq, id, attempts, error FROM messages WHERE person = ? AND (app = ? OR CAST(? AS TEXT) = '') AND open = 0 ORDER BY seq LIMIT ?`,
				p.Person, p.Application, p.Application, eraseRows)
			found, err := Collect(rows, err, scanErasedMessage)
			if err != nil {
				return fmt.Errorf("read messages: %w", err)
			}
			more = len(found) == eraseRows
			if len(found) == 0 {
				break
			}
			err = s.eraseWrite(ctx, e, func(tx *Tx) error { return tx.emptyMessages(e, p, found) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// emptySteps are the further columns of a message that are emptied. No message is at step -1, so
// that nobody who has read it before can still record anything.
const emptySteps = `, steps = '', step = -1, step_due = 0, late_mark = 0`

type erasedMessage struct {
	seq                  int64
	id, attempts, failed string
}

func scanErasedMessage(r *sql.Rows) (erasedMessage, error) {
	var m erasedMessage
	err := r.Scan(&m.seq, &m.id, &m.attempts, &m.failed)
	return m, err
}

func (tx *Tx) emptyMessages(e *gateway.Erasure, p gateway.ErasedPerson, found []erasedMessage) error {
	rows, segments := make([][]any, len(found)), make([][]any, len(found))
	request := []byte(gateway.ErasedRequest(p.StandIn))
	for i, m := range found {
		rows[i] = []any{p.StandIn, request, emptyAttempts(m.attempts), emptyFailure(m.failed), m.seq, p.Person}
		segments[i] = []any{m.id}
	}
	changed, err := tx.ExecMany(`UPDATE messages SET person = ?, profile = '', request = ?, origin_data = NULL, mid = '', attempts = ?, error = ?`+emptySteps+` WHERE seq = ? AND person = ? AND open = 0`, rows)
	if err != nil {
		return fmt.Errorf("empty messages: %w", err)
	}
	for _, n := range changed {
		e.Counts.Messages += n
	}
	if _, err := tx.ExecMany(`DELETE FROM sms_segments WHERE message = ?`, segments); err != nil {
		return fmt.Errorf("remove segments: %w", err)
	}
	return nil
}

// emptyAttempts leaves of attempts when they were and how they went.
func emptyAttempts(text string) string {
	var attempts []gateway.Attempt
	if text == "" || json.Unmarshal([]byte(text), &attempts) != nil {
		return ""
	}
	for i := range attempts {
		attempts[i].PlatformMessageID, attempts[i].Failure = "", emptied(attempts[i].Failure)
	}
	return string(data(attempts))
}

func emptyFailure(text string) string {
	var f gateway.Failure
	if text == "" || json.Unmarshal([]byte(text), &f) != nil {
		return ""
	}
	return encodeFailure(emptied(&f))
}

// emptied is a failure without words, which may quote.
func emptied(f *gateway.Failure) *gateway.Failure {
	if f == nil {
		return nil
	}
	return &gateway.Failure{Code: f.Code, Message: "(erased)", PlatformCode: f.PlatformCode, PlatformSubcode: f.PlatformSubcode}
}

// eraseEvents empties the events of a person up to a position. Positions, types and times stay, and
// the key by which a repeat of the platform's is known.
func (s *Store) eraseEvents(ctx context.Context, e *gateway.Erasure, head int64) error {
	for e.Pos < head {
		upto := min(e.Pos+eraseSpan, head)
		// Positions may have a wide gap, as after a restore.
		var first sql.NullInt64
		if err := s.QueryRow(ctx, `SELECT MIN(pos) FROM events WHERE pos > ?`, e.Pos).Scan(&first); err != nil {
			return fmt.Errorf("look through the log: %w", err)
		}
		if !first.Valid || first.Int64 > head {
			upto = head
		} else {
			upto = min(max(upto, first.Int64+eraseSpan), head)
		}
		rows, err := s.eventsOf(ctx, e, e.Pos, upto)
		if err != nil {
			return fmt.Errorf("look through the log after %d: %w", e.Pos, err)
		}
		for some := range slices.Chunk(rows, eraseRows) {
			if err := s.eraseWrite(ctx, e, func(tx *Tx) error { return tx.emptyEvents(e, some) }); err != nil {
				return err
			}
		}
		if err := s.eraseWrite(ctx, e, func(*Tx) error { e.Pos = upto; return nil }); err != nil {
			return err
		}
	}
	return nil
}

// eventsOf returns the events of a stretch of the log that are about a person: those of their
// conversations, and those of nobody's that name them.
func (s *Store) eventsOf(ctx context.Context, e *gateway.Erasure, after, upto int64) ([][]any, error) {
	args, condition := append([]any{after, upto}, personArgs(e)...), `person = ''`
	if len(e.People) > 0 {
		// What is told of a message after it was emptied bears the name it has then.
		condition += ` OR person IN (` + Holes(len(e.People)) + `) OR person IN (` + Holes(len(e.People)) + `) AND data <> ?`
		for _, p := range e.People {
			args = append(args, p.StandIn)
		}
		args = append(args, []byte(gateway.ErasedData()))
	}
	if len(e.Profiles) > 0 {
		condition += ` OR type IN ('profile.created', 'profile.updated')`
	}
	found, err := s.Query(ctx, `SELECT pos, app, person, type, CASE WHEN person = '' THEN raw END, CASE WHEN person = '' OR type LIKE 'profile.%' THEN data END
FROM events WHERE pos > ? AND pos <= ? AND (`+condition+`) ORDER BY pos`, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows [][]any
	for found.Next() {
		var pos int64
		var app, person, kind string
		var raw, content []byte
		if err := found.Scan(&pos, &app, &person, &kind, &raw, &content); err != nil {
			return nil, err
		}
		standIn, ok := isOf(e, app, person)
		switch {
		case ok:
		case person == "" && within(e, app) && (names(e, raw) || names(e, content)):
		case bytes.HasPrefix([]byte(kind), []byte("profile.")) && ofProfile(e, content):
			standIn = person // the conversation is somebody else's now
		default:
			continue
		}
		rows = append(rows, []any{standIn, []byte(gateway.ErasedData()), pos})
	}
	return rows, found.Err()
}

// profilePerson stands for people who are known by their profile alone.
const profilePerson = "profile"

// names reports whether an event's content names a person or profile as a JSON string.
func names(e *gateway.Erasure, content []byte) bool {
	if len(content) == 0 {
		return false
	}
	for _, p := range e.People {
		channel, address := p.Address()
		if channel != profilePerson && bytes.Contains(content, data(address)) {
			return true
		}
	}
	return ofProfile(e, content)
}

func ofProfile(e *gateway.Erasure, content []byte) bool {
	var d struct {
		Profile struct {
			ID string `json:"id"`
		} `json:"profile"`
		ProfileID string `json:"profileId"`
	}
	if json.Unmarshal(content, &d) != nil {
		return false
	}
	return d.Profile.ID != "" && slices.Contains(e.Profiles, d.Profile.ID) || d.ProfileID != "" && slices.Contains(e.Profiles, d.ProfileID)
}

func (tx *Tx) emptyEvents(e *gateway.Erasure, rows [][]any) error {
	changed, err := tx.ExecMany(`UPDATE events SET person = ?, raw = NULL, data = ?, channel = '' WHERE pos = ?`, rows)
	if err != nil {
		return fmt.Errorf("empty events: %w", err)
	}
	for _, n := range changed {
		e.Counts.Events += n
	}
	return nil
}

// eraseDeliveries takes the person out of deliveries. Those that are not done yet go on with the
// emptied event, so that no conversation waits for them for ever.
func (s *Store) eraseDeliveries(ctx context.Context, e *gateway.Erasure) error {
	if len(e.People) == 0 {
		return nil
	}
	for {
		rows, err := s.Query(ctx, deliveries.selected+` WHERE person IN (`+Holes(len(e.People))+`) LIMIT ?`, append(personArgs(e), eraseRows)...)
		found, err := Collect(rows, err, scanDelivery)
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		var changes [][]any
		for _, d := range found {
			standIn, ok := isOf(e, d.Lane.Application, d.Lane.Person)
			if !ok {
				continue
			}
			for i := range d.Attempts {
				if d.Attempts[i].Error != "" {
					d.Attempts[i].Error = "(erased)"
				}
			}
			attempts := ""
			if len(d.Attempts) > 0 {
				attempts = string(data(d.Attempts))
			}
			changes = append(changes, []any{standIn, attempts, d.Subscription, d.Pos})
		}
		if len(changes) == 0 {
			return nil
		}
		err = s.eraseWrite(ctx, e, func(tx *Tx) error {
			changed, err := tx.ExecMany(`UPDATE deliveries SET person = ?, attempts = ? WHERE subscription = ? AND pos = ?`, changes)
			for _, n := range changed {
				e.Counts.Deliveries += n
			}
			return err
		})
		if err != nil || len(found) < eraseRows {
			return err
		}
	}
}

// openOf returns how many messages to a person are under way.
func (s *Store) openOf(ctx context.Context, e *gateway.Erasure) (int, error) {
	open := 0
	for _, p := range e.People {
		var n int
		if err := s.QueryRow(ctx, `SELECT COUNT(*) FROM messages WHERE person = ? AND (app = ? OR CAST(? AS TEXT) = '') AND open = 1`, p.Person, p.Application, p.Application).Scan(&n); err != nil {
			return 0, err
		}
		open += n
	}
	return open, nil
}

// forgetTails drops what is kept of both logs in memory: it may hold what was emptied in the
// database.
func (s *Store) forgetTails() {
	s.events.forget()
	s.outbox.forget()
	s.forgotten.Add(1)
}

// Forgotten grows whenever rows were emptied that somebody may hold in memory, or whose
// conversations have got another name.
func (s *Store) Forgotten() int64 { return s.forgotten.Load() }

// checkpoint moves what is in SQLite's log into the file and empties the log, where the removed
// rows still stand.
func (s *Store) checkpoint(ctx context.Context) {
	if !s.dialect.exclusive {
		return
	}
	if _, err := s.db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		s.log.Warn("empty the write-ahead log after an erasure", "err", err)
	}
}

// FollowErasures drops what this node holds in memory whenever any node has emptied rows. It
// returns the number of changes seen, to be given again.
func (s *Store) FollowErasures(ctx context.Context, seen int64) (int64, error) {
	var n int64
	err := s.QueryRow(ctx, `SELECT COALESCE(MAX(updated_at), 0) FROM erasures`).Scan(&n)
	if err != nil || n == seen {
		return seen, err
	}
	s.forgetTails()
	return n, nil
}
