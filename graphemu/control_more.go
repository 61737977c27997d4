package graphemu

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// controlMore is the part of the control API about the platform itself.
func (s *Server) controlMore(mux *http.ServeMux) {
	mux.HandleFunc("GET /_emu/v1/clock", s.controlClock)
	mux.HandleFunc("PUT /_emu/v1/clock", s.controlSetClock)
	mux.HandleFunc("DELETE /_emu/v1/clock", func(w http.ResponseWriter, r *http.Request) {
		s.ResetTime()
		s.controlClock(w, r)
	})
	mux.HandleFunc("POST /_emu/v1/clock/advance", s.controlAdvance)
	mux.HandleFunc("GET /_emu/v1/limits", s.controlLimits)
	mux.HandleFunc("PUT /_emu/v1/limits", func(w http.ResponseWriter, r *http.Request) {
		var l Limits
		if accept(w, r, &l) {
			s.SetLimits(l)
			s.controlLimits(w, r)
		}
	})
	mux.HandleFunc("GET /_emu/v1/delivery", s.controlDelivery)
	mux.HandleFunc("PUT /_emu/v1/delivery", s.controlSetDelivery)
	mux.HandleFunc("PUT /_emu/v1/pages/{page}/primary", s.controlPrimary)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/policy", s.controlPolicy)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/inbox", s.controlInbox)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/data-deletion", s.controlDeletion)
	mux.HandleFunc("POST /_emu/v1/files", s.controlUpload)
	mux.HandleFunc("GET /_emu/v1/alerts", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"alerts": s.Alerts()})
	})
	mux.HandleFunc("GET /_emu/v1/events", func(w http.ResponseWriter, r *http.Request) {
		reply(w, http.StatusOK, map[string]any{"events": s.Events(after(r))})
	})
	mux.HandleFunc("GET /_emu/v1/journal", s.controlJournal)
	mux.HandleFunc("GET /_emu/v1/journal.har", s.controlHAR)
	mux.HandleFunc("GET /_emu/v1/snapshot", s.controlSnapshot)
	mux.HandleFunc("PUT /_emu/v1/snapshot", s.controlRestore)
}

func (s *Server) controlClock(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"now": s.Time(), "dated": s.clock.isDated()})
}

func (s *Server) controlSetClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Now string `json:"now"`
	}
	if !accept(w, r, &in) {
		return
	}
	at, err := parseMoment(in.Now)
	if err != nil {
		reject(w, http.StatusBadRequest, fmt.Errorf("now must be a time such as 2019-08-01T12:00:00Z, a date or seconds since 1970: %w", err))
		return
	}
	s.SetTime(at)
	s.controlClock(w, r)
}

func (s *Server) controlAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		By string `json:"by"`
	}
	if !accept(w, r, &in) {
		return
	}
	d, err := time.ParseDuration(in.By)
	if err != nil {
		reject(w, http.StatusBadRequest, fmt.Errorf("by must be a duration such as 25h or 90s: %w", err))
		return
	}
	s.Advance(d)
	s.controlClock(w, r)
}

func (s *Server) controlLimits(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.limits.current())
}

func (s *Server) controlDelivery(w http.ResponseWriter, _ *http.Request) {
	r := s.courier.schedule()
	reply(w, http.StatusOK, map[string]any{
		"timeout_ms": r.timeout().Milliseconds(), "attempts": len(r.Delays) + 1, "give_up_ms": r.GiveUp.Milliseconds(), "disable_ms": r.Disable.Milliseconds(),
	})
}

func (s *Server) controlSetDelivery(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Profile string `json:"profile"`
	}
	if !accept(w, r, &in) {
		return
	}
	profile, err := DeliveryProfile(in.Profile)
	if err != nil {
		reject(w, http.StatusBadRequest, err)
		return
	}
	s.SetRetry(profile)
	s.controlDelivery(w, r)
}

func (s *Server) controlPrimary(w http.ResponseWriter, r *http.Request) {
	var in struct {
		AppID string `json:"app_id"`
	}
	if !accept(w, r, &in) {
		return
	}
	if err := s.SetPrimary(r.PathValue("page"), in.AppID); err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}

func (s *Server) controlPolicy(w http.ResponseWriter, r *http.Request) {
	var in PolicyAction
	if !accept(w, r, &in) {
		return
	}
	if err := s.EnforcePolicy(r.PathValue("page"), in); err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}

// controlInbox is a human agent who answers in the page's inbox.
func (s *Server) controlInbox(w http.ResponseWriter, r *http.Request) {
	var in InboxMessage
	if !accept(w, r, &in) {
		return
	}
	mid, err := s.AnswerFromInbox(r.PathValue("page"), r.PathValue("psid"), in)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"mid": mid})
}

// controlUpload takes a file of the chat page and answers with its address.
func (s *Server) controlUpload(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil || len(data) == 0 {
		reject(w, http.StatusBadRequest, fmt.Errorf("the file is empty or larger than %d bytes", maxUpload))
		return
	}
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "file"
	}
	address := fileURL(r.Host, s.files.add(upload{name, r.Header.Get("Content-Type"), data}))
	reply(w, http.StatusCreated, map[string]string{"url": address})
}

func (s *Server) controlJournal(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]any{"entries": s.Journal(filterOf(r))})
}

func filterOf(r *http.Request) JournalFilter {
	q := r.URL.Query()
	f := JournalFilter{Kind: q.Get("kind"), PageID: q.Get("page"), PSID: q.Get("person"), Field: q.Get("field"), Path: q.Get("path"), Text: q.Get("text"), Failed: q.Get("failed") == "true"}
	if n, err := strconv.Atoi(q.Get("status")); err == nil {
		f.Status = n
	}
	if t, err := parseMoment(q.Get("since")); err == nil {
		f.Since = t
	}
	return f
}

func (s *Server) controlHAR(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Disposition", `attachment; filename="journal.har"`)
	reply(w, http.StatusOK, s.HAR(filterOf(r), "http://"+r.Host))
}

func (s *Server) controlSnapshot(w http.ResponseWriter, _ *http.Request) {
	var state bytes.Buffer
	if err := s.SaveTo(&state); err != nil {
		reject(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(state.Bytes()) //nolint:errcheck // the caller is gone when this fails
}

func (s *Server) controlRestore(w http.ResponseWriter, r *http.Request) {
	if err := s.LoadFrom(http.MaxBytesReader(w, r.Body, 1<<30)); err != nil {
		reject(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusOK, success())
}
