package graphemu

import (
	"bytes"
	"net/http"
)

func (a controlAPI) snapshot(w http.ResponseWriter, _ *http.Request) {
	var state bytes.Buffer
	if err := a.SaveTo(&state); err != nil {
		reject(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(state.Bytes()) //nolint:errcheck // the caller is gone when this fails
}

func (a controlAPI) restore(w http.ResponseWriter, r *http.Request) {
	if err := a.LoadFrom(http.MaxBytesReader(w, r.Body, 1<<30)); err != nil {
		reject(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusOK, success())
}

func (a controlAPI) reset(w http.ResponseWriter, _ *http.Request) {
	a.Reset()
	reply(w, http.StatusOK, success())
}
