package comapi

import (
	"context"
	"encoding/json"

	"github.com/chasqui/chasqui/internal/gateway"
)

// customer makes sure of the profile that a message names: it is created when there is none, and learns what the message says of the customer.
func (q *request) customer(ctx context.Context, in *sendRequest) error {
	to := in.To
	if to.ProfileID == "" {
		return nil
	}
	known := map[string]string{"firstName": to.FirstName, "lastName": to.LastName, "email": to.Email, "phoneNumber": to.phone()}
	profile, err := q.f.o.Store.Profile(ctx, to.ProfileID)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return q.newCustomer(ctx, to, known)
	}
	if err != nil {
		return err
	}
	changes := map[string]any{}
	for field, value := range known {
		if value != "" && text(profile.Doc[field]) != value {
			changes[field] = value
		}
	}
	if len(changes) == 0 {
		return nil
	}
	_, err = q.f.o.Profiles.Patch(ctx, q.key, profile.ID, 0, encode(changes))
	if code := gateway.CodeOf(err); code == gateway.CodeNotFound || code == gateway.CodePreconditionFailed {
		return nil // the key may not change it, or somebody else just has
	}
	return err
}

func (q *request) newCustomer(ctx context.Context, to *address, known map[string]string) error {
	object := map[string]any{gateway.FieldID: to.ProfileID}
	for field, value := range known {
		if value != "" {
			object[field] = value
		}
	}
	if to.FBMessengerID != "" {
		owner, err := q.f.o.Store.ProfileOf(ctx, q.space.Key, to.FBMessengerID)
		if err != nil {
			return err
		}
		if owner == "" {
			object[gateway.FieldMessenger] = map[string]string{q.space.Key: to.FBMessengerID}
		}
	}
	// The message that names the customer is the permission: a key of one api space makes profiles for it before they have an address.
	_, err := q.f.o.Profiles.Create(ctx, &gateway.APIKey{ID: q.key.ID}, encode(object))
	if gateway.CodeOf(err) == gateway.CodeConflict {
		return nil // another message was first
	}
	return under("to", err)
}

// text reads a JSON string, "" when it is none.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// encode is for values made of strings, lists and JSON, which always encode.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("encode: " + err.Error())
	}
	return b
}
