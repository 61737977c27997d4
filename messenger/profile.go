package messenger

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// UserProfile is what the platform reports about a person. Fields that were not asked for, or that
// the person does not share, are empty.
type UserProfile struct {
	ID         PSID    `json:"id,omitempty"`
	Name       string  `json:"name,omitempty"`
	FirstName  string  `json:"first_name,omitempty"`
	LastName   string  `json:"last_name,omitempty"`
	ProfilePic string  `json:"profile_pic,omitempty"` // expires
	Locale     string  `json:"locale,omitempty"`      // such as "es_PE"; needs a permission
	Timezone   float64 `json:"timezone,omitempty"`    // hours from UTC; needs a permission
	Gender     string  `json:"gender,omitempty"`      // needs a permission

	Raw json.RawMessage `json:"-"` // the answer as received
}

// UserProfile reads a person's profile. Without fields the platform chooses
// name and picture. One refused field refuses the whole call with an [*Error].
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/user-profile
func (c *Client) UserProfile(ctx context.Context, psid PSID, fields ...string) (UserProfile, error) {
	var p UserProfile
	err := c.getFields(ctx, nodePath(psid, ""), fields, &p, &p.Raw)
	return p, err
}

// Page is what the platform reports about a page.
type Page struct {
	ID         PageID
	Name       string
	PictureURL string
	Raw        json.RawMessage // the answer as received
}

// UnmarshalJSON reads a page; its picture stands two levels deep.
func (p *Page) UnmarshalJSON(b []byte) error {
	var wire struct {
		ID      PageID `json:"id"`
		Name    string `json:"name"`
		Picture struct {
			Data struct {
				URL string `json:"url"`
			} `json:"data"`
		} `json:"picture"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return err
	}
	p.ID, p.Name, p.PictureURL = wire.ID, wire.Name, wire.Picture.Data.URL
	return nil
}

// Page reads the page that the token belongs to. Without fields it asks for
// id, name and picture.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page
func (c *Client) Page(ctx context.Context, fields ...string) (Page, error) {
	if len(fields) == 0 {
		fields = []string{"id", "name", "picture"}
	}
	var p Page
	err := c.getFields(ctx, "me", fields, &p, &p.Raw)
	return p, err
}

// getFields reads one node into out and keeps the answer in raw.
func (c *Client) getFields(ctx context.Context, node string, fields []string, out any, raw *json.RawMessage) error {
	var query url.Values
	if len(fields) > 0 {
		query = url.Values{"fields": {strings.Join(fields, ",")}}
	}
	answer, err := c.call(ctx, http.MethodGet, node, query.Encode(), "", nil)
	if err != nil {
		return err
	}
	*raw = answer
	return c.decode(http.MethodGet, node, answer, out)
}
