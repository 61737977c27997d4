package infobip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// scenario is a stored route as OMNI shows it.
type scenario struct {
	Key             string     `json:"key"`
	Name            string     `json:"name"`
	Flow            []flowStep `json:"flow"`
	Default         bool       `json:"default"`
	DefaultScenario bool       `json:"defaultScenario"` // the same, as the original's libraries call it
}

// channels are the channels of OMNI with those of the gateway that stand for them. The others are
// kept in scenarios, and messages skip them as channels without an account.
func channels() map[string]string {
	all := map[string]string{"FACEBOOK": gateway.ChannelMessenger, "SMS": gateway.ChannelSMS, "EMAIL": gateway.ChannelEmail, "WEBHOOK": gateway.ChannelWebhook}
	for _, other := range []string{"VOICE", "PARSECO", "PUSH", "VIBER", "LINE", "VKONTAKTE"} {
		all[other] = strings.ToLower(other)
	}
	return all
}

// flowStep is a step of a scenario: a channel by its name in OMNI, and the sender there.
type flowStep struct {
	From    string `json:"from"`
	Channel string `json:"channel"`
}

func shownScenario(r *gateway.Route) scenario {
	flow := []flowStep{}
	if r.Origin.Dialect != wire.Dialect || json.Unmarshal(r.Origin.Data, &flow) != nil { // of another API
		for _, rule := range r.Rules {
			step := flowStep{Channel: wire.Channel(rule.Channel)}
			if rule.Channel == gateway.ChannelMessenger {
				step.From = r.Application
			}
			flow = append(flow, step)
		}
	}
	return scenario{r.ID, r.Name, flow, r.Default, r.Default}
}

// stored returns the route of a scenario's key.
func (q *request) stored(key string) (*gateway.Route, error) {
	r, err := q.s.o.Routes.Get(q.Context(), q.Key, key)
	if err == nil && r.ID == key {
		return r, nil
	}
	if err == nil || gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil, gateway.NotFound("scenario", key)
	}
	return nil, err
}

// saveScenario stores a new scenario, or changes one; what an update leaves out stays as it is.
func (s *Server) saveScenario(q *request) error {
	var in struct {
		Name            string     `json:"name"`
		Flow            []flowStep `json:"flow"`
		Default         *bool      `json:"default"`
		DefaultScenario *bool      `json:"defaultScenario"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	r := &gateway.Route{Name: "Scenario " + gateway.NewApplicationKey()[:8]}
	if key := q.PathValue("key"); key != "" {
		var err error
		if r, err = q.stored(key); err != nil {
			return err
		}
	} else if len(in.Flow) == 0 {
		return gateway.Invalid("flow", "give at least one step")
	}
	if in.Name != "" {
		r.Name = in.Name
	}
	for _, given := range []*bool{in.Default, in.DefaultScenario} {
		if given != nil {
			r.Default = *given
		}
	}
	if len(in.Flow) > 0 {
		if err := q.setFlow(r, in.Flow); err != nil {
			return err
		}
	}
	if err := s.o.Routes.Save(q.Context(), q.Key, r); err != nil {
		if e, ok := asError(err); ok && (e.Code == gateway.CodeConflict || e.Code == gateway.CodeInvalidRequest) {
			return gateway.Invalid(strings.Replace(e.Field, "rules", "flow", 1), "%s", e.Message)
		}
		return err
	}
	return q.Reply(http.StatusOK, shownScenario(r))
}

// setFlow makes the rules of a flow.
func (q *request) setFlow(r *gateway.Route, flow []flowStep) error {
	kept, err := json.Marshal(flow)
	if err != nil {
		return err
	}
	r.Origin, r.Rules, r.Application = gateway.Origin{Dialect: wire.Dialect, Data: kept}, nil, ""
	for i, step := range flow {
		channel, ok := channels()[strings.ToUpper(step.Channel)]
		if !ok {
			return gateway.Invalid(fmt.Sprintf("flow[%d].channel", i), "%q is no channel of OMNI", step.Channel)
		}
		rule := gateway.Rule{Channel: channel}
		switch channel {
		case gateway.ChannelMessenger:
			page, err := q.page(step.From)
			if e, ok := asError(err); ok && e.Field == "application" {
				return e.WithField(fmt.Sprintf("flow[%d].from", i))
			}
			if err != nil {
				return err
			}
			if r.Application != "" && r.Application != page {
				return gateway.Invalid(fmt.Sprintf("flow[%d].from", i), "a scenario goes over one page")
			}
			r.Application = page
		case gateway.ChannelSMS, gateway.ChannelEmail:
			rule.ChannelOptions = sender(channel, step.From)
		}
		r.Rules = append(r.Rules, rule)
	}
	if r.Application == "" {
		all, err := q.s.o.Applications.List(q.Context(), q.Key)
		if err != nil {
			return err
		}
		if len(all) == 1 {
			r.Application = all[0].Key
		}
	}
	return nil
}

// sender makes the channel's options that name a sender.
func sender(channel, from string) json.RawMessage {
	if _, err := mail.ParseAddress(from); from == "" || channel == gateway.ChannelEmail && err != nil {
		return nil
	}
	return options(nil, "from", from)
}

// options adds a value to a channel's options; an empty one changes nothing.
func options(raw json.RawMessage, name, value string) json.RawMessage {
	if value == "" {
		return raw
	}
	all := map[string]any{}
	if len(raw) > 0 && json.Unmarshal(raw, &all) != nil {
		return raw
	}
	all[name] = value
	out, err := json.Marshal(all)
	if err != nil {
		return raw
	}
	return out
}

func (s *Server) listScenarios(q *request) error {
	routes, err := s.o.Routes.List(q.Context(), q.Key)
	if err != nil {
		return err
	}
	v := q.URL.Query()
	for _, name := range []string{"isDefault", "default", "defaultScenario"} {
		if wanted, err := strconv.ParseBool(v.Get(name)); err == nil {
			routes = slices.DeleteFunc(routes, func(r *gateway.Route) bool { return r.Default != wanted })
		}
	}
	limit, err := q.limit()
	if err != nil {
		return err
	}
	if v.Get("limit") == "" {
		limit = 100
	}
	page, err := strconv.Atoi("0" + v.Get("page"))
	if err != nil || page > 1_000_000 {
		return gateway.Invalid("page", "must be a number from 0")
	}
	from := min(page*limit, len(routes))
	list := []scenario{}
	for _, r := range routes[from:min(from+limit, len(routes))] {
		list = append(list, shownScenario(r))
	}
	return q.Reply(http.StatusOK, map[string][]scenario{"scenarios": list})
}

func (s *Server) getScenario(q *request) error {
	r, err := q.stored(q.PathValue("key"))
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, shownScenario(r))
}
