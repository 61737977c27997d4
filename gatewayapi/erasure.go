package gatewayapi

import (
	"context"
	"net/http"
	"net/url"
)

// Erasure is the removal of everything that the gateway keeps of a person. It says nothing of the person.
type Erasure struct {
	// ID is unguessable: whoever knows it may see the state.
	ID     string        `json:"id" doc:"Unguessable: whoever knows it may see the state."`
	Status ErasureStatus `json:"status" enum:"pending,done" doc:"pending or done."`
	// Source is api, or platform for its data-deletion callback.
	Source    ErasureSource `json:"source" enum:"api,platform" doc:"api, or platform for its data-deletion callback."`
	StatusURL string        `json:"statusUrl" doc:"Where to ask for the state with an API key."`
	// PageURL shows the state to the person.
	PageURL   string        `json:"pageUrl" doc:"A page that shows the state to the person."`
	Counts    ErasureCounts `json:"counts" doc:"What was removed or emptied so far."`
	CreatedAt Time          `json:"createdAt" doc:"When it was asked for."`
	DoneAt    Time          `json:"doneAt,omitzero" doc:"When it was done."`
}

// ErasureCounts is what an erasure has removed or emptied.
type ErasureCounts struct {
	Profiles   int64 `json:"profiles" doc:"Profiles removed."`
	Messages   int64 `json:"messages" doc:"Messages emptied."`
	Events     int64 `json:"events" doc:"Events of the log emptied."`
	Deliveries int64 `json:"deliveries" doc:"Deliveries to subscriptions emptied."`
	Canceled   int64 `json:"canceled" doc:"Queued messages that were not sent any more."`
}

// ForgetProfile erases a profile and the people who belong to it: everything that is kept of them, in the tables and in the logs. The profile is gone and what was queued for
// them canceled when it returns; GetErasure tells when the rest is done.
func (c *Client) ForgetProfile(ctx context.Context, req DeleteProfileRequest) (Erasure, error) {
	var e Erasure
	_, err := c.do(ctx, call{method: http.MethodDelete, path: profilePath(req.ID), query: query("forget", "true"), header: ifMatch(req.ETag), into: &e})
	return e, err
}

// GetErasure reads how far an erasure is.
func (c *Client) GetErasure(ctx context.Context, id string) (Erasure, error) {
	return get[Erasure](ctx, c, "/v1/erasures/"+url.PathEscape(id), nil)
}
