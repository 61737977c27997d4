package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// applicationDoc is the part of an application that is neither searched nor secret.
type applicationDoc struct {
	PageName     string                    `json:"pageName,omitempty"`
	PageImageURL string                    `json:"pageImageUrl,omitempty"`
	AppName      string                    `json:"appName,omitempty"`
	AppImageURL  string                    `json:"appImageUrl,omitempty"`
	GraphVersion string                    `json:"graphVersion,omitempty"`
	Limits       gateway.Limits            `json:"limits,omitzero"`
	Paused       *gateway.Failure          `json:"paused,omitempty"`
	PausedAt     time.Time                 `json:"pausedAt,omitzero"`
	LastCheck    *gateway.ApplicationCheck `json:"lastCheck,omitempty"`
}

const selectApplications = `SELECT a.key, a.page_id, a.app_id, a.state, a.doc, a.access_token, a.app_secret, a.verify_token, a.created_at, a.updated_at,
a.last_event_at, CASE WHEN c.key = a.key THEN 1 ELSE 0 END FROM applications a LEFT JOIN callbacks c ON c.app_id = a.app_id`

func (v *Vault) scanApplication(rows *sql.Rows) (*gateway.Application, error) {
	var a gateway.Application
	var state, doc, token, secret, verify string
	var created, updated, last int64
	var door int
	if err := rows.Scan(&a.Key, &a.PageID, &a.AppID, &state, &doc, &token, &secret, &verify, &created, &updated, &last, &door); err != nil {
		return nil, fmt.Errorf("read application: %w", err)
	}
	var d applicationDoc
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return nil, fmt.Errorf("read application %s: %w", a.Key, err)
	}
	a.State, a.Door = gateway.ApplicationState(state), door != 0
	a.PageName, a.PageImageURL, a.AppName, a.AppImageURL = d.PageName, d.PageImageURL, d.AppName, d.AppImageURL
	a.GraphVersion, a.Limits, a.Paused, a.PausedAt, a.LastCheck = d.GraphVersion, d.Limits, d.Paused, d.PausedAt, d.LastCheck
	a.CreatedAt, a.UpdatedAt, a.LastEventAt = FromMillis(created), FromMillis(updated), FromMillis(last)
	for _, s := range []struct {
		column string
		text   string
		into   *gateway.Secret
	}{{"access_token", token, &a.AccessToken}, {"app_secret", secret, &a.AppSecret}, {"verify_token", verify, &a.VerifyToken}} {
		var err error
		if *s.into, err = v.opened("applications", s.column, a.Key, s.text); err != nil {
			return nil, fmt.Errorf("read application %s: %w", a.Key, err)
		}
	}
	return &a, nil
}

// Applications answers every application, the oldest first.
func (v *Vault) Applications(ctx context.Context) ([]*gateway.Application, error) {
	rows, err := v.s.Query(ctx, selectApplications+` ORDER BY a.created_at, a.key`)
	return Collect(rows, err, v.scanApplication)
}

// Application returns one application; a not_found error when there is none.
func (v *Vault) Application(ctx context.Context, key string) (*gateway.Application, error) {
	rows, err := v.s.Query(ctx, selectApplications+` WHERE a.key = ?`, key)
	return v.oneApplication(key, rows, err)
}

func (v *Vault) oneApplication(key string, rows *sql.Rows, err error) (*gateway.Application, error) {
	return One("application", key, rows, err, v.scanApplication)
}

