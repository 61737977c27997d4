package apisrv

import (
	"net/http"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

func (s *server) erasureRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/v1/erasures/{id}", scope: gateway.ScopeProfilesRead, tag: tagProfiles, summary: "Read how far an erasure is",
			status: http.StatusOK, do: answers(s.getErasure)},
	}
}

func forgetParams() []param {
	return append(ifMatchParams(), flag("forget",
		"`true` removes everything that is kept of the person, in the tables and in the logs, and cancels what is queued: the answer is 202 with an erasure."))
}

// deleteOrForget deletes a profile; with ?forget=true it erases the person.
func (s *server) deleteOrForget(q *request) error {
	if err := q.known(forgetParams()); err != nil {
		return err
	}
	switch q.URL.Query().Get("forget") {
	case "", "false":
		return s.deleteProfile(q)
	case "true":
	default:
		return gateway.Invalid("forget", "must be true or false")
	}
	version, err := q.ifMatch()
	if err != nil {
		return err
	}
	e, err := s.o.Erasures.Forget(q.Context(), q.Key, q.PathValue("id"), version)
	if err != nil {
		return err
	}
	shown := s.wireErasure(e)
	q.W.Header().Set("Location", shown.StatusURL)
	return q.reply(http.StatusAccepted, shown)
}

func (s *server) getErasure(q *request) (*gatewayapi.Erasure, error) {
	e, err := s.o.Erasures.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return new(s.wireErasure(e)), nil
}

func (s *server) wireErasure(e *gateway.Erasure) gatewayapi.Erasure {
	return gatewayapi.Erasure{
		ID: e.ID, Status: e.State, Source: e.Source, StatusURL: s.o.PublicURL + "/v1/erasures/" + e.ID, PageURL: s.o.PublicURL + s.o.Erasures.StatusPath(e.ID),
		Counts: e.Counts, CreatedAt: gatewayapi.At(e.CreatedAt), DoneAt: gatewayapi.At(e.DoneAt),
	}
}
