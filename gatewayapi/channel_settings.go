package gatewayapi

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Settings of a provider are a member under its name. Those of the providers that this package
// knows have fields; for all others the member is written and read here.

// MarshalJSON writes Settings under the provider's name.
func (r CreateChannelRequest) MarshalJSON() ([]byte, error) {
	type object CreateChannelRequest
	b, err := json.Marshal(object(r))
	if err != nil || r.Settings == nil {
		return b, err
	}
	return withMember(b, r.Provider, r.Settings)
}

// MarshalJSON writes Settings under their providers' names, and those of Reset as null.
func (r UpdateChannelRequest) MarshalJSON() ([]byte, error) {
	type object UpdateChannelRequest
	b, err := json.Marshal(object(r))
	for provider, settings := range r.Settings {
		if err == nil {
			b, err = withMember(b, provider, settings)
		}
	}
	if err != nil || len(r.Reset) == 0 {
		return b, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(b, &whole); err != nil {
		return nil, err
	}
	members := map[string]map[string]json.RawMessage{}
	for _, path := range r.Reset {
		group, name, ok := strings.Cut(path, ".")
		if !ok {
			return nil, fmt.Errorf("%q is not a setting such as smpp.source", path)
		}
		if members[group] == nil {
			settings := map[string]json.RawMessage{}
			if whole[group] != nil {
				if err := json.Unmarshal(whole[group], &settings); err != nil {
					return nil, err
				}
			}
			members[group] = settings
		}
		members[group][name] = json.RawMessage("null")
	}
	for group, settings := range members {
		if whole[group], err = json.Marshal(settings); err != nil {
			return nil, err
		}
	}
	return json.Marshal(whole)
}

// MarshalJSON writes Settings under the provider's name, where no field has written them.
func (a ChannelAccount) MarshalJSON() ([]byte, error) {
	type object ChannelAccount
	b, err := json.Marshal(object(a))
	if err != nil || len(a.Settings) == 0 {
		return b, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil || members[string(a.Provider)] != nil {
		return b, err
	}
	return withMember(b, a.Provider, a.Settings)
}

// UnmarshalJSON reads the settings of any provider into Settings, beside the field of its own that
// it may have.
func (a *ChannelAccount) UnmarshalJSON(b []byte) error {
	type object ChannelAccount
	if err := json.Unmarshal(b, (*object)(a)); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	a.Settings = members[string(a.Provider)]
	return nil
}

// withMember adds a member to a JSON object.
func withMember(object []byte, provider Provider, settings any) ([]byte, error) {
	name, err := json.Marshal(string(provider))
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", provider, err)
	}
	whole := object[:len(object)-1]
	if len(whole) > 1 {
		whole = append(whole, ',')
	}
	return append(append(append(append(whole, name...), ':'), value...), '}'), nil
}
