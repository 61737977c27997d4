package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// Leases are the partitions that this node works. A lease is a row with owner, epoch and expiry by
// the database's clock; each change of owner raises the epoch, and every write of a worker carries
// the epoch it works under, so that a node that lost a lease without noticing changes nothing.
//
// SQLite belongs to one process, which holds every lease for as long as it runs.
type Leases struct {
	s    *Store
	node string
	ttl  time.Duration
	term term // for which leases are asked for now; by the renewing goroutine only

	mu      sync.Mutex
	held    [gateway.Partitions + 1]lease
	changed chan struct{} // closed when what is held changes

	cancel context.CancelFunc
	ended  chan struct{}
}

// nodeMemory is for how long a node that has gone is remembered.
const nodeMemory = time.Minute

type lease struct {
	epoch     int64 // 0: not held
	until     time.Time
	abandoned bool // taken from a node that had not given it back
}

func newLeases(s *Store, ttl time.Duration) *Leases {
	return &Leases{s: s, node: s.ids.New("node", s.now()), ttl: leaseTTL(ttl), changed: make(chan struct{})}
}

// leaseTTL is the time of a lease: three seconds unless another is given.
func leaseTTL(given time.Duration) time.Duration {
	if given == 0 {
		return 3 * time.Second
	}
	return given
}

