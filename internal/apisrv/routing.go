package apisrv

import (
	"net/http"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

func (s *server) routingRoutes() []route {
	read, write := gateway.ScopeChannelsRead, gateway.ScopeChannelsWrite
	return []route{
		{method: http.MethodPost, path: "/v1/routes", scope: write, tag: tagChannels, summary: "Store rules under a name",
			detail: "Messages name them as `route`. APIs of other vendors that the gateway speaks have words of their own for them.",
			status: http.StatusCreated, do: takes(s.createRoute)},
		{method: http.MethodGet, path: "/v1/routes", scope: read, tag: tagChannels, summary: "List stored rules",
			status: http.StatusOK, do: answers(s.listRoutes)},
		{method: http.MethodGet, path: "/v1/routes/{id}", scope: read, tag: tagChannels, summary: "Read stored rules by id or name",
			status: http.StatusOK, do: answers(s.getRoute)},
		{method: http.MethodPut, path: "/v1/routes/{id}", scope: write, tag: tagChannels, summary: "Replace stored rules",
			detail: "Messages that were accepted before keep the rules they had.",
			status: http.StatusOK, do: takes(s.replaceRoute)},
		{method: http.MethodDelete, path: "/v1/routes/{id}", scope: write, tag: tagChannels, summary: "Delete stored rules",
			status: http.StatusNoContent, do: does(s.deleteRoute)},
	}
}

func (s *server) createRoute(q *request, in *gatewayapi.SaveRouteRequest) (*gatewayapi.Route, error) {
	r, err := s.saveRoute(q, "", in)
	if err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/routes/"+r.ID)
	return new(wireRoute(r)), nil
}

func (s *server) replaceRoute(q *request, in *gatewayapi.SaveRouteRequest) (*gatewayapi.Route, error) {
	r, err := s.saveRoute(q, q.PathValue("id"), in)
	if err != nil {
		return nil, err
	}
	return new(wireRoute(r)), nil
}

func (s *server) saveRoute(q *request, id string, in *gatewayapi.SaveRouteRequest) (*gateway.Route, error) {
	r := &gateway.Route{ID: id, Name: in.Name, Application: in.Application, Rules: in.Rules, Default: in.Default}
	return r, s.o.Routes.Save(q.Context(), q.Key, r)
}

func (s *server) listRoutes(q *request) (*gatewayapi.RouteList, error) {
	all, err := s.o.Routes.List(q.Context(), q.Key)
	if err != nil {
		return nil, err
	}
	list := gatewayapi.RouteList{Routes: make([]gatewayapi.Route, len(all))}
	for i, r := range all {
		list.Routes[i] = wireRoute(r)
	}
	return &list, nil
}

func (s *server) getRoute(q *request) (*gatewayapi.Route, error) {
	r, err := s.o.Routes.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return new(wireRoute(r)), nil
}

func (s *server) deleteRoute(q *request) error {
	if err := s.o.Routes.Delete(q.Context(), q.Key, q.PathValue("id")); err != nil {
		return err
	}
	return nil
}

func wireRoute(r *gateway.Route) gatewayapi.Route {
	return gatewayapi.Route{
		ID:               r.ID,
		SaveRouteRequest: gatewayapi.SaveRouteRequest{Name: r.Name, Application: r.Application, Rules: r.Rules, Default: r.Default},
		CreatedAt:        gatewayapi.At(r.CreatedAt), UpdatedAt: gatewayapi.At(r.UpdatedAt),
	}
}
