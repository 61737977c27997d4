package gatewayapi

import "encoding/json"

// Profile is a customer of the business as a JSON object: `id`, `fbMessengerIds` (application key →
// person's id), `facebook` (what the platform says), `createdAt`, `updatedAt`, and whatever fields
// the caller has given it.
type Profile map[string]json.RawMessage

// ID returns the profile's id.
func (p Profile) ID() string {
	var id string
	json.Unmarshal(p["id"], &id) // the gateway always writes one
	return id
}

// MessengerIDs returns the profile's addresses on Messenger: application key → person's id.
func (p Profile) MessengerIDs() map[string]string {
	ids := map[string]string{}
	json.Unmarshal(p["fbMessengerIds"], &ids) // missing is none
	return ids
}

// ProfilePage is one page of profiles in the order of their ids.
type ProfilePage struct {
	// In the order of their ids.
	Profiles []Profile `json:"profiles"`
	// Gets the next page; missing on the last.
	Cursor string `json:"cursor,omitempty"`
}
