package messenger

import (
	"context"
	"net/http"
	"net/url"
)

const userSettingsPath = "me/custom_user_settings"

// UserMenu is the menu of one person, and the page's for comparison.
type UserMenu struct {
	User []PersistentMenu `json:"user_level_persistent_menu"` // nil when the person has the page's menu
	Page []PersistentMenu `json:"page_level_persistent_menu"`
}

// UserMenu reads the menu of one person.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) UserMenu(ctx context.Context, psid PSID) (UserMenu, error) {
	answer, err := get[data[[]UserMenu]](ctx, c, userSettingsPath, url.Values{"psid": {string(psid)}})
	if err != nil || len(answer.Data) == 0 {
		return UserMenu{}, err
	}
	return answer.Data[0], nil
}

// SetUserMenu sets menus for one person, in place of the page's. One of them has the locale
// "default".
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) SetUserMenu(ctx context.Context, psid PSID, menus ...PersistentMenu) error {
	body := struct {
		PSID  PSID             `json:"psid"`
		Menus []PersistentMenu `json:"persistent_menu"`
	}{psid, menus}
	err := c.check(http.MethodPost, userSettingsPath, func(k *checker) {
		k.require(string(psid), "psid")
		checkMenus(k, menus, !c.since("v8.0"))
	})
	if err != nil {
		return err
	}
	return c.Do(ctx, http.MethodPost, userSettingsPath, nil, body, nil)
}

// DeleteUserMenu returns a person to the page's menu.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu
func (c *Client) DeleteUserMenu(ctx context.Context, psid PSID) error {
	query := url.Values{"psid": {string(psid)}, "params": {`["persistent_menu"]`}}
	return c.Do(ctx, http.MethodDelete, userSettingsPath, query, nil, nil)
}
