package messenger

import (
	"context"
	"encoding/json"
	"fmt"
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
	AccountLinkingURL  string           `json:"account_linking_url,omitempty"` // https
	Commands           []Commands       `json:"commands,omitempty"`
	Title              string           `json:"title,omitempty"`
	Description        string           `json:"description,omitempty"`

	// SubjectToEUPrivacyRules reports whether rules of December 2020 limit the page. It can only be
	// read.
	SubjectToEUPrivacyRules *bool `json:"subject_to_new_eu_privacy_rules,omitempty"`

	// HomeURL is a page that opens from the composer.
	//
	// Deprecated: gone since May 5, 2020 (v7.0). Use a button that opens a page.
	HomeURL *HomeURL `json:"home_url,omitempty"`
	// TargetAudience limits who sees the page in the Discover tab.
	//
	// Deprecated: gone from the documentation by December 19, 2019. There is no successor.
	TargetAudience *TargetAudience `json:"target_audience,omitempty"`
	// PaymentSettings belong to the payments beta.
	//
	// Deprecated: gone from the documentation by December 19, 2019. Use a button that opens a page.
	PaymentSettings *PaymentSettings `json:"payment_settings,omitempty"`

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

// IceBreakers are questions to begin with, for one locale. One without a locale
// and with one question goes on the wire in the form that the platform had until
// April 19, 2022; one request has entries of one form only.
type IceBreakers struct {
	Locale        string       `json:"locale,omitempty"`
	CallToActions []IceBreaker `json:"call_to_actions"` // up to 4
}

// MarshalJSON is the entry as it goes on the wire.
func (b IceBreakers) MarshalJSON() ([]byte, error) {
	if b.Locale == "" && len(b.CallToActions) == 1 {
		return json.Marshal(b.CallToActions[0])
	}
	type wire IceBreakers
	return json.Marshal(wire(b))
}

// UnmarshalJSON reads an entry of either form.
func (b *IceBreakers) UnmarshalJSON(in []byte) error {
	type wire IceBreakers
	var w struct {
		wire
		IceBreaker
	}
	if err := json.Unmarshal(in, &w); err != nil {
		return fmt.Errorf("ice breakers: %w", err)
	}
	*b = IceBreakers(w.wire)
	if w.Question != "" {
		b.CallToActions = []IceBreaker{w.IceBreaker}
	}
	return nil
}

// IceBreaker is a question that a person can tap.
type IceBreaker struct {
	Question string `json:"question"`
	Payload  string `json:"payload"`
}

// PersistentMenu is the menu next to the composer, for one locale.
type PersistentMenu struct {
	Locale                string   `json:"locale"` // one of them must be "default"
	ComposerInputDisabled bool     `json:"composer_input_disabled,omitempty"`
	DisabledSurfaces      []string `json:"disabled_surfaces,omitempty"`
	CallToActions         []Button `json:"call_to_actions"` // up to 20, web_url and postback; until v7.0 3 that may nest, 5 in each
}

// Commands are what a person can pick after typing a slash, for one locale.
type Commands struct {
	Locale   string           `json:"locale"` // "default" or such as "es_LA"
	Commands []ProfileCommand `json:"commands"`
}

// ProfileCommand is one command of the composer.
type ProfileCommand struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// HomeURL is a page that opens from the composer.
//
// Deprecated: gone since May 5, 2020 (v7.0). Use a button that opens a page.
type HomeURL struct {
	URL                string `json:"url"`                            // https, of a whitelisted domain
	WebviewHeightRatio string `json:"webview_height_ratio,omitempty"` // only tall is taken
	WebviewShareButton string `json:"webview_share_button,omitempty"` // show, hide
	InTest             bool   `json:"in_test"`                        // only for people with a role on the app
}

// TargetAudience limits who sees the page in the Discover tab.
//
// Deprecated: gone from the documentation by December 19, 2019. There is no successor.
type TargetAudience struct {
	AudienceType string             `json:"audience_type"` // all, custom, none
	Countries    *AudienceCountries `json:"countries,omitempty"`
}

// AudienceCountries are two-letter codes of countries; one of the lists is used.
type AudienceCountries struct {
	Whitelist []string `json:"whitelist,omitempty"`
	Blacklist []string `json:"blacklist,omitempty"`
}

// PaymentSettings belong to the payments beta.
//
// Deprecated: gone from the documentation by December 19, 2019. Use a button that opens a page.
type PaymentSettings struct {
	PrivacyURL string   `json:"privacy_url,omitempty"`
	PublicKey  string   `json:"public_key,omitempty"`
	TestUsers  []string `json:"test_users,omitempty"`
}

// MessengerProfile reads the profile of the token's page. Without fields it
// asks for all that the platform has today.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
func (c *Client) MessengerProfile(ctx context.Context, fields ...string) (MessengerProfile, error) {
	if len(fields) == 0 {
		fields = []string{
			"get_started", "greeting", "ice_breakers", "persistent_menu",
			"whitelisted_domains", "account_linking_url",
		}
		if c.since("v11.0") { // older versions refuse what they do not know
			fields = append(fields, "commands")
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
	err := c.check(http.MethodPost, "me/messenger_profile", func(k *checker) { p.check(k, !c.since("v8.0")) })
	if err != nil {
		return err
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
