package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Seen is what happened in a conversation: when anything did, and when the person last did
// something.
type Seen struct {
	Lane    gateway.Lane
	First   time.Time
	Last    time.Time
	Inbound time.Time // zero when the person did nothing
	// Elsewhere is when it was last seen that another app controls the thread, Here that ours does.
	// Zero when nothing says so.
	Elsewhere, Here time.Time
}

// TouchConversations records when something happened in conversations.
func (tx *Tx) TouchConversations(seen []Seen) error {
	rows := make([][]any, len(seen))
	for i, c := range seen {
		rows[i] = []any{c.Lane.Application, c.Lane.Person, gateway.Partition(c.Lane.Application, c.Lane.Person),
			Millis(c.First), Millis(c.Last), Millis(c.Inbound), Millis(c.Elsewhere), Millis(c.Here)}
	}
	_, err := tx.ExecMany(`INSERT INTO conversations (app, person, part, first_at, last_at, last_inbound_at, elsewhere_at, here_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (app, person) DO UPDATE SET
  last_at = CASE WHEN excluded.last_at > conversations.last_at THEN excluded.last_at ELSE conversations.last_at END,
  last_inbound_at = CASE WHEN excluded.last_inbound_at > conversations.last_inbound_at THEN excluded.last_inbound_at ELSE conversations.last_inbound_at END,
  elsewhere_at = CASE WHEN excluded.elsewhere_at > conversations.elsewhere_at THEN excluded.elsewhere_at ELSE conversations.elsewhere_at END,
  here_at = CASE WHEN excluded.here_at > conversations.here_at THEN excluded.here_at ELSE conversations.here_at END`, rows)
	if err != nil {
		return fmt.Errorf("touch conversations: %w", err)
	}
	return nil
}

// Marks are the watermarks of a conversation, milliseconds of the platform's clock.
type Marks struct {
	Delivered, Read int64
	ReadSeq         int64 // every message up to this one has come to its end
}

const selectMarks = `SELECT delivered_mark, read_mark, read_seq FROM conversations WHERE app = ? AND person = ?`

// Marks returns the watermarks of a conversation; zero ones when nothing is known.
func (s *Store) Marks(ctx context.Context, lane gateway.Lane) (Marks, error) {
	return scanMarks(s.hotRow(ctx, selectMarks, lane.Application, lane.Person))
}

// Marks returns the watermarks of a conversation; zero ones when nothing is known.
func (tx *Tx) Marks(lane gateway.Lane) (Marks, error) {
	return scanMarks(tx.QueryRow(selectMarks, lane.Application, lane.Person))
}

func scanMarks(row *sql.Row) (Marks, error) {
	var m Marks
	err := row.Scan(&m.Delivered, &m.Read, &m.ReadSeq)
	if err == sql.ErrNoRows {
		err = nil
	}
	return m, err
}

// SetMarks stores the watermarks of a conversation.
func (tx *Tx) SetMarks(lane gateway.Lane, m Marks) error {
	now := tx.now.UnixMilli()
	_, err := tx.Exec(`INSERT INTO conversations (app, person, part, first_at, last_at, last_inbound_at, delivered_mark, read_mark, read_seq)
VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT (app, person) DO UPDATE SET
  delivered_mark = excluded.delivered_mark, read_mark = excluded.read_mark, read_seq = excluded.read_seq`,
		lane.Application, lane.Person, gateway.Partition(lane.Application, lane.Person), now, now, m.Delivered, m.Read, m.ReadSeq)
	return err
}

// Awaiting returns the messages of a conversation after a position that were sent and not delivered
// yet, in order; with unread also those that were delivered and not read.
func (tx *Tx) Awaiting(lane gateway.Lane, after int64, unread bool) ([]*gateway.Message, error) {
	second := gateway.StatusSent
	if unread {
		second = gateway.StatusDelivered
	}
	rows, err := tx.Query(messages.selected+` WHERE app = ? AND person = ? AND seq > ? AND status IN ('sent', ?) AND mark_at > 0 ORDER BY seq`,
		lane.Application, lane.Person, after, string(second))
	return Collect(rows, err, scanMessage)
}

// FirstUnfinished returns the first message of a conversation after a position of which Messenger
// may still say something; 0 when there is none.
func (tx *Tx) FirstUnfinished(lane gateway.Lane, after int64) (int64, error) {
	var seq sql.NullInt64
	err := tx.QueryRow(`SELECT MIN(seq) FROM messages WHERE app = ? AND person = ? AND seq > ?
AND (status IN ('queued', 'sending', 'uncertain', 'held') OR status IN ('sent', 'delivered') AND (mark_at > 0 OR step_due > 0))`, lane.Application, lane.Person, after).Scan(&seq)
	return seq.Int64, err
}

