package service

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// keyCacheAge is for how long a key is taken from memory: a key revoked by another process is
// refused after this at the latest.
const keyCacheAge = 2 * time.Second

// keyCacheSize bounds the keys in memory. Only keys that exist are kept, so that guesses cannot
// fill it.
const keyCacheSize = 10_000

// Keys tells whose request it is. It is safe for any number of goroutines.
type Keys struct {
	store *store.Store
	now   func() time.Time

	mu    sync.RWMutex
	known map[[32]byte]cachedKey
}

type cachedKey struct {
	key  *gateway.APIKey
	read time.Time
}

// NewKeys makes Keys; now is the clock.
func NewKeys(s *store.Store, now func() time.Time) *Keys {
	return &Keys{store: s, now: now, known: map[[32]byte]cachedKey{}}
}

// Authenticate returns the API key of an Authorization header's value. The error is unauthorized
// when it is none that is good, and something else when the database cannot be asked.
func (k *Keys) Authenticate(ctx context.Context, authorization string) (*gateway.APIKey, error) {
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, gateway.Errorf(gateway.CodeUnauthorized, "an API key is needed: Authorization: Bearer chq_…")
	}
	return k.ByHash(ctx, gateway.HashAPIKey(strings.TrimSpace(token)))
}

// ByHash returns the API key of a hash as Authenticate does.
func (k *Keys) ByHash(ctx context.Context, hash [32]byte) (*gateway.APIKey, error) {
	now := k.now()
	k.mu.RLock()
	cached, ok := k.known[hash]
	k.mu.RUnlock()
	if !ok || now.Sub(cached.read) > keyCacheAge {
		key, err := k.store.KeyByHash(ctx, hash)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			k.forget(hash)
			return nil, gateway.Errorf(gateway.CodeUnauthorized, "the API key is not known or was revoked")
		}
		if err != nil {
			return nil, gateway.Errorf(gateway.CodeStoreUnavailable, "the database cannot be asked about the key; try again").WithCause(err)
		}
		cached = cachedKey{key, now}
		k.remember(hash, cached)
	}
	if !cached.key.RevokedAt.IsZero() {
		return nil, gateway.Errorf(gateway.CodeUnauthorized, "the API key is not known or was revoked")
	}
	return cached.key, nil
}

func (k *Keys) remember(hash [32]byte, c cachedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= keyCacheSize {
		clear(k.known)
	}
	k.known[hash] = c
}

func (k *Keys) forget(hash [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, hash)
}

// CreateKey makes an API key and answers it; nobody can read it again.
func CreateKey(ctx context.Context, s *store.Store, name string, scopes []gateway.Scope, applications []string) (*gateway.APIKey, gateway.Secret, error) {
	if err := gateway.ValidateAPIKey(name, scopes, applications); err != nil {
		return nil, "", err
	}
	k := &gateway.APIKey{Name: strings.TrimSpace(name), Scopes: scopes, All: len(applications) == 0, Applications: applications}
	secret := gateway.NewAPIKeySecret()
	if err := s.CreateKey(ctx, k, secret); err != nil {
		return nil, "", err
	}
	return k, secret, nil
}
