package graphemu

import (
	"html"
	"net/http"
	"net/url"
)

// serveLogin is the way of a log-in button to the website, with a token.
func (p webPages) serveLogin(w http.ResponseWriter, r *http.Request) {
	target, err := url.Parse(r.URL.Query().Get("url"))
	if err != nil || !isWebURL(target.String()) {
		http.Error(w, "the button has no address", http.StatusBadRequest)
		return
	}
	if !p.hasPerson(r.PathValue("page"), r.PathValue("psid")) {
		http.NotFound(w, r)
		return
	}
	token := p.linkTokens.issue(r.PathValue("page"), r.PathValue("psid"))
	q := target.Query()
	q.Set("account_linking_token", token)
	q.Set("redirect_uri", "http://"+r.Host+"/_emu/linked/"+r.PathValue("page")+"/"+r.PathValue("psid"))
	target.RawQuery = q.Encode()
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// serveLinked is the way back from the website, with its code.
func (p webPages) serveLinked(w http.ResponseWriter, r *http.Request) {
	words := "The website gave no authorization_code: the account is not linked."
	if code := r.URL.Query().Get("authorization_code"); code != "" {
		words = "The account is linked. You may close this window."
		if _, err := p.act(r.PathValue("page"), r.PathValue("psid"), Action{Account: &AccountAction{Code: code}}); err != nil {
			words = err.Error()
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Write([]byte("<!doctype html><title>Account linking</title><p>" + html.EscapeString(words))) //nolint:errcheck // the caller is gone when this fails
}
