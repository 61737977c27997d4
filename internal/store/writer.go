package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

const (
	maxGroup   = 1000 // requests that share a commit at the most
	queueDepth = 4096 // requests that may wait for the writer

	gatherPause = 500 * time.Microsecond
)

// request is what one caller wants committed. Requests that come while a commit is under way share
// the next one: that is where the speed comes from.
type request struct {
	events  []*gateway.Event // to the inbound log
	accepts []*Accept        // messages to the outbox
	sending []*Sending       // marks before a POST
	results []*Result        // what became of it
	fn      func(*Tx) error  // anything else

	err   error
	done  chan struct{}
	taken atomic.Int32 // what has become of fn: see below
}

// A function of a caller's is run or given up, never both: it writes into what its caller reads.
const (
	fnRun = iota + 1
	fnGivenUp
)

// writer commits requests in groups over the one writing connection.
type writer struct {
	s     *Store
	queue chan *request
	quit  chan struct{}
	ended chan struct{}

	last  int // requests in the last group
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	raw   map[string]driver.Stmt // on the driver's connection, for SQLite
}

func newWriter(s *Store) *writer {
	w := &writer{s: s, queue: make(chan *request, queueDepth), quit: make(chan struct{}), ended: make(chan struct{}), stmts: map[string]*sql.Stmt{}, raw: map[string]driver.Stmt{}}
	go w.run()
	return w
}

func (w *writer) close() {
	close(w.quit)
	<-w.ended
}

// submit queues a request and waits for its commit. When ctx ends first the outcome is unknown to
// the caller, but that a function which had not begun is not run.
func (s *Store) submit(ctx context.Context, r *request) error {
	if reason := s.refusing.Load(); reason != nil && len(r.events)+len(r.accepts) > 0 {
		return gateway.Errorf(gateway.CodeDiskLow, "%s", *reason)
	}
	r.done = make(chan struct{})
	select {
	case s.writer.queue <- r:
	case <-s.writer.quit:
		return unavailable(errors.New("the store is closed"))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-r.done:
		return r.err
	case <-s.writer.ended:
		select {
		case <-r.done:
			return r.err
		default:
			return unavailable(errors.New("the store is closed"))
		}
	case <-ctx.Done():
		if r.fn != nil && !r.taken.CompareAndSwap(0, fnGivenUp) {
			select { // it runs already, which does not take long
			case <-r.done:
				return r.err
			case <-s.writer.ended:
			}
		}
		return context.Cause(ctx)
	}
}

// Write runs fn in a transaction that it may share with others. When fn returns an error nothing of
// it is kept, and Write returns that error. fn may not use the store itself, only tx. It may run a
// second time when the commit fails because of another request: what it leaves outside the database
// must be assigned, not added to, or left to Tx.OnCommit.
func (s *Store) Write(ctx context.Context, fn func(tx *Tx) error) error {
	return s.submit(ctx, &request{fn: fn})
}

func (w *writer) run() {
	defer close(w.ended)
	var group []*request
	for {
		group = group[:0]
		select {
		case r := <-w.queue:
			group = append(group, r)
		case <-w.quit:
			w.drain()
			w.disconnect()
			return
		}
		group = w.gather(group)
		if len(group)*2 < w.last {
			// Under load a moment's wait makes a group that costs far less for each of its
			// requests.
			time.Sleep(gatherPause)
			group = w.gather(group)
		}
		w.last = len(group)
		w.commitGroup(group)
	}
}

