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

// Segment is one segment of a message that an SMS centre took, or what a receipt says of one that
// is not known yet.
type Segment struct {
	Account string
	Ref     string // the centre's identifier
	Message string // empty while only a receipt is known
	Step    int
	Part    int // from 0
	Parts   int
	State   gateway.Status // as the receipt says: sent, delivered or failed; empty before it
	Failure *gateway.Failure
	At      time.Time // when the receipt says that it happened
}

const selectSegments = `SELECT account, ref, message, step, part, parts, state, failure, at FROM sms_segments`

func scanSegment(rows *sql.Rows) (Segment, error) {
	var g Segment
	var state, failure string
	var at int64
	if err := rows.Scan(&g.Account, &g.Ref, &g.Message, &g.Step, &g.Part, &g.Parts, &state, &failure, &at); err != nil {
		return g, fmt.Errorf("read segment: %w", err)
	}
	g.State, g.At = gateway.Status(state), FromMillis(at)
	if failure != "" {
		if err := json.Unmarshal([]byte(failure), &g.Failure); err != nil {
			return g, fmt.Errorf("read failure of segment %s: %w", g.Ref, err)
		}
	}
	return g, nil
}

// Segments returns the segments of one step of a message that the centre of an account took, in
// order.
func (s *Store) Segments(ctx context.Context, account, message string, step int) ([]Segment, error) {
	rows, err := s.Query(ctx, selectSegments+` WHERE message = ? AND step = ? AND account = ? ORDER BY part`, message, step, account)
	return Collect(rows, err, scanSegment)
}

// Segments returns the segments of one step of a message that the centre of an account took, in
// order, inside the transaction.
func (tx *Tx) Segments(account, message string, step int) ([]Segment, error) {
	rows, err := tx.Query(selectSegments+` WHERE message = ? AND step = ? AND account = ? ORDER BY part`, message, step, account)
	return Collect(rows, err, scanSegment)
}

// TakeSegment records that the centre took a segment. What a receipt said before stays, under its
// identifier or another that one of canons stands for: the first of them is the segment's own. No
// canons mean that only the same identifier will do.
func (tx *Tx) TakeSegment(g Segment, canons []string) error {
	early, err := tx.segmentRef(g.Account, g.Ref, canons, true)
	if err != nil {
		return fmt.Errorf("find early receipt: %w", err)
	}
	if early != "" && early != g.Ref {
		if _, err := tx.Exec(`UPDATE sms_segments SET ref = ?, canon = ? WHERE account = ? AND ref = ?`, g.Ref, canon(g.Ref, canons), g.Account, early); err != nil {
			return fmt.Errorf("take early receipt: %w", err)
		}
	}
	_, err = tx.Exec(`INSERT INTO sms_segments (account, ref, canon, message, step, part, parts, state, failure, at, reported, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0, '', ?)
ON CONFLICT (account, ref) DO UPDATE SET message = excluded.message, step = excluded.step, part = excluded.part, parts = excluded.parts, reported = '', created_at = excluded.created_at`,
		g.Account, g.Ref, canon(g.Ref, canons), g.Message, g.Step, g.Part, g.Parts, Millis(tx.Now()))
	if err != nil {
		return fmt.Errorf("store segment: %w", err)
	}
	return nil
}

func canon(ref string, canons []string) string {
	if len(canons) == 0 {
		return ref
	}
	return canons[0]
}

