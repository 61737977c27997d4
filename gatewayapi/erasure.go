package gatewayapi

import (
	"context"
	"net/http"
	"net/url"
)

// Erasure is the removal of everything that the gateway keeps of a person. It says nothing of the
// person.
type Erasure struct {
	// Unguessable: whoever knows it may see the state.
	ID string `json:"id"`
	// pending or done.
	Status ErasureStatus `json:"status" enum:"pending,done"`
	// api, or platform for its data-deletion callback.
	Source ErasureSource `json:"source" enum:"api,platform"`
	// Where to ask for the state with an API key.
	StatusURL string `json:"statusUrl"`
	// A page that shows the state to the person.
	PageURL string `json:"pageUrl"`
	// What was removed or emptied so far.
	Counts ErasureCounts `json:"counts"`
	// When it was asked for.
	CreatedAt Time `json:"createdAt"`
	// When it was done.
	DoneAt Time `json:"doneAt,omitzero"`
}

// ErasureCounts is what an erasure has removed or emptied.
type ErasureCounts struct {
	// Profiles removed.
	Profiles int64 `json:"profiles"`
	// Messages emptied.
	Messages int64 `json:"messages"`
	// Events of the log emptied.
	Events int64 `json:"events"`
	// Deliveries to subscriptions emptied.
	Deliveries int64 `json:"deliveries"`
	// Queued messages that were not sent any more.
	Canceled int64 `json:"canceled"`
}

// ForgetProfile erases a profile and the people who belong to it: everything that is kept of them,
// in the tables and in the logs. The profile is gone and what was queued for them canceled when it
// returns; GetErasure tells when the rest is done.
func (c *Client) ForgetProfile(ctx context.Context, req DeleteProfileRequest) (Erasure, error) {
	var e Erasure
	_, err := c.do(ctx, call{method: http.MethodDelete, path: profilePath(req.ID), query: query("forget", "true"), header: ifMatch(req.ETag), into: &e})
	return e, err
}

// GetErasure reads how far an erasure is.
func (c *Client) GetErasure(ctx context.Context, id string) (Erasure, error) {
	return get[Erasure](ctx, c, "/v1/erasures/"+url.PathEscape(id), nil)
}
