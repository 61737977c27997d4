package graphemu

import (
	"maps"
	"slices"
	"sync"

	"github.com/chasqui/chasqui/messenger"
)

// tokenStore holds the access tokens of pages and of the human who manages them. Tokens of apps are
// not kept: they consist of id and secret. It is safe for concurrent use.
type tokenStore struct {
	ids *ids

	mu      sync.Mutex
	valid   map[string]tokenState
	retired map[string]bool // tokens that were valid once
}

func newTokenStore(ids *ids) *tokenStore {
	return &tokenStore{ids: ids, valid: map[string]tokenState{}, retired: map[string]bool{}}
}

// tokenStanding is what the platform knows of a token.
type tokenStanding int

const (
	tokenUnknown tokenStanding = iota
	tokenValid
	tokenRetired
)

// look returns a token and whether it is valid.
func (s *tokenStore) look(token string) (tokenState, tokenStanding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, ok := s.valid[token]
	switch {
	case ok:
		return state, tokenValid
	case s.retired[token]:
		return tokenState{}, tokenRetired
	}
	return tokenState{}, tokenUnknown
}

// set makes a token valid.
func (s *tokenStore) set(token string, state tokenState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.valid[token] = state
	delete(s.retired, token)
}

// retire makes a token invalid, as one that has expired.
func (s *tokenStore) retire(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.valid[token]; ok {
		delete(s.valid, token)
		s.retired[token] = true
	}
}

// retireOf retires all tokens of a page for an app.
func (s *tokenStore) retireOf(pageID, appID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, state := range s.valid {
		if state.PageID == pageID && state.AppID == appID {
			delete(s.valid, token)
			s.retired[token] = true
		}
	}
}

// configure changes what the platform reports about a token.
func (s *tokenStore) configure(token string, settings TokenSettings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state, ok := s.valid[token]; ok {
		state.Settings = settings
		s.valid[token] = state
	}
}

// user returns a user token for an app. The same words yield the same token.
func (s *tokenStore) user(appID, words string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.ids.tokenFor(words)
	s.valid[token] = tokenState{AppID: appID, UserID: adminID}
	return token
}

// derived returns the token of a page for an app that was given none, "" when it was retired.
func (s *tokenStore) derived(pageID, appID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.ids.tokenFor("page token " + pageID + " " + appID)
	if s.retired[token] {
		return ""
	}
	s.valid[token] = tokenState{AppID: appID, PageID: pageID}
	return token
}

// lengthen exchanges a user token for one that lives longer; one that was exchanged before is its
// own. Any other token stays what it is, and long is false.
func (s *tokenStore) lengthen(appID, given string) (token string, long bool, e *messenger.Error) {
	if given == "" {
		return "", false, refuse(1, 0, "fb_exchange_token parameter not specified")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state, ok := s.valid[given]
	switch {
	case !ok && s.retired[given]:
		return "", false, refuse(190, 463, "Error validating access token: Session has expired.")
	case !ok:
		return "", false, refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
	case state.AppID != appID:
		return "", false, refuse(190, 0, "Error validating access token: the token belongs to another application.")
	case state.UserID == "":
		return given, false, nil // a page's token has no end
	case state.Long:
		return given, true, nil
	}
	token = s.ids.tokenFor("long " + given)
	state.Long = true
	s.valid[token] = state
	return token, true, nil
}

// all returns the valid tokens, and the retired ones in order.
func (s *tokenStore) all() (valid map[string]tokenState, retired []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.valid), slices.Sorted(maps.Keys(s.retired))
}

// restore replaces all tokens.
func (s *tokenStore) restore(valid map[string]tokenState, retired []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.valid, s.retired = map[string]tokenState{}, map[string]bool{}
	maps.Copy(s.valid, valid)
	for _, token := range retired {
		s.retired[token] = true
	}
}
