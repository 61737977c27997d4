package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// NewProfile makes a profile of an id, the caller's own fields and addresses, and says what is
// wrong with them. Fields that are null are left out.
func NewProfile(id string, fields map[string]json.RawMessage, addresses map[string]string) (*Profile, error) {
	p := &Profile{ID: id, Doc: map[string]json.RawMessage{}, Addresses: maps.Clone(addresses)}
	if p.Addresses == nil {
		p.Addresses = map[string]string{}
	}
	for name, value := range fields {
		if !bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
			p.Doc[name] = value
		}
	}
	if err := ValidateProfileID(id); err != nil {
		return nil, err
	}
	return p, p.validate()
}

// OwnField reports whether a field of a profile's document is written by the gateway only: what the
// platform says, and how the person came.
func OwnField(name string) bool { return slices.Contains(gatewayFields(), name) }

// SameAs reports whether two profiles hold the same fields and addresses.
func (p *Profile) SameAs(other *Profile) bool {
	return maps.Equal(p.Addresses, other.Addresses) && maps.EqualFunc(p.Doc, other.Doc, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}
