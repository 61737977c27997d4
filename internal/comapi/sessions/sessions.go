// Package sessions lets customers at their own profile from a browser or an app, as Comapi's
// JavaScript SDK does: the business's own server says who they are, by a JSON Web Token. It keeps
// the sessions, in a table of its own.
package sessions

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

const (
	sessionPurpose = "session"
	challengeLife  = 5 * time.Minute
	sessionLife    = 2 * time.Hour
	maxDevice      = 4 << 10 // bytes
	// maxBusinessToken is how far ahead the end of a business's token may be. It counts with its
	// nonce only, which is good for minutes.
	maxBusinessToken = 24 * time.Hour
)

// Sessions lets customers at their own profile from a browser or an app: the business's own server
// says who they are, by a JSON Web Token.
type Sessions struct {
	Store     *store.Store
	Directory *service.Directory
	Profiles  *service.Profiles
	Tokens    *store.Tokens
	// Secret is what the business signs its tokens with, HS256; empty turns sessions off. Issuer
	// and Audience must be those of the tokens where they are given. IDClaim names the claim that
	// holds the profile's id.
	Secret                    gateway.Secret
	Issuer, Audience, IDClaim string
	// Fields are those of their own profile that customers may write. What names them to channels
	// and says what they agreed to is never one.
	Fields []string
}

// MayWrite reports whether a customer may write a field of their own profile.
func (s *Sessions) MayWrite(field string) bool {
	switch field {
	case gateway.FieldID, gateway.FieldMessenger, gateway.FieldOptIn, gateway.FieldFacebook, gateway.FieldFirstTouch, gateway.FieldLastTouch:
		return false
	}
	return slices.Contains(s.Fields, field)
}

// challenge is what a session begins with: the business's token has to carry the nonce.
type challenge struct {
	Application string    `json:"app"`
	Nonce       string    `json:"nonce"`
	ExpiresAt   time.Time `json:"exp"`
}

// Start begins to authenticate: id comes back with Create, nonce in the business's token.
func (s *Sessions) Start(ctx context.Context, application string) (id, nonce string, expires time.Time, err error) {
	if err := s.On(); err != nil {
		return "", "", expires, err
	}
	var b [16]byte
	rand.Read(b[:])
	c := challenge{application, hex.EncodeToString(b[:]), s.Store.Now().Add(challengeLife).UTC()}
	encoded, err := json.Marshal(c)
	if err != nil {
		return "", "", expires, err
	}
	id, err = s.Tokens.Seal(ctx, sessionPurpose, encoded)
	return id, c.Nonce, c.ExpiresAt, err
}

// On says why there are no sessions; nil when there are.
func (s *Sessions) On() error {
	if s.Secret == "" {
		return gateway.Errorf(gateway.CodeForbidden, "sessions are off: the operator has to set sessions.secret")
	}
	return nil
}

// Create makes the session of whom a business's token names. Their profile is made when there is
// none. The token that it returns is a JSON Web Token for two hours; every failure of the
// business's is unauthorized.
func (s *Sessions) Create(ctx context.Context, application, challengeID, businessToken string, device json.RawMessage) (*Session, string, error) {
	if err := s.On(); err != nil {
		return nil, "", err
	}
	if len(device) > maxDevice {
		return nil, "", gateway.Invalid("", "what is said of the device may have %d bytes", maxDevice)
	}
	var c challenge
	opened, err := s.Tokens.Open(ctx, sessionPurpose, challengeID)
	if err != nil || json.Unmarshal(opened, &c) != nil || c.Application != application || s.Store.Now().After(c.ExpiresAt) {
		return nil, "", gateway.Errorf(gateway.CodeUnauthorized, "the authenticationId is not known, or too old").WithField("authenticationId")
	}
	profile, err := s.whom(businessToken, c.Nonce)
	if err != nil {
		return nil, "", err
	}
	now := s.Store.Now().UTC().Truncate(time.Second)
	made := &Session{ID: s.Store.NewID("ses"), Application: application, ProfileID: profile, Device: device, CreatedAt: now, ExpiresAt: now.Add(sessionLife)}
	if err := s.Store.Write(ctx, func(tx *store.Tx) error { return s.admit(tx, made, c) }); err != nil {
		return nil, "", err
	}
	token, err := s.sign(ctx, made)
	return made, token, err
}

