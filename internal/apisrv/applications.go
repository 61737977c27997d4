package apisrv

import (
	"encoding/json"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

func (s *server) connectApplication(q *request, in *gatewayapi.ConnectApplicationRequest) (*gatewayapi.Application, error) {
	a, err := s.o.Applications.Connect(q.Context(), q.Key, service.ConnectInput{
		AccessToken: gateway.Secret(in.Page.AccessToken), AppID: in.Application.ID, AppSecret: gateway.Secret(in.Application.Secret),
		GraphVersion: in.GraphVersion, Limits: valueOf(in.Limits),
	})
	if err != nil {
		return nil, err
	}
	// The door is known once everything is stored.
	if a, err = s.o.Applications.Get(q.Context(), q.Key, a.Key); err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/applications/"+a.Key)
	return new(s.wireApplication(a)), nil
}

func (s *server) listApplications(q *request) (*gatewayapi.ApplicationList, error) {
	if err := q.known(nil); err != nil {
		return nil, err
	}
	applications, err := s.o.Applications.List(q.Context(), q.Key)
	if err != nil {
		return nil, err
	}
	list := gatewayapi.ApplicationList{Applications: []gatewayapi.Application{}}
	for _, a := range applications {
		list.Applications = append(list.Applications, s.wireApplication(a))
	}
	return &list, nil
}

func (s *server) getApplication(q *request) (*gatewayapi.Application, error) {
	a, err := s.o.Applications.Get(q.Context(), q.Key, q.PathValue("key"))
	if err != nil {
		return nil, err
	}
	return new(s.wireApplication(a)), nil
}

func (s *server) updateApplication(q *request, in *gatewayapi.UpdateApplicationRequest) (*gatewayapi.Application, error) {
	change := service.ApplicationChange{GraphVersion: in.GraphVersion}
	change.Limits = in.Limits
	if in.Page != nil {
		change.AccessToken = (*gateway.Secret)(in.Page.AccessToken)
	}
	key := q.PathValue("key")
	if in.Application != nil {
		change.AppSecret = (*gateway.Secret)(in.Application.Secret)
		if id := in.Application.ID; id != nil {
			a, err := s.o.Applications.Get(q.Context(), q.Key, key)
			if err != nil {
				return nil, err
			}
			if a.AppID != *id {
				return nil, gateway.Invalid("application.id", "cannot change: connect the page through the other app as an application of its own")
			}
		}
	}
	if _, err := s.o.Applications.Update(q.Context(), q.Key, key, change); err != nil {
		return nil, err
	}
	return s.getApplication(q)
}

func (s *server) deleteApplication(q *request) error {
	if err := s.o.Applications.Delete(q.Context(), q.Key, q.PathValue("key")); err != nil {
		return err
	}
	return nil
}

func (s *server) setMessengerProfile(q *request, in *object) error {
	return s.o.Applications.SetMessengerProfile(q.Context(), q.Key, q.PathValue("key"), json.RawMessage(*in))
}

func (s *server) checkApplication(q *request) (*gatewayapi.ApplicationCheck, error) {
	a, err := s.o.Applications.Check(q.Context(), q.Key, q.PathValue("key"))
	if err != nil {
		return nil, err
	}
	return wireCheck(a), nil
}
