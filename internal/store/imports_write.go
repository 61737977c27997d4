package store

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
)

// importWrites are the statements of a batch, in the order in which they run.
type importWrites struct {
	gone, left, moved, profiles, changed, addresses, unindexed, indexed [][]any
	history                                                             [][]any
}

// write stores what the rows have changed. Somebody else's change of the same profiles since they
// were read is ErrImportRaced.
func (b *importBatch) write() error {
	w := &importWrites{}
	for _, id := range slices.Sorted(maps.Keys(b.profiles)) {
		b.plan(w, id, b.profiles[id])
	}
	for _, step := range []struct {
		query string
		rows  [][]any
		all   bool // every row must change something
	}{
		{`DELETE FROM profiles WHERE id = ? AND version = ?`, w.gone, true},
		{`DELETE FROM profile_fields WHERE profile = ?`, w.unindexed, false},
		{`DELETE FROM addresses WHERE app = ? AND person = ? AND profile = ?`, w.left, true},
		{`UPDATE addresses SET profile = ? WHERE app = ? AND person = ?`, w.moved, true},
		{`UPDATE messages SET profile = ? WHERE app = ? AND person = ?`, w.history, false},
		{`INSERT INTO profiles (id, doc, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, w.profiles, true},
		{`UPDATE profiles SET doc = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?`, w.changed, true},
		{`INSERT INTO addresses (app, person, profile, fetch_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, w.addresses, true},
		{insertField, w.indexed, true},
	} {
		changed, err := b.tx.ExecMany(step.query, step.rows)
		if err != nil {
			return fmt.Errorf("import profiles: %w", err)
		}
		if step.all && slices.Contains(changed, 0) {
			return ErrImportRaced
		}
	}
	return nil
}

func (b *importBatch) plan(w *importWrites, id string, at *importing) {
	if at.stored == at.now || at.stored == nil && at.now == nil {
		return
	}
	if at.stored != nil {
		w.unindexed = append(w.unindexed, []any{id})
	}
	if at.now == nil {
		w.gone = append(w.gone, []any{id, at.stored.Version})
		b.planAddresses(w, id, at)
		return
	}
	p := at.now
	kind := gateway.EventProfileCreated
	if at.stored == nil {
		p.Version = 1
		w.profiles = append(w.profiles, []any{id, string(data(p.Doc)), p.Version, Millis(p.CreatedAt), Millis(p.UpdatedAt)})
	} else {
		kind, p.Version = gateway.EventProfileUpdated, at.stored.Version+1
		w.changed = append(w.changed, []any{string(data(p.Doc)), p.Version, Millis(p.UpdatedAt), id, at.stored.Version})
	}
	b.planAddresses(w, id, at)
	w.indexed = append(w.indexed, fieldRows(p)...)
	if b.o.Events {
		b.tell(kind, p)
	}
}

func (b *importBatch) planAddresses(w *importWrites, id string, at *importing) {
	had := map[string]string{}
	if at.stored != nil {
		had = at.stored.Addresses
	}
	for _, app := range slices.Sorted(maps.Keys(had)) {
		person := had[app]
		lane := gateway.Lane{Application: app, Person: person}
		owner := b.owner[lane]
		if at.now != nil && at.now.Addresses[app] == person || b.moved[lane] && owner != "" && owner != id {
			continue // it stays, or whoever it went to takes it as it is
		}
		w.left = append(w.left, []any{app, person, id})
	}
	if at.now == nil {
		return
	}
	fetch := int64(0)
	if b.o.Fetch {
		fetch = Millis(b.tx.Now())
	}
	for _, app := range slices.Sorted(maps.Keys(at.now.Addresses)) {
		person := at.now.Addresses[app]
		switch {
		case had[app] == person:
		case b.moved[gateway.Lane{Application: app, Person: person}]:
			w.moved = append(w.moved, []any{id, app, person})
			w.history = append(w.history, []any{id, app, person})
		default:
			w.addresses = append(w.addresses, []any{app, person, id, fetch})
		}
	}
}

// tell appends the event of a profile.
func (b *importBatch) tell(kind gateway.EventType, p *gateway.Profile) {
	e := &gateway.Event{Type: kind, Data: data(map[string]any{"profile": p})}
	if apps := slices.Sorted(maps.Keys(p.Addresses)); len(apps) > 0 {
		e.Application, e.Person = apps[0], p.Addresses[apps[0]]
	}
	b.tx.AppendEvent(e)
}

// ImportSeen remembers what the earlier rows of a dry run would have made, in about 60 bytes a row.
// A nil one remembers nothing.
type ImportSeen struct {
	seed     maphash.Seed
	profiles map[uint64]struct{}
	owners   map[uint64]uint64
}

// NewImportSeen makes the memory of a dry run.
func NewImportSeen() *ImportSeen {
	return &ImportSeen{seed: maphash.MakeSeed(), profiles: map[uint64]struct{}{}, owners: map[uint64]uint64{}}
}

func (s *ImportSeen) hash(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, part := range parts {
		h.WriteString(part)
		h.WriteByte(0)
	}
	return h.Sum64()
}

func (s *ImportSeen) hasProfile(id string) bool {
	if s == nil {
		return false
	}
	_, ok := s.profiles[s.hash(id)]
	return ok
}

func (s *ImportSeen) addProfile(id string) {
	if s != nil {
		s.profiles[s.hash(id)] = struct{}{}
	}
}

// takenByOther reports whether an earlier row gave a person to another profile than the one of an
// id.
func (s *ImportSeen) takenByOther(lane gateway.Lane, id string) bool {
	if s == nil || id == "" {
		return false
	}
	owner, ok := s.owners[s.hash(lane.Application, lane.Person)]
	return ok && owner != s.hash(id)
}

func (s *ImportSeen) addAddress(lane gateway.Lane, id string) {
	if s != nil {
		s.owners[s.hash(lane.Application, lane.Person)] = s.hash(id)
	}
}
