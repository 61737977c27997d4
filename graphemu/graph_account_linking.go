package graphemu

import "github.com/chasqui/chasqui/messenger"

// linkingAPI answers the calls about accounts that people have linked.
type linkingAPI struct{ *world }

// recipient is GET /{page}?account_linking_token=: the person to whom a token
// belongs.
func (a linkingAPI) recipient(c *call) (any, *messenger.Error) {
	psid, ok := a.linkTokens.person(c.node, c.params.text("account_linking_token"))
	if !ok {
		return nil, refuse(10303, 0, "(#10303) Invalid account_linking_token")
	}
	return map[string]string{"id": c.node, "recipient": psid}, nil
}

// unlink is POST /{page}/unlink_accounts.
func (a linkingAPI) unlink(c *call) (any, *messenger.Error) {
	if !a.unlinkAccount(c.page, c.params.text("psid")) {
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	return result("unlink account success"), nil
}
