package apisrv

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

func (s *server) channelRoutes() []route {
	read, write := gateway.ScopeChannelsRead, gateway.ScopeChannelsWrite
	return []route{
		{method: http.MethodPost, path: "/v1/channels", scope: write, tag: tagChannels, summary: "Add an account for SMS, e-mail or a webhook",
			detail: "The body holds the settings of its provider. Secrets are sealed and never shown again, save a signing secret that the gateway makes, in this answer.",
			status: http.StatusCreated, do: takes(s.createChannel)},
		{method: http.MethodGet, path: "/v1/channels", scope: read, tag: tagChannels, summary: "List accounts",
			status: http.StatusOK, do: answers(s.listChannels)},
		{method: http.MethodGet, path: "/v1/channels/{id}", scope: read, tag: tagChannels, summary: "Read an account",
			status: http.StatusOK, do: answers(s.getChannel)},
		{method: http.MethodPatch, path: "/v1/channels/{id}", scope: write, tag: tagChannels, summary: "Change, disable or enable an account",
			detail: "What is left out stays, also inside the settings; null sets a setting back to its default. A changed SMPP account binds anew.",
			status: http.StatusOK, do: takes(s.updateChannel)},
		{method: http.MethodDelete, path: "/v1/channels/{id}", scope: write, tag: tagChannels, summary: "Delete an account",
			status: http.StatusNoContent, do: does(s.deleteChannel)},
		{method: http.MethodPost, path: "/v1/channels/{id}/check", scope: write, tag: tagChannels, summary: "Ask the provider whether an account works",
			detail: "Nothing is sent to anybody: " + strings.Join(probes(s.o.Channels.Providers), ", ") + ".",
			status: http.StatusOK, do: answers(s.checkChannel)},
		{method: http.MethodGet, path: "/v1/opt-outs", scope: read, tag: tagChannels, summary: "List addresses that want nothing more",
			params: optOutParams(), status: http.StatusOK, do: answers(s.listOptOuts)},
		{method: http.MethodPut, path: "/v1/opt-outs/{channel}/{address}", scope: write, tag: tagChannels, summary: "Record that an address wants nothing more",
			params: optOutOwner(), status: http.StatusOK, do: answers(s.setOptOut)},
		{method: http.MethodDelete, path: "/v1/opt-outs/{channel}/{address}", scope: write, tag: tagChannels, summary: "Record that an address may be written to again",
			params: optOutOwner(), status: http.StatusNoContent, do: does(s.deleteOptOut)},
	}
}

// optOutOwner names whose opt-out it is.
func optOutOwner() []param {
	return []param{text("application", "Key of the application that the opt-out is of; without it, the one that holds for all.")}
}

func optOutParams() []param {
	return append([]param{list("application", "Keys of applications whose opt-outs are wanted; without it, those of all and those that hold for all."),
		choice("channel", "Of which channel.", gateway.ChannelMessenger, gateway.ChannelSMS, gateway.ChannelEmail), text("address", "The address, of Messenger the person's id; with channel in any form of it.")}, pageParams()...)
}

// probes say what a check asks of each provider.
func probes(providers gateway.Providers) []string {
	said := make([]string, len(providers))
	for i, p := range providers {
		said[i] = p.Probe
	}
	return said
}

// newChannel is an account to be made, with the settings under the names of their providers.
type newChannel struct {
	gatewayapi.CreateChannelRequest
	settings providerMembers
}

func (in *newChannel) read(q *request) (err error) {
	in.settings, _, err = readWithSettings(q, &in.CreateChannelRequest)
	return err
}

func (s *server) createChannel(q *request, in *newChannel) (*gatewayapi.ChannelAccount, error) {
	a := &gateway.ChannelAccount{
		Provider: in.Provider, Channel: in.Channel, Name: in.Name, Application: in.Application, State: in.State, Settings: in.settings[in.Provider],
	}
	if err := in.settings.ofOne(s.o.Channels.Providers, in.Provider); err != nil {
		return nil, err
	}
	if in.Keywords != nil {
		a.Keywords = *in.Keywords
	}
	for name, value := range in.Secrets {
		if a.Secrets == nil {
			a.Secrets = map[string]gateway.Secret{}
		}
		a.Secrets[name] = gateway.Secret(value)
	}
	made, err := s.o.Channels.Create(q.Context(), q.Key, a)
	if err != nil {
		return nil, err
	}
	out, err := s.wireChannel(a)
	if err != nil {
		return nil, err
	}
	for _, name := range made {
		out.Secrets[name] = gatewayapi.SecretState{Set: true, Value: a.Secrets[name].Reveal()}
	}
	q.W.Header().Set("Location", "/v1/channels/"+a.ID)
	return out, nil
}

func (s *server) wireChannel(a *gateway.ChannelAccount) (*gatewayapi.ChannelAccount, error) {
	out := &gatewayapi.ChannelAccount{
		ID: a.ID, Channel: a.Channel, Provider: a.Provider, Name: a.Name, Application: a.Application, State: a.State,
		Secrets: map[string]gatewayapi.SecretState{}, CreatedAt: gatewayapi.At(a.CreatedAt), UpdatedAt: gatewayapi.At(a.UpdatedAt),
	}
	if err := setSettings(out, a.Settings); err != nil {
		return nil, err
	}
	if a.Keywords != (gateway.KeywordSettings{}) {
		out.Keywords = &a.Keywords
	}
	p := s.o.Channels.Providers.Find(a.Provider)
	if p == nil { // of a newer version of the gateway
		return out, nil
	}
	for _, name := range p.SecretNames() {
		out.Secrets[name] = gatewayapi.SecretState{Set: a.Secrets[name] != ""}
	}
	if p.Inbound {
		out.InboundURL = s.o.PublicURL + gateway.ChannelInboundPath(a.ID)
	}
	return out, nil
}

