package infobip

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// A scenario is a connected page: its key is that of the application. The gateway has one channel, so that of a flow only the step over FACEBOOK counts; the others are skipped
// as channels without an account are.
type scenario struct {
	Key             string `json:"key"`
	Name            string `json:"name"`
	Flow            []step `json:"flow"`
	Default         bool   `json:"default"`
	DefaultScenario bool   `json:"defaultScenario"` // the same, as the original's libraries call it
}

type step struct {
	From    string `json:"from"`
	Channel string `json:"channel"`
}

// scenarios answers a scenario for each application of the key. Where there is one only, it is the default.
func (q *request) scenarios() ([]scenario, error) {
	all, err := q.s.o.Applications.List(q.Context(), q.key)
	if err != nil {
		return nil, err
	}
	list := []scenario{}
	for _, a := range all {
		list = append(list, scenario{a.Key, a.PageName, []step{{a.Key, channelFacebook}}, len(all) == 1, len(all) == 1})
	}
	return list, nil
}

// scenario answers the scenario under a key.
func (q *request) scenario(key string) (scenario, error) {
	list, err := q.scenarios()
	if err != nil {
		return scenario{}, err
	}
	i := slices.IndexFunc(list, func(s scenario) bool { return s.Key == key })
	if i < 0 {
		return scenario{}, gateway.NotFound("scenario", key)
	}
	return list[i], nil
}

// createScenario answers the scenario that a flow comes to; an update does the same.
func (s *Server) createScenario(q *request) error {
	var in struct {
		Flow []step `json:"flow"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	i := slices.IndexFunc(in.Flow, func(s step) bool { return strings.EqualFold(s.Channel, channelFacebook) })
	if i < 0 {
		return gateway.Invalid("flow", "has no step over %s, the only channel here", channelFacebook)
	}
	found, err := q.scenario(in.Flow[i].From)
	switch key := q.PathValue("key"); {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		return gateway.Invalid(fmt.Sprintf("flow[%d].from", i), "there is no application %q", in.Flow[i].From)
	case err != nil:
		return err
	case key != "" && key != found.Key:
		return gateway.Invalid(fmt.Sprintf("flow[%d].from", i), "a scenario is a connected page, so that this one leads to application %s for good", key)
	}
	return q.reply(found)
}

func (s *Server) listScenarios(q *request) error {
	list, err := q.scenarios()
	if err != nil {
		return err
	}
	v := q.URL.Query()
	for _, name := range []string{"isDefault", "default", "defaultScenario"} {
		if wanted, err := strconv.ParseBool(v.Get(name)); err == nil {
			list = slices.DeleteFunc(list, func(s scenario) bool { return s.Default != wanted })
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
	from := min(page*limit, len(list))
	return q.reply(map[string][]scenario{"scenarios": list[from:min(from+limit, len(list))]})
}

func (s *Server) getScenario(q *request) error {
	found, err := q.scenario(q.PathValue("key"))
	if err != nil {
		return err
	}
	return q.reply(found)
}

// omniMessage is the body of /omni/1/text and /omni/1/advanced.
type omniMessage struct {
	ScenarioKey  string `json:"scenarioKey"`
	BulkID       string `json:"bulkId"`
	Destinations []struct {
		MessageID string          `json:"messageId"`
		To        json.RawMessage `json:"to"`
	} `json:"destinations"`
	Text         string   `json:"text"`     // /omni/1/text
	Facebook     *content `json:"facebook"` // /omni/1/advanced
	CallbackData string   `json:"callbackData"`
	SendAt       string   `json:"sendAt"`
}

// omniAddress is whom a message is for, on several channels.
type omniAddress struct {
	PhoneNumber        string `json:"phoneNumber"`
	EmailAddress       string `json:"emailAddress"`
	PushRegistrationID string `json:"pushRegistrationId"`
	FacebookUserKey    string `json:"facebookUserKey"`
	LineUserKey        string `json:"lineUserKey"`
}

// sendOMNI sends over the steps of a scenario that can be gone here: Messenger.
func (s *Server) sendOMNI(q *request) error {
	var in omniMessage
	if err := q.decode(&in); err != nil {
		return err
	}
	if in.Facebook == nil && in.Text != "" {
		in.Facebook = &content{Text: in.Text}
	}
	if err := s.checkOMNI(&in); err != nil {
		return err
	}
	all := make([]outgoing, len(in.Destinations))
	for i, d := range in.Destinations {
		var to omniAddress
		if given(d.To) && json.Unmarshal(d.To, &to) != nil {
			return gateway.Invalid(fmt.Sprintf("destinations[%d].to", i), "must be an object such as {\"facebookUserKey\":\"…\"}")
		}
		a := address{FacebookUserKey: to.FacebookUserKey, PhoneNumber: to.PhoneNumber}
		out := outgoing{shownTo: d.To, rejected: a.rejected(), note: note{BulkID: in.BulkID, MessageID: d.MessageID, To: a.shown(), CallbackData: in.CallbackData}}
		if elsewhere := to.EmailAddress + to.PushRegistrationID + to.LineUserKey; a.shown() == "" && elsewhere != "" {
			r := noRoute("no channel of the scenario that can be used here reaches this address")
			out.rejected = &r
		}
		if in.Facebook == nil {
			r := noRoute("the message has no content for " + channelFacebook + ", the only channel here")
			out.rejected = &r
		}
		if out.rejected == nil {
			input, err := in.Facebook.input(s.o.Store.Now())
			if err != nil {
				return err
			}
			input.To, input.Application = a.to(), in.ScenarioKey
			out.input = input
		}
		all[i] = out
	}
	return q.send(apiOMNI, in.BulkID, all)
}

func (s *Server) checkOMNI(in *omniMessage) error {
	switch {
	case len(in.Destinations) == 0:
		return gateway.Invalid("destinations", "say whom the message is for")
	case len([]rune(in.CallbackData)) > maxCallbackData:
		return gateway.Invalid("callbackData", "may have %d characters", maxCallbackData)
	case in.SendAt == "":
		return nil
	}
	at, err := parseDate(in.SendAt)
	if err != nil {
		return gateway.Invalid("sendAt", "must be a time such as 2017-01-05T12:47:56.221+0000")
	}
	if at.After(s.o.Store.Now()) {
		return gateway.Invalid("sendAt", "messages cannot be sent later here: send when the time has come")
	}
	return nil
}
