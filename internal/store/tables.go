package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Retention is for how long things are kept, counted from their receipt; 0 means for ever.
type Retention struct {
	Events, Messages, Deliveries time.Duration
}

// Table says how the rows of a table end. Every table is in the register: one that is not would
// keep for ever what it holds.
type Table struct {
	Name string
	// Profile is the column that holds the id of a profile: the rows go when the profile is erased.
	Profile string
	// Person says that the table has the columns app and person: the rows go when the person is
	// erased.
	Person bool
	// Application is the column that holds the key of an application: the rows go when that is
	// deleted.
	Application string
	// Age says when rows are old; nil when age does not matter.
	Age *Age
	// Note says in words how else the rows end, or why there are few of them. A table with nothing
	// else has one.
	Note string
}

// Age says which rows of a table are old.
type Age struct {
	Key   string // the columns of the primary key
	Since string // the column of the moment, in milliseconds, from which it counts
	Where string // further conditions, empty for none
	Order string // in which they are looked for; empty where an index of Since does it
	Life  func(Retention) time.Duration
}

// Week is for how long is kept what only a repeat would ask for.
func Week(Retention) time.Duration { return 7 * 24 * time.Hour }

// coreTables is the register of the store's own tables.
var coreTables = []Table{
	{Name: "settings", Note: "one row for each setting"},
	{Name: "log_head", Note: "one row"},
	{Name: "nodes", Note: "one row for each node that runs"},
	{Name: "leases", Note: "one row for each partition"},
	{Name: "cursors", Note: "go with their subscription; one row for each reader and partition otherwise"},
	{Name: "events", Note: "old ones are removed by their position, once all readers have passed it; an erasure empties those of the person"},
	{Name: "messages", Age: &Age{Key: "seq", Since: "accepted_at", Order: "seq", Where: "open = 0 AND step_due = 0 AND status <> 'held'", Life: func(r Retention) time.Duration { return r.Messages }},
		Note: "an erasure empties those to the person"},
	{Name: "deliveries", Age: &Age{Key: "subscription, pos", Since: "created_at", Where: "status IN ('delivered', 'dead')", Life: func(r Retention) time.Duration { return r.Deliveries }},
		Note: "go with their subscription; an erasure takes the person out"},
	{Name: "idempotency", Age: &Age{Key: "api_key, key", Since: "created_at", Life: Week}},
	{Name: "spent", Age: &Age{Key: "what", Since: "expires_at", Life: Week}},
	{Name: "set_aside", Person: true, Note: "go with their events"},
	{Name: "conversations", Person: true, Application: "app"},
	{Name: "profiles", Note: "erased by id"},
	{Name: "addresses", Profile: "profile", Application: "app"},
	{Name: "profile_fields", Profile: "profile"},
	{Name: "opt_in_states", Profile: "profile", Age: &Age{Key: "handle", Since: "expires_at", Life: Week}},
	{Name: "opt_outs", Note: "erased by address"},
	{Name: "erasures", Note: "what was asked to be forgotten, without names"},
	{Name: "applications", Note: "configuration"},
	{Name: "callbacks", Application: "key"},
	{Name: "api_keys", Note: "configuration"},
	{Name: "token_keys", Note: "configuration"},
	{Name: "subscriptions", Note: "configuration"},
	{Name: "channels", Note: "configuration"},
	{Name: "routes", Note: "configuration"},
	{Name: "scripts", Note: "configuration"},
	{Name: "entry_points", Note: "configuration"},
	{Name: "bot_people", Person: true},
	{Name: "bot_timers", Person: true},
	{Name: "bot_trials", Note: "removed when a week old by whoever adds one"},
	{Name: "touches", Person: true},
	{Name: "goals", Note: "an erasure puts somebody else's name in the place of the person's"},
	{Name: "entry_counts", Note: "counts of nobody in particular"},
	{Name: "sms_segments", Note: "removed by the channels' sweep; go with their erased message"},
	{Name: "sms_fragments", Note: "removed by the channels' sweep; erased by sender"},
}

// Tables returns the register: the store's own tables and those of its extensions.
func (s *Store) Tables() []Table { return s.tables }

func registered(extensions []Extension) []Table {
	all := slices.Clone(coreTables)
	for _, e := range extensions {
		all = append(all, e.Tables...)
	}
	return all
}

// Retire removes up to limit rows of a table that have reached their age, and returns how many.
func (s *Store) Retire(ctx context.Context, t Table, r Retention, limit int) (int64, error) {
	if t.Age == nil || t.Age.Life(r) <= 0 {
		return 0, nil
	}
	where := ""
	if t.Age.Where != "" {
		where = " AND " + t.Age.Where
	}
	order := ""
	if t.Age.Order != "" {
		order = " ORDER BY " + t.Age.Order
	}
	// The conditions stand outside too: on PostgreSQL a row may change after it was looked for.
	query := "DELETE FROM " + t.Name + " WHERE (" + t.Age.Key + ") IN (SELECT " + t.Age.Key + " FROM " + t.Name + " WHERE " + t.Age.Since + " < ?" + where +
		order + " LIMIT ?)" + where
	n, err := s.retire(ctx, query, Millis(s.now().Add(-t.Age.Life(r))), limit)
	if err != nil {
		return 0, fmt.Errorf("remove old rows of %s: %w", t.Name, err)
	}
	return n, nil
}
