package graphemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// controlRoutes is the control API. Every answer is JSON; a refusal is
// {"error":{"message":…}} with status 400 or 404.
func (s *Server) controlRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /_emu/v1/apps", s.controlAddApp)
	mux.HandleFunc("GET /_emu/v1/pages", s.controlPages)
	mux.HandleFunc("POST /_emu/v1/pages", s.controlAddPage)
	mux.HandleFunc("GET /_emu/v1/pages/{page}", s.controlPage)
	mux.HandleFunc("PUT /_emu/v1/pages/{page}/token", s.controlToken)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people", s.controlAddPerson)
	mux.HandleFunc("PATCH /_emu/v1/pages/{page}/people/{psid}", s.controlPerson)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/actions", s.controlAct)
	mux.HandleFunc("GET /_emu/v1/pages/{page}/people/{psid}/thread", s.controlThread)
	mux.HandleFunc("GET /_emu/v1/webhooks", s.controlWebhooks)
	mux.HandleFunc("GET /_emu/v1/calls", s.controlCalls)
	mux.HandleFunc("GET /_emu/v1/faults", s.controlFaults)
	mux.HandleFunc("PUT /_emu/v1/faults", s.controlSetFaults)
	mux.HandleFunc("POST /_emu/v1/reset", s.controlReset)
	s.controlMore(mux)
	mux.HandleFunc("GET /_emu/v1/stream", s.serveStream)
	mux.HandleFunc("GET /_emu/pictures/{file}", s.servePicture)
	mux.HandleFunc("GET /_emu/files/{file}", s.serveFile)
	mux.HandleFunc("GET /_emu/codes/{file}", s.serveCode)
	mux.HandleFunc("GET /_emu/links/{file}", s.serveLinkCode)
	mux.HandleFunc("GET /_emu/qr.png", func(w http.ResponseWriter, r *http.Request) { s.drawCode(w, r.URL.Query().Get("text"), 300) })
	mux.HandleFunc("/_emu/", func(w http.ResponseWriter, r *http.Request) {
		reject(w, http.StatusNotFound, fmt.Errorf("%s %s is not part of the control API", r.Method, r.URL.Path))
	})
}

// accept reads a JSON body; unknown members are refused, so that a slip of the
// pen is seen.
func accept(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 40<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		reject(w, http.StatusBadRequest, fmt.Errorf("read the body: %w", err))
		return false
	}
	return true
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) //nolint:errcheck // the caller is gone when this fails
}

func reject(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]any{"error": map[string]string{"message": err.Error()}})
}

func rejectFor(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, ErrUnknownPage) || errors.Is(err, ErrUnknownPerson) {
		status = http.StatusNotFound
	}
	reject(w, status, err)
}

func (s *Server) controlAddApp(w http.ResponseWriter, r *http.Request) {
	var a App
	if accept(w, r, &a) {
		reply(w, http.StatusCreated, s.AddApp(a))
	}
}

func (s *Server) controlAddPage(w http.ResponseWriter, r *http.Request) {
	var p Page
	if accept(w, r, &p) {
		reply(w, http.StatusCreated, s.AddPage(p))
	}
}

func (s *Server) controlToken(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token    *string        `json:"token"`
		Settings *TokenSettings `json:"settings"`
	}
	if !accept(w, r, &in) {
		return
	}
	if _, err := s.view(r.PathValue("page")); err != nil {
		rejectFor(w, err)
		return
	}
	if in.Token != nil || in.Settings == nil {
		token := ""
		if in.Token != nil {
			token = *in.Token
		}
		s.SetPageToken(r.PathValue("page"), token)
	}
	if in.Settings != nil {
		s.SetTokenSettings(r.PathValue("page"), *in.Settings)
	}
	reply(w, http.StatusOK, success())
}

func (s *Server) controlAddPerson(w http.ResponseWriter, r *http.Request) {
	var p Person
	if !accept(w, r, &p) {
		return
	}
	if p = s.AddPerson(r.PathValue("page"), p); p.ID == "" {
		rejectFor(w, fmt.Errorf("%w %.40q", ErrUnknownPage, r.PathValue("page")))
		return
	}
	reply(w, http.StatusCreated, p)
}

func (s *Server) controlPerson(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Blocks  *bool `json:"blocks"`
		Offline *bool `json:"offline"`
		Tester  *bool `json:"tester"`
	}
	if !accept(w, r, &in) {
		return
	}
	err := s.changePerson(r.PathValue("page"), r.PathValue("psid"), func(page *pageState, p *personState) {
		if in.Blocks != nil {
			s.block(page, p, *in.Blocks)
		}
		if in.Offline != nil {
			p.Offline = *in.Offline
		}
		if in.Tester != nil {
			p.Tester = *in.Tester
		}
	})
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}

func (s *Server) controlAct(w http.ResponseWriter, r *http.Request) {
	var a Action
	if !accept(w, r, &a) {
		return
	}
	res, err := s.Act(r.Context(), r.PathValue("page"), r.PathValue("psid"), a)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, res)
}

func (s *Server) controlThread(w http.ResponseWriter, r *http.Request) {
	page, psid := r.PathValue("page"), r.PathValue("psid")
	messages, err := s.Thread(page, psid)
	if err != nil {
		rejectFor(w, err)
		return
	}
	var out struct {
		Messages []ThreadMessage `json:"messages"`
		Open     bool            `json:"open"`
		Typing   bool            `json:"typing"`
		TypingAs string          `json:"typing_as,omitempty"` // persona
		Closes   time.Time       `json:"closes,omitzero"`     // when the window of 24 hours closes
	}
	out.Messages = messages
	s.mu.Lock()
	if _, p, err := s.find(page, psid); err == nil {
		out.Open, out.Typing, out.TypingAs = p.Open, s.clock.now().Before(p.TypingUntil), p.typingAs
		if p.Open {
			out.Closes = p.LastActive.Add(24 * time.Hour)
		}
	}
	s.mu.Unlock()
	for i, m := range out.Messages {
		out.Messages[i].SentAt = m.SentAt.Truncate(time.Millisecond)
	}
	reply(w, http.StatusOK, out)
}

func after(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (s *Server) controlWebhooks(w http.ResponseWriter, r *http.Request) {
	list := s.Webhooks(after(r))
	last := after(r)
	if len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	reply(w, http.StatusOK, map[string]any{"webhooks": list, "last": last})
}

func (s *Server) controlCalls(w http.ResponseWriter, r *http.Request) {
	list := s.Calls(after(r))
	last := after(r)
	if len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	reply(w, http.StatusOK, map[string]any{"calls": list, "last": last})
}

func (s *Server) controlFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"rules": s.Faults()})
}

func (s *Server) controlSetFaults(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Rules []Fault `json:"rules"`
	}
	if accept(w, r, &in) {
		s.SetFaults(in.Rules)
		s.controlFaults(w, r)
	}
}

func (s *Server) controlReset(w http.ResponseWriter, _ *http.Request) {
	s.Reset()
	reply(w, http.StatusOK, success())
}
