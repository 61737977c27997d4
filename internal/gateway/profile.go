package gateway

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Profile is a customer of the business: a free JSON document under an id of the caller's choosing,
// with addresses on channels.
type Profile struct {
	ID string
	// Doc holds the caller's own fields, and under `facebook` what the platform says about the
	// person. It never holds a system field.
	Doc map[string]json.RawMessage
	// Addresses are the person's ids on Messenger: application key → PSID.
	Addresses map[string]string
	// Application is whose the profile is beside those at which it has an address: the one whose
	// key, channel or session made it; empty for nobody's.
	Application string
	// Version grows with every change; the ETag is made of it.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Limits of profiles.
const (
	maxProfileID  = 200
	MaxProfileDoc = 64 << 10 // bytes of a profile's document
)

// Fields of a profile that are the gateway's own, beside the caller's.
const (
	FieldID         = "id"
	FieldMessenger  = "fbMessengerIds"
	FieldFacebook   = "facebook"
	FieldFirstTouch = "firstTouch"
	FieldLastTouch  = "lastTouch"
	FieldCreatedAt  = "createdAt"
	FieldUpdatedAt  = "updatedAt"
	FieldOptIn      = "optInChannels" // the caller's: channels that the customer has opted in to
	profileTimeForm = "2006-01-02T15:04:05.000Z"
)

// gatewayFields are the fields of the document that only the gateway writes: what the platform
// says, and how the person came.
func gatewayFields() []string { return []string{FieldFacebook, FieldFirstTouch, FieldLastTouch} }

// Automatic reports whether a profile came about by itself: nobody has given it an id or a field.
func (p *Profile) Automatic() bool {
	if !strings.HasPrefix(p.ID, "prf_") {
		return false
	}
	for name := range p.Doc {
		if !slices.Contains(gatewayFields(), name) {
			return false
		}
	}
	return true
}

// OptIns returns the channels that the customer has opted in to.
func (p *Profile) OptIns() []string {
	channels := []string{}
	if raw, ok := p.Doc[FieldOptIn]; ok && json.Unmarshal(raw, &channels) != nil {
		return []string{}
	}
	return channels
}

// ProfileQueryFields lists the fields by which profiles are found, beside the address. Values
// compare without regard to case.
func ProfileQueryFields() []string { return []string{"firstName", "lastName", "email", "phoneNumber"} }

// ValidateProfileID says what is wrong with an id, or nil: 1 to 200 bytes without control
// characters and slashes, and not . or .. either. E-mail addresses are common.
func ValidateProfileID(id string) error {
	if id == "" || len(id) > maxProfileID {
		return Invalid(FieldID, "must have 1 to %d bytes", maxProfileID)
	}
	if strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || r == '/' || r == unicode.ReplacementChar }) {
		return Invalid(FieldID, "must not hold control characters or slashes")
	}
	if id == "." || id == ".." {
		return Invalid(FieldID, "must not be a part of a path")
	}
	return nil
}

// ParseProfile takes the fields of a JSON object apart: the caller's own, and the addresses. The id
// may be there; what only the gateway writes may not.
func ParseProfile(object json.RawMessage) (*Profile, error) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(object, &doc); err != nil || doc == nil {
		return nil, Invalid("", "the body must be a JSON object")
	}
	p := &Profile{Doc: doc, Addresses: map[string]string{}}
	if raw, ok := doc[FieldID]; ok {
		if err := json.Unmarshal(raw, &p.ID); err != nil {
			return nil, Invalid(FieldID, "must be a string")
		}
		delete(doc, FieldID)
	}
	if raw, ok := doc[FieldMessenger]; ok {
		if err := json.Unmarshal(raw, &p.Addresses); err != nil {
			return nil, Invalid(FieldMessenger, "must be an object of application keys and person ids")
		}
		delete(doc, FieldMessenger)
	}
	if p.Addresses == nil {
		p.Addresses = map[string]string{}
	}
	return p, p.validate()
}

