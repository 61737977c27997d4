package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// OptOutFilter selects opt-outs in the order of channel, address and application. Empty fields
// select all.
type OptOutFilter struct {
	Channel      string
	Address      string
	Applications []string // those that belong to one of these; an empty one is all
	// AfterChannel, AfterAddress and AfterApplication are those of the last one of the page before.
	AfterChannel, AfterAddress, AfterApplication string
	Limit                                        int
}

// OptedOut reports whether an address of a channel wants nothing more from an application. The
// address is in the form of gateway.NormalAddress.
func (s *Store) OptedOut(ctx context.Context, application, channel, address string) (bool, error) {
	var n int
	if err := s.QueryRow(ctx, `SELECT COUNT(*) FROM opt_outs WHERE channel = ? AND address = ? AND app IN ('', ?)`, channel, address, application).Scan(&n); err != nil {
		return false, fmt.Errorf("look for an opt-out: %w", err)
	}
	return n > 0, nil
}

// SetOptOut records that an address wants nothing more; the first word and time stay. It reports
// whether that is new.
func (tx *Tx) SetOptOut(o gateway.OptOut) (bool, error) {
	n, err := tx.Exec(`INSERT INTO opt_outs (channel, address, app, at, word) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, o.Channel, o.Address, o.Application, Millis(o.At.Time), o.Word)
	if err != nil {
		return false, fmt.Errorf("store opt-out: %w", err)
	}
	return n > 0, bump(tx, ChangeOptOuts)
}

// DeleteOptOut records that an address may be written to again, as far as an opt-out of the
// application forbade it; an empty application is that of all. It reports whether there was one.
func (tx *Tx) DeleteOptOut(application, channel, address string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM opt_outs WHERE channel = ? AND address = ? AND app = ?`, channel, address, application)
	if err != nil {
		return false, fmt.Errorf("delete opt-out: %w", err)
	}
	return n > 0, bump(tx, ChangeOptOuts)
}

// OptOuts returns opt-outs in the order of channel, address and application.
func (s *Store) OptOuts(ctx context.Context, f OptOutFilter) ([]gateway.OptOut, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if f.Channel != "" {
		add("channel = ?", f.Channel)
	}
	if f.Address != "" {
		add("address = ?", f.Address)
	}
	if len(f.Applications) > 0 {
		applications := make([]any, len(f.Applications))
		for i, app := range f.Applications {
			applications[i] = app
		}
		add("app IN ("+Holes(len(applications))+")", applications...)
	}
	if f.AfterChannel != "" {
		add("(channel > ? OR channel = ? AND (address > ? OR address = ? AND app > ?))", f.AfterChannel, f.AfterChannel, f.AfterAddress, f.AfterAddress, f.AfterApplication)
	}
	args = append(args, f.Limit)
	rows, err := s.Query(ctx, `SELECT channel, address, app, at, word FROM opt_outs WHERE `+strings.Join(where, " AND ")+` ORDER BY channel, address, app LIMIT ?`, args...)
	return Collect(rows, err, func(rows *sql.Rows) (o gateway.OptOut, err error) {
		var at int64
		err = rows.Scan(&o.Channel, &o.Address, &o.Application, &at, &o.Word)
		o.At = gatewayapi.At(FromMillis(at))
		return o, err
	})
}

// phoneDigits is the field under which a profile is found by the digits of its phone number,
// however it is written there.
const phoneDigits = "phoneDigits"

// ProfileWithPhone returns the id of the profile that has a phone number, given in digits, among
// those of an application, or of all where it is empty; of several the first by id, "" when there
// is none.
func (tx *Tx) ProfileWithPhone(application, digits string) (string, error) {
	var id sql.NullString
	// Profiles that were stored before there were digits are found as most are written.
	err := tx.QueryRow(`SELECT MIN(f.profile) FROM profile_fields f WHERE (f.field = ? AND f.value = ? OR f.field = 'phoneNumber' AND f.value IN (?, ?))
AND (CAST(? AS TEXT) = '' OR EXISTS (SELECT 1 FROM addresses a WHERE a.profile = f.profile AND a.app = ?) OR EXISTS (SELECT 1 FROM profiles p WHERE p.id = f.profile AND p.app = ?))`,
		phoneDigits, digits, digits, "+"+digits, application, application, application).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("find profile by phone number: %w", err)
	}
	return id.String, nil
}
