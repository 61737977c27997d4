package channel

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
)

const maxDoorBody = 256 << 10

// Why a provider's request is refused.
const (
	NoAccount    = "unknown_account"
	BadForm      = "not_a_form"
	BadSignature = "bad_account_signature"
	Disabled     = "disabled_account"
)

// Register puts the addresses on a mux by which providers come in: /channels/{id}/ and what a
// provider's routes say. An account answers on those of its provider only.
func (m *Manager) Register(mux *http.ServeMux) {
	byPattern := map[string]map[gateway.Provider]func(*Request, any){}
	for _, p := range m.o.Providers {
		for _, r := range p.routes {
			pattern := r.method + " /channels/{id}/" + r.path
			if byPattern[pattern] == nil {
				byPattern[pattern] = map[gateway.Provider]func(*Request, any){}
			}
			byPattern[pattern][p.Name] = r.handle
		}
	}
	for pattern, handlers := range byPattern {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			q := &Request{Request: r, W: w, m: m}
			e := m.current.Load().byID[r.PathValue("id")]
			if e == nil || e.settings == nil || handlers[e.account.Provider] == nil {
				q.Forbid(NoAccount)
				return
			}
			q.Account, q.Host = e.account, m.host
			handlers[e.account.Provider](q, e.settings)
		})
	}
}

// Request is one request of a provider about an account.
type Request struct {
	*http.Request
	W       http.ResponseWriter
	Account *gateway.ChannelAccount
	Host    *Host

	m *Manager
}

// Forbid answers whoever cannot prove who they are; it says nothing of whether there is such an
// account. Why is one of a few, for the log and the figures.
func (q *Request) Forbid(why string) {
	q.m.noise.Refused(why, "path", q.URL.Path, "from", guard.Client(q.Request))
	if q.m.o.Refused != nil {
		q.m.o.Refused(why)
	}
	http.Error(q.W, "forbidden", http.StatusForbidden)
}

// Failed answers that what a provider brought could not be stored, so that it comes again.
func (q *Request) Failed(err error) {
	q.m.o.Logger.Error("store what a provider brought", "account", q.Account.ID, "err", err)
	http.Error(q.W, "try again", http.StatusServiceUnavailable)
}

// Body reads the request's body, of 256 KB at most; false when it was answered already.
func (q *Request) Body() ([]byte, bool) {
	body, err := guard.ReadBody(q.W, q.Request, maxDoorBody)
	if gateway.CodeOf(err) == gateway.CodeOverloaded {
		q.W.Header().Set("Retry-After", "1")
		http.Error(q.W, "try again", http.StatusServiceUnavailable)
		return nil, false
	}
	if err != nil {
		http.Error(q.W, "the body is too large or broken", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// PublicURL is the address that the provider called, as it knows it: behind a proxy it differs from
// what arrives here.
func (q *Request) PublicURL() string {
	address := strings.TrimSuffix(q.Host.PublicURL, "/") + q.URL.EscapedPath()
	if q.URL.RawQuery != "" {
		address += "?" + q.URL.RawQuery
	}
	return address
}

// First returns the first of a form's values that is there, by the names that it may have.
func First(form url.Values, names ...string) string {
	for _, name := range names {
		if v := form.Get(name); v != "" {
			return v
		}
	}
	return ""
}
