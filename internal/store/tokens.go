package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/seal"
)

// tokenKeyAge is after how long a new key is made; the older ones still open what they have sealed.
const tokenKeyAge = 90 * 24 * time.Hour

// Tokens seals what goes out into the world and comes back: opt-in states, and links that end. Its
// keys lie in the database, sealed with the key file, and are changed by themselves.
type Tokens struct {
	v *Vault

	mu   sync.Mutex
	keys []tokenKey // the newest first
}

type tokenKey struct {
	id     int
	sealer *seal.Sealer
	mac    []byte
	made   time.Time
}

// NewTokens makes tokens. The first key is made when the first token is.
func NewTokens(v *Vault) *Tokens { return &Tokens{v: v} }

// current returns the key in use, made if the newest is too old.
func (t *Tokens) current(ctx context.Context) (tokenKey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.keys) > 0 && t.v.s.now().Sub(t.keys[0].made) < tokenKeyAge {
		return t.keys[0], nil
	}
	err := t.v.s.Write(ctx, func(tx *Tx) error {
		keys, err := t.read(tx.Query(`SELECT id, sealed, created_at FROM token_keys ORDER BY id DESC`))
		if err != nil {
			return err
		}
		if len(keys) == 0 || tx.Now().Sub(keys[0].made) >= tokenKeyAge {
			id := 1
			if len(keys) > 0 {
				id = keys[0].id + 1
			}
			if err := t.v.claim(tx); err != nil {
				return err
			}
			secret := gateway.Secret(hex.EncodeToString(seal.NewKey()))
			if _, err := tx.Exec(`INSERT INTO token_keys (id, sealed, created_at) VALUES (?, ?, ?)`, id, t.v.sealed("token_keys", "sealed", fmt.Sprint(id), secret), Millis(tx.Now())); err != nil {
				return err
			}
			made, err := newTokenKey(id, secret.Reveal(), tx.Now())
			if err != nil {
				return err
			}
			keys = append([]tokenKey{made}, keys...)
		}
		t.keys = keys
		return nil
	})
	if err != nil {
		return tokenKey{}, fmt.Errorf("keys of tokens: %w", err)
	}
	return t.keys[0], nil
}

func newTokenKey(id int, secret string, made time.Time) (tokenKey, error) {
	raw, err := hex.DecodeString(secret)
	if err != nil {
		return tokenKey{}, err
	}
	sealer, err := seal.New(raw)
	mac := sha256.Sum256(append([]byte("chasqui links\x00"), raw...))
	return tokenKey{id, sealer, mac[:], made}, err
}

func (t *Tokens) read(rows *sql.Rows, err error) ([]tokenKey, error) {
	type stored struct {
		id     int
		sealed string
		made   int64
	}
	list, err := Collect(rows, err, func(r *sql.Rows) (stored, error) {
		var x stored
		return x, r.Scan(&x.id, &x.sealed, &x.made)
	})
	if err != nil {
		return nil, err
	}
	var keys []tokenKey
	for _, x := range list {
		secret, err := t.v.opened("token_keys", "sealed", fmt.Sprint(x.id), x.sealed)
		if err != nil {
			return nil, err
		}
		k, err := newTokenKey(x.id, secret.Reveal(), FromMillis(x.made))
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// known returns the key of an id, looked for in the database when another node has made it.
func (t *Tokens) known(ctx context.Context, id int) (tokenKey, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	find := func() (tokenKey, bool) {
		for _, k := range t.keys {
			if k.id == id {
				return k, true
			}
		}
		return tokenKey{}, false
	}
	k, ok := find()
	if ok || len(t.keys) > 0 && id < t.keys[0].id {
		return k, ok
	}
	rows, err := t.v.s.Query(ctx, `SELECT id, sealed, created_at FROM token_keys ORDER BY id DESC`)
	keys, err := t.read(rows, err)
	if err != nil {
		return tokenKey{}, false
	}
	t.keys = keys
	return find()
}

// ErrToken is returned for a token that was not made here, was changed, or is for something else.
var ErrToken = errors.New("the token is not one of ours")

// Seal encrypts a value for a purpose: letters, digits, - and _ only.
func (t *Tokens) Seal(ctx context.Context, purpose string, value []byte) (string, error) {
	k, err := t.current(ctx)
	if err != nil {
		return "", err
	}
	box := k.sealer.SealBytes([]byte(purpose), value)
	return base64.RawURLEncoding.EncodeToString(append([]byte{byte(k.id >> 8), byte(k.id)}, box...)), nil
}

// Open is the inverse of Seal; its error is ErrToken.
func (t *Tokens) Open(ctx context.Context, purpose, token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 3 {
		return nil, ErrToken
	}
	k, ok := t.known(ctx, int(raw[0])<<8|int(raw[1]))
	if !ok {
		return nil, ErrToken
	}
	value, err := k.sealer.OpenBytes([]byte(purpose), raw[2:])
	if err != nil {
		return nil, ErrToken
	}
	return value, nil
}

// Key returns a key for a purpose, for signatures that are not of our own form, and the id by which
// KeyOf finds it again.
func (t *Tokens) Key(ctx context.Context, purpose string) (id string, key []byte, err error) {
	k, err := t.current(ctx)
	if err != nil {
		return "", nil, err
	}
	return strconv.Itoa(k.id), k.derived(purpose), nil
}

// KeyOf returns the key of an id for a purpose; false when there is none.
func (t *Tokens) KeyOf(ctx context.Context, purpose, id string) ([]byte, bool) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil, false
	}
	k, ok := t.known(ctx, n)
	if !ok {
		return nil, false
	}
	return k.derived(purpose), true
}

func (k tokenKey) derived(purpose string) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write([]byte("key for " + purpose))
	return h.Sum(nil)
}

// Sign returns the signature of a text, with the id of its key before it.
func (t *Tokens) Sign(ctx context.Context, text string) (string, error) {
	k, err := t.current(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d-%s", k.id, k.sum(text)), nil
}

func (k tokenKey) sum(text string) string {
	h := hmac.New(sha256.New, k.mac)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

// Signed reports whether a signature is that of a text.
func (t *Tokens) Signed(ctx context.Context, text, signature string) bool {
	var id int
	var sum string
	if n, err := fmt.Sscanf(signature, "%d-%s", &id, &sum); err != nil || n != 2 {
		return false
	}
	k, ok := t.known(ctx, id)
	return ok && hmac.Equal([]byte(k.sum(text)), []byte(sum))
}
