package messenger

import "context"

// GetStarted reads the Get Started button; nil when none is set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/get-started-button
func (c *Client) GetStarted(ctx context.Context) (*GetStarted, error) {
	p, err := c.MessengerProfile(ctx, "get_started")
	return p.GetStarted, err
}

// SetGetStarted sets the Get Started button: the payload, up to 1,000
// characters, comes as a postback when a person begins. At most 10 calls in 10
// minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/get-started-button
func (c *Client) SetGetStarted(ctx context.Context, payload string) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{GetStarted: &GetStarted{Payload: payload}})
}

// DeleteGetStarted removes what [Client.SetGetStarted] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/get-started-button
func (c *Client) DeleteGetStarted(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "get_started")
}

// PersistentMenu reads the menus next to the composer, one for each locale.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) PersistentMenu(ctx context.Context) ([]PersistentMenu, error) {
	p, err := c.MessengerProfile(ctx, "persistent_menu")
	return p.PersistentMenu, err
}

// SetPersistentMenu sets the menus next to the composer. One of them has the locale "default"; the
// page needs a Get Started button. At most 10 calls in 10 minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) SetPersistentMenu(ctx context.Context, menus ...PersistentMenu) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{PersistentMenu: menus})
}

// DeletePersistentMenu removes what [Client.SetPersistentMenu] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) DeletePersistentMenu(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "persistent_menu")
}

// Greeting reads the greetings, one for each locale.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/greeting
func (c *Client) Greeting(ctx context.Context) ([]Greeting, error) {
	p, err := c.MessengerProfile(ctx, "greeting")
	return p.Greeting, err
}

// SetGreeting sets what a person without a thread reads, up to 160 characters
// in each locale. At most 10 calls in 10 minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/greeting
func (c *Client) SetGreeting(ctx context.Context, greetings ...Greeting) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{Greeting: greetings})
}

// DeleteGreeting removes what [Client.SetGreeting] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/greeting
func (c *Client) DeleteGreeting(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "greeting")
}

// IceBreakers reads the questions to begin with, one list for each locale.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/ice-breakers
func (c *Client) IceBreakers(ctx context.Context) ([]IceBreakers, error) {
	p, err := c.MessengerProfile(ctx, "ice_breakers")
	return p.IceBreakers, err
}

// SetIceBreakers sets the questions to begin with, up to 4 in each locale. They
// take the place of the Get Started button. At most 10 calls in 10 minutes for
// a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/ice-breakers
func (c *Client) SetIceBreakers(ctx context.Context, lists ...IceBreakers) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{IceBreakers: lists})
}

// DeleteIceBreakers removes what [Client.SetIceBreakers] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/ice-breakers
func (c *Client) DeleteIceBreakers(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "ice_breakers")
}

// WhitelistedDomains reads the domains whose pages may open in Messenger.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/domain-whitelisting
func (c *Client) WhitelistedDomains(ctx context.Context) ([]string, error) {
	p, err := c.MessengerProfile(ctx, "whitelisted_domains")
	return p.WhitelistedDomains, err
}

// SetWhitelistedDomains sets the domains whose pages may open in Messenger,
// https and up to 50. At most 10 calls in 10 minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/domain-whitelisting
func (c *Client) SetWhitelistedDomains(ctx context.Context, domains ...string) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{WhitelistedDomains: domains})
}

// DeleteWhitelistedDomains removes what [Client.SetWhitelistedDomains] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/domain-whitelisting
func (c *Client) DeleteWhitelistedDomains(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "whitelisted_domains")
}

// AccountLinkingURL reads the log-in page of the business, "" when none is set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/account-linking-url
func (c *Client) AccountLinkingURL(ctx context.Context) (string, error) {
	p, err := c.MessengerProfile(ctx, "account_linking_url")
	return p.AccountLinkingURL, err
}

// SetAccountLinkingURL sets the log-in page of the business, https. At most 10
// calls in 10 minutes for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/account-linking-url
func (c *Client) SetAccountLinkingURL(ctx context.Context, address string) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{AccountLinkingURL: address})
}

// DeleteAccountLinkingURL removes what [Client.SetAccountLinkingURL] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/account-linking-url
func (c *Client) DeleteAccountLinkingURL(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "account_linking_url")
}

// Commands reads the commands of the composer, one list for each locale.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/commands
func (c *Client) Commands(ctx context.Context) ([]Commands, error) {
	p, err := c.MessengerProfile(ctx, "commands")
	return p.Commands, err
}

// SetCommands sets the commands of the composer. At most 10 calls in 10 minutes
// for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/commands
func (c *Client) SetCommands(ctx context.Context, lists ...Commands) error {
	return c.SetMessengerProfile(ctx, MessengerProfile{Commands: lists})
}

// DeleteCommands removes what [Client.SetCommands] set.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api/commands
func (c *Client) DeleteCommands(ctx context.Context) error {
	return c.DeleteMessengerProfile(ctx, "commands")
}
