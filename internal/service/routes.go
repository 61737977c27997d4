package service

import (
	"context"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Routes keeps stored rules. A key that is limited to applications sees those of its applications
// and those of none, and changes only its own.
type Routes struct {
	Store     *store.Store
	Directory *Directory
}

// List returns the routes that a key may see, the oldest first.
func (s *Routes) List(ctx context.Context, key *gateway.APIKey) ([]*gateway.Route, error) {
	all, err := s.Store.Routes(ctx)
	if err != nil {
		return nil, err
	}
	seen := all[:0]
	for _, r := range all {
		if key.AllowsRoute(r) {
			seen = append(seen, r)
		}
	}
	return seen, nil
}

// Get returns the route of an id or a name; a not_found error when there is none that the key may
// see.
func (s *Routes) Get(ctx context.Context, key *gateway.APIKey, idOrName string) (*gateway.Route, error) {
	return routeOf(ctx, s.Store, key, "", idOrName)
}

// routeOf returns the route of an id or a name that a key may see. Of several of the name, that of
// the application comes first, then that of all applications; when neither is there and several
// others are, the error says that the application must be named.
func routeOf(ctx context.Context, st *store.Store, key *gateway.APIKey, application, idOrName string) (*gateway.Route, error) {
	named, err := st.RoutesNamed(ctx, idOrName)
	if err != nil {
		return nil, err
	}
	named = slices.DeleteFunc(named, func(r *gateway.Route) bool { return !key.AllowsRoute(r) })
	if len(named) == 0 {
		return nil, gateway.NotFound("route", idOrName)
	}
	fits := []func(*gateway.Route) bool{
		func(r *gateway.Route) bool { return r.ID == idOrName },
		func(r *gateway.Route) bool { return application != "" && r.Application == application },
		func(r *gateway.Route) bool { return r.Application == "" },
	}
	for _, fit := range fits {
		if i := slices.IndexFunc(named, fit); i >= 0 {
			return named[i], nil
		}
	}
	if len(named) > 1 {
		return nil, gateway.Errorf(gateway.CodeApplicationAmbiguous, "%d applications have a route %q: name the application, or the route by its id", len(named), idOrName).WithField("application")
	}
	return named[0], nil
}

// Save stores a route: a new one when it has no ID, which it then gets.
func (s *Routes) Save(ctx context.Context, key *gateway.APIKey, r *gateway.Route) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Application != "" || key.Limited() {
		if err := usable(s.Directory, key, r.Application); err != nil {
			return err
		}
	}
	if r.ID == "" {
		r.ID = gateway.NewApplicationKey()
	} else {
		before, err := s.change(ctx, key, r.ID)
		if err != nil {
			return err
		}
		r.CreatedAt = before.CreatedAt
	}
	return s.Store.SaveRoute(ctx, r)
}

// Delete removes a route.
func (s *Routes) Delete(ctx context.Context, key *gateway.APIKey, id string) error {
	if _, err := s.change(ctx, key, id); err != nil {
		return err
	}
	return s.Store.DeleteRoute(ctx, id)
}

// change returns the route of an id if the key may change it.
func (s *Routes) change(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Route, error) {
	r, err := s.Get(ctx, key, id)
	if err != nil {
		return nil, err
	}
	if r.ID != id {
		return nil, gateway.NotFound("route", id) // by name it is read, not changed
	}
	if r.Application == "" && key.Limited() {
		return nil, gateway.Errorf(gateway.CodeForbidden, "the route is for every application, and this key for some")
	}
	return r, nil
}
