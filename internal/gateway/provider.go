package gateway

import (
	"encoding/json"
	"slices"
	"strings"
)

// ProviderInfo describes a provider of a channel: what an account at it is told, and what must be
// true of that. Package channel adds how to work with one.
type ProviderInfo struct {
	// Name is also that of the member which holds the settings, in JSON.
	Name    Provider
	Channel string
	Secrets []SecretInfo
	// Inbound says that the provider brings what people send to the account's address for it; see
	// ChannelInboundPath.
	Inbound bool
	// Probe says what a check asks of the provider, such as "SMTP signs in".
	Probe string
	// New makes empty settings: a pointer to a struct that JSON knows.
	New func() any
	// Settle fills in what is left out of settings, and says which field is wrong, or returns nil.
	// It looks at no network: that is what a check does.
	Settle func(settings any, secrets map[string]Secret) error
	// Targets are the addresses that settings lead to, by field.
	Targets func(settings any) map[string]string
}

// SecretInfo is a secret that an account may have.
type SecretInfo struct {
	Name string
	// Make makes one for an account that comes without; nil for a secret that the gateway cannot
	// make.
	Make func() Secret
}

// SecretNames are the names of the secrets that an account of the provider may have.
func (p *ProviderInfo) SecretNames() []string {
	names := make([]string, len(p.Secrets))
	for i, s := range p.Secrets {
		names[i] = s.Name
	}
	return names
}

// Decode reads settings of the provider.
func (p *ProviderInfo) Decode(settings json.RawMessage) (any, error) {
	into := p.New()
	if len(settings) == 0 || json.Unmarshal(settings, into) != nil {
		return nil, Invalid(string(p.Name), "cannot be read")
	}
	return into, nil
}

// Providers are the providers that accounts may have, in the order in which they are named to
// people.
type Providers []ProviderInfo

// Find returns the description of a provider, nil when there is none of the name.
func (ps Providers) Find(name Provider) *ProviderInfo {
	for i := range ps {
		if ps[i].Name == name {
			return &ps[i]
		}
	}
	return nil
}

// Names are the names of the providers.
func (ps Providers) Names() []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = string(p.Name)
	}
	return names
}

// MakeSecrets gives an account the secrets that its provider can make and it has not, and returns
// their names.
func (ps Providers) MakeSecrets(a *ChannelAccount) (made []string) {
	p := ps.Find(a.Provider)
	if p == nil {
		return nil
	}
	for _, s := range p.Secrets {
		if s.Make == nil || a.Secrets[s.Name] != "" {
			continue
		}
		if a.Secrets == nil {
			a.Secrets = map[string]Secret{}
		}
		a.Secrets[s.Name] = s.Make()
		made = append(made, s.Name)
	}
	return made
}

// Settle fills in what is left out of an account, and says which field is wrong, or returns nil.
// Where the account leads to is returned by field.
func (ps Providers) Settle(a *ChannelAccount) (targets map[string]string, err error) {
	p := ps.Find(a.Provider)
	if p == nil {
		return nil, Invalid("provider", "%q is not one of %s", a.Provider, strings.Join(ps.Names(), ", "))
	}
	if a.Channel == "" {
		a.Channel = p.Channel
	}
	if a.State == "" {
		a.State = AccountActive
	}
	switch {
	case a.Channel != p.Channel:
		return nil, Invalid("channel", "provider %s is for channel %s", a.Provider, p.Channel)
	case len(a.Name) > 200:
		return nil, Invalid("name", "must have at most 200 bytes")
	case a.State != AccountActive && a.State != AccountDisabled:
		return nil, Invalid("state", "must be active or disabled")
	}
	for name, secret := range a.Secrets {
		if names := p.SecretNames(); !slices.Contains(names, name) {
			return nil, Invalid("secrets."+name, "provider %s has the secrets %s only", a.Provider, strings.Join(names, ", "))
		}
		if len(secret) > 1000 {
			return nil, Invalid("secrets."+name, "must have at most 1000 bytes")
		}
	}
	if len(a.Settings) == 0 {
		return nil, Invalid(string(a.Provider), "must hold the provider's settings")
	}
	if err := checkKeywords(a.Keywords, a.Channel); err != nil {
		return nil, err
	}
	settings, err := p.Decode(a.Settings)
	if err != nil {
		return nil, err
	}
	if err := p.Settle(settings, a.Secrets); err != nil {
		return nil, err
	}
	if a.Settings, err = json.Marshal(settings); err != nil {
		return nil, Invalid(string(a.Provider), "cannot be written")
	}
	return p.Targets(settings), nil
}
