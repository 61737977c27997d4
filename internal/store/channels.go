package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

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

const selectChannels = `SELECT id, channel, provider, app, state, doc, secrets, created_at, updated_at FROM channels`

func (v *Vault) scanChannel(rows *sql.Rows) (*gateway.ChannelAccount, error) {
	var a gateway.ChannelAccount
	var provider, state, doc, secrets string
	var created, updated int64
	if err := rows.Scan(&a.ID, &a.Channel, &provider, &a.Application, &state, &doc, &secrets, &created, &updated); err != nil {
		return nil, fmt.Errorf("read channel account: %w", err)
	}
	a.Provider, a.State = gateway.Provider(provider), gateway.AccountState(state)
	if err := readChannelDoc(doc, &a); err != nil {
		return nil, fmt.Errorf("read channel account %s: %w", a.ID, err)
	}
	a.CreatedAt, a.UpdatedAt = FromMillis(created), FromMillis(updated)
	text, err := v.opened("channels", "secrets", a.ID, secrets)
	if err != nil {
		return nil, fmt.Errorf("read channel account %s: %w", a.ID, err)
	}
	if text != "" && json.Unmarshal([]byte(text.Reveal()), &a.Secrets) != nil {
		return nil, fmt.Errorf("read secrets of channel account %s: not an object", a.ID) // the decoder's error may quote them
	}
	return &a, nil
}

// Channels returns every channel account, the oldest first.
func (v *Vault) Channels(ctx context.Context) ([]*gateway.ChannelAccount, error) {
	rows, err := v.s.Query(ctx, selectChannels+` ORDER BY created_at, id`)
	return Collect(rows, err, v.scanChannel)
}

// Channel returns one channel account; a not_found error when there is none.
func (v *Vault) Channel(ctx context.Context, id string) (*gateway.ChannelAccount, error) {
	rows, err := v.s.Query(ctx, selectChannels+` WHERE id = ?`, id)
	return One("channel account", id, rows, err, v.scanChannel)
}

// CreateChannel stores a new channel account; its ID and times are set.
func (v *Vault) CreateChannel(ctx context.Context, a *gateway.ChannelAccount) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		a.ID, a.CreatedAt, a.UpdatedAt = tx.NewID("chn"), tx.Now(), tx.Now()
		doc, secrets := v.channelValues(a)
		_, err := tx.Exec(`INSERT INTO channels (id, channel, provider, app, state, doc, secrets, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			a.ID, a.Channel, string(a.Provider), a.Application, string(a.State), doc, secrets, Millis(a.CreatedAt), Millis(a.UpdatedAt))
		if err != nil {
			return fmt.Errorf("store channel account: %w", err)
		}
		return bump(tx, ChangeChannels)
	})
}

func (v *Vault) channelValues(a *gateway.ChannelAccount) (doc, secrets string) {
	doc = channelDoc(a)
	plain := map[string]string{} // a gateway.Secret would encode as its mark
	for name, secret := range a.Secrets {
		if secret != "" {
			plain[name] = secret.Reveal()
		}
	}
	if len(plain) == 0 {
		return doc, ""
	}
	return doc, v.sealed("channels", "secrets", a.ID, gateway.Secret(data(plain)))
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
		rows, err := tx.Query(selectChannels+` WHERE id = ?`, id)
		if a, err = One("channel account", id, rows, err, v.scanChannel); err != nil {
			return err
		}
		if err := change(a); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		doc, secrets := v.channelValues(a)
		_, err = tx.Exec(`UPDATE channels SET app = ?, state = ?, doc = ?, secrets = ?, updated_at = ? WHERE id = ?`,
			a.Application, string(a.State), doc, secrets, Millis(a.UpdatedAt), id)
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
