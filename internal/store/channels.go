package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// The part of a channel account that is neither searched nor secret is one JSON object: its name,
// its keywords, and the settings under the name of its provider.
const channelName, channelKeywords = "name", "keywords"

func channelDoc(a *gateway.ChannelAccount) string {
	doc := map[string]any{}
	if a.Name != "" {
		doc[channelName] = a.Name
	}
	if a.Keywords != (gateway.KeywordSettings{}) {
		doc[channelKeywords] = a.Keywords
	}
	if len(a.Settings) > 0 {
		doc[string(a.Provider)] = a.Settings
	}
	return string(data(doc))
}

func readChannelDoc(doc string, a *gateway.ChannelAccount) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &members); err != nil {
		return err
	}
	a.Settings = members[string(a.Provider)]
	for name, into := range map[string]any{channelName: &a.Name, channelKeywords: &a.Keywords} {
		if members[name] == nil {
			continue
		}
		if err := json.Unmarshal(members[name], into); err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
	}
	return nil
}

// channelRow is an account with the vault that seals its secrets.
type channelRow struct {
	*gateway.ChannelAccount
	v *Vault
}

var channels = newTable("channels",
	plain("id", func(r *channelRow) *string { return &r.ID }),
	plain("channel", func(r *channelRow) *string { return &r.Channel }),
	word("provider", func(r *channelRow) *gateway.Provider { return &r.Provider }),
	plain("app", func(r *channelRow) *string { return &r.Application }),
	word("state", func(r *channelRow) *gateway.AccountState { return &r.State }),
	custom("doc", func(r *channelRow) string { return channelDoc(r.ChannelAccount) }, func(r *channelRow, text string) error { return readChannelDoc(text, r.ChannelAccount) }),
	custom("secrets", (*channelRow).sealed, (*channelRow).open),
	moment("created_at", func(r *channelRow) *time.Time { return &r.CreatedAt }),
	moment("updated_at", func(r *channelRow) *time.Time { return &r.UpdatedAt }),
)

var updateChannel = channels.updates("id", "app", "state", "doc", "secrets", "updated_at")

func (r *channelRow) sealed() string {
	plain := map[string]string{} // a gateway.Secret would encode as its mark
	for name, secret := range r.Secrets {
		if secret != "" {
			plain[name] = secret.Reveal()
		}
	}
	if len(plain) == 0 {
		return ""
	}
	return r.v.sealed("channels", "secrets", r.ID, gateway.Secret(data(plain)))
}

func (r *channelRow) open(sealed string) error {
	text, err := r.v.opened("channels", "secrets", r.ID, sealed)
	if err == nil && text != "" && json.Unmarshal([]byte(text.Reveal()), &r.Secrets) != nil {
		err = errors.New("the secrets are not an object") // the decoder's error may quote them
	}
	return err
}

func (v *Vault) scanChannel(rows *sql.Rows) (*gateway.ChannelAccount, error) {
	r := &channelRow{new(gateway.ChannelAccount), v}
	if err := channels.scan(rows, r); err != nil {
		return nil, fmt.Errorf("read channel account %s: %w", r.ID, err)
	}
	return r.ChannelAccount, nil
}

// Channels returns every channel account, the oldest first.
func (v *Vault) Channels(ctx context.Context) ([]*gateway.ChannelAccount, error) {
	rows, err := v.s.Query(ctx, channels.selected+` ORDER BY created_at, id`)
	return Collect(rows, err, v.scanChannel)
}

// Channel returns one channel account; a not_found error when there is none.
func (v *Vault) Channel(ctx context.Context, id string) (*gateway.ChannelAccount, error) {
	rows, err := v.s.Query(ctx, channels.selected+` WHERE id = ?`, id)
	return One("channel account", id, rows, err, v.scanChannel)
}

// CreateChannel stores a new channel account; its ID and times are set.
func (v *Vault) CreateChannel(ctx context.Context, a *gateway.ChannelAccount) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		a.ID, a.CreatedAt, a.UpdatedAt = tx.NewID("chn"), tx.Now(), tx.Now()
		_, err := tx.Exec(channels.insert, channels.args(&channelRow{a, v})...)
		if err != nil {
			return fmt.Errorf("store channel account: %w", err)
		}
		return bump(tx, ChangeChannels)
	})
}

// UpdateChannel reads a channel account, lets change it, and stores it, all in one transaction.
// When change returns an error nothing is stored. Channel and provider cannot change. It returns
// the account as stored.
func (v *Vault) UpdateChannel(ctx context.Context, id string, change func(*gateway.ChannelAccount) error) (*gateway.ChannelAccount, error) {
	var a *gateway.ChannelAccount
	err := v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		rows, err := tx.Query(channels.selected+` WHERE id = ?`, id)
		if a, err = One("channel account", id, rows, err, v.scanChannel); err != nil {
			return err
		}
		if err := change(a); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		_, err = tx.Exec(updateChannel.query, updateChannel.args(&channelRow{a, v})...)
		if err != nil {
			return fmt.Errorf("store channel account %s: %w", id, err)
		}
		return bump(tx, ChangeChannels)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// DeleteChannel removes a channel account and what waits of its segments; a not_found error when
// there is none. Receipts that come later find nothing.
func (v *Vault) DeleteChannel(ctx context.Context, id string) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM channels WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete channel account %s: %w", id, err)
		}
		if n == 0 {
			return gateway.NotFound("channel account", id)
		}
		for _, statement := range []string{`DELETE FROM sms_segments WHERE account = ?`, `DELETE FROM sms_fragments WHERE account = ?`} {
			if _, err := tx.Exec(statement, id); err != nil {
				return fmt.Errorf("delete channel account %s: %w", id, err)
			}
		}
		return bump(tx, ChangeChannels)
	})
}
