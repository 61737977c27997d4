package graphemu

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is the emulated platform. Its zero value is ready to use. Fields must be set before
// the first use and not changed after it; methods are safe for concurrent use.
type Server struct {
	Logger       *slog.Logger     // nil: no log
	HTTPClient   *http.Client     // for webhook deliveries; redirects are never followed
	Epoch        string           // part of every mid and event id, so that they never repeat across restarts; "" is deterministic
	ReceiptDelay time.Duration    // between accepting a message and its delivery event; 0 means 20 ms
	AllowedHosts []string         // Host headers that are served beside loopback names and addresses
	Retry        RetrySchedule    // of webhook deliveries
	Batching     Batching         // of webhook deliveries
	Quiet        bool             // no webhooks at all
	Latency      Latency          // of the Graph API
	Now          func() time.Time // the clock; nil means time.Now

	once      sync.Once
	world     *world
	limits    *rateLimits
	callbacks *callbacks
	links     linkFollower
	graph     *graphAPI
	mux       *http.ServeMux
}

// init creates what the fields describe, once.
func (s *Server) init() {
	s.once.Do(func() {
		s.world = newWorld(worldConfig{
			epoch: s.Epoch, now: s.Now, receiptDelay: s.ReceiptDelay, quiet: s.Quiet, batching: s.Batching, retry: s.Retry, log: s.log(),
			post: func(c *clock) postFunc {
				s.callbacks = newCallbacks(s.HTTPClient, c)
				return s.callbacks.post
			},
		})
		s.limits = &rateLimits{clock: s.world.clock}
		s.links = linkFollower{s.world, s.callbacks}
		s.graph = &graphAPI{world: s.world, limits: s.limits, latency: newLatencySource(s.Latency), callbacks: s.callbacks}
		s.graph.handlers = s.graph.routes()
		s.mux = http.NewServeMux()
		controlAPI{s}.routes(s.mux)
		webPages{s.world}.routes(s.mux)
		s.mux.Handle("/", s.graph)
	})
}

// ServeHTTP serves the Graph API, the control API and the chat page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	if !s.hostAllowed(r.Host) {
		http.Error(w, "this host name is not served here", http.StatusForbidden)
		return
	}
	if isSDK(r.URL.Path) {
		serveSDK(w, r)
		return
	}
	if ownPath(r.URL.Path) {
		if foreignOrigin(r) {
			http.Error(w, "requests of other sites are refused", http.StatusForbidden)
			return
		}
		s.mux.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/" && r.Method == http.MethodGet && r.URL.RawQuery == "" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/chat", http.StatusSeeOther) // a browser that was pointed at the address itself
		return
	}
	// The mux would redirect paths with a double or a missing slash, and a redirect drops a POST.
	s.graph.ServeHTTP(w, r)
}

// ownPath reports whether a path is not one of the Graph API.
func ownPath(path string) bool {
	return path == "/chat" || strings.HasPrefix(path, "/_emu/") || strings.HasPrefix(path, "/chat/") || strings.HasPrefix(path, "/m.me/") ||
		strings.HasPrefix(path, "/plugins/")
}

func (s *Server) hostAllowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(s.AllowedHosts, func(a string) bool {
		return strings.EqualFold(a, host) || strings.EqualFold(a, hostport)
	})
}

// foreignOrigin reports whether a page of another site caused the request.
func foreignOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// Close stops deliveries, waits for those in flight and ends the streams of open chat pages, so
// that an http.Server around it can shut down. The server still answers afterwards but sends no
// more webhooks.
func (s *Server) Close() error {
	s.init()
	s.world.close()
	s.callbacks.client.CloseIdleConnections()
	return nil
}

// Reset empties all threads and records, drops webhooks that were not delivered, and removes
// faults. Apps, pages, people, tokens, subscriptions and profiles stay; people unblock the page
// and are online. Mids are never reused.
func (s *Server) Reset() {
	s.init()
	s.world.reset()
}

func (s *Server) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.New(slog.DiscardHandler)
}