// admit stores a session with the profile that it is of, made as the application's own when there
// is none. A profile that is of other applications alone is not for it, and a challenge does for
// one session.
func (s *Sessions) admit(tx *store.Tx, made *Session, c challenge) error {
	first, err := tx.Spend(store.SpentChallenge, c.Nonce, c.ExpiresAt)
	if err != nil {
		return err
	}
	if !first {
		return gateway.Errorf(gateway.CodeUnauthorized, "the authenticationId was used before: begin again").WithField("authenticationId")
	}
	p, err := tx.Profile(made.ProfileID)
	of := gateway.APIKey{Applications: []string{made.Application}}
	switch {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		err = tx.CreateProfile(&gateway.Profile{ID: made.ProfileID, Application: made.Application})
	case err == nil && !of.AllowsProfile(p) && (p.Application != "" || len(p.Addresses) > 0):
		err = gateway.Errorf(gateway.CodeUnauthorized, "the authenticationToken names a customer of another application").WithField("authenticationToken")
	}
	if err != nil {
		return err
	}
	return addSession(tx, made)
}

// whom returns the profile that a business's token names.
func (s *Sessions) whom(token, nonce string) (string, error) {
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(s.Store.Now), jwt.WithLeeway(time.Minute), jwt.WithExpirationRequired()}
	if s.Issuer != "" {
		options = append(options, jwt.WithIssuer(s.Issuer))
	}
	if s.Audience != "" {
		options = append(options, jwt.WithAudience(s.Audience))
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(s.Secret.Reveal()), nil }, options...)
	given, _ := claims["nonce"].(string)
	profile, _ := claims[s.IDClaim].(string)
	switch {
	case err != nil:
		return "", gateway.Errorf(gateway.CodeUnauthorized, "the authenticationToken is not accepted: it is not signed with the shared secret, without exp, too old, or of another issuer or audience").WithField("authenticationToken").WithCause(err)
	case expires(claims).After(s.Store.Now().Add(maxBusinessToken)):
		return "", gateway.Errorf(gateway.CodeUnauthorized, "the authenticationToken is good for too long: its exp may be at most %s ahead", maxBusinessToken).WithField("authenticationToken")
	case given != nonce:
		return "", gateway.Errorf(gateway.CodeUnauthorized, "the authenticationToken does not carry the nonce of this authenticationId").WithField("authenticationToken")
	case gateway.ValidateProfileID(profile) != nil:
		return "", gateway.Errorf(gateway.CodeUnauthorized, "the authenticationToken has no profile id in its claim %s", s.IDClaim).WithField("authenticationToken")
	}
	return profile, nil
}

// expires is the end of a token; a time far away for one that has none.
func expires(claims jwt.MapClaims) time.Time {
	at, err := claims.GetExpirationTime()
	if err != nil || at == nil {
		return time.Unix(1<<40, 0)
	}
	return at.Time
}

// sign makes the token of a session. Its claims are ASCII without ? and ~, so that its parts hold
// no - and _ either: the SDK reads them as plain base64.
func (s *Sessions) sign(ctx context.Context, made *Session) (string, error) {
	id, key, err := s.Tokens.Key(ctx, sessionPurpose)
	if err != nil {
		return "", err
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "chasqui", "sub": made.ID, "apiSpaceId": made.Application, "iat": made.CreatedAt.Unix(), "exp": made.ExpiresAt.Unix(),
	})
	t.Header["kid"] = id
	return t.SignedString(key)
}

// IsToken reports whether a bearer token looks like that of a session, rather than an API key.
func IsToken(token string) bool {
	return strings.Count(token, ".") == 2 && !strings.HasPrefix(token, "chq_")
}

// Authenticate returns the session of a token; unauthorized when it is none of ours, too old, or
// ended.
func (s *Sessions) Authenticate(ctx context.Context, token string) (*Session, error) {
	refused := gateway.Errorf(gateway.CodeUnauthorized, "the session is not known, too old, or ended")
	claims := jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, ok := s.Tokens.KeyOf(ctx, sessionPurpose, id)
		if !ok {
			return nil, fmt.Errorf("no key %q", id)
		}
		return key, nil
	}, jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("chasqui"), jwt.WithTimeFunc(s.Store.Now), jwt.WithExpirationRequired())
	if err != nil {
		return nil, refused.WithCause(err)
	}
	made, err := s.session(ctx, claims.Subject)
	switch {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		return nil, refused
	case err != nil:
		return nil, err
	case !made.Active(s.Store.Now()):
		return nil, refused
	}
	return made, nil
}
