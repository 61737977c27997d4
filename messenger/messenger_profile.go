package messenger

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// MessengerProfile is how a page presents itself in Messenger.
type MessengerProfile struct {
	GetStarted         *GetStarted      `json:"get_started,omitempty"`
	Greeting           []Greeting       `json:"greeting,omitempty"`
	IceBreakers        []IceBreakers    `json:"ice_breakers,omitempty"`
	PersistentMenu     []PersistentMenu `json:"persistent_menu,omitempty"`
	WhitelistedDomains []string         `json:"whitelisted_domains,omitempty"` // https, up to 50
	AccountLinkingURL  string           `json:"account_linking_url,omitempty"`

	// Raw, when set, is the whole object as it goes on the wire; it wins over
	// the other fields. In an answer it is the object as received.
	Raw json.RawMessage `json:"-"`
}

// GetStarted is the button that a person without a thread sees.
type GetStarted struct {
	Payload string `json:"payload"` // up to 1,000 characters
}

// Greeting is the text that a person without a thread sees.
type Greeting struct {
	Locale string `json:"locale"` // "default" or such as "es_LA"
	Text   string `json:"text"`   // up to 160 characters
}

// IceBreakers are questions to begin with, for one locale.
type IceBreakers struct {
	Locale        string       `json:"locale,omitempty"`
	CallToActions []IceBreaker `json:"call_to_actions"` // up to 4
}

// IceBreaker is a question that a person can tap.
type IceBreaker struct {
	Question string `json:"question"`
	Payload  string `json:"payload"`
}

// PersistentMenu is the menu beside the composer, for one locale.
type PersistentMenu struct {
	Locale                string   `json:"locale"` // one of them must be "default"
	ComposerInputDisabled bool     `json:"composer_input_disabled,omitempty"`
	CallToActions         []Button `json:"call_to_actions"` // up to 20, web_url and postback
}

// MessengerProfile reads the profile of the token's page. Without fields it
// asks for all that have a place in the type.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
func (c *Client) MessengerProfile(ctx context.Context, fields ...string) (MessengerProfile, error) {
	if len(fields) == 0 {
		fields = []string{
			"get_started", "greeting", "ice_breakers", "persistent_menu",
			"whitelisted_domains", "account_linking_url",
		}
	}
	var answer struct {
		Data []json.RawMessage `json:"data"`
	}
	query := url.Values{"fields": {strings.Join(fields, ",")}}
	if err := c.Do(ctx, http.MethodGet, "me/messenger_profile", query, nil, &answer); err != nil {
		return MessengerProfile{}, err
	}
	var p MessengerProfile
	for _, part := range answer.Data {
		if err := c.decode(http.MethodGet, "me/messenger_profile", part, &p); err != nil {
			return MessengerProfile{}, err
		}
		if len(answer.Data) == 1 {
			p.Raw = part
		}
	}
	return p, nil
}

// SetMessengerProfile sets the fields that are given and leaves the others. At
// most 10 calls in 10 minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
func (c *Client) SetMessengerProfile(ctx context.Context, p MessengerProfile) error {
	var body any = p
	if p.Raw != nil {
		body = p.Raw
	}
	return c.Do(ctx, http.MethodPost, "me/messenger_profile", nil, body, nil)
}

// DeleteMessengerProfile removes the named fields.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
func (c *Client) DeleteMessengerProfile(ctx context.Context, fields ...string) error {
	body := map[string][]string{"fields": fields}
	return c.Do(ctx, http.MethodDelete, "me/messenger_profile", nil, body, nil)
}
