package graphemu

import (
	"fmt"
	"net/http"
	"time"
)

func (a controlAPI) clock(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"now": a.Time(), "dated": a.world.clock.isDated()})
}

func (a controlAPI) setClock(w http.ResponseWriter, r *http.Request) {
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
	a.SetTime(at)
	a.clock(w, r)
}

func (a controlAPI) resetClock(w http.ResponseWriter, r *http.Request) {
	a.ResetTime()
	a.clock(w, r)
}

func (a controlAPI) advance(w http.ResponseWriter, r *http.Request) {
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
	a.Advance(d)
	a.clock(w, r)
}
