package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Idempotency remembers the answer to a request under the caller's key.
type Idempotency struct {
	APIKey      string
	Key         string
	Fingerprint []byte // of the request's body
	Answer      string // what identifies the answer: message ids, as the service writes them

	taken bool
}

// Accept is a message on its way into the outbox.
type Accept struct {
	Message     *gateway.Message
	Idempotency *Idempotency // nil without a key; messages of one batch share it
	Replayed    bool         // set when the key was taken already, so that the message was not accepted
}

// Sending marks a message before a POST: the row says that one may be under way.
type Sending struct {
	Seq       int64
	Partition int
	Epoch     int64
	From      gateway.Status // the state it must be in
	PartsSent int            // and how far it must be
	Step      int            // at which step
	At        time.Time
	Resent    bool
	Applied   bool // set when the mark was made
}

// Result is what became of a POST, or of a message that came to its end without one.
type Result struct {
	Message *gateway.Message // with its new state
	From    gateway.Status   // the state it must be in
	AtStep  int              // the step it must be at
	Epoch   int64            // the epoch it must have been sent under; 0 when it was not sent
	Fence   int64            // the epoch of the lease that this node holds now; 0 when any node may record it
	Events  []*gateway.Event // facts that follow, if it applied
	Closed  *Closed          // the platform's word that a window is closed; nil without
	Applied bool             // set when it was recorded
}

// Closed says that the platform has refused a message because a window was closed, or because
// another app controls the thread.
type Closed struct {
	At        time.Time
	Human     bool // the window of 7 days for answers by people
	Elsewhere bool // no window: another app controls the thread
}

// Accept commits messages to the outbox, all or none, in the order given; their Seq is set. It
// returns true when the idempotency key was taken: then nothing was accepted, and RememberedAnswer
// tells what was answered before.
func (s *Store) Accept(ctx context.Context, messages []*gateway.Message, key *Idempotency) (replayed bool, err error) {
	r := &request{accepts: make([]*Accept, len(messages))}
	for i, m := range messages {
		r.accepts[i] = &Accept{Message: m, Idempotency: key}
	}
	if err := s.submit(ctx, r); err != nil {
		return false, err
	}
	return r.accepts[0].Replayed, nil
}

// MarkSending commits the marks that come before POSTs; each reports whether it applied.
func (s *Store) MarkSending(ctx context.Context, marks ...*Sending) error {
	return s.submit(ctx, &request{sending: marks})
}

// Record commits what became of messages; each result reports whether it applied.
func (s *Store) Record(ctx context.Context, results ...*Result) error {
	return s.submit(ctx, &request{results: results})
}

