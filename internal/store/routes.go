package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// routeDoc is the part of a route that nothing is found by.
type routeDoc struct {
	Application string          `json:"application,omitempty"`
	Rules       []gateway.Rule  `json:"rules"`
	Origin      string          `json:"origin,omitempty"`
	OriginData  json.RawMessage `json:"originData,omitempty"`
}

// routes are stored rules of messages.
var routes = newTable("routes",
	plain("id", func(r *gateway.Route) *string { return &r.ID }),
	plain("name", func(r *gateway.Route) *string { return &r.Name }),
	written("app", func(r *gateway.Route) any { return r.Application }),
	column[gateway.Route]{name: "doc", arg: routeDocOf, dest: func(r *gateway.Route) any { return (*routeDest)(r) }},
	truth("is_default", func(r *gateway.Route) *bool { return &r.Default }),
	moment("created_at", func(r *gateway.Route) *time.Time { return &r.CreatedAt }),
	moment("updated_at", func(r *gateway.Route) *time.Time { return &r.UpdatedAt }),
)

var (
	scanRoute = routes.reads("route")
	saveRoute = routes.upserts([]string{"id"}, "created_at")
)

func routeDocOf(r *gateway.Route) any {
	return string(data(routeDoc{r.Application, r.Rules, r.Origin.Dialect, r.Origin.Data}))
}

// routeDest reads a routeDoc into its route.
type routeDest gateway.Route

func (r *routeDest) Scan(value any) error {
	var d routeDoc
	if err := (documentDest[routeDoc]{&d}).Scan(value); err != nil {
		return err
	}
	r.Application, r.Rules, r.Origin = d.Application, d.Rules, gateway.Origin{Dialect: d.Origin, Data: d.OriginData}
	return nil
}

// Routes returns every route, the oldest first.
func (s *Store) Routes(ctx context.Context) ([]*gateway.Route, error) {
	rows, err := s.Query(ctx, routes.selected+` ORDER BY created_at, id`)
	return Collect(rows, err, scanRoute)
}

// RoutesNamed returns the routes of an id or a name: that of the id first, and then those of the
// name, one for each application that has it.
func (s *Store) RoutesNamed(ctx context.Context, idOrName string) ([]*gateway.Route, error) {
	rows, err := s.Query(ctx, routes.selected+` WHERE id = ? OR name = ? ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END, created_at, id`, idOrName, idOrName, idOrName)
	return Collect(rows, err, scanRoute)
}

// SaveRoute stores a route, new or changed. Its times are set, and where it is the default no other
// of its application stays so. A name that another of the same application has is a conflict.
func (s *Store) SaveRoute(ctx context.Context, r *gateway.Route) error {
	return s.Write(ctx, func(tx *Tx) error {
		var owner string
		err := tx.QueryRow(`SELECT id FROM routes WHERE app = ? AND name = ?`, r.Application, r.Name).Scan(&owner)
		if err == nil && owner != r.ID {
			return gateway.Errorf(gateway.CodeConflict, "the name %q is taken by route %s", r.Name, owner).WithField("name")
		}
		if err != nil && err != sql.ErrNoRows {
			return fmt.Errorf("look for a route's name: %w", err)
		}
		if r.CreatedAt.IsZero() {
			r.CreatedAt = tx.now
		}
		r.UpdatedAt = tx.now
		if r.Default {
			if _, err := tx.Exec(`UPDATE routes SET is_default = 0 WHERE app = ? AND id <> ?`, r.Application, r.ID); err != nil {
				return fmt.Errorf("change the default route: %w", err)
			}
		}
		_, err = tx.Exec(saveRoute, routes.args(r)...)
		if err != nil {
			return fmt.Errorf("store route: %w", err)
		}
		return nil
	})
}

// DeleteRoute removes a route; a not_found error when there is none.
func (s *Store) DeleteRoute(ctx context.Context, id string) error {
	return s.Write(ctx, func(tx *Tx) error {
		n, err := tx.Exec(`DELETE FROM routes WHERE id = ?`, id)
		if err == nil && n == 0 {
			return gateway.NotFound("route", id)
		}
		return err
	})
}
