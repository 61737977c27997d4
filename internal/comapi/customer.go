package comapi

import (
	"context"
	"encoding/json"
)

// customer makes sure of the profile that a message names, where the key may write profiles: it is
// created when there is none, and learns what the message says of the customer and the profile does
// not.
func (q *request) customer(ctx context.Context, in *sendRequest) error {
	to := in.To
	if to.ProfileID == "" {
		return nil
	}
	known := map[string]string{"firstName": to.FirstName, "lastName": to.LastName, "email": to.Email, "phoneNumber": to.phone()}
	return q.f.o.Profiles.Enrich(ctx, q.Key, q.space.Key, to.ProfileID, known, to.FBMessengerID)
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
