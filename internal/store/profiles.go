package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

const selectProfiles = `SELECT p.id, p.doc, p.app, p.version, p.created_at, p.updated_at FROM profiles p`

func scanProfile(rows *sql.Rows) (*gateway.Profile, error) {
	p := &gateway.Profile{Addresses: map[string]string{}}
	var doc string
	var created, updated int64
	if err := rows.Scan(&p.ID, &doc, &p.Application, &p.Version, &created, &updated); err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	if err := json.Unmarshal([]byte(doc), &p.Doc); err != nil {
		return nil, fmt.Errorf("read profile %s: %w", p.ID, err)
	}
	p.CreatedAt, p.UpdatedAt = FromMillis(created), FromMillis(updated)
	return p, nil
}

type address struct{ app, person, profile string }

func scanAddress(rows *sql.Rows) (address, error) {
	var a address
	err := rows.Scan(&a.app, &a.person, &a.profile)
	return a, err
}

// withAddresses fills in the addresses of profiles, read through query.
func withAddresses(profiles []*gateway.Profile, query func(string, ...any) (*sql.Rows, error)) error {
	if len(profiles) == 0 {
		return nil
	}
	byID, ids := map[string]*gateway.Profile{}, make([]any, len(profiles))
	for i, p := range profiles {
		byID[p.ID], ids[i] = p, p.ID
	}
	rows, err := query(`SELECT app, person, profile FROM addresses WHERE profile IN (`+Holes(len(ids))+`) ORDER BY app, person`, ids...)
	list, err := Collect(rows, err, scanAddress)
	if err != nil {
		return fmt.Errorf("read addresses: %w", err)
	}
	for _, a := range list {
		byID[a.profile].Addresses[a.app] = a.person
	}
	return nil
}

func oneProfile(id string, rows *sql.Rows, err error, query func(string, ...any) (*sql.Rows, error)) (*gateway.Profile, error) {
	list, err := Collect(rows, err, scanProfile)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, gateway.NotFound("profile", id)
	}
	return list[0], withAddresses(list, query)
}

// Profile returns one profile; a not_found error when there is none.
func (s *Store) Profile(ctx context.Context, id string) (*gateway.Profile, error) {
	rows, err := s.Query(ctx, selectProfiles+` WHERE p.id = ?`, id)
	return oneProfile(id, rows, err, s.queryIn(ctx))
}

func (s *Store) queryIn(ctx context.Context) func(string, ...any) (*sql.Rows, error) {
	return func(q string, args ...any) (*sql.Rows, error) { return s.Query(ctx, q, args...) }
}

// Profile returns one profile inside the transaction; a not_found error when there is none.
func (tx *Tx) Profile(id string) (*gateway.Profile, error) {
	rows, err := tx.Query(selectProfiles+` WHERE p.id = ?`, id)
	return oneProfile(id, rows, err, tx.Query)
}

const selectAddress = `SELECT profile FROM addresses WHERE app = ? AND person = ?`

// ProfileOf returns the id of the profile that a person of an application belongs to, "" when there
// is none.
func (s *Store) ProfileOf(ctx context.Context, app, person string) (string, error) {
	return addressed(s.hotRow(ctx, selectAddress, app, person))
}

// ProfileOf returns the id of the profile that a person of an application belongs to, "" when there
// is none.
func (tx *Tx) ProfileOf(app, person string) (string, error) {
	return addressed(tx.QueryRow(selectAddress, app, person))
}

