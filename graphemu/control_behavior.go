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

func (a controlAPI) delivery(w http.ResponseWriter, _ *http.Request) {
	r := a.world.courier.schedule()
	reply(w, http.StatusOK, map[string]any{
		"timeout_ms": r.timeout().Milliseconds(), "attempts": len(r.Delays) + 1, "give_up_ms": r.GiveUp.Milliseconds(), "disable_ms": r.Disable.Milliseconds(),
	})
}

func (a controlAPI) setDelivery(w http.ResponseWriter, r *http.Request) {
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
	a.SetRetry(profile)
	a.delivery(w, r)
}

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
