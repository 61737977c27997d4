package service

import (
	"context"
	"time"

	"github.com/chasqui/chasqui/internal/store"
)

// What faces name of the store's: what lists are narrowed by, sums of reports, and tokens. They ask
// use cases, and never the store itself.
type (
	EntryPointFilter = store.EntryPointFilter
	MessageFilter    = store.MessageFilter
	OptOutFilter     = store.OptOutFilter
	ProfileFilter    = store.ProfileFilter
	SetAsideFilter   = store.SetAsideFilter
	Sum              = store.Sum
	Tokens           = store.Tokens
)

// SignIns knows which sessions of people at the console were ended before their time.
type SignIns struct{ Store *store.Store }

// Ended reports whether a session was ended.
func (s *SignIns) Ended(ctx context.Context, id string) (bool, error) {
	return s.Store.Spent(ctx, store.SpentSignIn, id)
}

// End ends a session, which would last until a moment.
func (s *SignIns) End(ctx context.Context, id string, until time.Time) error {
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Spend(store.SpentSignIn, id, until)
		return err
	})
}
