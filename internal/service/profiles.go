package service

import (
	"context"
	"encoding/json"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Profiles keeps the business's customers. A key that is limited to applications sees and changes
// only profiles with an address at one of them, and those that were made for one.
type Profiles struct {
	Store     *store.Store
	Directory *Directory
}

// Create stores a profile under the caller's id; without one it gets an id of ours.
func (s *Profiles) Create(ctx context.Context, key *gateway.APIKey, object json.RawMessage) (*gateway.Profile, error) {
	p, err := gateway.ParseProfile(object)
	if err != nil {
		return nil, err
	}
	if p.ID == "" {
		if _, given := fieldOf(object, gateway.FieldID); given {
			return nil, gateway.ValidateProfileID(p.ID)
		}
		p.ID = s.Store.NewID("prf")
	}
	if err := gateway.ValidateProfileID(p.ID); err != nil {
		return nil, err
	}
	if err := s.creatable(key, p); err != nil {
		return nil, err
	}
	return p, s.Store.Write(ctx, func(tx *store.Tx) error { return tx.CreateProfile(p) })
}

// Enrich makes the profile of a customer whom a message of an application names, and lets one that
// is there learn what it does not know yet: nothing that stands there is changed. The key needs the
// scope for profiles; without, and for a profile that it may not see, nothing happens.
func (s *Profiles) Enrich(ctx context.Context, key *gateway.APIKey, application, id string, known map[string]string, person string) error {
	if !key.Allows(gateway.ScopeProfilesWrite) {
		return nil
	}
	p, err := s.Store.Profile(ctx, id)
	if err == nil && (!key.AllowsProfile(p) || len(missing(p, known)) == 0) {
		return nil // most messages bring nothing new
	}
	if err != nil && gateway.CodeOf(err) != gateway.CodeNotFound {
		return err
	}
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		before, err := tx.Profile(id)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return s.introduce(tx, application, id, known, person)
		}
		if err != nil || !key.AllowsProfile(before) {
			return err
		}
		patch, err := json.Marshal(missing(before, known))
		if err != nil {
			return err
		}
		after, err := before.Patch(patch)
		if err != nil {
			return err
		}
		return tx.UpdateProfile(after)
	})
	return under(err, "to")
}

// missing returns those of the fields that a profile does not have.
func missing(p *gateway.Profile, known map[string]string) map[string]string {
	fields := map[string]string{}
	for field, value := range known {
		if _, have := p.Doc[field]; value != "" && !have {
			fields[field] = value
		}
	}
	return fields
}

// introduce makes a profile that is an application's own.
func (s *Profiles) introduce(tx *store.Tx, application, id string, known map[string]string, person string) error {
	if err := gateway.ValidateProfileID(id); err != nil {
		return err
	}
	p := &gateway.Profile{ID: id, Application: application, Doc: map[string]json.RawMessage{}, Addresses: map[string]string{}}
	for field, value := range known {
		if value == "" {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		p.Doc[field] = encoded
	}
	if person != "" {
		owner, err := tx.ProfileOf(application, person)
		if err != nil {
			return err
		}
		if owner == "" {
			p.Addresses[application] = person
		}
	}
	return tx.CreateProfile(p)
}

// creatable reports whether a key may make a profile.
func (s *Profiles) creatable(key *gateway.APIKey, p *gateway.Profile) error {
	if key.Limited() && len(p.Addresses) == 0 {
		return gateway.Errorf(gateway.CodeForbidden, "this key is limited to some applications: the profile needs an address at one of them").WithField(gateway.FieldMessenger)
	}
	return s.addressable(key, nil, p)
}

func fieldOf(object json.RawMessage, name string) (json.RawMessage, bool) {
	var members map[string]json.RawMessage
	json.Unmarshal(object, &members) // was parsed before
	v, ok := members[name]
	return v, ok
}

// addressable reports whether every address that a change brings or takes away is at an application
// that is there and that the key may touch.
func (s *Profiles) addressable(key *gateway.APIKey, before, after *gateway.Profile) error {
	var had map[string]string
	if before != nil {
		had = before.Addresses
	}
	for app, person := range after.Addresses {
		if had[app] == person {
			continue
		}
		field := gateway.FieldMessenger + "." + app
		if !key.AllowsApplication(app) {
			return gateway.Errorf(gateway.CodeForbidden, "this key may not use application %s", app).WithField(field)
		}
		if s.Directory.Application(app) == nil {
			return gateway.Invalid(field, "there is no application %q", app)
		}
	}
	for app := range had {
		if _, kept := after.Addresses[app]; !kept && !key.AllowsApplication(app) {
			return gateway.Errorf(gateway.CodeForbidden, "this key may not use application %s", app).WithField(gateway.FieldMessenger + "." + app)
		}
	}
	return nil
}

// Get returns one profile that the key may see; a not_found error otherwise.
func (s *Profiles) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Profile, error) {
	return seen(ctx, s.Store, key, id)
}

