package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// OptOutFilter selects opt-outs in the order of channel and address. Empty fields select all.
type OptOutFilter struct {
	Channel string
	Address string
	// AfterChannel and AfterAddress are those of the last one of the page before.
	AfterChannel, AfterAddress string
	Limit                      int
}

// OptedOut tells whether an address of a channel wants nothing more. The address is in the form of gateway.NormalAddress.
func (s *Store) OptedOut(ctx context.Context, channel, address string) (bool, error) {
	var n int
	if err := s.queryRow(ctx, `SELECT COUNT(*) FROM opt_outs WHERE channel = ? AND address = ?`, channel, address).Scan(&n); err != nil {
		return false, fmt.Errorf("look for an opt-out: %w", err)
	}
	return n > 0, nil
}

// SetOptOut records that an address wants nothing more; the first word and time stay. It tells whether that is new.
func (tx *Tx) SetOptOut(o gateway.OptOut) (bool, error) {
	n, err := tx.Exec(`INSERT INTO opt_outs (channel, address, at, word) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, o.Channel, o.Address, millis(o.At), o.Word)
	if err != nil {
		return false, fmt.Errorf("store opt-out: %w", err)
	}
	return n > 0, bump(tx, optOutsChange)
}

// DeleteOptOut records that an address may be written to again. It tells whether it was not before.
func (tx *Tx) DeleteOptOut(channel, address string) (bool, error) {
	n, err := tx.Exec(`DELETE FROM opt_outs WHERE channel = ? AND address = ?`, channel, address)
	if err != nil {
		return false, fmt.Errorf("delete opt-out: %w", err)
	}
	return n > 0, bump(tx, optOutsChange)
}

// OptOuts answers opt-outs in the order of channel and address.
func (s *Store) OptOuts(ctx context.Context, f OptOutFilter) ([]gateway.OptOut, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) { where, args = append(where, condition), append(args, values...) }
	if f.Channel != "" {
		add("channel = ?", f.Channel)
	}
	if f.Address != "" {
		add("address = ?", f.Address)
	}
	if f.AfterChannel != "" {
		add("(channel > ? OR channel = ? AND address > ?)", f.AfterChannel, f.AfterChannel, f.AfterAddress)
	}
	args = append(args, f.Limit)
	rows, err := s.query(ctx, `SELECT channel, address, at, word FROM opt_outs WHERE `+strings.Join(where, " AND ")+` ORDER BY channel, address LIMIT ?`, args...)
	return collect(rows, err, func(rows *sql.Rows) (o gateway.OptOut, err error) {
		var at int64
		err = rows.Scan(&o.Channel, &o.Address, &at, &o.Word)
		o.At = fromMillis(at)
		return o, err
	})
}

// phoneDigits is the field under which a profile is found by the digits of its phone number, however it is written there.
const phoneDigits = "phoneDigits"

// ProfileWithPhone answers the id of the profile that has a phone number, given in digits; of several the first by id, "" when there is none.
func (tx *Tx) ProfileWithPhone(digits string) (string, error) {
	var id sql.NullString
	// Profiles that were stored before there were digits are found as most are written.
	err := tx.QueryRow(`SELECT MIN(profile) FROM profile_fields WHERE field = ? AND value = ? OR field = 'phoneNumber' AND value IN (?, ?)`,
		phoneDigits, digits, digits, "+"+digits).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("find profile by phone number: %w", err)
	}
	return id.String, nil
}
