package graphemu

import (
	"net/http"
	"strconv"
)

func after(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (a controlAPI) webhooks(w http.ResponseWriter, r *http.Request) {
	list := a.Webhooks(after(r))
	last := after(r)
	if len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	reply(w, http.StatusOK, map[string]any{"webhooks": list, "last": last})
}

func (a controlAPI) calls(w http.ResponseWriter, r *http.Request) {
	list := a.Calls(after(r))
	last := after(r)
	if len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	reply(w, http.StatusOK, map[string]any{"calls": list, "last": last})
}

func (a controlAPI) events(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]any{"events": a.Events(after(r))})
}

func (a controlAPI) alerts(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"alerts": a.Alerts()})
}

func (a controlAPI) journal(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]any{"entries": a.Journal(filterOf(r))})
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

func (a controlAPI) har(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Disposition", `attachment; filename="journal.har"`)
	reply(w, http.StatusOK, a.HAR(filterOf(r), "http://"+r.Host))
}
