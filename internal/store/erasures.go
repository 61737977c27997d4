package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// erasures are the erasures of people, under way and done.
var erasures = newTable("erasures",
	plain("id", func(e *gateway.Erasure) *string { return &e.ID }),
	word("source", func(e *gateway.Erasure) *gateway.ErasureSource { return &e.Source }),
	plain("app", func(e *gateway.Erasure) *string { return &e.Application }),
	document("apps", func(e *gateway.Erasure) string { return keptApplications(e.Applications) }, func(e *gateway.Erasure) *[]string { return &e.Applications }),
	plain("user_id", func(e *gateway.Erasure) *string { return &e.UserID }),
	document("profiles", func(e *gateway.Erasure) string { return jsonOf(e.Profiles, len(e.Profiles) > 0) }, func(e *gateway.Erasure) *[]string { return &e.Profiles }),
	document("people", func(e *gateway.Erasure) string { return jsonOf(e.People, len(e.People) > 0) }, func(e *gateway.Erasure) *[]gateway.ErasedPerson { return &e.People }),
	word("state", func(e *gateway.Erasure) *gateway.ErasureState { return &e.State }),
	plain("pos", func(e *gateway.Erasure) *int64 { return &e.Pos }),
	moment("due_at", func(e *gateway.Erasure) *time.Time { return &e.DueAt }),
	plain("tries", func(e *gateway.Erasure) *int { return &e.Tries }),
	document("counts", func(e *gateway.Erasure) string { return jsonOf(e.Counts, true) }, func(e *gateway.Erasure) *gateway.ErasureCounts { return &e.Counts }),
	moment("created_at", func(e *gateway.Erasure) *time.Time { return &e.CreatedAt }),
	moment("updated_at", func(e *gateway.Erasure) *time.Time { return &e.UpdatedAt }),
	moment("done_at", func(e *gateway.Erasure) *time.Time { return &e.DoneAt }),
)

var (
	scanErasure = erasures.reads("erasure")
	saveErasure = erasures.upserts([]string{"id"}, "source", "app", "apps", "created_at")
)

// Erasure returns one erasure; a not_found error when there is none.
func (s *Store) Erasure(ctx context.Context, id string) (*gateway.Erasure, error) {
	rows, err := s.Query(ctx, erasures.selected+` WHERE id = ?`, id)
	return One("erasure", id, rows, err, scanErasure)
}

// DueErasures returns pending erasures that are due, the oldest first, whose work is this node's.
func (s *Store) DueErasures(ctx context.Context, now time.Time, limit int) ([]*gateway.Erasure, error) {
	rows, err := s.Query(ctx, erasures.selected+` WHERE state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?`, Millis(now), limit)
	all, err := Collect(rows, err, scanErasure)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e *gateway.Erasure) bool {
		_, held := s.leases.Epoch(erasurePartition(e))
		return !held
	}), nil
}

// erasurePartition is the partition whose lease an erasure is worked under.
func erasurePartition(e *gateway.Erasure) int { return gateway.Partition("", e.ID) }

// SaveErasure stores an erasure as it is now.
func (tx *Tx) SaveErasure(e *gateway.Erasure) error {
	e.UpdatedAt = tx.now
	_, err := tx.Exec(saveErasure, erasures.args(e)...)
	if err != nil {
		return fmt.Errorf("store erasure %s: %w", e.ID, err)
	}
	return nil
}

// BeginErasure takes up the erasure of profiles and people: of the profiles that the people belong
// to, and of all people who belong to the profiles. The profiles are gone when it is committed, and
// what is queued for the people is canceled; Erase does the rest. People who are being erased
// already are no error.
func (tx *Tx) BeginErasure(e *gateway.Erasure, profiles []string, lanes []gateway.Lane) error {
	for _, lane := range lanes {
		id, err := tx.ProfileOf(lane.Application, lane.Person)
		if err != nil {
			return err
		}
		if id != "" && !slices.Contains(profiles, id) {
			profiles = append(profiles, id)
		}
		e.AddPerson(lane.Application, lane.Person)
	}
	for _, id := range profiles {
		p, err := tx.Profile(id)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		e.AddProfile(p)
	}
	e.State, e.CreatedAt, e.DueAt = gateway.ErasurePending, tx.now, tx.now
	if err := tx.eraseRecords(e); err != nil {
		return err
	}
	return tx.SaveErasure(e)
}

// PendingErasureOf returns the erasure that a profile is under; nil when there is none.
func (tx *Tx) PendingErasureOf(profile string) (*gateway.Erasure, error) {
	rows, err := tx.Query(erasures.selected + ` WHERE state = 'pending'`)
	all, err := Collect(rows, err, scanErasure)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if slices.Contains(e.Profiles, profile) {
			return e, nil
		}
	}
	return nil, nil
}

