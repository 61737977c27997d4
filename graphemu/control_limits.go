package graphemu

import "net/http"

func (a controlAPI) limits(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, a.Server.limits.current())
}

func (a controlAPI) setLimits(w http.ResponseWriter, r *http.Request) {
	var l Limits
	if accept(w, r, &l) {
		a.SetLimits(l)
		a.limits(w, r)
	}
}
