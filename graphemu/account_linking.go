package graphemu

import "time"

// linkToken is the account_linking_token with which a website learns which person is logging
// in.
type linkToken struct {
	page, psid string
	until      time.Time
}

// linkLife is how long an account_linking_token is valid.
const linkLife = 5 * time.Minute

// newLinkToken makes the account_linking_token of a person. It returns false when
// there is no such person.
func (w *world) newLinkToken(pageID, psid string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.person(pageID, psid) == nil {
		return "", false
	}
	token := w.ids.hex("account linking", w.ids.next())
	w.linkTokens[token] = linkToken{pageID, psid, w.clock.now().Add(linkLife)}
	return token, true
}

// linkedPerson returns the person of a page to whom an account_linking_token
// belongs, and false when it is not valid.
func (w *world) linkedPerson(pageID, token string) (psid string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.linkTokens[token]
	if !ok || t.page != pageID || w.clock.now().After(t.until) {
		return "", false
	}
	return t.psid, true
}

// unlinkAccount unlinks the account of a person. It returns false when there is no
// such person.
func (w *world) unlinkAccount(pageID, psid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return false
	}
	turn{w, page, p}.linkAccount(AccountAction{Unlink: true})
	return true
}

// linkAccount tells the apps that the person has linked or unlinked their account.
func (t turn) linkAccount(a AccountAction) ActionResult {
	linking := &wireLinking{"linked", a.Code}
	if a.Unlink {
		linking = &wireLinking{Status: "unlinked"}
	}
	return t.tell("messaging_account_linking", func(w *wireEvent) { w.Linking = linking })
}
