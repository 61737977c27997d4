package gatewayapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

func applicationPath(key string) string { return "/v1/applications/" + url.PathEscape(key) }

// ConnectApplication connects a page: everything or nothing.
func (c *Client) ConnectApplication(ctx context.Context, req ConnectApplicationRequest) (Application, error) {
	return send[Application](ctx, c, http.MethodPost, "/v1/applications", req)
}

// ListApplications reads all applications that the key may see.
func (c *Client) ListApplications(ctx context.Context) ([]Application, error) {
	list, err := get[ApplicationList](ctx, c, "/v1/applications", nil)
	return list.Applications, err
}

// AllApplications walks all applications that the key may see.
func (c *Client) AllApplications(ctx context.Context) iter.Seq2[Application, error] {
	return all(ctx, c.ListApplications)
}

// GetApplication reads one application.
func (c *Client) GetApplication(ctx context.Context, key string) (Application, error) {
	return get[Application](ctx, c, applicationPath(key), nil)
}

// UpdateApplication replaces a token, a secret or the version.
func (c *Client) UpdateApplication(ctx context.Context, key string, req UpdateApplicationRequest) (Application, error) {
	return send[Application](ctx, c, http.MethodPatch, applicationPath(key), req)
}

// DeleteApplication disconnects a page.
func (c *Client) DeleteApplication(ctx context.Context, key string) error {
	return c.remove(ctx, applicationPath(key))
}

// SetMessengerProfile passes the platform's messenger_profile object on as it is.
func (c *Client) SetMessengerProfile(ctx context.Context, key string, profile json.RawMessage) error {
	_, err := c.do(ctx, call{method: http.MethodPut, path: applicationPath(key) + "/messenger-profile", body: profile})
	return err
}

// CheckApplication asks the platform how an application fares and reads what it says.
func (c *Client) CheckApplication(ctx context.Context, key string) (ApplicationCheck, error) {
	return send[ApplicationCheck](ctx, c, http.MethodPost, applicationPath(key)+"/check", nil)
}

func profilePath(id string) string { return "/v1/profiles/" + url.PathEscape(id) }

// CreateProfile stores a profile under its `id`.
func (c *Client) CreateProfile(ctx context.Context, p Profile) (Profile, error) {
	return send[Profile](ctx, c, http.MethodPost, "/v1/profiles", p)
}

// StoredProfile is a profile as it was read.
type StoredProfile struct {
	Profile
	ETag string // for changes that must not overwrite another
}

// GetProfile reads a profile.
func (c *Client) GetProfile(ctx context.Context, id string) (StoredProfile, error) {
	var p StoredProfile
	header, err := c.do(ctx, call{method: http.MethodGet, path: profilePath(id), into: &p.Profile})
	p.ETag = header.Get("ETag")
	return p, err
}

// ListProfilesRequest selects profiles. Empty fields select all.
type ListProfilesRequest struct {
	FBMessengerID string
	Application   string // with an address at this application
	IDPrefix      string
	FirstName     string
	LastName      string
	Email         string
	PhoneNumber   string
	Cursor        string // of the page before
	Limit         int    // 1 to 200; 0 for 50
}

// ListProfiles reads one page of profiles in the order of their ids.
func (c *Client) ListProfiles(ctx context.Context, req ListProfilesRequest) (ProfilePage, error) {
	return get[ProfilePage](ctx, c, "/v1/profiles", query("fbMessengerId", req.FBMessengerID, "application", req.Application, "idPrefix", req.IDPrefix,
		"firstName", req.FirstName, "lastName", req.LastName, "email", req.Email, "phoneNumber", req.PhoneNumber, "cursor", req.Cursor, "limit", number(req.Limit)))
}

// AllProfiles walks all profiles from a page on, in the order of their ids. An error ends the walk.
func (c *Client) AllProfiles(ctx context.Context, req ListProfilesRequest) iter.Seq2[Profile, error] {
	return walk(req.Cursor, func(cursor string) ([]Profile, string, error) {
		req.Cursor = cursor
		page, err := c.ListProfiles(ctx, req)
		return page.Profiles, page.Cursor, err
	})
}

// PatchProfileRequest changes a profile.
type PatchProfileRequest struct {
	ID    string
	Patch json.RawMessage // a JSON merge patch (RFC 7396)
	// ETag, unless empty, is that of the profile as it was read: the error's code is
	// CodePreconditionFailed when it has changed since.
	ETag string
}

// PatchProfile applies a JSON merge patch.
func (c *Client) PatchProfile(ctx context.Context, req PatchProfileRequest) (StoredProfile, error) {
	var p StoredProfile
	header := ifMatch(req.ETag)
	header.Set("Content-Type", "application/merge-patch+json")
	answer, err := c.do(ctx, call{method: http.MethodPatch, path: profilePath(req.ID), header: header, body: req.Patch, into: &p.Profile})
	p.ETag = answer.Get("ETag")
	return p, err
}

// DeleteProfileRequest names a profile that is to go.
type DeleteProfileRequest struct {
	ID   string
	ETag string // as in PatchProfileRequest
}

// DeleteProfile removes a profile. ForgetProfile removes what else is kept of the person, too.
func (c *Client) DeleteProfile(ctx context.Context, req DeleteProfileRequest) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: profilePath(req.ID), header: ifMatch(req.ETag)})
	return err
}

func ifMatch(etag string) http.Header {
	header := http.Header{}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	return header
}