// seen returns one profile that a key may see; a not_found error otherwise.
func seen(ctx context.Context, st *store.Store, key *gateway.APIKey, id string) (*gateway.Profile, error) {
	p, err := st.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	return p, visible(key, p)
}

// visible reports whether a key may see a profile. One that it may not see is one that is not
// there.
func visible(key *gateway.APIKey, p *gateway.Profile) error {
	if key.AllowsProfile(p) {
		return nil
	}
	return gateway.NotFound("profile", p.ID)
}

// List returns profiles that the key may see, in the order of their ids.
func (s *Profiles) List(ctx context.Context, key *gateway.APIKey, f store.ProfileFilter) ([]*gateway.Profile, error) {
	applications, err := narrowed(key, f.Applications)
	if err != nil {
		return nil, err
	}
	f.Applications = applications
	return s.Store.ListProfiles(ctx, f)
}

// narrowed returns the applications to filter by so that the key sees no others.
func narrowed(key *gateway.APIKey, wanted []string) ([]string, error) {
	if !key.Limited() {
		return wanted, nil
	}
	for _, app := range wanted {
		if !key.AllowsApplication(app) {
			return nil, gateway.Errorf(gateway.CodeForbidden, "this key may not use application %s", app).WithField("application")
		}
	}
	if len(wanted) > 0 {
		return wanted, nil
	}
	if len(key.Applications) == 0 {
		return nil, gateway.Errorf(gateway.CodeForbidden, "this key may touch no application") // an empty filter would select all
	}
	return key.Applications, nil
}

// Patch applies a JSON merge patch (RFC 7396) to a profile. version is the one the caller has read,
// 0 for whichever it is; the error is precondition_failed when the profile has changed since.
func (s *Profiles) Patch(ctx context.Context, key *gateway.APIKey, id string, version int64, patch json.RawMessage) (*gateway.Profile, error) {
	var after *gateway.Profile
	err := s.Store.Write(ctx, func(tx *store.Tx) (err error) {
		after, err = s.patch(tx, key, id, version, patch)
		return err
	})
	return after, err
}

func (s *Profiles) patch(tx *store.Tx, key *gateway.APIKey, id string, version int64, patch json.RawMessage) (*gateway.Profile, error) {
	before, err := tx.Profile(id)
	if err != nil {
		return nil, err
	}
	if err := visible(key, before); err != nil {
		return nil, err
	}
	if version != 0 && version != before.Version {
		return nil, gateway.Errorf(gateway.CodePreconditionFailed, "profile %q has changed since it was read", id)
	}
	after, err := before.Patch(patch)
	if err != nil {
		return nil, err
	}
	if err := s.addressable(key, before, after); err != nil {
		return nil, err
	}
	return after, tx.UpdateProfile(after)
}

// Delete removes a profile; version is as for Patch.
func (s *Profiles) Delete(ctx context.Context, key *gateway.APIKey, id string, version int64) error {
	return s.Store.Write(ctx, func(tx *store.Tx) error { return s.remove(tx, key, id, version) })
}

func (s *Profiles) remove(tx *store.Tx, key *gateway.APIKey, id string, version int64) error {
	p, err := tx.Profile(id)
	if err != nil {
		return err
	}
	if err := deletable(key, p); err != nil {
		return err
	}
	return tx.DeleteProfile(id, version)
}
