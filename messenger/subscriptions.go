package messenger

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// AppSubscriptionRequest sets where an app's webhooks go. An app has one
// callback for each object, whatever its number of pages.
type AppSubscriptionRequest struct {
	AppID       string
	Object      string // "page" when empty
	CallbackURL string // https; the platform calls it while the request runs
	VerifyToken string
	Fields      []string // [DefaultFields] when empty

	// IncludeValues has events of other objects than the page carry what changed.
	IncludeValues bool
}

// DefaultFields are the fields that a bot needs: messages, postbacks, opt-ins,
// referrals, handovers and the enforcement of policies.
func DefaultFields() []string {
	return []string{
		"messages", "messaging_postbacks", "messaging_optins", "messaging_referrals",
		"messaging_handovers", "messaging_policy_enforcement",
	}
}

// AppSubscription is a subscription of an app.
type AppSubscription struct {
	Object      string              `json:"object"`
	CallbackURL string              `json:"callback_url"`
	Active      bool                `json:"active"`
	Fields      []SubscriptionField `json:"fields"`
}

// SubscriptionField is one subscribed field and the version of its payload.
type SubscriptionField struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// SubscribeApp sets the app's callback and fields. It needs the app's own
// token. The platform verifies the callback before it answers.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
func (c *Client) SubscribeApp(ctx context.Context, req AppSubscriptionRequest) error {
	fields := req.Fields
	if len(fields) == 0 {
		fields = DefaultFields()
	}
	form := url.Values{
		"object":       {objectOrPage(req.Object)},
		"callback_url": {req.CallbackURL},
		"verify_token": {req.VerifyToken},
		"fields":       {strings.Join(fields, ",")},
	}
	if req.IncludeValues {
		form.Set("include_values", "true")
	}
	return c.Do(ctx, http.MethodPost, nodePath(req.AppID, "subscriptions"), nil, form, nil)
}

// AppSubscriptions lists the app's subscriptions. It needs the app's own token.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
func (c *Client) AppSubscriptions(ctx context.Context, appID string) ([]AppSubscription, error) {
	var answer struct {
		Data []AppSubscription `json:"data"`
	}
	err := c.Do(ctx, http.MethodGet, nodePath(appID, "subscriptions"), nil, nil, &answer)
	return answer.Data, err
}

// AppSubscription reads the app's subscription of one object, "page" when empty;
// it is nil when there is none. It needs the app's own token.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
func (c *Client) AppSubscription(ctx context.Context, appID, object string) (*AppSubscription, error) {
	subscriptions, err := c.AppSubscriptions(ctx, appID)
	for i := range subscriptions {
		if subscriptions[i].Object == objectOrPage(object) {
			return &subscriptions[i], err
		}
	}
	return nil, err
}

// UnsubscribeApp removes the app's subscription of an object, "page" when
// empty. It needs the app's own token.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
func (c *Client) UnsubscribeApp(ctx context.Context, appID, object string) error {
	query := url.Values{"object": {objectOrPage(object)}}
	return c.Do(ctx, http.MethodDelete, nodePath(appID, "subscriptions"), query, nil, nil)
}

func objectOrPage(object string) string {
	if object == "" {
		return "page"
	}
	return object
}

// PageSubscription is an app that a page is subscribed to.
type PageSubscription struct {
	ID               AppID    `json:"id"`
	Name             string   `json:"name"`
	Link             string   `json:"link,omitempty"`
	SubscribedFields []string `json:"subscribed_fields"`
}

// SubscribePage subscribes the token's app to the given fields of the token's
// page.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
func (c *Client) SubscribePage(ctx context.Context, fields ...string) error {
	form := url.Values{"subscribed_fields": {strings.Join(fields, ",")}}
	return c.Do(ctx, http.MethodPost, "me/subscribed_apps", nil, form, nil)
}

// PageSubscriptions lists the apps that are subscribed to the token's page.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
func (c *Client) PageSubscriptions(ctx context.Context) ([]PageSubscription, error) {
	var answer struct {
		Data []PageSubscription `json:"data"`
	}
	err := c.Do(ctx, http.MethodGet, "me/subscribed_apps", nil, nil, &answer)
	return answer.Data, err
}

// UnsubscribePage ends the subscription of the token's app to the token's page.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
func (c *Client) UnsubscribePage(ctx context.Context) error {
	return c.Do(ctx, http.MethodDelete, "me/subscribed_apps", nil, nil, nil)
}
