package gateway

import "time"

// Route is a stored list of rules. Messages name it by id or name.
type Route struct {
	ID          string // 32 upper-case hexadecimal digits
	Name        string
	Application string // that messages go through which name none; empty for none
	Rules       []Rule
	Origin      Origin // of a dialect that has words of its own for it, from which the rules follow
	Default     bool   // the one that is taken where the API that names it has a default
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

const maxRouteName = 200

// Validate says which field of the route is wrong, or nil.
func (r *Route) Validate() error {
	switch {
	case r.Name == "" || len(r.Name) > maxRouteName:
		return Invalid("name", "must have 1 to %d bytes", maxRouteName)
	case len(r.Rules) == 0:
		return Invalid("rules", "give at least one rule")
	}
	return checkRules(r.Rules, r.Origin.Dialect != "")
}

// AllowsRoute reports whether a key may see and use a route: one without an application is
// everybody's.
func (k *APIKey) AllowsRoute(r *Route) bool {
	return r.Application == "" || k.AllowsApplication(r.Application)
}
