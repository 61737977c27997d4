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

// applicationRow is an application with the vault that seals its secrets.
type applicationRow struct {
	*gateway.Application
	v *Vault
}

var applications = newTable("applications",
	plain("key", func(r *applicationRow) *string { return &r.Key }),
	plain("page_id", func(r *applicationRow) *string { return &r.PageID }),
	plain("app_id", func(r *applicationRow) *string { return &r.AppID }),
	word("state", func(r *applicationRow) *gateway.ApplicationState { return &r.State }),
	custom("doc", (*applicationRow).doc, (*applicationRow).readDoc),
	sealedSecret("access_token", func(r *applicationRow) *gateway.Secret { return &r.AccessToken }),
	sealedSecret("app_secret", func(r *applicationRow) *gateway.Secret { return &r.AppSecret }),
	sealedSecret("verify_token", func(r *applicationRow) *gateway.Secret { return &r.VerifyToken }),
	moment("created_at", func(r *applicationRow) *time.Time { return &r.CreatedAt }),
	moment("updated_at", func(r *applicationRow) *time.Time { return &r.UpdatedAt }),
	moment("last_event_at", func(r *applicationRow) *time.Time { return &r.LastEventAt }).later(),
	truth(`CASE WHEN EXISTS (SELECT 1 FROM callbacks c WHERE c.app_id = applications.app_id AND c.key = applications.key) THEN 1 ELSE 0 END`,
		func(r *applicationRow) *bool { return &r.Door }).later(),
)

var updateApplication = applications.updates("key", "state", "doc", "access_token", "app_secret", "verify_token", "updated_at")

// sealedSecret is a column of an application's secret.
func sealedSecret(name string, field func(*applicationRow) *gateway.Secret) column[applicationRow] {
	return custom(name, func(r *applicationRow) string { return r.v.sealed("applications", name, r.Key, *field(r)) }, func(r *applicationRow, text string) (err error) {
		*field(r), err = r.v.opened("applications", name, r.Key, text)
		return err
	})
}

func (r *applicationRow) doc() string {
	return string(data(applicationDoc{
		PageName: r.PageName, PageImageURL: r.PageImageURL, AppName: r.AppName, AppImageURL: r.AppImageURL,
		GraphVersion: r.GraphVersion, Limits: r.Limits, Paused: r.Paused, PausedAt: r.PausedAt, LastCheck: r.LastCheck,
	}))
}

func (r *applicationRow) readDoc(text string) error {
	var d applicationDoc
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	r.PageName, r.PageImageURL, r.AppName, r.AppImageURL = d.PageName, d.PageImageURL, d.AppName, d.AppImageURL
	r.GraphVersion, r.Limits, r.Paused, r.PausedAt, r.LastCheck = d.GraphVersion, d.Limits, d.Paused, d.PausedAt, d.LastCheck
	return nil
}

func (v *Vault) scanApplication(rows *sql.Rows) (*gateway.Application, error) {
	r := &applicationRow{new(gateway.Application), v}
	if err := applications.scan(rows, r); err != nil {
		return nil, fmt.Errorf("read application %s: %w", r.Key, err)
	}
	return r.Application, nil
}

// Applications returns every application, the oldest first.
func (v *Vault) Applications(ctx context.Context) ([]*gateway.Application, error) {
	rows, err := v.s.Query(ctx, applications.selected+` ORDER BY created_at, key`)
	return Collect(rows, err, v.scanApplication)
}

// Application returns one application; a not_found error when there is none.
func (v *Vault) Application(ctx context.Context, key string) (*gateway.Application, error) {
	rows, err := v.s.Query(ctx, applications.selected+` WHERE key = ?`, key)
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
		n, err := tx.Exec(applications.insert+` ON CONFLICT DO NOTHING`, applications.args(&applicationRow{a, v})...)
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

// UpdateApplication reads an application, lets change it, and stores it, all in one transaction.
// When change returns an error nothing is stored. Key, page and app cannot change. It returns the
// application as stored.
func (v *Vault) UpdateApplication(ctx context.Context, key string, change func(*gateway.Application) error) (*gateway.Application, error) {
	var a *gateway.Application
	err := v.s.Write(ctx, func(tx *Tx) error {
		if err := v.claim(tx); err != nil {
			return err
		}
		rows, err := tx.Query(applications.selected+` WHERE key = ?`, key)
		if a, err = v.oneApplication(key, rows, err); err != nil {
			return err
		}
		if err := change(a); err != nil {
			return err
		}
		a.UpdatedAt = tx.Now()
		_, err = tx.Exec(updateApplication.query, updateApplication.args(&applicationRow{a, v})...)
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