func (p *Profile) validate() error {
	for name, v := range p.Doc {
		switch {
		case name == FieldCreatedAt || name == FieldUpdatedAt || slices.Contains(gatewayFields(), name):
			return Invalid(name, "is written by the gateway only")
		case name == "":
			return Invalid("", "a field's name must not be empty")
		case strings.HasPrefix(name, "_"):
			return Invalid(name, "names that begin with _ are kept for the gateway")
		}
		if err := CheckText(name, name); err != nil {
			return err
		}
		if err := CheckJSON(v); err != nil {
			return err.(*Error).WithField(name)
		}
		if slices.Contains(ProfileQueryFields(), name) {
			var s *string
			if json.Unmarshal(v, &s) != nil {
				return Invalid(name, "must be a string")
			}
		}
	}
	for app, person := range p.Addresses {
		if err := CheckKey(FieldMessenger, app+person); err != nil {
			return err
		}
		if app == "" || person == "" || len(person) > 100 {
			return Invalid(FieldMessenger+"."+app, "must be a person's id of 1 to 100 bytes")
		}
	}
	if size := p.docSize(); size > MaxProfileDoc {
		return Invalid("", "the profile has %d bytes of at most %d", size, MaxProfileDoc)
	}
	return nil
}

func (p *Profile) docSize() int {
	n := 2
	for name, v := range p.Doc {
		n += len(name) + len(v) + 4
	}
	return n
}

// MarshalJSON gives the whole profile as the API shows it: the document and the gateway's own
// fields.
func (p *Profile) MarshalJSON() ([]byte, error) {
	all := maps.Clone(p.Doc)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	for name, v := range map[string]any{
		FieldID: p.ID, FieldMessenger: p.addresses(),
		FieldCreatedAt: p.CreatedAt.UTC().Format(profileTimeForm), FieldUpdatedAt: p.UpdatedAt.UTC().Format(profileTimeForm),
	} {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		all[name] = b
	}
	return json.Marshal(all)
}

func (p *Profile) addresses() map[string]string {
	if p.Addresses == nil {
		return map[string]string{}
	}
	return p.Addresses
}

// Patch returns the profile as it is after a JSON merge patch (RFC 7396). The id cannot change, and
// what only the gateway writes stays as it is.
func (p *Profile) Patch(patch json.RawMessage) (*Profile, error) {
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil || changes == nil {
		return nil, Invalid("", "the patch must be a JSON object")
	}
	for _, name := range append(gatewayFields(), FieldID, FieldCreatedAt, FieldUpdatedAt) {
		if _, ok := changes[name]; ok {
			return nil, Invalid(name, "cannot be changed")
		}
	}
	before, err := json.Marshal(p.editable())
	if err != nil {
		return nil, err
	}
	merged, err := MergePatch(before, patch)
	if err != nil {
		return nil, Invalid("", "the patch must be a JSON object")
	}
	after, err := ParseProfile(merged)
	if err != nil {
		return nil, err
	}
	after.ID, after.Application, after.Version, after.CreatedAt, after.UpdatedAt = p.ID, p.Application, p.Version, p.CreatedAt, p.UpdatedAt
	for _, name := range gatewayFields() {
		if value, ok := p.Doc[name]; ok {
			after.Doc[name] = value
		}
	}
	return after, nil
}

// editable is the profile without what only the gateway writes.
func (p *Profile) editable() map[string]json.RawMessage {
	all := maps.Clone(p.Doc)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	for _, name := range gatewayFields() {
		delete(all, name)
	}
	if b, err := json.Marshal(p.addresses()); err == nil {
		all[FieldMessenger] = b
	}
	return all
}

// QueryValue returns the lower-case value by which the profile is found under a field of
// ProfileQueryFields; the names come from the platform where the caller has given none. It is empty
// when there is none.
func (p *Profile) QueryValue(field string) string {
	var s string
	if raw, ok := p.Doc[field]; ok && json.Unmarshal(raw, &s) == nil && s != "" {
		return strings.ToLower(s)
	}
	var facebook struct {
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
	}
	if raw, ok := p.Doc[FieldFacebook]; !ok || json.Unmarshal(raw, &facebook) != nil {
		return ""
	}
	switch field {
	case "firstName":
		return strings.ToLower(facebook.FirstName)
	case "lastName":
		return strings.ToLower(facebook.LastName)
	}
	return ""
}
