package gatewayapi

import (
	"context"
	"encoding/json"
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

// GetProfile reads a profile and its ETag.
func (c *Client) GetProfile(ctx context.Context, id string) (Profile, string, error) {
	var p Profile
	header, err := c.do(ctx, call{method: http.MethodGet, path: profilePath(id), into: &p})
	return p, header.Get("ETag"), err
}

// ProfileFilter selects profiles. Empty fields select all.
type ProfileFilter struct {
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
func (c *Client) ListProfiles(ctx context.Context, f ProfileFilter) (ProfilePage, error) {
	query := page(nil, f.Cursor, f.Limit)
	for name, value := range map[string]string{
		"fbMessengerId": f.FBMessengerID, "application": f.Application, "idPrefix": f.IDPrefix,
		"firstName": f.FirstName, "lastName": f.LastName, "email": f.Email, "phoneNumber": f.PhoneNumber,
	} {
		setUnlessEmpty(query, name, value)
	}
	return get[ProfilePage](ctx, c, "/v1/profiles", query)
}

// PatchProfile applies a JSON merge patch (RFC 7396). With an ETag, which may be empty, the error's code is precondition_failed when the profile has changed since.
func (c *Client) PatchProfile(ctx context.Context, id string, patch json.RawMessage, etag string) (Profile, string, error) {
	var p Profile
	header := http.Header{"Content-Type": {"application/merge-patch+json"}}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	answer, err := c.do(ctx, call{method: http.MethodPatch, path: profilePath(id), header: header, body: patch, into: &p})
	return p, answer.Get("ETag"), err
}

// DeleteProfile removes a profile; the ETag is as for PatchProfile.
func (c *Client) DeleteProfile(ctx context.Context, id, etag string) error {
	header := http.Header{}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	_, err := c.do(ctx, call{method: http.MethodDelete, path: profilePath(id), header: header})
	return err
}
