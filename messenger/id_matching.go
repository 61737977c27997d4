package messenger

import (
	"context"
	"iter"
	"net/url"
)

// IDMatchRequest asks for the other ids of a person. The client needs the app's
// secret, since the platform wants the proof.
type IDMatchRequest struct {
	ID   PSID   // a PSID or an app-scoped id
	App  AppID  // only the ids for this app
	Page PageID // only the ids for this page
	ListOptions
}

func (r IDMatchRequest) query() url.Values {
	query := r.ListOptions.query()
	setNonEmpty(query, "app", string(r.App))
	setNonEmpty(query, "page", string(r.Page))
	return query
}

// AppScopedID is a person's id for one app.
type AppScopedID struct {
	ID  PSID `json:"id"`
	App App  `json:"app"`
}

// PageScopedID is a person's id for one page.
type PageScopedID struct {
	ID   PSID `json:"id"`
	Page Page `json:"page"`
}

// ListIDsForApps returns one page of a person's ids for the apps of the business.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/id-matching
func (c *Client) ListIDsForApps(ctx context.Context, req IDMatchRequest) (List[AppScopedID], error) {
	return get[List[AppScopedID]](ctx, c, nodePath(req.ID, "ids_for_apps"), req.query())
}

// AllIDsForApps walks a person's ids for the apps of the business. It stops at
// the first error.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/id-matching
func (c *Client) AllIDsForApps(ctx context.Context, req IDMatchRequest) iter.Seq2[AppScopedID, error] {
	return all[AppScopedID](ctx, c, nodePath(req.ID, "ids_for_apps"), req.query())
}

// ListIDsForPages returns one page of a person's ids for the pages of the business.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/id-matching
func (c *Client) ListIDsForPages(ctx context.Context, req IDMatchRequest) (List[PageScopedID], error) {
	return get[List[PageScopedID]](ctx, c, nodePath(req.ID, "ids_for_pages"), req.query())
}

// AllIDsForPages walks a person's ids for the pages of the business. It stops at
// the first error.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/id-matching
func (c *Client) AllIDsForPages(ctx context.Context, req IDMatchRequest) iter.Seq2[PageScopedID, error] {
	return all[PageScopedID](ctx, c, nodePath(req.ID, "ids_for_pages"), req.query())
}
