package store

import (
	"context"
	"fmt"
	"time"
)

// The kinds of what counts once.
const (
	SpentChallenge = "challenge" // with which a customer's session begins
	SpentSignIn    = "sign-in"   // a session of the console, once it is signed out of
	SpentDeletion  = "deletion"  // the platform's request to delete somebody's data
)

// Spend notes that something of a kind was used, and reports whether that was the first time. It is
// remembered until a moment at which it is good no more.
func (tx *Tx) Spend(kind, what string, until time.Time) (first bool, err error) {
	n, err := tx.Exec(`INSERT INTO spent (what, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, kind+":"+what, Millis(until))
	if err != nil {
		return false, fmt.Errorf("note a %s that was used: %w", kind, err)
	}
	return n > 0, nil
}

// Spent reports whether something of a kind was used.
func (s *Store) Spent(ctx context.Context, kind, what string) (bool, error) {
	var n int
	if err := s.QueryRow(ctx, `SELECT COUNT(*) FROM spent WHERE what = ?`, kind+":"+what).Scan(&n); err != nil {
		return false, fmt.Errorf("look for a %s that was used: %w", kind, err)
	}
	return n > 0, nil
}
