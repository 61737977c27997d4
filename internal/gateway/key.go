package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Scope names a part of the API that a key opens.
type Scope string

// The scopes of API keys. ScopeAll opens everything.
const (
	ScopeAll                Scope = "*"
	ScopeMessagesRead       Scope = "messages:read"
	ScopeMessagesWrite      Scope = "messages:write"
	ScopeEventsRead         Scope = "events:read"
	ScopeProfilesRead       Scope = "profiles:read"
	ScopeProfilesWrite      Scope = "profiles:write"
	ScopeApplicationsRead   Scope = "applications:read"
	ScopeApplicationsWrite  Scope = "applications:write"
	ScopeSubscriptionsRead  Scope = "subscriptions:read"
	ScopeSubscriptionsWrite Scope = "subscriptions:write"
	ScopeScriptsRead        Scope = "scripts:read"
	ScopeScriptsWrite       Scope = "scripts:write"
	ScopeEntryPointsRead    Scope = "entry-points:read"
	ScopeEntryPointsWrite   Scope = "entry-points:write"
	ScopeChannelsRead       Scope = "channels:read"
	ScopeChannelsWrite      Scope = "channels:write"
)

// Scopes lists every scope that a key can have.
func Scopes() []Scope {
	return []Scope{
		ScopeAll, ScopeMessagesRead, ScopeMessagesWrite, ScopeEventsRead, ScopeProfilesRead, ScopeProfilesWrite,
		ScopeApplicationsRead, ScopeApplicationsWrite, ScopeSubscriptionsRead, ScopeSubscriptionsWrite,
		ScopeScriptsRead, ScopeScriptsWrite, ScopeEntryPointsRead, ScopeEntryPointsWrite, ScopeChannelsRead, ScopeChannelsWrite,
	}
}

// APIKey is what is kept of a key: everything but the key itself, of which only a hash is stored.
type APIKey struct {
	ID   string
	Name string
	// Scopes is what the key opens.
	Scopes []Scope
	// All says that the key may touch every application, also those that are connected later, and
	// what belongs to none. The zero value may touch nothing.
	All bool
	// Applications are those that the key may touch when it may not touch all.
	Applications []string
	CreatedAt    time.Time
	// RevokedAt is when the key was revoked, zero while it is good.
	RevokedAt time.Time
}

// Allows reports whether the key has a scope.
func (k *APIKey) Allows(s Scope) bool {
	return slices.Contains(k.Scopes, s) || slices.Contains(k.Scopes, ScopeAll)
}

// Everything returns a key for what the program does for itself: for every application, with some
// scopes, or with all when none is given.
func Everything(scopes ...Scope) *APIKey {
	if len(scopes) == 0 {
		scopes = []Scope{ScopeAll}
	}
	return &APIKey{ID: "gateway", Name: "gateway", Scopes: scopes, All: true}
}

// Limited reports whether the key is limited to some applications, or to none.
func (k *APIKey) Limited() bool { return !k.All }

// AllowsApplication reports whether the key may touch an application.
func (k *APIKey) AllowsApplication(key string) bool {
	return !k.Limited() || slices.Contains(k.Applications, key)
}

// AllowsProfile reports whether the key may see a profile: one that has an address at an
// application of the key's, or is that application's own.
func (k *APIKey) AllowsProfile(p *Profile) bool {
	if !k.Limited() || p.Application != "" && k.AllowsApplication(p.Application) {
		return true
	}
	for app := range p.Addresses {
		if k.AllowsApplication(app) {
			return true
		}
	}
	return false
}

// OwnsProfile reports whether a profile is of applications of the key's alone, so that the key may
// remove it.
func (k *APIKey) OwnsProfile(p *Profile) bool {
	if !k.AllowsProfile(p) || p.Application != "" && !k.AllowsApplication(p.Application) {
		return false
	}
	for app := range p.Addresses {
		if !k.AllowsApplication(app) {
			return false
		}
	}
	return true
}

// AllowsAll reports whether the key may see what belongs to some applications together; what
// belongs to none is for keys of all.
func (k *APIKey) AllowsAll(applications []string) bool {
	if !k.Limited() {
		return true
	}
	return len(applications) > 0 && !slices.ContainsFunc(applications, func(app string) bool { return !k.AllowsApplication(app) })
}

const apiKeyPrefix = "chq_"

// NewAPIKeySecret makes a key: chq_ and the URL-safe base64 of 32 random bytes. It is shown once,
// to whoever asked for it.
func NewAPIKeySecret() Secret {
	var b [32]byte
	rand.Read(b[:])
	return Secret(apiKeyPrefix + base64.RawURLEncoding.EncodeToString(b[:]))
}

// HashAPIKey returns the hash under which a key is stored. A key has 256 random bits, so that a
// plain hash does not give it away.
func HashAPIKey(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// ValidateAPIKey says what is wrong with the name, scopes or applications of a key to be made, or
// nil.
func ValidateAPIKey(name string, scopes []Scope, applications []string) error {
	if name = strings.TrimSpace(name); name == "" || len(name) > 200 {
		return Invalid("name", "must have 1 to 200 bytes")
	}
	if len(scopes) == 0 {
		return Invalid("scopes", "must name at least one scope")
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return Invalid("scopes", "%q is not a scope", s)
		}
	}
	for _, a := range applications {
		if a == "" {
			return Invalid("applications", "must not hold an empty key")
		}
	}
	return nil
}
