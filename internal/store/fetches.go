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

// FirstContact makes a profile for a person who has none.
func (tx *Tx) FirstContact(lane gateway.Lane) error {
	id, err := tx.ProfileOf(lane.Application, lane.Person)
	if err != nil || id != "" {
		return err
	}
	return tx.CreateProfile(&gateway.Profile{ID: tx.NewID("prf"), Doc: map[string]json.RawMessage{}, Addresses: map[string]string{lane.Application: lane.Person}})
}

// Knows reports whether a person has a profile, or has done something before.
func (s *Store) Knows(ctx context.Context, lane gateway.Lane) (bool, error) {
	var one int
	err := s.hotRow(ctx, `SELECT 1 FROM addresses WHERE app = ? AND person = ? UNION ALL SELECT 1 FROM conversations WHERE app = ? AND person = ? AND last_inbound_at > 0 LIMIT 1`,
		lane.Application, lane.Person, lane.Application, lane.Person).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Fetch is a person whom the platform is to be asked about.
type Fetch struct {
	Lane    gateway.Lane
	Profile string
	Tries   int
}

// DueFetches returns people to ask the platform about, of the partitions this node works.
func (s *Store) DueFetches(ctx context.Context, now time.Time, limit int) ([]Fetch, error) {
	rows, err := s.Query(ctx, `SELECT app, person, profile, fetch_tries FROM addresses WHERE fetch_at > 0 AND fetch_at <= ? ORDER BY fetch_at LIMIT ?`,
		Millis(now), limit)
	all, err := Collect(rows, err, func(r *sql.Rows) (Fetch, error) {
		var f Fetch
		err := r.Scan(&f.Lane.Application, &f.Lane.Person, &f.Profile, &f.Tries)
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read due fetches: %w", err)
	}
	mine := all[:0]
	for _, f := range all {
		if _, held := s.leases.Epoch(gateway.Partition(f.Lane.Application, f.Lane.Person)); held {
			mine = append(mine, f)
		}
	}
	return mine, nil
}

// FinishFetch stores what the platform said about a person under `facebook` (nil for nothing), and
// when to ask again (zero for not).
func (s *Store) FinishFetch(ctx context.Context, f Fetch, again time.Time, facebook map[string]json.RawMessage) error {
	return s.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`UPDATE addresses SET fetch_at = ?, fetch_tries = fetch_tries + 1 WHERE app = ? AND person = ?`,
			Millis(again), f.Lane.Application, f.Lane.Person); err != nil {
			return fmt.Errorf("store fetch: %w", err)
		}
		if len(facebook) == 0 {
			return nil
		}
		p, err := tx.Profile(f.Profile)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		if p.Doc == nil {
			p.Doc = map[string]json.RawMessage{}
		}
		p.Doc[gateway.FieldFacebook] = data(facebook)
		return tx.UpdateProfile(p)
	})
}

// ProfilesOf returns the profiles of the people of events; those without one are left out.
func (s *Store) ProfilesOf(ctx context.Context, events []*gateway.Event) (map[gateway.Lane]string, error) {
	people := map[string][]any{} // by application
	seen := map[gateway.Lane]bool{}
	for _, e := range events {
		if lane := e.Lane(); e.Person != "" && !seen[lane] {
			seen[lane] = true
			people[e.Application] = append(people[e.Application], e.Person)
		}
	}
	profiles := map[gateway.Lane]string{}
	for app, all := range people {
		for some := range slices.Chunk(all, 200) {
			rows, err := s.Query(ctx, `SELECT app, person, profile FROM addresses WHERE app = ? AND person IN (`+Holes(len(some))+`)`, append([]any{app}, some...)...)
			list, err := Collect(rows, err, scanAddress)
			if err != nil {
				return nil, fmt.Errorf("find profiles: %w", err)
			}
			for _, a := range list {
				profiles[gateway.Lane{Application: a.app, Person: a.person}] = a.profile
			}
		}
	}
	return profiles, nil
}