// gather adds what is queued to a group.
func (w *writer) gather(group []*request) []*request {
	for len(group) < maxGroup {
		select {
		case r := <-w.queue:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// drain commits what was queued before the store was closed.
func (w *writer) drain() {
	for {
		select {
		case r := <-w.queue:
			w.commitGroup([]*request{r})
		default:
			return
		}
	}
}

// commitGroup commits a group. One that fails because of what one of its requests wants stored is
// committed request by request, so that it fails alone.
func (w *writer) commitGroup(group []*request) {
	err := w.tryCommit(group)
	if err != nil && len(group) > 1 && ofData(err) {
		w.s.log.Warn("a request of a group cannot be stored; each is committed by itself", "err", err, "requests", len(group))
		for _, r := range group {
			w.finish([]*request{r}, w.tryCommit([]*request{r}))
		}
		return
	}
	w.finish(group, err)
}

// finish tells the callers of a group what became of it.
func (w *writer) finish(group []*request, err error) {
	if err != nil {
		w.s.log.Error("commit", "err", err, "requests", len(group))
		if err = refused(err); !ofData(err) {
			w.s.committedAt.Store(0) // readiness has to be shown anew
			err = unavailable(err)
		}
	}
	for _, r := range group {
		if err != nil && !errors.Is(r.err, errPanic) { // a panic may have left the connection in use, which fails the others
			r.err = err
		}
		close(r.done)
	}
}

// tryCommit commits requests in one transaction, or none of them.
func (w *writer) tryCommit(group []*request) error {
	tx := &Tx{w: w, now: w.s.now()}
	if err := w.commit(tx, group); err != nil {
		w.rollback()
		return err
	}
	w.s.committedAt.Store(time.Now().UnixNano())
	w.s.publish(tx)
	for _, remember := range tx.committed {
		remember()
	}
	return nil
}

// refused turns the database's refusal of a value into an error for whoever gave it. Other errors
// stay as they are.
func refused(err error) error {
	if err == nil || !unfit(err) {
		return err
	}
	return gateway.Invalid("", "it holds a value that the database cannot store").WithCause(err)
}

// commit runs all requests of a group in one transaction. The order inside is: free-form writes,
// fences, messages, marks and results, and last the events of all of them, which take their
// positions from the head of the logs.
func (w *writer) commit(tx *Tx, group []*request) error {
	if err := w.connect(); err != nil {
		return err
	}
	if _, err := tx.Exec(w.s.dialect.begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, r := range group {
		r.err = nil
		if r.fn != nil && (r.taken.CompareAndSwap(0, fnRun) || r.taken.Load() == fnRun) {
			if err := tx.savepoint(r); err != nil {
				return err
			}
		}
		tx.accepts = append(tx.accepts, r.accepts...)
		tx.sendings = append(tx.sendings, r.sending...)
		tx.results = append(tx.results, r.results...)
		tx.events = append(tx.events, r.events...)
	}
	if err := tx.fence(); err != nil {
		return err
	}
	if err := tx.remember(); err != nil {
		return err
	}
	if err := tx.markSending(); err != nil {
		return err
	}
	if err := tx.record(); err != nil {
		return err
	}
	for _, a := range tx.accepts {
		if !a.Replayed && a.Message.Status == gateway.StatusFailed { // no channel of its rules could be taken
			tx.AppendEvent(gateway.MessageEvent(gateway.EventMessageFailed, a.Message, nil))
		}
	}
	if err := tx.takePositions(); err != nil {
		return err
	}
	if err := tx.insertMessages(); err != nil {
		return err
	}
	if err := tx.insertEvents(); err != nil {
		return err
	}
	if _, err := tx.Exec("COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// connect makes sure of the writing connection, anew after it was lost.
func (w *writer) connect() error {
	if w.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := w.s.wdb.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	w.conn = conn
	return nil
}

// rollback undoes a failed group, and drops the connection unless the database says that it has.
func (w *writer) rollback() {
	if w.conn == nil {
		return
	}
	if _, err := w.conn.ExecContext(context.Background(), "ROLLBACK"); err == nil || w.s.dialect.exclusive {
		return
	}
	w.disconnect()
	abandon(w.s.db)
}

func (w *writer) disconnect() {
	for _, st := range w.stmts {
		st.Close()
	}
	for _, st := range w.raw {
		st.Close()
	}
	clear(w.stmts)
	clear(w.raw)
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// prepared returns the prepared statement of a query on the writing connection.
func (w *writer) prepared(query string) (*sql.Stmt, error) {
	if st, ok := w.stmts[query]; ok {
		return st, nil
	}
	st, err := w.conn.PrepareContext(context.Background(), w.s.dialect.bind(query))
	if err != nil {
		return nil, err
	}
	if len(w.stmts) > 256 { // lists of many lengths make many statements
		for _, old := range w.stmts {
			old.Close()
		}
		clear(w.stmts)
	}
	w.stmts[query] = st
	return st, nil
}

// rawPrepared returns the prepared statement of a query on the driver's connection. There is one
// for each of the few statements that many rows go through.
func (w *writer) rawPrepared(c driver.Conn, query string) (driver.StmtExecContext, error) {
	st, ok := w.raw[query]
	if !ok {
		var err error
		if st, err = c.Prepare(query); err != nil {
			return nil, err
		}
		w.raw[query] = st
	}
	return st.(driver.StmtExecContext), nil
}

// publish hands a commit to the tails of both logs.
func (s *Store) publish(tx *Tx) {
	if tx.head == tx.before {
		return
	}
	events := make([]entry[*gateway.Event], 0, len(tx.events))
	for _, e := range tx.events {
		if e.Pos != 0 {
			events = append(events, entry[*gateway.Event]{e.Pos, len(e.Raw) + len(e.Data) + 300, e})
		}
	}
	messages := make([]entry[*gateway.Message], 0, len(tx.accepts))
	for _, a := range tx.accepts {
		if !a.Replayed {
			messages = append(messages, entry[*gateway.Message]{a.Message.Seq, len(a.Message.Request) + len(a.Message.Origin.Data) + 500, a.Message})
		}
	}
	s.outbox.publish(tx.before, tx.head, messages)
	s.events.publish(tx.before, tx.head, events)
}

func unavailable(err error) error {
	return gateway.Errorf(gateway.CodeStoreUnavailable, "the database cannot take this now; try again").WithCause(err)
}