// RememberedAnswer looks up an idempotency key: the fingerprint of the first request's body, and
// its answer. It returns nil when the key is free.
func (s *Store) RememberedAnswer(ctx context.Context, apiKey, key string) (*Idempotency, error) {
	i := &Idempotency{APIKey: apiKey, Key: key}
	err := s.QueryRow(ctx, `SELECT fingerprint, answer FROM idempotency WHERE api_key = ? AND key = ?`, apiKey, key).Scan(&i.Fingerprint, &i.Answer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return i, err
}

// remember stores the group's idempotency keys and drops the messages of those that were taken.
func (tx *Tx) remember() error {
	var last *Idempotency
	for _, a := range tx.accepts {
		key := a.Idempotency
		if key == nil {
			continue
		}
		if key != last {
			n, err := tx.Exec(`INSERT INTO idempotency (api_key, key, fingerprint, answer, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				key.APIKey, key.Key, key.Fingerprint, key.Answer, tx.now.UnixMilli())
			if err != nil {
				return fmt.Errorf("remember idempotency key: %w", err)
			}
			key.taken, last = n == 0, key
		}
		a.Replayed = key.taken
	}
	return nil
}

func (tx *Tx) insertMessages() error {
	rows := make([][]any, 0, len(tx.accepts))
	for _, a := range tx.accepts {
		if !a.Replayed {
			rows = append(rows, messages.args(a.Message))
		}
	}
	if _, err := tx.ExecMany(messages.insert, rows); err != nil {
		return fmt.Errorf("accept messages: %w", err)
	}
	return nil
}

func (tx *Tx) markSending() error {
	var rows [][]any
	var marks []*Sending
	for _, m := range tx.sendings {
		m.Applied = false
		if !tx.holds(m.Partition, m.Epoch) {
			continue
		}
		marks = append(marks, m)
		rows = append(rows, []any{m.Epoch, Millis(m.At), Millis(m.At), flag(m.Resent), m.Seq, string(m.From), m.PartsSent, m.Step})
	}
	changed, err := tx.ExecMany(`UPDATE messages SET status = 'sending', epoch = ?, sending_at = ?, updated_at = ?, resent = ?
WHERE seq = ? AND status = ? AND parts_sent = ? AND step = ?`, rows)
	if err != nil {
		return fmt.Errorf("mark messages as sending: %w", err)
	}
	for i, n := range changed {
		marks[i].Applied = n > 0
	}
	return nil
}

// The echo of a part may be there before the answer to its request: then its time stays the mark
// that watermarks are compared with, and where no answer came its mid stays too. A message that
// moves on to another step begins there as if nothing of it had been sent.
const recordResult = `UPDATE messages SET status = ?, open = ?, parts_sent = ?, mid = CASE WHEN ? = 'uncertain' THEN mid ELSE ? END, attempts = ?, due_at = ?,
mark_at = CASE WHEN echoed = 0 THEN ? ELSE mark_at END, sent_at = ?, ended_at = ?, updated_at = ?, error = ?, late = ?, steps = ?, step_due = ?
WHERE seq = ? AND status = ? AND step = ? AND (epoch = ? OR ? = 0)`

const recordStep = `UPDATE messages SET status = ?, open = ?, parts = ?, parts_sent = ?, echoed = CASE WHEN step = ? THEN echoed ELSE 0 END,
mid = CASE WHEN step = ? AND ? = 'uncertain' THEN mid ELSE ? END, attempts = ?, due_at = ?, sending_at = ?, mark_at = CASE WHEN step = ? AND echoed <> 0 THEN mark_at ELSE ? END, sent_at = ?,
delivered_at = ?, read_at = ?, ended_at = ?, updated_at = ?, error = ?, late = ?, resent = ?, steps = ?, step = ?, step_due = ?, late_mark = ?
WHERE seq = ? AND status = ? AND step = ? AND (epoch = ? OR ? = 0)`

func (tx *Tx) record() error {
	var rows [][]any
	var results []*Result
	for _, r := range tx.results {
		m := r.Message
		r.Applied = false
		if r.Fence != 0 && !tx.holds(m.Partition, r.Fence) {
			continue
		}
		if m.Step != r.AtStep || r.From == gateway.StatusSent || r.From == gateway.StatusDelivered || m.LateMark != 0 {
			if err := tx.recordStep(r); err != nil {
				return err
			}
			continue
		}
		results = append(results, r)
		rows = append(rows, []any{string(m.Status), flag(m.Status.Open()), m.PartsSent, string(m.Status), m.MID, encodeAttempts(m), Millis(m.DueAt),
			Millis(m.MarkAt), Millis(m.SentAt), Millis(m.EndedAt), tx.now.UnixMilli(), encodeFailure(m.Error), flag(m.Late), gateway.EncodeSteps(m.Steps), Millis(m.StepDue),
			m.Seq, string(r.From), r.AtStep, r.Epoch, r.Epoch})
	}
	changed, err := tx.ExecMany(recordResult, rows)
	if err != nil {
		return fmt.Errorf("record results: %w", err)
	}
	for i, n := range changed {
		if n > 0 {
			if err := tx.follow(results[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordStep writes the whole state of a message that has left a step.
func (tx *Tx) recordStep(r *Result) error {
	m := r.Message
	n, err := tx.Exec(recordStep, string(m.Status), flag(m.Status.Open()), m.Parts, m.PartsSent, m.Step, m.Step, string(m.Status), m.MID, encodeAttempts(m), Millis(m.DueAt),
		Millis(m.SendingAt), m.Step, Millis(m.MarkAt), Millis(m.SentAt), Millis(m.DeliveredAt), Millis(m.ReadAt), Millis(m.EndedAt), tx.now.UnixMilli(), encodeFailure(m.Error), flag(m.Late), flag(m.Resent),
		gateway.EncodeSteps(m.Steps), m.Step, Millis(m.StepDue), m.LateMark, m.Seq, string(r.From), r.AtStep, r.Epoch, r.Epoch)
	if err != nil {
		return fmt.Errorf("record a step: %w", err)
	}
	if n == 0 {
		return nil
	}
	return tx.follow(r)
}

// follow writes what follows from a result that applied.
func (tx *Tx) follow(r *Result) error {
	r.Applied = true
	for _, e := range r.Events {
		tx.AppendEvent(e)
	}
	if r.Closed != nil {
		return tx.setClosed(r.Message.Lane(), *r.Closed)
	}
	return nil
}

// Message returns one message; a not_found error when there is none.
func (s *Store) Message(ctx context.Context, id string) (*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE id = ?`, id)
	return One("message", id, rows, err, scanMessage)
}

// Message returns one message inside the transaction; a not_found error when there is none.
func (tx *Tx) Message(id string) (*gateway.Message, error) {
	rows, err := tx.Query(messages.selected+` WHERE id = ?`, id)
	return One("message", id, rows, err, scanMessage)
}

// Origins returns the origins of messages by their identifiers. One that is no longer kept is left
// out.
func (s *Store) Origins(ctx context.Context, ids []string) (map[string]gateway.Origin, error) {
	all := make(map[string]gateway.Origin, len(ids))
	for some := range slices.Chunk(ids, listAtOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		rows, err := s.Query(ctx, `SELECT id, origin, origin_data FROM messages WHERE id IN (`+Holes(len(some))+`)`, args...)
		_, err = Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var id string
			var o gateway.Origin
			err := r.Scan(&id, &o.Dialect, (*[]byte)(&o.Data))
			all[id] = o
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("read origins of messages: %w", err)
		}
	}
	return all, nil
}

// MessageFilter selects messages for listing, newest first. Empty fields select all.
type MessageFilter struct {
	Applications []string
	Person       string
	Persons      []string // any of them
	ProfileID    string
	Status       gateway.Status
	Until        time.Time // accepted at this moment or before; zero for all
	Before       int64     // Seq of the last message of the page before; 0 for the first page
	Limit        int
}

// ListMessages returns messages newest first.
func (s *Store) ListMessages(ctx context.Context, f MessageFilter) ([]*gateway.Message, error) {
	where, args := []string{"seq > 0"}, []any{}
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
	if f.Person != "" {
		add("person = ?", f.Person)
	}
	if len(f.Persons) > 0 {
		values := make([]any, len(f.Persons))
		for i, p := range f.Persons {
			values[i] = p
		}
		add("person IN ("+Holes(len(values))+")", values...)
	}
	if !f.Until.IsZero() {
		add("accepted_at <= ?", Millis(f.Until))
	}
	if f.ProfileID != "" {
		add("profile = ?", f.ProfileID)
	}
	if f.Status != "" {
		add("status = ?", string(f.Status))
	}
	if f.Before > 0 {
		add("seq < ?", f.Before)
	}
	args = append(args, f.Limit)
	rows, err := s.Query(ctx, messages.selected+` WHERE `+strings.Join(where, " AND ")+` ORDER BY seq DESC LIMIT ?`, args...)
	return Collect(rows, err, scanMessage)
}

// CancelMessage ends a message that nothing of was sent yet; a not_cancelable error otherwise.
func (s *Store) CancelMessage(ctx context.Context, id string) (*gateway.Message, error) {
	var m *gateway.Message
	err := s.Write(ctx, func(tx *Tx) error {
		now := tx.now.UnixMilli()
		n, err := tx.Exec(`UPDATE messages SET status = 'canceled', open = 0, ended_at = ?, updated_at = ?, step_due = 0
WHERE id = ? AND status IN ('queued', 'held') AND parts_sent = 0`, now, now, id)
		if err != nil {
			return err
		}
		if m, err = tx.Message(id); err != nil {
			return err
		}
		if n == 0 {
			return gateway.Errorf(gateway.CodeNotCancelable, "message %s is %s: only a queued message can be canceled", id, m.Status)
		}
		if len(m.Steps) == 0 {
			return nil
		}
		m.Abandon(tx.now)
		_, err = tx.UpdateSteps(m, m.Status, m.Step)
		return err
	})
	return m, err
}

// ReleaseMessage puts a held message back in the outbox, as the newest of its conversation; a
// not_held error when it is not held, or its time is up.
func (s *Store) ReleaseMessage(ctx context.Context, id string) (*gateway.Message, error) {
	var m *gateway.Message
	err := s.Write(ctx, func(tx *Tx) error {
		var err error
		if m, err = tx.Message(id); err != nil {
			return err
		}
		if m.Status != gateway.StatusHeld || !tx.now.Before(m.ExpiresAt) {
			return gateway.Errorf(gateway.CodeNotHeld, "message %s is %s and may be sent until %s: only a held message whose time is not up can be released",
				id, m.Status, gateway.FormatTime(m.ExpiresAt))
		}
		if _, err := tx.Exec(`DELETE FROM messages WHERE seq = ?`, m.Seq); err != nil {
			return err
		}
		m.Status, m.PartsSent, m.Echoed, m.Attempts = gateway.StatusQueued, 0, 0, nil
		m.Rewind(tx.now)
		m.UpdatedAt = tx.now
		tx.accepts = append(tx.accepts, &Accept{Message: m})
		return nil
	})
	return m, err
}

// ReadOutbox returns up to limit messages accepted after a position in order, and the position up
// to which they are all there is that is unfinished.
func (s *Store) ReadOutbox(ctx context.Context, after int64, limit int) (found []*gateway.Message, upto int64, err error) {
	if found, upto, ok := s.outbox.read(after, limit); ok {
		return found, upto, nil
	}
	head, err := s.readHead(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := s.Query(ctx, messages.selected+` WHERE open = 1 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`, after, head, limit)
	found, err = Collect(rows, err, scanMessage)
	if err != nil {
		return nil, 0, fmt.Errorf("read the outbox after %d: %w", after, err)
	}
	if len(found) == limit {
		head = found[limit-1].Seq
	}
	return found, head, nil
}

// AcceptedAfter reports whether a message of a conversation may have been accepted after a
// position.
func (s *Store) AcceptedAfter(lane gateway.Lane, after int64) bool {
	return s.outbox.anyAfter(after, func(m *gateway.Message) bool { return m.Lane() == lane })
}

// WaitOutbox returns once a message may have been accepted after the position.
func (s *Store) WaitOutbox(ctx context.Context, after int64) error { return s.outbox.wait(ctx, after) }

// OpenMessages returns unfinished messages of an application in order, from a position on.
func (s *Store) OpenMessages(ctx context.Context, app string, from int64, limit int) ([]*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE app = ? AND open = 1 AND seq >= ? ORDER BY seq LIMIT ?`, app, from, limit)
	return Collect(rows, err, scanMessage)
}

// OpenInLane returns unfinished messages of a conversation in order, from a position on.
func (s *Store) OpenInLane(ctx context.Context, lane gateway.Lane, from int64, limit int) ([]*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE app = ? AND person = ? AND seq >= ? AND open = 1 ORDER BY seq LIMIT ?`,
		lane.Application, lane.Person, from, limit)
	return Collect(rows, err, scanMessage)
}

// OpenApplications returns for each application with unfinished messages the first of them.
func (s *Store) OpenApplications(ctx context.Context) (map[string]int64, error) {
	rows, err := s.Query(ctx, `SELECT app, MIN(seq) FROM messages WHERE open = 1 GROUP BY app`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	first := map[string]int64{}
	for rows.Next() {
		var app string
		var seq int64
		if err := rows.Scan(&app, &seq); err != nil {
			return nil, err
		}
		first[app] = seq
	}
	return first, rows.Err()
}

// Overdue returns unfinished messages that nothing is under way for and whose time is up.
func (s *Store) Overdue(ctx context.Context, now time.Time, limit int) ([]*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE open = 1 AND status = 'queued' AND expires_at <= ? LIMIT ?`, Millis(now), limit)
	return Collect(rows, err, scanMessage)
}

// QueueStats is the unfinished part of the outbox of one application.
type QueueStats struct {
	Application string
	Depth       int
	Oldest      time.Time // when the oldest was accepted
}

// QueueStats returns depth and age of the outbox by application.
func (s *Store) QueueStats(ctx context.Context) ([]QueueStats, error) {
	rows, err := s.Query(ctx, `SELECT app, COUNT(*), MIN(accepted_at) FROM messages WHERE open = 1 GROUP BY app`)
	return Collect(rows, err, func(r *sql.Rows) (QueueStats, error) {
		var q QueueStats
		var oldest int64
		err := r.Scan(&q.Application, &q.Depth, &oldest)
		q.Oldest = FromMillis(oldest)
		return q, err
	})
}
