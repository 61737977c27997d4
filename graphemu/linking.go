package graphemu

import (
	"html"
	"net/http"
	"net/url"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// linkToken is the account_linking_token that a website gets with a person who
// is to log in.
type linkToken struct {
	page, psid string
	until      time.Time
}

// linkLife is how long an account_linking_token holds.
const linkLife = 5 * time.Minute

// linkRoutes is the way of a log-in button: to the website with a token, and back
// with the website's code.
func (s *Server) linkRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /_emu/login/{page}/{psid}", func(w http.ResponseWriter, r *http.Request) {
		target, err := url.Parse(r.URL.Query().Get("url"))
		if err != nil || !isWebURL(target.String()) {
			http.Error(w, "the button has no address", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		if _, _, err := s.find(r.PathValue("page"), r.PathValue("psid")); err != nil {
			s.mu.Unlock()
			http.NotFound(w, r)
			return
		}
		token := s.ids.hex("account linking", s.ids.next())
		if s.linkTokens == nil {
			s.linkTokens = map[string]linkToken{}
		}
		s.linkTokens[token] = linkToken{r.PathValue("page"), r.PathValue("psid"), s.clock.now().Add(linkLife)}
		s.mu.Unlock()
		q := target.Query()
		q.Set("account_linking_token", token)
		q.Set("redirect_uri", "http://"+r.Host+"/_emu/linked/"+r.PathValue("page")+"/"+r.PathValue("psid"))
		target.RawQuery = q.Encode()
		http.Redirect(w, r, target.String(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /_emu/linked/{page}/{psid}", func(w http.ResponseWriter, r *http.Request) {
		words := "The website gave no authorization_code: the account is not linked."
		if code := r.URL.Query().Get("authorization_code"); code != "" {
			words = "The account is linked. You may close this window."
			if _, err := s.Act(r.Context(), r.PathValue("page"), r.PathValue("psid"), Action{Account: &AccountAction{Code: code}}); err != nil {
				words = err.Error()
			}
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Write([]byte("<!doctype html><title>Account linking</title><p>" + html.EscapeString(words))) //nolint:errcheck // the caller is gone when this fails
	})
}

// linkedRecipient is GET /{page}?account_linking_token=: whom a token means. The
// lock is held.
func (s *Server) linkedRecipient(c *call, page *pageState) (any, *messenger.Error) {
	t, ok := s.linkTokens[c.params.text("account_linking_token")]
	if !ok || t.page != page.ID || s.clock.now().After(t.until) {
		return nil, refuse(10303, 0, "(#10303) Invalid account_linking_token")
	}
	return map[string]string{"id": page.ID, "recipient": t.psid}, nil
}