// eraseRecords removes what is small: profiles, addresses, and all that is kept once for each
// conversation. It does no harm to do it again.
func (tx *Tx) eraseRecords(e *gateway.Erasure) error {
	for _, id := range e.Profiles {
		n, err := tx.Exec(`DELETE FROM profiles WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("erase profile: %w", err)
		}
		e.Counts.Profiles += n
		for _, t := range tx.w.s.tables {
			if t.Profile == "" {
				continue
			}
			if _, err := tx.Exec(`DELETE FROM `+t.Name+` WHERE `+t.Profile+` = ?`, id); err != nil {
				return fmt.Errorf("erase profile from %s: %w", t.Name, err)
			}
		}
	}
	for _, p := range e.People {
		if err := tx.erasePerson(e, p); err != nil {
			return fmt.Errorf("erase person: %w", err)
		}
	}
	return nil
}

func (tx *Tx) erasePerson(e *gateway.Erasure, p gateway.ErasedPerson) error {
	canceled, err := tx.Exec(`UPDATE messages SET status = 'canceled', open = 0, ended_at = ?, updated_at = ? WHERE person = ? AND (app = ? OR CAST(? AS TEXT) = '') AND status IN ('queued', 'held')`,
		Millis(tx.now), Millis(tx.now), p.Person, p.Application, p.Application)
	if err != nil {
		return err
	}
	e.Counts.Canceled += canceled
	if err := tx.eraseWaiting(e, p); err != nil {
		return err
	}
	if channel, address := p.Address(); channel != profilePerson {
		only := p.Application
		if channel == gateway.ChannelMessenger {
			only = "" // the id is that of the page's person alone
		}
		for _, statement := range []string{`DELETE FROM opt_outs WHERE address = ? AND channel = ? AND (app = ? OR CAST(? AS TEXT) = '')`,
			`DELETE FROM sms_fragments WHERE sender = ? AND CAST(? AS TEXT) <> '' AND (account IN (SELECT id FROM channels WHERE app = ?) OR CAST(? AS TEXT) = '')`} {
			if _, err := tx.Exec(statement, address, channel, only, only); err != nil {
				return err
			}
		}
	}
	if p.Application == "" {
		return tx.eraseEverywhere(e, p)
	}
	for _, t := range tx.w.s.tables {
		if !t.Person {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM `+t.Name+` WHERE app = ? AND person = ?`, p.Application, p.Person); err != nil {
			return fmt.Errorf("erase person from %s: %w", t.Name, err)
		}
	}
	if _, err := tx.Exec(`UPDATE goals SET person = ? WHERE app = ? AND person = ?`, p.StandIn, p.Application, p.Person); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE opt_in_states SET used_by = '' WHERE used_by = ? AND app = ?`, p.Person, p.Application); err != nil {
		return err
	}
	return tx.eraseFound(e, p)
}

// eraseWaiting empties at once the messages that would go on to another channel, so that they do
// not.
func (tx *Tx) eraseWaiting(e *gateway.Erasure, p gateway.ErasedPerson) error {
	rows, err := tx.Query(`SELECT seq, id, attempts, error FROM messages WHERE person = ? AND (app = ? OR CAST(? AS TEXT) = '') AND open = 0 AND step_due > 0`,
		p.Person, p.Application, p.Application)
	found, err := Collect(rows, err, scanErasedMessage)
	if err != nil || len(found) == 0 {
		return err
	}
	return tx.emptyMessages(e, p, found)
}

// eraseEverywhere removes what is kept of an address that is the same for all applications.
func (tx *Tx) eraseEverywhere(e *gateway.Erasure, p gateway.ErasedPerson) error {
	for _, t := range tx.w.s.tables {
		if !t.Person {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM `+t.Name+` WHERE person = ?`, p.Person); err != nil {
			return fmt.Errorf("erase person from %s: %w", t.Name, err)
		}
	}
	if _, err := tx.Exec(`UPDATE goals SET person = ? WHERE person = ?`, p.StandIn, p.Person); err != nil {
		return err
	}
	rows, err := tx.Query(`SELECT app, person, profile FROM addresses WHERE person = ? AND app IN (SELECT key FROM applications UNION SELECT '')`, p.Person)
	found, err := Collect(rows, err, scanAddress)
	if err != nil {
		return err
	}
	for _, a := range found {
		if err := tx.eraseFound(e, gateway.ErasedPerson{Application: a.app, Person: a.person}); err != nil {
			return err
		}
	}
	return nil
}

// eraseFound removes the profile that a person was given by itself after the erasure began.
func (tx *Tx) eraseFound(e *gateway.Erasure, p gateway.ErasedPerson) error {
	id, err := tx.ProfileOf(p.Application, p.Person)
	if err != nil || id == "" {
		return err
	}
	found, err := tx.Profile(id)
	if err != nil || !found.Automatic() {
		return err
	}
	e.Counts.Profiles++
	return tx.DeleteProfile(id, 0)
}

// KnowsPerson reports whether anything is kept of a person of an application.
func (tx *Tx) KnowsPerson(lane gateway.Lane) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT (SELECT COUNT(*) FROM conversations WHERE app = ? AND person = ?) + (SELECT COUNT(*) FROM addresses WHERE app = ? AND person = ?) +
(SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE app = ? AND person = ? LIMIT 1) AS sent)`,
		lane.Application, lane.Person, lane.Application, lane.Person, lane.Application, lane.Person).Scan(&n)
	return n > 0, err
}
