package graphemu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is the emulated platform. Its zero value works. Fields are set before
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

	once    sync.Once
	ctx     context.Context
	stop    context.CancelFunc
	wg      sync.WaitGroup
	mux     *http.ServeMux
	latency latencySource
	hub     hub
	clock   clock

	ids       *ids
	calendar  *calendar
	records   *records
	faults    *faultRules
	limits    *rateLimits
	files     *fileStore
	courier   *courier
	callbacks *callbacks

	handlers map[string]handler // by method and endpoint

	mu         sync.Mutex
	apps       map[string]*appState
	appOrder   []string
	pages      map[string]*pageState
	pageOrder  []string
	tokens     map[string]tokenState
	retired    map[string]bool   // tokens that were good once
	usernames  map[string]string // pages by their name in addresses, in lower case
	uploads    map[string]reusable
	nodes      map[string]nodeRef // what has an id and is no app, page or person
	codes      map[string]codeState
	kept       []*personState // whose message was kept, the oldest first from keptHead
	keptHead   int
	linkTokens map[string]linkToken
	closed     bool
}

// Errors of the methods of [Server] and of the control API.
var (
	ErrUnknownPage   = errors.New("unknown page")
	ErrUnknownPerson = errors.New("unknown person")
)

func (s *Server) init() {
	s.once.Do(func() {
		s.ctx, s.stop = context.WithCancel(context.Background())
		s.clock.base = s.Now
		s.ids = &ids{epoch: s.Epoch}
		s.calendar = newCalendar(&s.clock)
		s.records = &records{changes: &s.hub}
		s.faults, s.limits, s.files = &faultRules{}, &rateLimits{clock: &s.clock}, &fileStore{ids: s.ids}
		s.callbacks = newCallbacks(s.HTTPClient, &s.clock)
		s.courier = &courier{world: s, clock: &s.clock, calendar: s.calendar, faults: s.faults, records: s.records, changes: &s.hub,
			log: s.log(), post: s.callbacks.post, batching: s.Batching, retry: s.Retry, life: s.ctx}
		s.courier.reset()
		s.apps = map[string]*appState{}
		s.pages = map[string]*pageState{}
		s.tokens = map[string]tokenState{}
		s.retired, s.usernames = map[string]bool{}, map[string]string{}
		s.uploads = map[string]reusable{}
		s.nodes = map[string]nodeRef{}
		s.codes = map[string]codeState{}
		s.handlers = s.graphHandlers()
		s.latency.seed(s.Latency.Seed)
		s.mux = s.routes()
	})
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	s.controlRoutes(mux)
	s.chatRoutes(mux)
	s.pluginRoutes(mux)
	s.linkRoutes(mux)
	mux.HandleFunc("/", s.serveGraph)
	return mux
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
		http.Redirect(w, r, "/chat", http.StatusSeeOther) // somebody who looks what is here, in a browser
		return
	}
	// The mux would redirect paths with a double or a missing slash, and a redirect drops a POST.
	s.serveGraph(w, r)
}

// ownPath tells what is not the Graph API.
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

// foreignOrigin reports whether a page of another site made the browser send
// this request.
func foreignOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}

// Close stops deliveries, waits for those under way and ends the streams of
// open chat pages, so that an http.Server around it can shut down. The server
// still answers afterwards but sends no more webhooks.
func (s *Server) Close() error {
	s.init()
	s.mu.Lock()
	s.closed = true
	for _, page := range s.pages {
		for _, person := range page.people {
			if person.receipts != nil && person.receipts.stop() {
				s.wg.Done()
			}
			person.receipts = nil
		}
	}
	s.mu.Unlock()
	s.courier.close()
	s.stop()
	s.clock.close()
	s.hub.close()
	s.wg.Wait()
	s.courier.running.Wait()
	s.callbacks.client.CloseIdleConnections()
	return nil
}

// Reset empties all threads and records, drops undelivered webhooks and removes
// faults. Apps, pages, people, tokens, subscriptions and profiles stay; people
// unblock the page and are online. Mids go on and are not used again.
func (s *Server) Reset() {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.courier.reset()
	s.kept, s.keptHead = nil, 0
	s.faults.set(nil)
	s.files.clear()
	s.records.clear()
	for _, page := range s.pages {
		for _, p := range page.people {
			p.Messages, p.Pending = nil, nil
			p.Owner, p.Prior, p.Request = "", nil, false
			p.Blocks, p.Offline, p.TypingUntil = false, false, time.Time{}
			if p.Open {
				p.LastActive = s.clock.now()
			}
		}
	}
	s.announce(change{Type: "reset"})
}

func (s *Server) log() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.New(slog.DiscardHandler)
}

// find returns a page and one of its people. The lock is held.
func (s *Server) find(pageID, psid string) (*pageState, *personState, error) {
	page := s.pages[pageID]
	if page == nil {
		return nil, nil, fmt.Errorf("%w %.40q", ErrUnknownPage, pageID)
	}
	person := page.people[psid]
	if person == nil {
		return nil, nil, fmt.Errorf("%w %.40q", ErrUnknownPerson, psid)
	}
	return page, person, nil
}

// exists tells an error for a page or a person that is not there.
func (s *Server) exists(pageID, psid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, err := s.find(pageID, psid)
	return err
}

// Thread returns the messages of the thread between a page and a person.
func (s *Server) Thread(pageID, psid string) ([]ThreadMessage, error) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, person, err := s.find(pageID, psid)
	if err != nil {
		return nil, err
	}
	out := make([]ThreadMessage, len(person.Messages))
	for i, m := range person.Messages {
		out[i] = *m
		out[i].Reactions = cloneMap(m.Reactions)
	}
	return out, nil
}

func cloneMap(m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
