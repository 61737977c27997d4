package gatewayapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// SaveRouteRequest is the body of POST and PUT of a route.
type SaveRouteRequest struct {
	// 1 to 200 bytes; no two routes have the same.
	Name string `json:"name"`
	// Application that messages go through which name none. Empty for none.
	Application string `json:"application,omitempty"`
	// Steps in order, each a channel's name or an object.
	Rules []Rule `json:"rules"`
	// Whether it is taken where a dialect's API names no route; there is one such route in an
	// application at most.
	Default bool `json:"default,omitempty"`
}

// Route is a stored list of rules, which messages name by id or name.
type Route struct {
	// 32 upper-case hexadecimal digits.
	ID string `json:"id"`
	SaveRouteRequest
	// When it was made.
	CreatedAt Time `json:"createdAt"`
	// When it last changed.
	UpdatedAt Time `json:"updatedAt"`
}

// RouteList is every route.
type RouteList struct {
	// The oldest first.
	Routes []Route `json:"routes"`
}

func routePath(id string) string { return "/v1/routes/" + url.PathEscape(id) }

// CreateRoute stores a route.
func (c *Client) CreateRoute(ctx context.Context, req SaveRouteRequest) (Route, error) {
	return send[Route](ctx, c, http.MethodPost, "/v1/routes", req)
}

// ListRoutes reads all routes that the key may see.
func (c *Client) ListRoutes(ctx context.Context) ([]Route, error) {
	list, err := get[RouteList](ctx, c, "/v1/routes", nil)
	return list.Routes, err
}

// AllRoutes walks all routes that the key may see.
func (c *Client) AllRoutes(ctx context.Context) iter.Seq2[Route, error] {
	return all(ctx, c.ListRoutes)
}

// GetRoute reads the route of an id or a name.
func (c *Client) GetRoute(ctx context.Context, idOrName string) (Route, error) {
	return get[Route](ctx, c, routePath(idOrName), nil)
}

// ReplaceRoute puts another route in the place of one. Messages that were accepted before keep the
// rules they had.
func (c *Client) ReplaceRoute(ctx context.Context, id string, req SaveRouteRequest) (Route, error) {
	return send[Route](ctx, c, http.MethodPut, routePath(id), req)
}

// DeleteRoute removes a route.
func (c *Client) DeleteRoute(ctx context.Context, id string) error {
	return c.remove(ctx, routePath(id))
}
