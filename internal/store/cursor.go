package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// cursorInterval is how often a cursor's position is written when nothing else makes it be: after a
// crash at most so much is read again.
const cursorInterval = 250 * time.Millisecond

// Cursor is a reader of the inbound log that remembers, for each partition this node works, how far
// it has come. It is used by one goroutine.
type Cursor struct {
	s    *Store
	name string

	next  map[int]int64 // position read so far, by partition held
	saved map[int]int64 // position as the database has it
	epoch map[int]int64
	at    time.Time // of the last save
}

// Cursor makes the cursor of a reader. Sync must be called before it is read.
func (r *Reader) Cursor() *Cursor { return r.s.newCursor(r.Name) }

// SubscriptionCursor makes the cursor of a subscription since its last replay. Nothing is kept for
// it beyond its age: retention passes it.
func (s *Store) SubscriptionCursor(sub *gateway.Subscription) *Cursor {
	return s.newCursor("forward:" + strconv.FormatInt(sub.Generation, 10) + ":" + sub.ID)
}

func (s *Store) newCursor(name string) *Cursor {
	return &Cursor{s: s, name: name, next: map[int]int64{}, saved: map[int]int64{}, epoch: map[int]int64{}}
}

// Sync takes up the partitions that this node holds now and lays down those it lost. A partition
// that no cursor of this name has worked starts at start.
func (c *Cursor) Sync(ctx context.Context, start int64) error {
	held, _ := c.s.leases.Held()
	gained := false
	for part, epoch := range held {
		if c.epoch[part] != epoch {
			delete(c.next, part)
			gained = true
		}
	}
	for part := range c.next {
		if _, ok := held[part]; !ok {
			delete(c.next, part)
		}
	}
	c.epoch = held
	if !gained {
		return nil
	}
	rows, err := c.s.Query(ctx, `SELECT part, pos FROM cursors WHERE name = ?`, c.name)
	if err != nil {
		return fmt.Errorf("read cursor %s: %w", c.name, err)
	}
	defer rows.Close()
	saved := map[int]int64{}
	for rows.Next() {
		var part int
		var pos int64
		if err := rows.Scan(&part, &pos); err != nil {
			return fmt.Errorf("read cursor %s: %w", c.name, err)
		}
		saved[part] = pos
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read cursor %s: %w", c.name, err)
	}
	for part := range held {
		if _, ok := c.next[part]; ok {
			continue
		}
		pos, ok := saved[part]
		if !ok {
			pos = start
		}
		c.next[part], c.saved[part] = pos, pos
		if !ok {
			c.saved[part] = -1
		}
	}
	return nil
}

// Reset forgets what was read since the last save, after a write that failed; Sync reads the saved
// positions again.
func (c *Cursor) Reset() { c.epoch = nil; clear(c.next) }

// Epochs returns the epochs of the partitions that the cursor works. They must not be changed.
func (c *Cursor) Epochs() map[int]int64 { return c.epoch }

// Fresh reports whether no place of this cursor has been saved yet.
func (c *Cursor) Fresh() bool {
	for part := range c.next {
		if c.saved[part] >= 0 {
			return false
		}
	}
	return true
}

// Low is the position up to which every partition held has been read; the head when none is held.
func (c *Cursor) Low() int64 {
	low := int64(-1)
	for _, pos := range c.next {
		if low < 0 || pos < low {
			low = pos
		}
	}
	if low < 0 {
		return c.s.Head()
	}
	return low
}

// Read returns the next events of the partitions held, up to limit positions' worth and not after
// upto (0 for no bound), and the position it has read to. Done says that they were dealt with.
func (c *Cursor) Read(ctx context.Context, limit int, bound int64) ([]*gateway.Event, int64, error) {
	events, upto, err := c.s.ReadEvents(ctx, c.Low(), limit)
	if err != nil {
		return nil, 0, err
	}
	if bound > 0 && upto > bound {
		upto = bound
	}
	mine := events[:0:0]
	for _, e := range events {
		if e.Pos > upto {
			break
		}
		if next, ok := c.next[e.Partition]; ok && e.Pos > next {
			mine = append(mine, e)
		}
	}
	return mine, upto, nil
}

// Has reports whether an event is in a partition held, and after the position reached there.
func (c *Cursor) Has(e *gateway.Event) bool {
	next, ok := c.next[e.Partition]
	return ok && e.Pos > next
}

// Done moves the cursor in all partitions held to a position.
func (c *Cursor) Done(upto int64) {
	for part, pos := range c.next {
		if pos < upto {
			c.next[part] = upto
		}
	}
}

// Due reports whether the position should be written although nothing else is.
func (c *Cursor) Due() bool { return c.s.now().Sub(c.at) >= cursorInterval }

// Unsaved reports whether the database does not know the position of some partition.
func (c *Cursor) Unsaved() bool {
	for part, pos := range c.next {
		if c.saved[part] != pos {
			return true
		}
	}
	return false
}

// Save writes the positions in the transaction, as they will be once upto is dealt with (0: as they
// are), for the partitions still held. It returns false when one of them was lost: then nothing
// that the transaction does may be kept.
func (c *Cursor) Save(tx *Tx, upto int64) (bool, error) {
	for part, pos := range c.next {
		pos = max(pos, upto)
		if c.saved[part] == pos {
			continue
		}
		ok, err := tx.Holds(part, c.epoch[part])
		if err != nil || !ok {
			return false, err
		}
		if _, err := tx.Exec(`INSERT INTO cursors (name, part, pos) VALUES (?, ?, ?) ON CONFLICT (name, part) DO UPDATE SET pos = excluded.pos`,
			c.name, part, pos); err != nil {
			return false, fmt.Errorf("save cursor %s: %w", c.name, err)
		}
		tx.OnCommit(func() { c.saved[part] = pos })
	}
	tx.OnCommit(func() { c.at = tx.now })
	return true, nil
}

// CursorLow returns the lowest position that the cursors of a name have reached in the database; 0
// when there are none.
func (s *Store) CursorLow(ctx context.Context, name string) (int64, error) {
	var low sql.NullInt64
	var count int
	if err := s.QueryRow(ctx, `SELECT MIN(pos), COUNT(*) FROM cursors WHERE name = ?`, name).Scan(&low, &count); err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	if count <= gateway.Partitions {
		return 0, nil // some partition has not been worked yet
	}
	return low.Int64, nil
}
