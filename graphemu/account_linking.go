package graphemu

import (
	"maps"
	"sync"
	"time"
)

// linkToken is the account_linking_token with which a website learns which person is logging
// in.
type linkToken struct {
	page, psid string
	until      time.Time
}

// linkLife is how long an account_linking_token is valid.
const linkLife = 5 * time.Minute

// linkTokens issues and checks account_linking_tokens. It is safe for concurrent use.
type linkTokens struct {
	ids   *ids
	clock *clock

	mu     sync.Mutex
	tokens map[string]linkToken
}

// issue returns a new token of a person. Those that have expired are forgotten.
func (l *linkTokens) issue(pageID, psid string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.now()
	maps.DeleteFunc(l.tokens, func(_ string, t linkToken) bool { return now.After(t.until) })
	token := l.ids.hex("account linking", l.ids.next())
	l.tokens[token] = linkToken{pageID, psid, now.Add(linkLife)}
	return token
}

// person returns the person of a page to whom a token belongs, and false when it is
// not valid.
func (l *linkTokens) person(pageID, token string) (psid string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tokens[token]
	if !ok || t.page != pageID || l.clock.now().After(t.until) {
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