// LastSeq returns the newest message of a conversation; 0 when there is none.
func (tx *Tx) LastSeq(lane gateway.Lane) (int64, error) {
	var seq sql.NullInt64
	err := tx.QueryRow(`SELECT MAX(seq) FROM messages WHERE app = ? AND person = ?`, lane.Application, lane.Person).Scan(&seq)
	return seq.Int64, err
}

// Receive marks a message as delivered or read, if it is still in the state it was in; false when
// it is not.
func (tx *Tx) Receive(m *gateway.Message, from gateway.Status) (bool, error) {
	n, err := tx.Exec(`UPDATE messages SET status = ?, delivered_at = ?, read_at = ?, ended_at = ?, updated_at = ?, steps = ?, step_due = ? WHERE seq = ? AND status = ? AND step = ?`,
		string(m.Status), Millis(m.DeliveredAt), Millis(m.ReadAt), Millis(m.EndedAt), tx.now.UnixMilli(), gateway.EncodeSteps(m.Steps), Millis(m.StepDue), m.Seq, string(from), m.Step)
	return n > 0, err
}

// Echo stores what an echo proves about a message: its new state, if that changes, and the
// platform's id and time of the part.
func (tx *Tx) Echo(m *gateway.Message, from gateway.Status, partsSent int) (bool, error) {
	n, err := tx.Exec(`UPDATE messages SET status = ?, open = ?, parts_sent = ?, echoed = ?, mid = ?, mark_at = ?, sent_at = ?, ended_at = ?,
error = ?, late = ?, attempts = ?, updated_at = ?, steps = ?, step_due = ? WHERE seq = ? AND status = ? AND parts_sent = ? AND step = ?`,
		string(m.Status), flag(m.Status.Open()), m.PartsSent, m.Echoed, m.MID, Millis(m.MarkAt), Millis(m.SentAt), Millis(m.EndedAt),
		encodeFailure(m.Error), flag(m.Late), encodeAttempts(m), tx.now.UnixMilli(), gateway.EncodeSteps(m.Steps), Millis(m.StepDue), m.Seq, string(from), partsSent, m.Step)
	return n > 0, err
}

// Unresolved returns messages whose outcome has been uncertain since before a moment.
func (s *Store) Unresolved(ctx context.Context, before time.Time, limit int) ([]*gateway.Message, error) {
	rows, err := s.Query(ctx, messages.selected+` WHERE open = 1 AND status = 'uncertain' AND sending_at <= ? LIMIT ?`, Millis(before), limit)
	return Collect(rows, err, scanMessage)
}

// History returns what the platform's rules ask of a conversation; zero times for what is not
// known. Opt-outs are not in it.
func (s *Store) History(ctx context.Context, lane gateway.Lane) (gateway.History, error) {
	var last, refused, human, elsewhere, here int64
	err := s.hotRow(ctx, `SELECT last_inbound_at, refused_at, human_refused_at, elsewhere_at, here_at FROM conversations WHERE app = ? AND person = ?`, lane.Application, lane.Person).
		Scan(&last, &refused, &human, &elsewhere, &here)
	if err != nil && err != sql.ErrNoRows {
		return gateway.History{}, fmt.Errorf("read the history of a conversation: %w", err)
	}
	h := gateway.History{LastInbound: FromMillis(last), RefusedAt: FromMillis(refused), HumanRefusedAt: FromMillis(human)}
	if elsewhere > here {
		h.ElsewhereAt = FromMillis(elsewhere)
	}
	return h, nil
}

// setClosed remembers the platform's word that a window of a conversation is closed, or that
// another app controls it.
func (tx *Tx) setClosed(lane gateway.Lane, c Closed) error {
	column := "refused_at"
	switch {
	case c.Elsewhere:
		column = "elsewhere_at"
	case c.Human:
		column = "human_refused_at"
	}
	now := tx.now.UnixMilli()
	_, err := tx.Exec(`INSERT INTO conversations (app, person, part, first_at, last_at, last_inbound_at, `+column+`) VALUES (?, ?, ?, ?, ?, 0, ?)
ON CONFLICT (app, person) DO UPDATE SET `+column+` = excluded.`+column, lane.Application, lane.Person, gateway.Partition(lane.Application, lane.Person), now, now, Millis(c.At))
	if err != nil {
		return fmt.Errorf("remember what the platform refused: %w", err)
	}
	return nil
}
