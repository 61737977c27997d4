package store

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pgBounds is how long things may take on a connection to PostgreSQL. What the server holds for a
// statement or a transaction ends with them, so that a node that was stopped, or whose wire went
// silent, holds up nobody for longer.
type pgBounds struct {
	statement time.Duration // of a statement, and of an open transaction in which nothing happens
	answer    time.Duration // until some byte of the server's answer is there, after which the connection is given up
}

const (
	pgReadStatement = 8 * time.Second
	pgConnect       = 3 * time.Second
)

// pgWriting are the bounds of the writing connection: below the time of a lease, so that whoever
// takes over a lease does not wait for who had it.
func pgWriting(leaseTTL time.Duration) pgBounds {
	statement := max(leaseTTL*2/3, 2*time.Second)
	return pgBounds{statement, statement + 800*time.Millisecond}
}

func pgReading() pgBounds { return pgBounds{pgReadStatement, pgReadStatement + 2*time.Second} }

func (s *Store) openPostgres(url string, leaseTTL time.Duration) error {
	s.dialect = postgresDialect()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	s.db = stdlib.OpenDB(*pgReading().apply(config))
	s.db.SetMaxOpenConns(16)
	s.db.SetMaxIdleConns(pgIdle)
	s.wdb = stdlib.OpenDB(*pgWriting(leaseTTL).apply(config))
	s.wdb.SetMaxOpenConns(1)
	// What changes the schema takes as long as it takes.
	s.mdb = stdlib.OpenDB(*config)
	return nil
}

const pgIdle = 16 // reading connections that are kept

// apply returns a copy of a configuration with the bounds. What the database's URL sets itself
// stays.
//
// Docs: https://www.postgresql.org/docs/current/runtime-config-client.html
func (b pgBounds) apply(config *pgx.ConnConfig) *pgx.ConnConfig {
	c := config.Copy()
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for name, value := range map[string]string{
		"application_name": "chasqui", "statement_timeout": ms(b.statement), "lock_timeout": ms(b.statement * 3 / 4),
		"idle_in_transaction_session_timeout": ms(b.statement), "tcp_user_timeout": ms(b.answer), "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3",
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	if c.ConnectTimeout == 0 || c.ConnectTimeout > pgConnect {
		c.ConnectTimeout = pgConnect
	}
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &boundedConn{Conn: conn, bound: b.answer}, nil
	}
	return c
}

// boundedConn gives up a connection on which nothing happens for too long: a server that hangs
// without closing, or a network that drops what is sent.
type boundedConn struct {
	net.Conn
	bound time.Duration

	mu    sync.Mutex
	read  time.Time // deadlines set by the driver, which a bound does not extend
	write time.Time
}

// Read reads, for no longer than the bound.
func (c *boundedConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.Conn.SetReadDeadline(c.sooner(c.read))
	c.mu.Unlock()
	return c.Conn.Read(b)
}

// Write writes, for no longer than the bound.
func (c *boundedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.Conn.SetWriteDeadline(c.sooner(c.write))
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *boundedConn) sooner(own time.Time) time.Time {
	bound := time.Now().Add(c.bound)
	if !own.IsZero() && own.Before(bound) {
		return own
	}
	return bound
}

// SetDeadline sets both deadlines.
func (c *boundedConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read, c.write = t, t
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline sets the deadline of reads.
func (c *boundedConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = t
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of writes.
func (c *boundedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write = t
	return c.Conn.SetWriteDeadline(t)
}

// abandon closes the reading connections that are not in use: after the writing one was given up
// they may lead to the same server that hangs.
func abandon(db *sql.DB) {
	db.SetMaxIdleConns(0)
	db.SetMaxIdleConns(pgIdle)
}
