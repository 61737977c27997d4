package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Baseline is the least that a durable receiver can do: a bare handler that reads the body, inserts
// it in a commit that concurrent requests share, with the same settings as the gateway's, and
// answers. With forward it also makes one POST of each body to that address afterwards.
type Baseline struct {
	db      *sql.DB
	queue   chan *insert
	forward *forwarder
	work    sync.WaitGroup
}

type insert struct {
	body []byte
	done chan error
}

// NewBaseline opens the baseline's database.
func NewBaseline(path, forwardTo string) (*Baseline, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE bodies (pos INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		return nil, fmt.Errorf("make the baseline's table: %w", err)
	}
	b := &Baseline{db: db, queue: make(chan *insert, 4096)}
	if forwardTo != "" {
		b.forward = newForwarder(forwardTo)
	}
	b.work.Go(b.write)
	return b, nil
}

// write commits what is queued, many at a time.
func (b *Baseline) write() {
	ctx := context.Background()
	conn, err := b.db.Conn(ctx)
	if err != nil {
		panic("bench: " + err.Error()) // nothing can be measured
	}
	defer conn.Close()
	statement, err := conn.PrepareContext(ctx, `INSERT INTO bodies (body) VALUES (?)`)
	if err != nil {
		panic("bench: " + err.Error())
	}
	defer statement.Close()
	for first := range b.queue {
		group := []*insert{first}
	more:
		for len(group) < 1000 {
			select {
			case i := <-b.queue:
				group = append(group, i)
			default:
				break more
			}
		}
		err := commit(ctx, conn, statement, group)
		for _, i := range group {
			i.done <- err
		}
	}
}

func commit(ctx context.Context, conn *sql.Conn, statement *sql.Stmt, group []*insert) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, i := range group {
		if _, err := statement.Exec(i.body); err != nil {
			return err
		}
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

// ServeHTTP takes one body.
func (b *Baseline) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, max(0, r.ContentLength))
	if _, err := io.ReadFull(r.Body, body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i := &insert{body, make(chan error, 1)}
	b.queue <- i
	if err := <-i.done; err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if b.forward == nil {
		return
	}
	b.forward.queue <- body
	w.WriteHeader(http.StatusAccepted)
}

// Serve serves a listener until it is closed.
func (b *Baseline) Serve(l net.Listener) error { return http.Serve(l, b) }

// forwarder posts bodies on, over as many connections as the gateway may use.
type forwarder struct {
	queue  chan []byte
	client *http.Client
}

const forwarders = 128

func newForwarder(url string) *forwarder {
	f := &forwarder{queue: make(chan []byte, 1<<16), client: newHTTPClient(forwarders)}
	t := template(url)
	header := http.Header{"Content-Type": {"application/json"}}
	for range forwarders {
		go func() {
			for body := range f.queue {
				resp, err := f.client.Do(post(t, body, header))
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	return f
}
