package apisrv

import (
	"net/http"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

func (s *server) connectApplication(q *request) error {
	var in gatewayapi.ConnectApplicationRequest
	if err := q.decode(&in); err != nil {
		return err
	}
	a, err := s.o.Applications.Connect(q.Context(), q.key, service.ConnectInput{
		AccessToken: gateway.Secret(in.Page.AccessToken), AppID: in.Application.ID, AppSecret: gateway.Secret(in.Application.Secret),
		GraphVersion: in.GraphVersion, Limits: valueOf(in.Limits),
	})
	if err != nil {
		return err
	}
	// The door is known once everything is stored.
	if a, err = s.o.Applications.Get(q.Context(), q.key, a.Key); err != nil {
		return err
	}
	q.w.Header().Set("Location", "/v1/applications/"+a.Key)
	return q.reply(http.StatusCreated, s.wireApplication(a))
}

func (s *server) listApplications(q *request) error {
	if err := q.known(nil); err != nil {
		return err
	}
	applications, err := s.o.Applications.List(q.Context(), q.key)
	if err != nil {
		return err
	}
	list := gatewayapi.ApplicationList{Applications: []gatewayapi.Application{}}
	for _, a := range applications {
		list.Applications = append(list.Applications, s.wireApplication(a))
	}
	return q.reply(http.StatusOK, list)
}

func (s *server) getApplication(q *request) error {
	a, err := s.o.Applications.Get(q.Context(), q.key, q.PathValue("key"))
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, s.wireApplication(a))
}

func (s *server) updateApplication(q *request) error {
	var in gatewayapi.UpdateApplicationRequest
	if err := q.decode(&in); err != nil {
		return err
	}
	change := service.ApplicationChange{GraphVersion: in.GraphVersion}
	change.Limits = in.Limits
	if in.Page != nil {
		change.AccessToken = (*gateway.Secret)(in.Page.AccessToken)
	}
	key := q.PathValue("key")
	if in.Application != nil {
		change.AppSecret = (*gateway.Secret)(in.Application.Secret)
		if id := in.Application.ID; id != nil {
			a, err := s.o.Applications.Get(q.Context(), q.key, key)
			if err != nil {
				return err
			}
			if a.AppID != *id {
				return gateway.Invalid("application.id", "cannot change: connect the page through the other app as an application of its own")
			}
		}
	}
	if _, err := s.o.Applications.Update(q.Context(), q.key, key, change); err != nil {
		return err
	}
	return s.getApplication(q)
}

func (s *server) deleteApplication(q *request) error {
	if err := s.o.Applications.Delete(q.Context(), q.key, q.PathValue("key")); err != nil {
		return err
	}
	return q.done()
}

func (s *server) setMessengerProfile(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	if err := decode(body, &map[string]any{}); err != nil {
		return err
	}
	if err := s.o.Applications.SetMessengerProfile(q.Context(), q.key, q.PathValue("key"), body); err != nil {
		return err
	}
	return q.done()
}

func (s *server) checkApplication(q *request) error {
	a, err := s.o.Applications.Check(q.Context(), q.key, q.PathValue("key"))
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, wireCheck(a))
}
