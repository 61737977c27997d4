package messenger

import "context"

// HomeURL reads the page that opens from the composer; nil when none is set.
//
// Deprecated: gone since May 5, 2020 (v7.0). Use a button that opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/home-url
func (c *Client) HomeURL(ctx context.Context) (*HomeURL, error) {
	p, err := c.MessengerProfile(ctx, "home_url")
	return p.HomeURL, err
}

// SetHomeURL sets the page that opens from the composer. At most 10 calls in 10
// minutes for a page.
//
// Deprecated: gone since May 5, 2020 (v7.0). Use a button that opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/home-url
func (c *Client) SetHomeURL(ctx context.Context, home HomeURL) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{HomeURL: &home})
}

// DeleteHomeURL removes what [Client.SetHomeURL] set.
//
// Deprecated: gone since May 5, 2020 (v7.0). Use a button that opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/home-url
func (c *Client) DeleteHomeURL(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "home_url")
}

// TargetAudience reads who sees the page in the Discover tab; nil when nothing
// is set.
//
// Deprecated: gone from the documentation by December 19, 2019. There is no successor.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/target-audience
func (c *Client) TargetAudience(ctx context.Context) (*TargetAudience, error) {
	p, err := c.MessengerProfile(ctx, "target_audience")
	return p.TargetAudience, err
}

// SetTargetAudience sets who sees the page in the Discover tab. At most 10
// calls in 10 minutes for a page.
//
// Deprecated: gone from the documentation by December 19, 2019. There is no successor.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/target-audience
func (c *Client) SetTargetAudience(ctx context.Context, audience TargetAudience) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{TargetAudience: &audience})
}

// DeleteTargetAudience removes what [Client.SetTargetAudience] set.
//
// Deprecated: gone from the documentation by December 19, 2019. There is no successor.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/target-audience
func (c *Client) DeleteTargetAudience(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "target_audience")
}

// PaymentSettings reads the settings of the payments beta; nil when nothing is
// set.
//
// Deprecated: gone from the documentation by December 19, 2019. Use a button that
// opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/payment-settings
func (c *Client) PaymentSettings(ctx context.Context) (*PaymentSettings, error) {
	p, err := c.MessengerProfile(ctx, "payment_settings")
	return p.PaymentSettings, err
}

// SetPaymentSettings sets the given settings of the payments beta: privacy
// policy, public key, test users. At most 10 calls in 10 minutes for a page.
//
// Deprecated: gone from the documentation by December 19, 2019. Use a button that
// opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/payment-settings
func (c *Client) SetPaymentSettings(ctx context.Context, settings PaymentSettings) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{PaymentSettings: &settings})
}

// DeletePaymentSettings removes what [Client.SetPaymentSettings] set.
//
// Deprecated: gone from the documentation by December 19, 2019. Use a button that
// opens a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/payment-settings
func (c *Client) DeletePaymentSettings(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "payment_settings")
}
