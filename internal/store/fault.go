package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/chasqui/chasqui/internal/gateway"
)

// ofData reports whether a database refused a statement for what it was to store, so that the same
// again is refused again, and anything else may succeed.
//
// Docs: https://www.postgresql.org/docs/current/errcodes-appendix.html, https://www.sqlite.org/rescode.html
func ofData(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		switch pg.Code {
		case "42501", "42P01", "42703": // no right, table or column: the database is not as this program needs it, whatever is stored
			return false
		}
		switch pg.Code[:min(2, len(pg.Code))] {
		case "21", "22", "23", "42", "54": // cardinality, data, integrity, syntax and access rule, program limits
			return true
		}
		return false
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_ERROR:
			return true
		}
	}
	return false
}

// unfit reports whether a database refused a value for its form or its size.
func unfit(err error) bool {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "54")
	}
	lite := (*sqlite.Error)(nil)
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_TOOBIG
}

// Passing reports whether an error says something of the moment rather than of what was asked: no
// connection, no time, no space, no lease. The same may succeed later.
func Passing(err error) bool {
	for _, target := range []error{context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, errLeaseLost} {
		if errors.Is(err, target) {
			return true
		}
	}
	if network := net.Error(nil); errors.As(err, &network) {
		return true
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return !ofData(err)
	}
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		return !ofData(err)
	}
	switch gateway.CodeOf(err) {
	case gateway.CodeStoreUnavailable, gateway.CodeDiskLow, gateway.CodeShuttingDown, gateway.CodeOverloaded, gateway.CodePlatformUnavailable:
		return true
	}
	return false
}

// fit makes every text among a statement's arguments one that both databases can hold. What comes
// from outside is refused or cleaned where it comes in; this is the last door, so that one that was
// forgotten there costs a character and not a commit.
func fit(args []any) []any {
	for i, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			args[i] = gateway.CleanText(text)
		}
	}
	return args
}