// segmentRef returns the identifier under which a segment is kept that goes by ref, or else by the
// likeliest of canons; empty when there is none. Early asks for those of which only a receipt is
// known.
func (tx *Tx) segmentRef(account, ref string, canons []string, early bool) (string, error) {
	condition := ""
	if early {
		condition = ` AND message = ''`
	}
	var found string
	err := tx.QueryRow(`SELECT ref FROM sms_segments WHERE account = ? AND ref = ?`+condition, account, ref).Scan(&found)
	for i := 0; errors.Is(err, sql.ErrNoRows) && i < len(canons); i++ {
		err = tx.QueryRow(`SELECT ref FROM sms_segments WHERE account = ? AND canon = ?`+condition+` ORDER BY created_at DESC LIMIT 1`, account, canons[i]).Scan(&found)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return found, err
}

// SegmentReceipt records what a receipt says of a segment that goes by ref, or by one of canons,
// the likeliest first, and returns the segment as it is then. A segment that is not known is kept
// under ref, until the centre's answer names it. What is final stays.
func (tx *Tx) SegmentReceipt(account, ref string, canons []string, state gateway.Status, failure *gateway.Failure, at time.Time) (Segment, error) {
	known, err := tx.segmentRef(account, ref, canons, false)
	if err != nil {
		return Segment{}, fmt.Errorf("find segment: %w", err)
	}
	if known != "" {
		ref = known
	}
	why := ""
	if failure != nil {
		why = string(data(failure))
	}
	_, err = tx.Exec(`INSERT INTO sms_segments (account, ref, canon, message, step, part, parts, state, failure, at, reported, created_at)
VALUES (?, ?, ?, '', 0, 0, 0, ?, ?, ?, '', ?)
ON CONFLICT (account, ref) DO UPDATE SET state = excluded.state, failure = excluded.failure, at = excluded.at
WHERE sms_segments.state NOT IN ('delivered', 'failed')`,
		account, ref, canon(ref, canons), string(state), why, Millis(at), Millis(tx.Now()))
	if err != nil {
		return Segment{}, fmt.Errorf("store receipt: %w", err)
	}
	rows, err := tx.Query(selectSegments+` WHERE account = ? AND ref = ?`, account, ref)
	list, err := Collect(rows, err, scanSegment)
	if err != nil {
		return Segment{}, err
	}
	return list[0], nil
}

// SegmentsReported records that what the segments say, as they are given, has been reported. One
// that has changed meanwhile stays to be reported.
func (s *Store) SegmentsReported(ctx context.Context, segments []Segment) error {
	rows := make([][]any, len(segments))
	for i, g := range segments {
		rows[i] = []any{g.Account, g.Ref, string(g.State)}
	}
	return s.Write(ctx, func(tx *Tx) error {
		if _, err := tx.ExecMany(`UPDATE sms_segments SET reported = state WHERE account = ? AND ref = ? AND state = ?`, rows); err != nil {
			return fmt.Errorf("record report: %w", err)
		}
		return nil
	})
}

// Unreported returns steps of messages, named by one segment each, that have a receipt which has
// not been reported, the oldest first, at most limit.
func (s *Store) Unreported(ctx context.Context, account string, limit int) ([]Segment, error) {
	rows, err := s.Query(ctx, `SELECT account, MIN(ref), message, step, 0, MAX(parts), '', '', 0 FROM sms_segments
WHERE account = ? AND message <> '' AND state <> '' AND reported <> state GROUP BY account, message, step ORDER BY MIN(created_at) LIMIT ?`, account, limit)
	return Collect(rows, err, scanSegment)
}

// RetireSegments removes segments and fragments that are older than their moments. It returns how
// many.
func (s *Store) RetireSegments(ctx context.Context, segments, fragments time.Time) (int64, error) {
	var n int64
	err := s.Write(ctx, func(tx *Tx) error {
		gone, err := tx.Exec(`DELETE FROM sms_segments WHERE created_at < ?`, Millis(segments))
		if err != nil {
			return fmt.Errorf("remove old segments: %w", err)
		}
		more, err := tx.Exec(`DELETE FROM sms_fragments WHERE created_at < ?`, Millis(fragments))
		n = gone + more
		return err
	})
	return n, err
}

// Fragment is one segment of an inbound message.
type Fragment struct {
	Account, Sender, Recipient string
	Ref                        int // what the sender numbered the message by
	Part, Parts                int // from 1
	Body                       string
	At                         time.Time
}

// AddFragment keeps a segment of an inbound message, once, and returns all that are there of the
// message, in order.
func (tx *Tx) AddFragment(f Fragment) ([]Fragment, error) {
	_, err := tx.Exec(`INSERT INTO sms_fragments (account, sender, recipient, ref, parts, part, body, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		f.Account, f.Sender, f.Recipient, f.Ref, f.Parts, f.Part, f.Body, Millis(tx.Now()))
	if err != nil {
		return nil, fmt.Errorf("store fragment: %w", err)
	}
	rows, err := tx.Query(selectFragments+` WHERE account = ? AND sender = ? AND recipient = ? AND ref = ? AND parts = ? ORDER BY part`,
		f.Account, f.Sender, f.Recipient, f.Ref, f.Parts)
	return Collect(rows, err, scanFragment)
}

const selectFragments = `SELECT account, sender, recipient, ref, parts, part, body, created_at FROM sms_fragments`

func scanFragment(rows *sql.Rows) (f Fragment, err error) {
	var at int64
	err = rows.Scan(&f.Account, &f.Sender, &f.Recipient, &f.Ref, &f.Parts, &f.Part, &f.Body, &at)
	f.At = FromMillis(at)
	return f, err
}

// StaleFragments returns the fragments of an account that came before a moment, those of one
// message together and in order, at most 1,000.
func (s *Store) StaleFragments(ctx context.Context, account string, before time.Time) ([]Fragment, error) {
	rows, err := s.Query(ctx, selectFragments+` WHERE account = ? AND created_at < ? ORDER BY sender, recipient, ref, parts, part LIMIT 1000`, account, Millis(before))
	return Collect(rows, err, scanFragment)
}

// DropFragments removes what is kept of the inbound message that a fragment belongs to.
func (s *Store) DropFragments(ctx context.Context, f Fragment) error {
	return s.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`DELETE FROM sms_fragments WHERE account = ? AND sender = ? AND recipient = ? AND ref = ? AND parts = ?`,
			f.Account, f.Sender, f.Recipient, f.Ref, f.Parts)
		if err != nil {
			return fmt.Errorf("remove fragments: %w", err)
		}
		return nil
	})
}
