package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// OptIns makes the tokens that bind a profile to the person who comes back with them.
type OptIns struct {
	Store     *store.Store
	Directory *Directory
	Tokens    *store.Tokens
}

const (
	tokenPurpose = "opt-in state of "
	defaultOptIn = 24 * time.Hour
	maxOptIn     = 366 * 24 * time.Hour
	MaxOptInData = 64 << 10 // bytes
	handleBytes  = 16
)

// OptInInput asks for a token.
type OptInInput struct {
	Application string
	ProfileID   string
	Data        json.RawMessage // any JSON; comes back with the event
	ExpiresIn   time.Duration   // 24 h when 0; a year at most
	SingleUse   bool
}

// Create makes a token: letters, digits, - and _ only, at most 250 characters, legal as the
// data-ref of a button and as the ref of an m.me link.
func (s *OptIns) Create(ctx context.Context, key *gateway.APIKey, in OptInInput) (token string, expires time.Time, err error) {
	if err := usable(s.Directory, key, in.Application); err != nil {
		return "", expires, err
	}
	switch {
	case in.ExpiresIn < 0 || in.ExpiresIn > maxOptIn:
		return "", expires, gateway.Invalid("expiresIn", "a token lasts at most %d days", maxOptIn/(24*time.Hour))
	case len(in.Data) > MaxOptInData:
		return "", expires, gateway.Invalid("data", "data has at most %d bytes, this has %d", MaxOptInData, len(in.Data))
	}
	if err := gateway.ValidateProfileID(in.ProfileID); err != nil {
		return "", expires, gateway.Invalid("profileId", "a profile's id has 1 to 200 bytes without control characters and slashes")
	}
	// Whether the key may bind the profile is asked again when the state comes back.
	if p, err := s.Store.Profile(ctx, in.ProfileID); err == nil && !key.AllowsProfile(p) {
		return "", expires, gateway.Errorf(gateway.CodeConflict, "there is a profile %q already", in.ProfileID).WithField("profileId")
	} else if err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
		return "", expires, err
	}
	if in.ExpiresIn == 0 {
		in.ExpiresIn = defaultOptIn
	}
	var handle [handleBytes]byte
	rand.Read(handle[:])
	box, err := s.Tokens.Seal(ctx, tokenPurpose+in.Application, handle[:])
	if err != nil {
		return "", expires, err
	}
	expires = s.Store.Now().Add(in.ExpiresIn).UTC().Truncate(time.Millisecond)
	state := &gateway.OptInState{Handle: hex.EncodeToString(handle[:]), Application: in.Application, Key: gateway.APIKey{All: key.All, Applications: key.Applications}, ProfileID: in.ProfileID, Data: in.Data, SingleUse: in.SingleUse, ExpiresAt: expires}
	return gateway.OptInTokenPrefix + box, expires, s.Store.Write(ctx, func(tx *store.Tx) error { return tx.AddOptInState(state) })
}

// namedOptIn is how long a token lasts that is asked for by name alone.
const namedOptIn = 30 * 24 * time.Hour

// CreateNamed makes a token of an object that names the profile, and whose other members come back
// with the event.
func (s *OptIns) CreateNamed(ctx context.Context, key *gateway.APIKey, app string, object map[string]any) (string, error) {
	profile, ok := object["profileId"].(string)
	if !ok {
		return "", gateway.Invalid("profileId", "this must be a string")
	}
	in := OptInInput{Application: app, ProfileID: profile, ExpiresIn: namedOptIn}
	data := maps.Clone(object)
	delete(data, "profileId")
	if len(data) > 0 {
		var err error
		if in.Data, err = json.Marshal(data); err != nil {
			return "", err
		}
	}
	token, _, err := s.Create(ctx, key, in)
	return token, err
}

// IsToken reports whether a ref looks like a token of ours.
func IsToken(ref string) bool { return strings.HasPrefix(ref, gateway.OptInTokenPrefix) }

// Handle returns the handle of a token that was made for an application; false when it is forged,
// or for another page.
func (s *OptIns) Handle(ctx context.Context, app, token string) (string, bool) {
	box, ok := strings.CutPrefix(token, gateway.OptInTokenPrefix)
	if !ok {
		return "", false
	}
	handle, err := s.Tokens.Open(ctx, tokenPurpose+app, box)
	return hex.EncodeToString(handle), err == nil && len(handle) == handleBytes
}
