package graphemu

// TokenSettings are what debug_token says of a page's token beside whose it is.
type TokenSettings struct {
	AppID               string   `json:"app_id,omitempty"`                 // whose it says it is, where that is not true
	PageID              string   `json:"page_id,omitempty"`                //
	Type                string   `json:"type,omitempty"`                   // PAGE when empty
	Scopes              []string `json:"scopes,omitempty"`                 // what Messenger needs when nil
	ExpiresAt           int64    `json:"expires_at,omitempty"`             // seconds since 1970; 0 for never
	DataAccessExpiresAt int64    `json:"data_access_expires_at,omitempty"` // the same
}

// SetTokenSettings changes what the platform says of a page's token. It goes on working as it did.
func (s *Server) SetTokenSettings(pageID string, settings TokenSettings) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return
	}
	if info, ok := s.tokens[page.AccessToken]; ok {
		info.Settings = settings
		s.tokens[page.AccessToken] = info
	}
}

// SetPublished says whether a page is published. Sends of one that is not are refused.
func (s *Server) SetPublished(pageID string, published bool) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if page := s.pages[pageID]; page != nil {
		page.Unpublished = !published
	}
}

// SetCallbackActive says whether an app's callback for pages counts as active, as the platform tells it. Webhooks are sent to it as before.
func (s *Server) SetCallbackActive(appID string, active bool) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if app := s.apps[appID]; app != nil && app.Callback != nil {
		app.Callback.Inactive = !active
	}
}
