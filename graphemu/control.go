package graphemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// controlAPI is the control API: the methods of a server as calls. Every answer is
// JSON; a refusal is {"error":{"message":…}} with status 400 or 404.
type controlAPI struct{ *Server }

func (a controlAPI) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /_emu/v1/apps", a.addApp)
	mux.HandleFunc("GET /_emu/v1/pages", a.pages)
	mux.HandleFunc("POST /_emu/v1/pages", a.addPage)
	mux.HandleFunc("GET /_emu/v1/pages/{page}", a.page)
	mux.HandleFunc("PUT /_emu/v1/pages/{page}/token", a.token)
	mux.HandleFunc("PUT /_emu/v1/pages/{page}/primary", a.primary)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/policy", a.policy)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people", a.addPerson)
	mux.HandleFunc("PATCH /_emu/v1/pages/{page}/people/{psid}", a.person)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/actions", a.act)
	mux.HandleFunc("GET /_emu/v1/pages/{page}/people/{psid}/thread", a.thread)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/inbox", a.inbox)
	mux.HandleFunc("POST /_emu/v1/pages/{page}/people/{psid}/data-deletion", a.deletion)
	mux.HandleFunc("POST /_emu/v1/files", a.upload)
	mux.HandleFunc("GET /_emu/v1/clock", a.clock)
	mux.HandleFunc("PUT /_emu/v1/clock", a.setClock)
	mux.HandleFunc("DELETE /_emu/v1/clock", a.resetClock)
	mux.HandleFunc("POST /_emu/v1/clock/advance", a.advance)
	mux.HandleFunc("GET /_emu/v1/limits", a.limits)
	mux.HandleFunc("PUT /_emu/v1/limits", a.setLimits)
	mux.HandleFunc("GET /_emu/v1/delivery", a.delivery)
	mux.HandleFunc("PUT /_emu/v1/delivery", a.setDelivery)
	mux.HandleFunc("GET /_emu/v1/faults", a.faults)
	mux.HandleFunc("PUT /_emu/v1/faults", a.setFaults)
	mux.HandleFunc("GET /_emu/v1/webhooks", a.webhooks)
	mux.HandleFunc("GET /_emu/v1/calls", a.calls)
	mux.HandleFunc("GET /_emu/v1/events", a.events)
	mux.HandleFunc("GET /_emu/v1/alerts", a.alerts)
	mux.HandleFunc("GET /_emu/v1/journal", a.journal)
	mux.HandleFunc("GET /_emu/v1/journal.har", a.har)
	mux.HandleFunc("GET /_emu/v1/snapshot", a.snapshot)
	mux.HandleFunc("PUT /_emu/v1/snapshot", a.restore)
	mux.HandleFunc("POST /_emu/v1/reset", a.reset)
	mux.HandleFunc("GET /_emu/v1/stream", a.stream)
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