// CreateApplication stores a new application; its CreatedAt and UpdatedAt are set. When the page is
// connected through the same app already the error is a conflict that names the application.
func (v *Vault) CreateApplication(ctx context.Context, a *gateway.Application) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		a.CreatedAt, a.UpdatedAt = tx.Now(), tx.Now()
		n, err := tx.Exec(`INSERT INTO applications (key, page_id, app_id, state, doc, access_token, app_secret, verify_token, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, append([]any{a.Key, a.PageID, a.AppID}, v.applicationValues(a, Millis(a.CreatedAt))...)...)
		if err != nil {
			return fmt.Errorf("store application: %w", err)
		}
		if n == 0 {
			return v.taken(tx, a)
		}
		return bump(tx, ChangeApplications)
	})
}

func (v *Vault) taken(tx *Tx, a *gateway.Application) error {
	var key string
	if err := tx.QueryRow(`SELECT key FROM applications WHERE app_id = ? AND page_id = ?`, a.AppID, a.PageID).Scan(&key); err != nil {
		return fmt.Errorf("find the page's application: %w", err)
	}
	return gateway.Errorf(gateway.CodeConflict, "page %s is connected already, as application %s", a.PageID, key).WithField("page.accessToken")
}

// applicationValues are the values from state on, with the times given between the verify token and
// updated_at.
func (v *Vault) applicationValues(a *gateway.Application, times ...any) []any {
	values := []any{string(a.State), string(data(applicationDoc{
		PageName: a.PageName, PageImageURL: a.PageImageURL, AppName: a.AppName, AppImageURL: a.AppImageURL,
		GraphVersion: a.GraphVersion, Limits: a.Limits, Paused: a.Paused, PausedAt: a.PausedAt, LastCheck: a.LastCheck,
	})),
		v.sealed("applications", "access_token", a.Key, a.AccessToken),
		v.sealed("applications", "app_secret", a.Key, a.AppSecret),
		v.sealed("applications", "verify_token", a.Key, a.VerifyToken)}
	return append(append(values, times...), Millis(a.UpdatedAt))
}

// UpdateApplication reads an application, lets change it, and stores it, all in one transaction.
// When change returns an error nothing is stored. Key, page and app cannot change. It returns the
// application as stored.
func (v *Vault) UpdateApplication(ctx context.Context, key string, change func(*gateway.Application) error) (*gateway.Application, error) {
	var a *gateway.Application
	err := v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		rows, err := tx.Query(selectApplications+` WHERE a.key = ?`, key)
		if a, err = v.oneApplication(key, rows, err); err != nil {
			return err
		}
		if err := change(a); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		_, err = tx.Exec(`UPDATE applications SET state = ?, doc = ?, access_token = ?, app_secret = ?, verify_token = ?, updated_at = ? WHERE key = ?`,
			append(v.applicationValues(a), key)...)
		if err != nil {
			return fmt.Errorf("store application %s: %w", key, err)
		}
		return bump(tx, ChangeApplications)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// SetDoor records through which application's address the one page callback of a Facebook app
// comes; an empty key records that there is none.
func (v *Vault) SetDoor(ctx context.Context, appID, key string) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		var err error
		if key == "" {
			_, err = tx.Exec(`DELETE FROM callbacks WHERE app_id = ?`, appID)
		} else {
			_, err = tx.Exec(`INSERT INTO callbacks (app_id, key) VALUES (?, ?) ON CONFLICT (app_id) DO UPDATE SET key = excluded.key`, appID, key)
		}
		if err != nil {
			return fmt.Errorf("record the callback of app %s: %w", appID, err)
		}
		return bump(tx, ChangeApplications)
	})
}

// DeleteApplication removes an application, its conversations and its people's addresses. Its
// messages and events stay until retention takes them; messages that still wait are failed by
// whoever would send them. The error is not_found when there is none.
func (v *Vault) DeleteApplication(ctx context.Context, key string) error {
	return v.s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM applications WHERE key = ?`, key)
		if err != nil {
			return fmt.Errorf("delete application %s: %w", key, err)
		}
		if n == 0 {
			return gateway.NotFound("application", key)
		}
		for _, t := range tx.w.s.tables {
			if t.Application == "" {
				continue
			}
			if _, err := tx.Exec(`DELETE FROM `+t.Name+` WHERE `+t.Application+` = ?`, key); err != nil {
				return fmt.Errorf("delete application %s from %s: %w", key, t.Name, err)
			}
		}
		return bump(tx, ChangeApplications)
	})
}
