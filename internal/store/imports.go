package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// ImportRow is a profile as a file brings it. Fields are the caller's own (null takes one away),
// Own those of gateway.OwnField, which only a new profile takes.
type ImportRow struct {
	ID        string // empty for the profile of the person, or a new one
	Fields    map[string]json.RawMessage
	Own       map[string]json.RawMessage
	Addresses map[string]string // application key → PSID
	CreatedAt time.Time         // of a new profile; zero for now
	UpdatedAt time.Time
}

// OnConflict says what becomes of a row whose profile is there already.
type OnConflict string

// The ways to deal with a profile that is there already. One that came about by itself is never in
// the way: the row's fields are added to it.
const (
	ConflictUpdate OnConflict = "update" // the row's fields are merged into it
	ConflictSkip   OnConflict = "skip"   // it stays as it is
	ConflictFail   OnConflict = "fail"   // the row is refused, and the import ends
)

// ImportVerdict is what became of a row.
type ImportVerdict string

// The verdicts on a row.
const (
	ImportCreated   ImportVerdict = "created"
	ImportUpdated   ImportVerdict = "updated"
	ImportUnchanged ImportVerdict = "unchanged"
	ImportSkipped   ImportVerdict = "skipped"
	ImportRefused   ImportVerdict = "refused"
)

// ImportOutcome is what became of a row, and why it was refused.
type ImportOutcome struct {
	Verdict ImportVerdict
	Merged  int            // profiles that came about by themselves and went into this one
	Stop    bool           // the import ends here: ConflictFail
	Err     *gateway.Error // of a refused row
}

// ImportOptions say how rows are taken.
type ImportOptions struct {
	OnConflict OnConflict
	Events     bool        // append profile.created and profile.updated
	Fetch      bool        // have the platform asked for the names of new people
	Seen       *ImportSeen // of a dry run; nil to write
}

// ErrImportRaced is returned when somebody else changed the same profiles at the same time: the
// rows may be given again.
var ErrImportRaced = errors.New("profiles were changed at the same time")

// ImportRows stores profiles in one commit, and returns what becomes of each. place and value are a
// setting that is stored with them ("" for none), so that a reader knows exactly how far it has
// come; an empty value removes it. before is called in the transaction, before anything is
// committed, and its error undoes all.
func (s *Store) ImportRows(ctx context.Context, rows []*ImportRow, o ImportOptions, place string, before func([]ImportOutcome) (value string, err error)) ([]ImportOutcome, error) {
	var outcomes []ImportOutcome
	err := s.Write(ctx, func(tx *Tx) error {
		b := &importBatch{tx: tx, o: o, applications: map[string]bool{}, profiles: map[string]*importing{}, owner: map[gateway.Lane]string{}, moved: map[gateway.Lane]bool{}}
		if err := b.load(rows); err != nil {
			return err
		}
		outcomes = make([]ImportOutcome, len(rows))
		stopped := false
		for i, r := range rows {
			if stopped {
				continue
			}
			outcomes[i] = b.take(r)
			stopped = outcomes[i].Stop
		}
		value, err := before(outcomes)
		if err != nil || o.Seen != nil {
			return err
		}
		if err := b.write(); err != nil || place == "" {
			return err
		}
		return tx.setSetting(place, value)
	})
	return outcomes, err
}

