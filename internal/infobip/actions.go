package infobip

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// The types of actions.
const (
	typeForward = "HTTP_FORWARD"
	typePull    = "PULL"
)

type keyed struct {
	Key string `json:"key"`
}

// action is what becomes of what people write, on the wire both ways.
type action struct {
	Key          string  `json:"key"`
	Type         string  `json:"type"`
	CallbackData *string `json:"callbackData"`
	ForwardURL   *string `json:"forwardUrl"`
}

// configuration returns the configuration that the path names.
func (q *request) configuration() (*wire.Configuration, error) {
	a, err := q.application()
	if err != nil {
		return nil, err
	}
	c, err := q.s.o.Records.Configuration(q.Context(), q.Key, a.Key, q.PathValue("configuration"))
	return c, instead(err, errNoConfig)
}

func (s *Server) createConfiguration(q *request) error {
	a, err := q.application()
	if err != nil {
		return err
	}
	c, err := s.o.Records.CreateConfiguration(q.Context(), q.Key, a.Key, "")
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, keyed{c.Key})
}

func (s *Server) listConfigurations(q *request) error {
	a, err := q.application()
	if err != nil {
		return err
	}
	all, err := s.o.Records.Configurations(q.Context(), q.Key, a.Key)
	if err != nil {
		return err
	}
	list := struct {
		Configurations []keyed `json:"configurations"`
	}{[]keyed{}}
	for _, c := range all {
		list.Configurations = append(list.Configurations, keyed{c.Key})
	}
	return q.Reply(http.StatusOK, list)
}

func (s *Server) getConfiguration(q *request) error {
	c, err := q.configuration()
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, keyed{c.Key})
}

// deleteConfiguration deletes a configuration with its actions.
func (s *Server) deleteConfiguration(q *request) error {
	c, err := q.configuration()
	if err != nil {
		return err
	}
	if err := s.o.Records.DeleteConfiguration(q.Context(), q.Key, c); err != nil {
		return instead(err, errNoConfig)
	}
	return q.Done()
}

func shownAction(sub *gateway.Subscription) action {
	a := action{Key: sub.ID, Type: typePull, CallbackData: wire.OrNull(wire.ActionOf(sub).CallbackData)}
	if sub.Kind == gateway.KindForward {
		a.Type, a.ForwardURL = typeForward, &sub.URL
	}
	return a
}

func (s *Server) listActions(q *request) error {
	c, err := q.configuration()
	if err != nil {
		return err
	}
	all, err := s.o.Records.Actions(q.Context(), q.Key, c)
	if err != nil {
		return err
	}
	list := struct {
		Actions []action `json:"actions"`
	}{[]action{}}
	for _, sub := range all {
		list.Actions = append(list.Actions, shownAction(sub))
	}
	return q.Reply(http.StatusOK, list)
}

func (s *Server) createAction(q *request) error {
	var in action
	if err := q.decode(&in); err != nil {
		return err
	}
	c, err := q.configuration()
	if err != nil {
		return err
	}
	target := text(in.ForwardURL)
	switch {
	case in.Type == typePull:
		target = ""
	case in.Type != typeForward:
		return errBadAction.at("type", fmt.Sprintf("must be %s or %s", typeForward, typePull))
	case target == "":
		return errBadAction.at("forwardUrl", "must be given for "+typeForward)
	}
	if err := checkCallbackData(text(in.CallbackData)); err != nil {
		return err
	}
	sub, err := s.o.Records.CreateAction(q.Context(), q.Key, c, target, text(in.CallbackData))
	if gateway.CodeOf(err) == gateway.CodeInvalidRequest {
		if wrong, ok := asError(err); ok && wrong.Field == "url" {
			return errBadAction.at("forwardUrl", wrong.Message)
		}
		return fmt.Errorf("%w: %w", errBadAction, err)
	}
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, shownAction(sub))
}

func (s *Server) deleteAction(q *request) error {
	c, err := q.configuration()
	if err != nil {
		return err
	}
	all, err := s.o.Records.Actions(q.Context(), q.Key, c)
	if err != nil {
		return err
	}
	key := q.PathValue("action")
	if !slices.ContainsFunc(all, func(sub *gateway.Subscription) bool { return sub.ID == key }) {
		return errNoAction
	}
	if err := s.o.Subscriptions.Delete(q.Context(), q.Key, key); err != nil {
		return instead(err, errNoAction)
	}
	return q.Done()
}

// inbox hands out what people have written to applications with a PULL action, each message once.
func (s *Server) inbox(q *request) error {
	limit, err := q.limit()
	if err != nil {
		return err
	}
	only := ""
	if q.PathValue("key") != "" {
		a, err := q.application()
		if err != nil {
			return err
		}
		only = a.Key
	}
	rows, pending, err := s.o.Records.TakeInbound(q.Context(), q.Key, only, limit)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, wire.Inbox{Results: rows, MessageCount: len(rows), PendingMessageCount: pending})
}