func addressed(row *sql.Row) (string, error) {
	var id string
	err := row.Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// CreateProfile stores a new profile with its addresses and appends profile.created. Version and
// times are set. The error is a conflict when the id or an address is taken. People whose address
// is new are asked for at the platform soon.
func (tx *Tx) CreateProfile(p *gateway.Profile) error {
	p.Version, p.CreatedAt, p.UpdatedAt = 1, tx.Now(), tx.Now()
	n, err := tx.Exec(`INSERT INTO profiles (id, doc, app, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		p.ID, string(data(p.Doc)), p.Application, p.Version, Millis(p.CreatedAt), Millis(p.UpdatedAt))
	if err != nil {
		return fmt.Errorf("store profile: %w", err)
	}
	if n == 0 {
		return gateway.Errorf(gateway.CodeConflict, "there is a profile %q already", p.ID).WithField(gateway.FieldID)
	}
	if err := tx.storeAddresses(p, nil); err != nil {
		return err
	}
	if err := tx.storeFields(p); err != nil {
		return err
	}
	return tx.profileEvent(gateway.EventProfileCreated, p)
}

// UpdateProfile stores a changed profile and appends profile.updated. Its Version must be the one
// it was read with, and grows; the error is precondition_failed when it changed meanwhile, and a
// conflict when a new address belongs to another profile.
func (tx *Tx) UpdateProfile(p *gateway.Profile) error {
	read := p.Version
	p.Version, p.UpdatedAt = read+1, tx.Now()
	n, err := tx.Exec(`UPDATE profiles SET doc = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?`,
		string(data(p.Doc)), p.Version, Millis(p.UpdatedAt), p.ID, read)
	if err != nil {
		return fmt.Errorf("store profile %s: %w", p.ID, err)
	}
	if n == 0 {
		return gateway.Errorf(gateway.CodePreconditionFailed, "profile %q has changed since it was read", p.ID)
	}
	rows, err := tx.Query(`SELECT app, person, profile FROM addresses WHERE profile = ?`, p.ID)
	have, err := Collect(rows, err, scanAddress)
	if err != nil {
		return fmt.Errorf("read addresses of profile %s: %w", p.ID, err)
	}
	if err := tx.storeAddresses(p, have); err != nil {
		return err
	}
	if err := tx.storeFields(p); err != nil {
		return err
	}
	return tx.profileEvent(gateway.EventProfileUpdated, p)
}

// storeAddresses makes the addresses of a profile what they should be; have is what is stored.
func (tx *Tx) storeAddresses(p *gateway.Profile, have []address) error {
	for _, a := range have {
		if p.Addresses[a.app] == a.person {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM addresses WHERE app = ? AND person = ?`, a.app, a.person); err != nil {
			return fmt.Errorf("remove address of profile %s: %w", p.ID, err)
		}
	}
	for _, app := range slices.Sorted(maps.Keys(p.Addresses)) {
		person := p.Addresses[app]
		if slices.Contains(have, address{app, person, p.ID}) {
			continue
		}
		n, err := tx.Exec(`INSERT INTO addresses (app, person, profile, fetch_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, app, person, p.ID, Millis(tx.Now()))
		if err != nil {
			return fmt.Errorf("store address of profile %s: %w", p.ID, err)
		}
		if n == 0 {
			return gateway.Errorf(gateway.CodeConflict, "the person belongs to another profile").WithField(gateway.FieldMessenger + "." + app)
		}
	}
	return nil
}

// maxFieldValue is how many bytes of a field's value profiles are found by; a longer one is cut and
// told apart by a hash.
const maxFieldValue = 1000

// storeFields makes the profile findable by its fields.
func (tx *Tx) storeFields(p *gateway.Profile) error {
	if _, err := tx.Exec(`DELETE FROM profile_fields WHERE profile = ?`, p.ID); err != nil {
		return fmt.Errorf("index profile %s: %w", p.ID, err)
	}
	for _, row := range fieldRows(p) {
		if _, err := tx.Exec(insertField, row...); err != nil {
			return fmt.Errorf("index profile %s: %w", p.ID, err)
		}
	}
	return nil
}

const insertField = `INSERT INTO profile_fields (field, value, profile) VALUES (?, ?, ?)`

// fieldRows returns the rows under which a profile is found: by its fields, and by the digits of
// its phone number.
func fieldRows(p *gateway.Profile) [][]any {
	var rows [][]any
	for _, field := range gateway.ProfileQueryFields() {
		if value := p.QueryValue(field); value != "" {
			rows = append(rows, []any{field, gateway.ShortText(value, maxFieldValue), p.ID})
		}
	}
	if digits, ok := gateway.NormalAddress(gateway.ChannelSMS, p.QueryValue("phoneNumber")); ok {
		rows = append(rows, []any{phoneDigits, digits, p.ID})
	}
	return rows
}

// profileEvent appends one event for a profile. It stands in the conversation of the profile's
// first address by application key; that of a profile without address is its own application's, and
// of no person.
func (tx *Tx) profileEvent(kind gateway.EventType, p *gateway.Profile) error {
	e := &gateway.Event{Type: kind, Application: p.Application}
	if apps := slices.Sorted(maps.Keys(p.Addresses)); len(apps) > 0 {
		e.Application, e.Person = apps[0], p.Addresses[apps[0]]
	}
	if e.Application != "" {
		err := tx.QueryRow(`SELECT page_id FROM applications WHERE key = ?`, e.Application).Scan(&e.PageID)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find the page of profile %s: %w", p.ID, err)
		}
	}
	e.Data = data(map[string]any{"profile": p})
	tx.AppendEvent(e)
	return nil
}

// DeleteProfile removes a profile and its addresses; a person who writes again gets a new one. Its
// Version must be the one it was read with, or 0 for any. The error is not_found or
// precondition_failed.
func (tx *Tx) DeleteProfile(id string, version int64) error {
	n, err := tx.Exec(`DELETE FROM profiles WHERE id = ? AND (version = ? OR CAST(? AS BIGINT) = 0)`, id, version, version)
	if err != nil {
		return fmt.Errorf("delete profile %s: %w", id, err)
	}
	if n == 0 {
		if _, err := tx.Profile(id); err != nil {
			return err
		}
		return gateway.Errorf(gateway.CodePreconditionFailed, "profile %q has changed since it was read", id)
	}
	for _, statement := range []string{`DELETE FROM addresses WHERE profile = ?`, `DELETE FROM profile_fields WHERE profile = ?`} {
		if _, err := tx.Exec(statement, id); err != nil {
			return fmt.Errorf("delete profile %s: %w", id, err)
		}
	}
	return nil
}

// ProfileFilter selects profiles for listing, in the order of their ids. Empty fields select all.
type ProfileFilter struct {
	Applications []string          // profiles with an address at one of these, or of one of these
	Person       string            // profiles with this person's id
	IDPrefix     string            // profiles whose id begins so
	Fields       map[string]string // by field of gateway.ProfileQueryFields, without regard to case
	After        string            // id of the last profile of the page before
	Limit        int
}

// ListProfiles returns profiles in the order of their ids.
func (s *Store) ListProfiles(ctx context.Context, f ProfileFilter) ([]*gateway.Profile, error) {
	where, args := []string{"p.id > ?"}, []any{f.After}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	var applications []any
	for _, app := range f.Applications {
		applications = append(applications, app)
	}
	within := " IN (" + Holes(len(applications)) + ")"
	switch {
	case f.Person != "" && len(applications) > 0:
		add("EXISTS (SELECT 1 FROM addresses a WHERE a.profile = p.id AND a.person = ? AND a.app"+within+")", append([]any{f.Person}, applications...)...)
	case f.Person != "":
		add("EXISTS (SELECT 1 FROM addresses a WHERE a.profile = p.id AND a.person = ?)", f.Person)
	case len(applications) > 0:
		add("(p.app"+within+" OR EXISTS (SELECT 1 FROM addresses a WHERE a.profile = p.id AND a.app"+within+"))", append(slices.Clone(applications), applications...)...)
	}
	if f.IDPrefix != "" {
		add("substr(p.id, 1, ?) = ?", len([]rune(f.IDPrefix)), f.IDPrefix)
	}
	for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
		add("EXISTS (SELECT 1 FROM profile_fields x WHERE x.profile = p.id AND x.field = ? AND x.value = ?)", field, gateway.ShortText(strings.ToLower(f.Fields[field]), maxFieldValue))
	}
	args = append(args, f.Limit)
	rows, err := s.Query(ctx, selectProfiles+` WHERE `+strings.Join(where, " AND ")+` ORDER BY p.id LIMIT ?`, args...)
	list, err := Collect(rows, err, scanProfile)
	if err != nil {
		return nil, err
	}
	return list, withAddresses(list, s.queryIn(ctx))
}