func (s *server) listChannels(q *request) (*gatewayapi.ChannelList, error) {
	if err := q.known(nil); err != nil {
		return nil, err
	}
	accounts, err := s.o.Channels.List(q.Context(), q.Key)
	if err != nil {
		return nil, err
	}
	list := gatewayapi.ChannelList{Channels: []gatewayapi.ChannelAccount{}}
	for _, a := range accounts {
		shown, err := s.wireChannel(a)
		if err != nil {
			return nil, err
		}
		list.Channels = append(list.Channels, *shown)
	}
	return &list, nil
}

func (s *server) getChannel(q *request) (*gatewayapi.ChannelAccount, error) {
	a, err := s.o.Channels.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.wireChannel(a)
}

// channelPatch is a change of an account, with the members of settings as they came: null in them
// means the default.
type channelPatch struct {
	gatewayapi.UpdateChannelRequest
	settings providerMembers
	keywords json.RawMessage
}

func (in *channelPatch) read(q *request) (err error) {
	var rest map[string]json.RawMessage
	if in.settings, rest, err = readWithSettings(q, &in.UpdateChannelRequest); err != nil {
		return err
	}
	in.keywords = taken(rest, "keywords")
	return nil
}

func (s *server) updateChannel(q *request, in *channelPatch) (*gatewayapi.ChannelAccount, error) {
	a, err := s.o.Channels.Update(q.Context(), q.Key, q.PathValue("id"), func(a *gateway.ChannelAccount) error {
		replace(&a.Name, in.Name)
		replace(&a.Application, in.Application)
		replace(&a.State, in.State)
		for name, value := range in.Secrets {
			if value == "" {
				delete(a.Secrets, name)
				continue
			}
			if a.Secrets == nil {
				a.Secrets = map[string]gateway.Secret{}
			}
			a.Secrets[name] = gateway.Secret(value)
		}
		return in.settle(a)
	})
	if err != nil {
		return nil, err
	}
	return s.wireChannel(a)
}

// settle applies the members that hold settings, as JSON merge patches. They have been decoded
// strictly before.
func (in *channelPatch) settle(a *gateway.ChannelAccount) (err error) {
	for name, patch := range in.settings {
		if name != a.Provider {
			return gateway.Invalid(string(name), "belongs to another provider")
		}
		if a.Settings, err = gateway.MergePatch(a.Settings, patch); err != nil {
			return gateway.Invalid(string(name), "must be an object")
		}
	}
	if in.keywords == nil {
		return nil
	}
	before, err := json.Marshal(a.Keywords)
	if err != nil {
		return err
	}
	merged, err := gateway.MergePatch(before, in.keywords)
	if err != nil {
		return gateway.Invalid("keywords", "must be an object")
	}
	a.Keywords = gateway.KeywordSettings{}
	if json.Unmarshal(merged, &a.Keywords) != nil {
		return gateway.Invalid("keywords", "cannot be read")
	}
	return nil
}

func (s *server) deleteChannel(q *request) error {
	if err := s.o.Channels.Delete(q.Context(), q.Key, q.PathValue("id")); err != nil {
		return err
	}
	return nil
}

func (s *server) checkChannel(q *request) (*gatewayapi.ChannelCheck, error) {
	failure, err := s.o.Channels.Check(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	out := gatewayapi.ChannelCheck{OK: failure == nil, CheckedAt: gatewayapi.At(s.o.Now())}
	if failure != nil {
		out.Code, out.Problem = failure.Code, failure.Message
	}
	return &out, nil
}

func (s *server) listOptOuts(q *request) (*gatewayapi.OptOutPage, error) {
	if err := q.known(optOutParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	query := q.URL.Query()
	after, err := parseCursor("cursor", 'o', query.Get("cursor"))
	if err != nil {
		return nil, err
	}
	f := service.OptOutFilter{Applications: q.list("application"), Channel: query.Get("channel"), Address: query.Get("address"), Limit: limit + 1}
	if place := strings.SplitN(after, " ", 3); len(place) == 3 {
		f.AfterChannel, f.AfterApplication, f.AfterAddress = place[0], place[1], place[2]
	}
	list, err := s.o.Channels.OptOuts(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	out := gatewayapi.OptOutPage{OptOuts: []gatewayapi.OptOut{}}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		out.Cursor = cursor('o', last.Channel+" "+last.Application+" "+last.Address)
	}
	out.OptOuts = append(out.OptOuts, list...)
	return &out, nil
}

func (s *server) setOptOut(q *request) (*gatewayapi.OptOut, error) {
	if err := q.known(optOutOwner()); err != nil {
		return nil, err
	}
	o, err := s.o.Channels.SetOptOut(q.Context(), q.Key, q.URL.Query().Get("application"), q.PathValue("channel"), q.PathValue("address"))
	if err != nil {
		return nil, err
	}
	return &o, nil
}

func (s *server) deleteOptOut(q *request) error {
	if err := q.known(optOutOwner()); err != nil {
		return err
	}
	if err := s.o.Channels.DeleteOptOut(q.Context(), q.Key, q.URL.Query().Get("application"), q.PathValue("channel"), q.PathValue("address")); err != nil {
		return err
	}
	return nil
}
