package messenger

import (
	"context"
	"net/http"
	"net/url"
)

// LinkedPerson returns the person to whom an account_linking_token belongs that came to the log-in
// page. The token lives for minutes. The call goes out as a POST with the method in its form, so
// that the token does not stand in a URL.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/account-linking
func (c *Client) LinkedPerson(ctx context.Context, accountLinkingToken string) (PSID, error) {
	form := url.Values{"fields": {"recipient"}, "account_linking_token": {accountLinkingToken}, "method": {"get"}}
	answer, err := post[struct {
		Recipient PSID `json:"recipient"`
	}](ctx, c, "me", form)
	return answer.Recipient, err
}

// UnlinkAccount ends the linking of a person's account.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/account-linking
func (c *Client) UnlinkAccount(ctx context.Context, psid PSID) error {
	return c.Do(ctx, http.MethodPost, "me/unlink_accounts", nil, map[string]PSID{"psid": psid}, nil)
}
