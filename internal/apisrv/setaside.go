package apisrv

import (
	"net/http"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

const cursorSetAside = 'a'

func setAsideParams() []param {
	return append(pageParams(), choice("reader", "Name of a reader.", "projector", "receipts", "entrypoints", "reports", "bot"))
}

func (s *server) listSetAside(q *request) (*gatewayapi.SetAsidePage, error) {
	if err := q.known(setAsideParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	f := service.SetAsideFilter{Reader: q.URL.Query().Get("reader"), Limit: limit + 1}
	if f.Before, err = parsePosition("cursor", cursorSetAside, q.URL.Query().Get("cursor")); err != nil {
		return nil, err
	}
	found, err := s.o.Events.SetAsides(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	page := gatewayapi.SetAsidePage{Events: []gatewayapi.SetAsideEvent{}}
	if len(found) > limit {
		found = found[:limit]
		page.Cursor = positionCursor(cursorSetAside, found[limit-1].Pos)
	}
	for _, x := range found {
		page.Events = append(page.Events, gatewayapi.SetAsideEvent{
			ID: gateway.EventID(x.Pos), Reader: x.Reader, Type: x.Type, Application: x.Application, FBMessengerID: x.Person, Reason: x.Reason, Failures: x.Failures, At: gatewayapi.At(x.At),
		})
	}
	return &page, nil
}

func (s *server) retrySetAside(q *request) error {
	if err := s.o.Events.RetrySetAside(q.Context(), q.Key, q.PathValue("id"), q.PathValue("reader")); err != nil {
		return err
	}
	q.W.WriteHeader(http.StatusNoContent)
	return nil
}