func (tx *Tx) setSetting(name, value string) error {
	query, args := `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []any{name, value}
	if value == "" {
		query, args = `DELETE FROM settings WHERE name = ?`, args[:1]
	}
	if _, err := tx.Exec(query, args...); err != nil {
		return fmt.Errorf("store setting %s: %w", name, err)
	}
	return nil
}

// importBatch is the part of the tables that a group of rows touches, changed in memory first.
type importBatch struct {
	tx           *Tx
	o            ImportOptions
	applications map[string]bool
	profiles     map[string]*importing
	owner        map[gateway.Lane]string // profile id
	moved        map[gateway.Lane]bool   // stored for one that came about by itself, and went into another
}

// importing is a profile in a batch: as it is stored, and as it will be. stored is nil for a new
// one, now is nil for one that goes.
type importing struct{ stored, now *gateway.Profile }

const importChunk = 200

func (b *importBatch) load(rows []*ImportRow) error {
	keys, err := b.tx.Query(`SELECT key FROM applications`)
	list, err := Collect(keys, err, func(r *sql.Rows) (string, error) { var k string; return k, r.Scan(&k) })
	if err != nil {
		return fmt.Errorf("read applications: %w", err)
	}
	for _, key := range list {
		b.applications[key] = true
	}
	var ids, people []any
	for _, r := range rows {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
		for _, person := range r.Addresses {
			people = append(people, person)
		}
	}
	for some := range slices.Chunk(people, importChunk) {
		found, err := b.tx.Query(`SELECT app, person, profile FROM addresses WHERE person IN (`+Holes(len(some))+`) AND app IN (SELECT key FROM applications)`, some...)
		owners, err := Collect(found, err, scanAddress)
		if err != nil {
			return fmt.Errorf("read addresses: %w", err)
		}
		for _, a := range owners {
			b.owner[gateway.Lane{Application: a.app, Person: a.person}] = a.profile
			ids = append(ids, a.profile)
		}
	}
	for some := range slices.Chunk(ids, importChunk) {
		found, err := b.tx.Query(selectProfiles+` WHERE p.id IN (`+Holes(len(some))+`)`, some...)
		profiles, err := Collect(found, err, scanProfile)
		if err != nil {
			return fmt.Errorf("read profiles: %w", err)
		}
		if err := withAddresses(profiles, b.tx.Query); err != nil {
			return err
		}
		for _, p := range profiles {
			if b.profiles[p.ID] != nil {
				continue
			}
			b.profiles[p.ID] = &importing{stored: p, now: p}
			for app, person := range p.Addresses {
				b.owner[gateway.Lane{Application: app, Person: person}] = p.ID
			}
		}
	}
	return nil
}

func refuseRow(err *gateway.Error) ImportOutcome {
	return ImportOutcome{Verdict: ImportRefused, Err: err}
}

// take decides about one row and changes the batch by it.
func (b *importBatch) take(r *ImportRow) ImportOutcome {
	id, automatic, refusal := b.target(r)
	if refusal != nil {
		return refuseRow(refusal)
	}
	at := b.profiles[id]
	existing := at != nil && at.now != nil || b.o.Seen.hasProfile(id)
	var after *gateway.Profile
	var err error
	if at != nil && at.now != nil {
		after, err = b.changed(at.now, r)
	} else if after, err = gateway.NewProfile(id, r.Fields, r.Addresses); err == nil {
		b.dress(after, r, at)
	}
	if err != nil {
		var e *gateway.Error
		if !errors.As(err, &e) {
			e = gateway.Invalid("", "the row cannot be read")
		}
		return refuseRow(e)
	}
	if existing {
		if out := b.conflict(at, after); out.Verdict != "" {
			return out
		}
	}
	for _, old := range automatic {
		b.merge(old, after)
	}
	return b.settle(id, at, after, existing, len(automatic))
}

// conflict says what becomes of a row whose profile is there already; no verdict when it is to be
// merged into it.
func (b *importBatch) conflict(at *importing, after *gateway.Profile) ImportOutcome {
	known := at != nil && at.now != nil
	switch {
	case known && at.now.SameAs(after):
		return ImportOutcome{Verdict: ImportUnchanged}
	case known && at.now.Automatic() || b.o.OnConflict == ConflictUpdate:
		return ImportOutcome{}
	case b.o.OnConflict == ConflictSkip:
		return ImportOutcome{Verdict: ImportSkipped}
	}
	return ImportOutcome{Verdict: ImportRefused, Stop: true, Err: gateway.Errorf(gateway.CodeConflict, "there is a profile %q already", after.ID).WithField(gateway.FieldID)}
}

// dress gives a new profile what comes from elsewhere than its fields.
func (b *importBatch) dress(p *gateway.Profile, r *ImportRow, at *importing) {
	p.CreatedAt, p.UpdatedAt = b.tx.Now(), b.tx.Now()
	if !r.CreatedAt.IsZero() {
		p.CreatedAt, p.UpdatedAt = r.CreatedAt, r.CreatedAt
	}
	if !r.UpdatedAt.IsZero() {
		p.UpdatedAt = r.UpdatedAt
	}
	for name, value := range r.Own {
		p.Doc[name] = value
	}
	if at != nil && at.stored != nil { // it went in this batch and comes back
		p.Version = at.stored.Version
	}
}

// target returns which profile a row is about, and those that came about by themselves and go into
// it.
func (b *importBatch) target(r *ImportRow) (id string, automatic []string, refusal *gateway.Error) {
	id = r.ID
	if id == "" && len(r.Addresses) == 0 {
		return "", nil, gateway.Invalid(gateway.FieldID, "the row has neither an id nor a person")
	}
	for app, person := range r.Addresses {
		if !b.applications[app] {
			return "", nil, gateway.Invalid(gateway.FieldMessenger+"."+app, "there is no application %q", app)
		}
		if id == "" {
			id = b.owner[gateway.Lane{Application: app, Person: person}]
		}
	}
	if id == "" {
		id = b.tx.NewID("prf")
	}
	for app, person := range r.Addresses {
		lane := gateway.Lane{Application: app, Person: person}
		taken := gateway.Errorf(gateway.CodeConflict, "the person belongs to another profile").WithField(gateway.FieldMessenger + "." + app)
		if b.o.Seen.takenByOther(lane, r.ID) {
			return "", nil, taken
		}
		owner := b.owner[lane]
		if owner == "" || owner == id {
			continue
		}
		if at := b.profiles[owner]; at == nil || at.now == nil || !at.now.Automatic() {
			return "", nil, taken
		}
		if !slices.Contains(automatic, owner) {
			automatic = append(automatic, owner)
		}
	}
	return id, automatic, nil
}

// changed is a profile after a row was merged into it.
func (b *importBatch) changed(before *gateway.Profile, r *ImportRow) (*gateway.Profile, error) {
	patch := map[string]json.RawMessage{}
	for name, value := range r.Fields {
		patch[name] = value
	}
	if len(r.Addresses) > 0 {
		patch[gateway.FieldMessenger] = data(r.Addresses)
	}
	encoded, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	return before.Patch(encoded)
}

// merge puts what is known of a profile that came about by itself into another.
func (b *importBatch) merge(old string, into *gateway.Profile) {
	from := b.profiles[old]
	for name, value := range from.now.Doc {
		if _, have := into.Doc[name]; !have {
			into.Doc[name] = value
		}
	}
	for app, person := range from.now.Addresses {
		if into.Addresses[app] == "" || into.Addresses[app] == person {
			into.Addresses[app] = person
			if from.stored != nil && from.stored.Addresses[app] == person {
				b.moved[gateway.Lane{Application: app, Person: person}] = true
			}
		}
	}
	from.now = nil
}

func (b *importBatch) settle(id string, at *importing, after *gateway.Profile, existing bool, merged int) ImportOutcome {
	out := ImportOutcome{Verdict: ImportUpdated, Merged: merged}
	if !existing {
		out.Verdict = ImportCreated
	}
	if at != nil && at.now != nil {
		for app, person := range at.now.Addresses {
			if after.Addresses[app] != person {
				delete(b.owner, gateway.Lane{Application: app, Person: person})
			}
		}
		after.UpdatedAt = b.tx.Now()
	}
	if at == nil {
		at = &importing{}
		b.profiles[id] = at
	}
	at.now = after
	for app, person := range after.Addresses {
		b.owner[gateway.Lane{Application: app, Person: person}] = id
		b.o.Seen.addAddress(gateway.Lane{Application: app, Person: person}, id)
	}
	b.o.Seen.addProfile(id)
	return out
}

// ApplicationKeys returns the keys of all applications in order.
func (s *Store) ApplicationKeys(ctx context.Context) ([]string, error) {
	rows, err := s.Query(ctx, `SELECT key FROM applications ORDER BY key`)
	return Collect(rows, err, func(r *sql.Rows) (string, error) { var k string; return k, r.Scan(&k) })
}

// CountProfiles returns how many profiles there are.
func (s *Store) CountProfiles(ctx context.Context) (n int, err error) {
	err = s.QueryRow(ctx, `SELECT COUNT(*) FROM profiles`).Scan(&n)
	return n, err
}
