package apisrv

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// providerMembers are the members of a request that hold settings, by their provider, as they came.
// Those that are null are not among them.
type providerMembers map[gateway.Provider]json.RawMessage

// readWithSettings reads a request in which the settings of each provider may be a member under its
// name: those strictly as their provider describes them, all else strictly into a value. The
// members of the rest are returned as they came.
func readWithSettings(q *request, into any) (settings providerMembers, rest map[string]json.RawMessage, err error) {
	body, err := q.Body()
	if err != nil {
		return nil, nil, err
	}
	if err := decode(body, &rest); err != nil {
		return nil, nil, err
	}
	providers := q.s.o.Channels.Providers
	settings = providerMembers{}
	for _, p := range providers {
		if value := taken(rest, string(p.Name)); value != nil {
			settings[p.Name] = value
		}
	}
	remaining, err := json.Marshal(rest)
	if err != nil {
		return nil, nil, err
	}
	if err := decode(remaining, into); err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if err := decode(settings[name], providers.Find(name).New()); err != nil {
			if e, ok := errors.AsType[*gateway.Error](err); ok {
				return nil, nil, e.Under(string(name))
			}
			return nil, nil, err
		}
	}
	return settings, rest, nil
}

// taken takes a member out of an object; nil when it is null or not there. Names are compared as
// the decoder does.
func taken(members map[string]json.RawMessage, name string) (value json.RawMessage) {
	for member, v := range members {
		if strings.EqualFold(member, name) {
			delete(members, member)
			if string(v) != "null" {
				value = v
			}
		}
	}
	return value
}

// ofOne says which settings are of another provider than the account's, if it has one that there
// is.
func (m providerMembers) ofOne(providers gateway.Providers, provider gateway.Provider) error {
	if providers.Find(provider) == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name != provider {
			return gateway.Invalid(string(name), "belongs to another provider than %s", provider)
		}
	}
	return nil
}

// setSettings shows the settings of an account: in the field of its provider, where the client's
// type has one.
func setSettings(out *gatewayapi.ChannelAccount, settings json.RawMessage) error {
	if len(settings) == 0 {
		return nil
	}
	member, err := json.Marshal(map[string]any{"provider": out.Provider, string(out.Provider): settings})
	if err != nil {
		return fmt.Errorf("show settings of account %s: %w", out.ID, err)
	}
	if err := json.Unmarshal(member, out); err != nil {
		return fmt.Errorf("show settings of account %s: %w", out.ID, err)
	}
	return nil
}

// describeProviders puts what providers say of themselves into the schemas of accounts.
func describeProviders(registry huma.Registry, providers gateway.Providers) {
	schemas := registry.Map()
	for name, says := range map[string]string{"CreateChannelRequest": "For provider %s.", "UpdateChannelRequest": "Settings that change.", "ChannelAccount": "For provider %s."} {
		schema := schemas[name]
		if schema == nil {
			continue // no route speaks of accounts
		}
		for _, p := range providers {
			member := registry.Schema(reflect.TypeOf(p.New()).Elem(), true, "")
			member.Description = strings.ReplaceAll(says, "%s", string(p.Name))
			schema.Properties[string(p.Name)] = member
		}
		if provider := schema.Properties["provider"]; provider != nil {
			provider.Enum, provider.Description = anyOf(providers.Names()), orList(providers.Names())+"."
		}
	}
	if schema := schemas["CreateChannelRequest"]; schema != nil {
		schema.Properties["secrets"].Description = secretsInWords(providers)
	}
}

// secretsInWords says which secrets go with which providers.
func secretsInWords(providers gateway.Providers) string {
	var secrets []string
	of := map[string][]string{}
	for _, p := range providers {
		names := strings.Join(p.SecretNames(), " and ")
		if of[names] == nil {
			secrets = append(secrets, names)
		}
		of[names] = append(of[names], string(p.Name))
		if slices.ContainsFunc(p.Secrets, func(s gateway.SecretInfo) bool { return s.Make != nil }) {
			of[names][len(of[names])-1] += ", made when left out"
		}
	}
	for i, names := range secrets {
		secrets[i] = names + " for " + strings.Join(of[names], " and ")
	}
	return strings.Join(secrets, "; ") + "."
}

// orList names the words of a list of which one may be chosen.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
