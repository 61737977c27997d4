// Package store keeps everything durable: the inbound log of events, the outbox of messages, and
// the records around them, in SQLite or PostgreSQL.
//
// There is one query path for both databases; the few differences are in dialect.go. All writes of
// the hot path go through one writer that commits what many callers ask for together (writer.go).
// Positions in the logs are given under a lock held to commit, so that a reader that has seen
// position n will never see a smaller one appear later. storetest holds the behaviour that both
// databases are tested against.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/chasqui/chasqui/internal/gateway"
)

// ErrLocked is returned by Open when another gateway works on the same SQLite folder.
var ErrLocked = errors.New("another gateway is running on this data folder")

// Options says which database to open and how.
type Options struct {
	// URL is postgres://… for PostgreSQL, or the path of the SQLite file. Its folder must exist.
	URL string
	// Shared opens SQLite beside a running gateway, as the command line's key commands do: no lock
	// is taken, and nothing may be read from the logs' tails.
	Shared bool
	// KeyFileShared lets OpenVault take a key file that others than its owner may read.
	KeyFileShared bool
	// AnyOwner opens SQLite as root also where the folder is another user's, and says so in the
	// log. Otherwise that is an error: files that root makes there the other cannot open.
	AnyOwner bool
	// NoMigrate leaves the schema as it is; a schema that does not fit is then an error.
	NoMigrate bool
	// Extensions are what other packages keep in the database. All programs that open it name the
	// same.
	Extensions []Extension
	// Logger receives what an operator should know. Required.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// LeaseTTL is for how long a lease holds without being renewed; zero means 3 s.
	LeaseTTL time.Duration
}

// Store is an open database. It is safe for any number of goroutines.
type Store struct {
	log     *slog.Logger
	now     func() time.Time
	dialect *dialect
	db      *sql.DB // reads
	wdb     *sql.DB // the writer's one connection
	mdb     *sql.DB // for what may take long, such as a migration; nil for SQLite
	lock    *flock.Flock
	// keyFileShared is Options.KeyFileShared.
	keyFileShared bool
	ids           gateway.IDs
	path          string   // of the SQLite file, empty for PostgreSQL
	hot           sync.Map // prepared statements of db by query

	writer *writer
	events *tail[*gateway.Event]
	outbox *tail[*gateway.Message]
	leases *Leases

	stopFollowing context.CancelFunc // nil when no other node writes
	following     sync.WaitGroup

	forgotten atomic.Int64 // grows when rows were emptied

	committedAt atomic.Int64 // of the last commit, nanoseconds since 1970 by this machine's clock; 0 before the first

	tables []Table // the register

	readersMu sync.Mutex
	readers   map[string]*Reader

	refusing atomic.Pointer[string] // why writes are refused for now, nil when they are not
}

// Open opens the database, brings its schema up to date, and starts the writer. Close must be
// called.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	s := &Store{log: o.Logger, tables: registered(o.Extensions), now: o.Now, keyFileShared: o.KeyFileShared, readers: map[string]*Reader{}, events: newTail[*gateway.Event](4096, 8<<20), outbox: newTail[*gateway.Message](2048, 4<<20)}
	if s.now == nil {
		s.now = time.Now
	}
	defer func() {
		if err != nil {
			s.closeHandles()
		}
	}()
	if strings.HasPrefix(o.URL, "postgres://") || strings.HasPrefix(o.URL, "postgresql://") {
		err = s.openPostgres(o.URL, leaseTTL(o.LeaseTTL))
	} else {
		err = s.openSQLite(o.URL, o.Shared, o.AnyOwner)
	}
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, o.Extensions, o.NoMigrate); err != nil {
		return nil, err
	}
	head, err := s.readHead(ctx)
	if err != nil {
		return nil, err
	}
	s.events.start(head)
	s.outbox.start(head)
	s.leases = newLeases(s, o.LeaseTTL)
	s.writer = newWriter(s)
	if !s.dialect.exclusive && !o.Shared {
		ctx, s.stopFollowing = context.WithCancel(context.WithoutCancel(ctx))
		s.following.Go(func() { s.followHead(ctx) })
	}
	return s, nil
}

