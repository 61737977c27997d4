package infobip

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/service"
)

// application is a connected page on the wire, both ways.
type application struct {
	Key      string   `json:"key,omitempty"`
	Facebook facebook `json:"facebook"`
}

type (
	facebook struct {
		Page        facebookPage `json:"page"`
		Application facebookApp  `json:"application"`
	}
	facebookPage struct {
		AccessToken *string `json:"accessToken"`
	}
	facebookApp struct {
		ID       json.Number `json:"id"`
		Secret   *string     `json:"secret"`
		Name     *string     `json:"name"`
		ImageURL *string     `json:"imageUrl"`
	}
)

// shown puts an application on the wire. Token and secret stand there only where the caller has
// just given them: what is stored is not read out.
func shown(a *gateway.Application, token, secret *string) application {
	return application{a.Key, facebook{facebookPage{token}, facebookApp{json.Number(a.AppID), secret, wire.OrNull(a.AppName), wire.OrNull(a.AppImageURL)}}}
}

// fieldOfFacebook puts the field that an error names below "facebook", where it stands in this
// face.
func fieldOfFacebook(err error) error {
	var e *gateway.Error
	if errors.As(err, &e) && e.Field != "" {
		return e.Under("facebook")
	}
	return err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (s *Server) createApplication(q *request) error {
	var in application
	if err := q.decode(&in); err != nil {
		return err
	}
	token, secret := in.Facebook.Page.AccessToken, in.Facebook.Application.Secret
	a, err := s.o.Applications.Connect(q.Context(), q.Key, service.ConnectInput{
		AccessToken: gateway.Secret(text(token)), AppID: in.Facebook.Application.ID.String(), AppSecret: gateway.Secret(text(secret)),
	})
	if err != nil {
		return fieldOfFacebook(err)
	}
	return q.Reply(http.StatusOK, shown(a, token, secret))
}

func (s *Server) listApplications(q *request) error {
	all, err := s.o.Applications.List(q.Context(), q.Key)
	if err != nil {
		return err
	}
	list := struct {
		Applications []application `json:"applications"`
	}{[]application{}}
	for _, a := range all {
		list.Applications = append(list.Applications, shown(a, nil, nil))
	}
	return q.Reply(http.StatusOK, list)
}

// application returns the application that the path names.
func (q *request) application() (*gateway.Application, error) {
	a, err := q.s.o.Applications.Get(q.Context(), q.Key, q.PathValue("key"))
	return a, instead(err, errNoApplication)
}

func (s *Server) getApplication(q *request) error {
	a, err := q.application()
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, shown(a, nil, nil))
}

func (s *Server) updateApplication(q *request) error {
	var in application
	if err := q.decode(&in); err != nil {
		return err
	}
	a, err := q.application()
	if err != nil {
		return err
	}
	given := in.Facebook.Application
	if id := given.ID.String(); id != "" && id != a.AppID {
		return gateway.Invalid("facebook.application.id", "cannot change: connect the page through the other app as an application of its own")
	}
	change := service.ApplicationChange{AccessToken: (*gateway.Secret)(in.Facebook.Page.AccessToken), AppSecret: (*gateway.Secret)(given.Secret)}
	if a, err = s.o.Applications.Update(q.Context(), q.Key, a.Key, change); err != nil {
		return fieldOfFacebook(err)
	}
	return q.Reply(http.StatusOK, shown(a, in.Facebook.Page.AccessToken, given.Secret))
}

func (s *Server) deleteApplication(q *request) error {
	if err := s.o.Applications.Delete(q.Context(), q.Key, q.PathValue("key")); err != nil {
		return instead(err, errNoApplication)
	}
	return q.Done()
}