// Start takes what leases it can get and keeps them until Release. Nodes over one database share
// the partitions evenly.
func (l *Leases) Start(ctx context.Context) error {
	for began := time.Now(); ; {
		err := l.prepare(ctx)
		if err == nil {
			err = l.renew(ctx)
		}
		if err == nil {
			break
		}
		// Nodes that start together wait for one another's rows, and on a slow machine for longer
		// than one may wait for a lock.
		if !Passing(err) || time.Since(began) > startPatience {
			return fmt.Errorf("prepare leases: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(startPause):
		}
	}
	loop, cancel := context.WithCancel(context.Background())
	l.cancel, l.ended = cancel, make(chan struct{})
	go l.run(loop)
	return nil
}

// How long the leases are tried for at the start while the database is busy, and how often.
const (
	startPatience = time.Minute
	startPause    = 250 * time.Millisecond
)

// prepare makes the rows of the leases where they are not there yet.
func (l *Leases) prepare(ctx context.Context) error {
	const all = gateway.Partitions + 1
	var there int
	if err := l.s.hotRow(ctx, `SELECT COUNT(*) FROM leases`).Scan(&there); err != nil || there == all {
		return err
	}
	return l.s.Write(ctx, func(tx *Tx) error {
		for part := range all {
			if _, err := tx.Exec(`INSERT INTO leases (part, owner, epoch, expires_at) VALUES (?, '', 0, 0) ON CONFLICT DO NOTHING`, part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Leases) run(ctx context.Context) {
	defer close(l.ended)
	if l.s.dialect.exclusive {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(l.ttl / 6)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := l.renew(ctx); err != nil && ctx.Err() == nil {
				l.s.log.Warn("renew leases", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// renew tells the database that this node lives, prolongs its leases, and takes or gives up leases
// towards an even share.
func (l *Leases) renew(ctx context.Context) error {
	asked := time.Now()
	got, abandoned, ttl := map[int]int64{}, map[int]bool{}, l.term.next(l.ttl)
	err := l.s.Write(ctx, func(tx *Tx) error { return l.claim(tx, ttl.Milliseconds(), got, abandoned) })
	l.term.took(time.Since(asked))
	if err != nil {
		return err
	}
	// The lease runs from before the question, and is trusted only for four fifths of its time.
	until := asked.Add(ttl * 4 / 5)
	l.mu.Lock()
	defer l.mu.Unlock()
	moved := false
	for part := range l.held {
		epoch := got[part]
		if l.held[part].epoch == epoch {
			l.held[part].until = until
			continue
		}
		moved = true
		l.held[part] = lease{epoch, until, abandoned[part]}
	}
	if moved {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	return nil
}

// claim writes what this node holds from now on, and says which of that was taken from a node that
// had not given it back.
func (l *Leases) claim(tx *Tx, ttl int64, got map[int]int64, abandoned map[int]bool) error {
	d := l.s.dialect
	if d.exclusive {
		if _, err := l.left(tx, abandoned, `SELECT part, owner FROM leases`); err != nil {
			return err
		}
		// Whoever held them before is gone: the folder's lock is ours.
		if _, err := tx.Exec(`UPDATE leases SET owner = ?, epoch = epoch + 1, expires_at = ?`, l.node, 0); err != nil {
			return err
		}
		return l.read(tx, got)
	}
	if _, err := tx.Exec(`INSERT INTO nodes (id, expires_at) VALUES (?, `+d.now+` + ?) ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`,
		l.node, ttl); err != nil {
		return err
	}
	// Nodes that are long gone leave nothing behind.
	if _, err := tx.Exec(`DELETE FROM nodes WHERE expires_at < `+d.now+` - ?`, nodeMemory.Milliseconds()); err != nil {
		return err
	}
	var nodes int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM nodes WHERE expires_at > `+d.now+` AND id <> ?`, l.node).Scan(&nodes); err != nil {
		return err
	}
	share := (gateway.Partitions + 1 + nodes) / (nodes + 1) // this node counts too
	if _, err := tx.Exec(`UPDATE leases SET expires_at = `+d.now+` + ? WHERE owner = ? AND expires_at > `+d.now, ttl, l.node); err != nil {
		return err
	}
	var held int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM leases WHERE owner = ? AND expires_at > `+d.now, l.node).Scan(&held); err != nil {
		return err
	}
	switch {
	case held < share:
		free, err := l.left(tx, abandoned, `SELECT part, owner FROM leases WHERE expires_at <= `+d.now+` ORDER BY part LIMIT ? FOR UPDATE SKIP LOCKED`, share-held)
		if err != nil || len(free) == 0 {
			return errors.Join(err, l.read(tx, got))
		}
		args := append([]any{l.node, ttl}, free...)
		if _, err := tx.Exec(`UPDATE leases SET owner = ?, epoch = epoch + 1, expires_at = `+d.now+` + ? WHERE part IN (`+Holes(len(free))+`)`, args...); err != nil {
			return err
		}
	case held > share:
		// A lease given up is free when it expires, so that what is under way in it may end first.
		if _, err := tx.Exec(`UPDATE leases SET owner = '' WHERE part IN (SELECT part FROM leases WHERE owner = ? ORDER BY part DESC LIMIT ?)`,
			l.node, held-share); err != nil {
			return err
		}
	}
	return l.read(tx, got)
}

// term is for how long leases are asked for: where the database is so slow that one could not be
// renewed in time, for longer. Nodes that live would else take partitions from one another again
// and again, and begin anew each time.
type term struct {
	slowest time.Duration // of the last renewals, the older ones counting for less
}

// maxTerm is how many times its usual time a lease may last.
const maxTerm = 5

func (t *term) next(usual time.Duration) time.Duration {
	return min(max(usual, 6*t.slowest), maxTerm*usual)
}

func (t *term) took(d time.Duration) { t.slowest = max(d, t.slowest*3/4) }

// left reads leases that can be taken, and notes those whose last owner was another node that has
// not given them back.
func (l *Leases) left(tx *Tx, abandoned map[int]bool, query string, args ...any) (parts []any, err error) {
	rows, err := tx.Query(query, args...)
	_, err = Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var part int
		var owner string
		err := r.Scan(&part, &owner)
		parts = append(parts, part)
		if owner != "" && owner != l.node {
			abandoned[part] = true
		}
		return struct{}{}, err
	})
	return parts, err
}

func (l *Leases) read(tx *Tx, got map[int]int64) error {
	query := `SELECT part, epoch FROM leases WHERE owner = ?`
	if !l.s.dialect.exclusive {
		query += ` AND expires_at > ` + l.s.dialect.now
	}
	rows, err := tx.Query(query, l.node)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var part int
		var epoch int64
		if err := rows.Scan(&part, &epoch); err != nil {
			return err
		}
		got[part] = epoch
	}
	return rows.Err()
}

// Epoch returns the epoch under which this node may work a partition now; false when it does not
// hold the lease, or cannot be sure that it does. It looks at both clocks, for the monotonic one
// stands still while a machine sleeps.
func (l *Leases) Epoch(part int) (int64, bool) {
	l.mu.Lock()
	h := l.held[part]
	l.mu.Unlock()
	if h.epoch == 0 {
		return 0, false
	}
	if l.s.dialect.exclusive {
		return h.epoch, true
	}
	now := time.Now()
	return h.epoch, now.Before(h.until) && now.Round(0).Before(h.until.Round(0))
}

// Held returns the epochs of the partitions this node holds, and a channel that is closed when that
// changes.
func (l *Leases) Held() (map[int]int64, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := map[int]int64{}
	for part, h := range l.held {
		if h.epoch != 0 {
			held[part] = h.epoch
		}
	}
	return held, l.changed
}

// Abandoned reports whether the lease of a partition that this node holds under an epoch was taken
// from a node that had not given it back: its process may have ended in the middle of something.
func (l *Leases) Abandoned(part int, epoch int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[part].epoch == epoch && l.held[part].abandoned
}

// Release gives all leases back at once, so that other nodes need not wait for them to expire.
func (l *Leases) Release(ctx context.Context) error {
	l.stop()
	l.mu.Lock()
	clear(l.held[:])
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	return l.s.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`DELETE FROM nodes WHERE id = ?`, l.node); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE leases SET owner = '', expires_at = 0 WHERE owner = ?`, l.node)
		return err
	})
}

func (l *Leases) stop() {
	if l.cancel != nil {
		l.cancel()
		<-l.ended
		l.cancel = nil
	}
}

// fence reads which leases this node really holds, and keeps them until the commit; only a group
// with fenced writes pays for it.
func (tx *Tx) fence() error {
	if tx.w.s.dialect.exclusive || len(tx.sendings)+len(tx.results) == 0 {
		return nil
	}
	return tx.readFence()
}

func (tx *Tx) readFence() error {
	if tx.epochs != nil {
		return nil
	}
	rows, err := tx.Query(`SELECT part, epoch FROM leases WHERE owner = ?`+tx.w.s.dialect.forRead, tx.w.s.leases.node)
	if err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	defer rows.Close()
	tx.epochs = map[int]int64{}
	for rows.Next() {
		var part int
		var epoch int64
		if err := rows.Scan(&part, &epoch); err != nil {
			return err
		}
		tx.epochs[part] = epoch
	}
	return rows.Err()
}

// holds reports whether this node holds the partition under the epoch, as the database sees it.
func (tx *Tx) holds(part int, epoch int64) bool {
	return tx.w.s.dialect.exclusive || tx.epochs[part] == epoch
}

// Holds reports whether this node holds the partition under the epoch, as the database sees it;
// what the transaction writes is safe from another owner.
func (tx *Tx) Holds(part int, epoch int64) (bool, error) {
	if tx.w.s.dialect.exclusive {
		return true, nil
	}
	if err := tx.readFence(); err != nil {
		return false, err
	}
	return tx.holds(part, epoch), nil
}