func (s *Store) openSQLite(path string, shared, anyOwner bool) error {
	s.dialect = sqliteDialect()
	s.path = path
	if problem := strangeOwner(path); problem != "" && anyOwner {
		s.log.Warn("the data folder is another user's", "problem", problem)
	} else if problem != "" {
		return errors.New(problem)
	}
	if !shared {
		s.lock = flock.New(filepath.Join(filepath.Dir(path), "gateway.lock"))
		locked, err := s.lock.TryLock()
		if err != nil {
			return fmt.Errorf("lock data folder %s: %w", filepath.Dir(path), explainOwner(path, err))
		}
		if !locked {
			s.lock = nil
			return fmt.Errorf("%w: %s", ErrLocked, filepath.Dir(path))
		}
	}
	// The file holds conversations and sealed secrets: nobody else on the machine reads it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", explainOwner(path, err))
	}
	f.Close()
	// What is removed is overwritten, from the first removal on.
	const common = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	if s.wdb, err = sql.Open("sqlite", "file:"+path+common+"&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(16000)&_pragma=secure_delete(1)"); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.wdb.SetMaxOpenConns(1)
	if s.db, err = sql.Open("sqlite", "file:"+path+common+"&_pragma=cache_size(-4096)&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.db.SetMaxOpenConns(6)
	s.db.SetMaxIdleConns(6)
	return nil
}

// Close stops the writer after what it holds, and closes the database. Leases are not released: see
// Leases.Release.
func (s *Store) Close() error {
	if s.stopFollowing != nil {
		s.stopFollowing()
		s.following.Wait()
	}
	s.leases.stop()
	s.writer.close()
	return s.closeHandles()
}

func (s *Store) closeHandles() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.wdb != nil {
		errs = append(errs, s.wdb.Close())
	}
	if s.mdb != nil {
		errs = append(errs, s.mdb.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	return errors.Join(errs...)
}

// Leases returns the partition leases of this node.
func (s *Store) Leases() *Leases { return s.leases }

// Path is the SQLite file, empty for PostgreSQL.
func (s *Store) Path() string { return s.path }

// NewID makes an identifier with the given prefix.
func (s *Store) NewID(prefix string) string { return s.ids.New(prefix, s.now()) }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// Exclusive reports whether this process is the only one that works the logs, as with SQLite.
func (s *Store) Exclusive() bool { return s.dialect.exclusive }

// Refuse makes the store take no new events and messages, with a reason for the caller, until it is
// called with an empty one. What becomes of those it has is still recorded. The disk watch uses it
// before the disk is full.
func (s *Store) Refuse(reason string) {
	if reason == "" {
		s.refusing.Store(nil)
	} else {
		s.refusing.Store(&reason)
	}
}

// Query reads, outside of any transaction. It is for this package and for extensions, which keep to
// their own tables.
func (s *Store) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.db.QueryContext(ctx, s.dialect.bind(query), fit(args)...)
}

// QueryRow is Query for one row.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return s.db.QueryRowContext(ctx, s.dialect.bind(query), fit(args)...)
}

// hotRow is queryRow for the few queries that are asked for each message or event: their statements
// are prepared once for each connection.
func (s *Store) hotRow(ctx context.Context, query string, args ...any) *sql.Row {
	st, ok := s.hot.Load(query)
	if !ok {
		made, err := s.db.PrepareContext(ctx, s.dialect.bind(query))
		if err != nil {
			return s.QueryRow(ctx, query, args...) // which has the same error
		}
		if st, ok = s.hot.LoadOrStore(query, made); ok {
			made.Close()
		}
	}
	return st.(*sql.Stmt).QueryRowContext(ctx, fit(args)...)
}

func (s *Store) readHead(ctx context.Context) (int64, error) {
	var head int64
	if err := s.QueryRow(ctx, `SELECT pos FROM log_head WHERE one = 1`).Scan(&head); err != nil {
		return 0, fmt.Errorf("read the head of the logs: %w", err)
	}
	return head, nil
}

// Collect reads all rows with scan, closing them.
func Collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// One reads the one row there is; a not_found error that names kind and id when there is none.
func One[T any](kind, id string, rows *sql.Rows, err error, scan func(*sql.Rows) (*T, error)) (*T, error) {
	list, err := Collect(rows, err, scan)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, gateway.NotFound(kind, id)
	}
	return list[0], nil
}

// Millis returns a time as the tables hold it: milliseconds since 1970, 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is the inverse of Millis.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
