package graphemu

import "net/http"

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
