package graphemu

import "net/http"

func (a controlAPI) faults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"rules": a.Faults()})
}

func (a controlAPI) setFaults(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Rules []Fault `json:"rules"`
	}
	if accept(w, r, &in) {
		a.SetFaults(in.Rules)
		a.faults(w, r)
	}
}
