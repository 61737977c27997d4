package infobip

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// A configuration is a disabled pull subscription under this name, and an action a subscription whose name begins with actionPrefix and the configuration's key: what
// follows is the action's callbackData. So both are seen, and deleted, in /v1/subscriptions too.
const (
	configurationName = "Infobip configuration"
	actionPrefix      = "Infobip action of "
	maxActionName     = 200 // bytes, as subscriptions have it
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

func received() []gateway.EventType {
	return []gateway.EventType{gateway.EventMessageInbound, gateway.EventPostback}
}

// subscriptions answers the subscriptions of one application that the key may see.
func (q *request) subscriptions(application string) ([]*gateway.Subscription, error) {
	all, err := q.s.o.Subscriptions.List(q.Context(), q.key)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(sub *gateway.Subscription) bool { return !slices.Equal(sub.Applications, []string{application}) }), nil
}

// configuration answers the configuration that the path names.
func (q *request) configuration() (*gateway.Subscription, error) {
	a, err := q.application()
	if err != nil {
		return nil, err
	}
	sub, err := q.s.o.Subscriptions.Get(q.Context(), q.key, q.PathValue("configuration"))
	if err != nil {
		return nil, instead(err, errNoConfig)
	}
	if sub.Name != configurationName || !slices.Equal(sub.Applications, []string{a.Key}) {
		return nil, errNoConfig
	}
	return sub, nil
}

func (s *Server) createConfiguration(q *request) error {
	a, err := q.application()
	if err != nil {
		return err
	}
	sub := &gateway.Subscription{Name: configurationName, Kind: gateway.KindPull, Applications: []string{a.Key}}
	if err := s.o.Subscriptions.Create(q.Context(), q.key, sub, "now"); err != nil {
		return err
	}
	_, err = s.o.Subscriptions.Update(q.Context(), q.key, sub.ID, func(sub *gateway.Subscription) error {
		sub.State = gateway.SubscriptionDisabled
		return nil
	})
	if err != nil {
		return err
	}
	return q.reply(keyed{sub.ID})
}

func (s *Server) listConfigurations(q *request) error {
	a, err := q.application()
	if err != nil {
		return err
	}
	all, err := q.subscriptions(a.Key)
	if err != nil {
		return err
	}
	list := struct {
		Configurations []keyed `json:"configurations"`
	}{[]keyed{}}
	for _, sub := range all {
		if sub.Name == configurationName {
			list.Configurations = append(list.Configurations, keyed{sub.ID})
		}
	}
	return q.reply(list)
}

func (s *Server) getConfiguration(q *request) error {
	sub, err := q.configuration()
	if err != nil {
		return err
	}
	return q.reply(keyed{sub.ID})
}

// deleteConfiguration deletes a configuration with its actions.
func (s *Server) deleteConfiguration(q *request) error {
	sub, err := q.configuration()
	if err != nil {
		return err
	}
	actions, err := q.actions(sub)
	if err != nil {
		return err
	}
	for _, a := range append(actions, sub) {
		if err := s.o.Subscriptions.Delete(q.Context(), q.key, a.ID); err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
			return err
		}
	}
	return q.done()
}

// actions answers the actions of a configuration.
func (q *request) actions(configuration *gateway.Subscription) ([]*gateway.Subscription, error) {
	all, err := q.subscriptions(configuration.Applications[0])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(sub *gateway.Subscription) bool {
		return !strings.HasPrefix(sub.Name, actionPrefix+configuration.ID+" ")
	}), nil
}

// callbackDataOf is what an action's maker wants to have back with each message.
func callbackDataOf(sub *gateway.Subscription) *string {
	_, data, _ := strings.Cut(strings.TrimPrefix(sub.Name, actionPrefix), " ")
	return orNull(data)
}

func shownAction(sub *gateway.Subscription) action {
	a := action{Key: sub.ID, Type: typePull, CallbackData: callbackDataOf(sub)}
	if sub.Kind == gateway.KindForward {
		a.Type, a.ForwardURL = typeForward, &sub.URL
	}
	return a
}

func (s *Server) listActions(q *request) error {
	configuration, err := q.configuration()
	if err != nil {
		return err
	}
	all, err := q.actions(configuration)
	if err != nil {
		return err
	}
	list := struct {
		Actions []action `json:"actions"`
	}{[]action{}}
	for _, sub := range all {
		list.Actions = append(list.Actions, shownAction(sub))
	}
	return q.reply(list)
}

func (s *Server) createAction(q *request) error {
	var in action
	if err := q.decode(&in); err != nil {
		return err
	}
	configuration, err := q.configuration()
	if err != nil {
		return err
	}
	sub := &gateway.Subscription{Name: actionPrefix + configuration.ID + " " + text(in.CallbackData), Applications: configuration.Applications, EventTypes: received()}
	if room := maxActionName - len(sub.Name); room < 0 {
		return gateway.Invalid("callbackData", "may have %d bytes here", len(text(in.CallbackData))+room)
	}
	switch in.Type {
	case typePull:
		sub.Kind = gateway.KindPull
	case typeForward:
		sub.Kind, sub.URL = gateway.KindForward, text(in.ForwardURL)
	default:
		return errBadAction
	}
	if err := s.o.Subscriptions.Create(q.Context(), q.key, sub, "now"); err != nil {
		if gateway.CodeOf(err) == gateway.CodeInvalidRequest {
			return fmt.Errorf("%w: %w", errBadAction, err)
		}
		return err
	}
	return q.reply(shownAction(sub))
}

func (s *Server) deleteAction(q *request) error {
	configuration, err := q.configuration()
	if err != nil {
		return err
	}
	all, err := q.actions(configuration)
	if err != nil {
		return err
	}
	key := q.PathValue("action")
	if !slices.ContainsFunc(all, func(sub *gateway.Subscription) bool { return sub.ID == key }) {
		return errNoAction
	}
	if err := s.o.Subscriptions.Delete(q.Context(), q.key, key); err != nil {
		return instead(err, errNoAction)
	}
	return q.done()
}
