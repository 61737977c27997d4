package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Change is a kind of change of what is configured. Each is counted in the database.
type Change string

// Kinds of changes. Received events and acknowledgements are none.
const (
	ChangeApplications  Change = "applicationsChange"
	ChangeSubscriptions Change = "subscriptionsChange"
	ChangeChannels      Change = "channelsChange"
	ChangeOptOuts       Change = "optOutsChange" // somebody has opted out of a channel, or in again
	ChangeEntryPoints   Change = "entryPointsChange"
	ChangeScripts       Change = "scriptsChange" // another version is active
)

// Versions are numbers that grow with each change of a kind, on whichever node.
type Versions map[Change]int64

// Versions reads how far the kinds of changes have come, in one query.
func (s *Store) Versions(ctx context.Context, kinds ...Change) (Versions, error) {
	args := make([]any, len(kinds))
	for i, k := range kinds {
		args[i] = string(k)
	}
	rows, err := s.Query(ctx, `SELECT name, value FROM settings WHERE name IN (?`+strings.Repeat(`, ?`, len(kinds)-1)+`)`, args...)
	versions := make(Versions, len(kinds))
	_, err = Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var name, text string
		if err := r.Scan(&name, &text); err != nil {
			return struct{}{}, err
		}
		n, err := strconv.ParseInt(text, 10, 64)
		versions[Change(name)] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what has changed: %w", err)
	}
	return versions, nil
}

func bump(tx *Tx, kind Change) error {
	_, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?, '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT)`, string(kind))
	if err != nil {
		return fmt.Errorf("count the change: %w", err)
	}
	return nil
}

const (
	watchInterval = 500 * time.Millisecond
	// watchAnyway is after how long followers read again although nothing seems to have changed: a
	// node of another release may not count every kind.
	watchAnyway = time.Minute
)

// Watcher tells those who hold something of the configuration in memory when it has changed on
// another node: one query every half second for all of them. Whoever changes something on this node
// has it read again at once by himself.
type Watcher struct {
	s         *Store
	log       *slog.Logger
	kinds     map[Change]bool
	followers []*follower
}

type follower struct {
	what    string
	refresh func(context.Context) error
	on      []Change
	seen    Versions
	at      time.Time
}

// NewWatcher makes a watcher.
func NewWatcher(s *Store, log *slog.Logger) *Watcher {
	return &Watcher{s: s, log: log, kinds: map[Change]bool{}}
}

// Follow has refresh called when something of the kinds has changed, and again half a second later
// while it fails. It must be called before Run.
func (w *Watcher) Follow(what string, refresh func(context.Context) error, on ...Change) {
	w.followers = append(w.followers, &follower{what: what, refresh: refresh, on: on})
	for _, k := range on {
		w.kinds[k] = true
	}
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	var kinds []Change
	for k := range maps.Keys(w.kinds) {
		kinds = append(kinds, k)
	}
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.look(ctx, kinds)
		case <-ctx.Done():
			return
		}
	}
}

func (w *Watcher) look(ctx context.Context, kinds []Change) {
	versions, err := w.s.Versions(ctx, kinds...)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("look for changes", "err", err)
		}
		return
	}
	for _, f := range w.followers {
		if !f.due(versions, time.Now()) {
			continue
		}
		if err := f.refresh(ctx); err != nil {
			if ctx.Err() == nil {
				w.log.Warn("read what has changed", "of", f.what, "err", err)
			}
			continue
		}
		f.seen, f.at = versions, time.Now()
	}
}

func (f *follower) due(versions Versions, now time.Time) bool {
	if f.seen == nil || now.Sub(f.at) >= watchAnyway {
		return true
	}
	for _, k := range f.on {
		if f.seen[k] != versions[k] {
			return true
		}
	}
	return false
}
