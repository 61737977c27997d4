package ingest

import (
	"encoding/json"
	"html/template"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/messenger"
)

// maxDeletion is the largest form of a data-deletion request that is taken, in bytes.
const maxDeletion = 64 << 10

// registerDeletion puts the data-deletion callback and the page it points to on a mux.
func (h *Handler) registerDeletion(mux *http.ServeMux) {
	for _, path := range []string{"/facebook/1/applications/{key}/data-deletion", "/webhooks/{key}/data-deletion"} {
		mux.HandleFunc("POST "+path, h.deleteData)
	}
	mux.HandleFunc("GET /data-deletion/{id}", h.deletionState)
}

// deleteData takes the platform's request to delete what is kept of a person, who has taken an
// app's access away. The request is committed before the answer, which tells the person where to
// see how far it is.
//
// Docs: https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
func (h *Handler) deleteData(w http.ResponseWriter, r *http.Request) {
	app := h.application(r)
	if app == nil {
		h.o.Metrics.Refused("unknown_key")
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxDeletion)
	if err := r.ParseForm(); gateway.CodeOf(err) == gateway.CodeOverloaded {
		h.o.Metrics.Refused("overloaded")
		w.Header().Set("Retry-After", "5")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	} else if err != nil {
		h.o.Metrics.Refused("not_a_form")
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	signed := r.PostForm.Get("signed_request")
	request, err := messenger.ParseSignedRequest(app.AppSecret.Reveal(), signed)
	if err != nil {
		h.o.Metrics.BadSignature(app.Key)
		h.noise.Refused("bad_deletion_signature", "application", app.Key, "app_id", app.AppID, "from", guard.Client(r))
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	guard.Trust(r)
	if age := h.o.Store.Now().Sub(time.Unix(request.IssuedAt, 0)); age > service.MaxDeletionAge {
		h.o.Metrics.Refused("old_deletion")
		h.noise.Refused("old_deletion", "application", app.Key, "issued_at", request.IssuedAt)
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	e, err := h.o.Erasures.Requested(r.Context(), app, request.UserID, signed)
	if err != nil {
		h.o.Logger.Error("data-deletion request not stored", "application", app.Key, "err", err)
		h.o.Metrics.Refused("store")
		w.Header().Set("Retry-After", "5")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	h.o.Logger.Info("data-deletion request", "application", app.Key, "erasure", e.ID)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"url": h.o.Erasures.PublicURL + h.o.Erasures.StatusPath(e.ID), "confirmation_code": e.ID}) // when this fails the platform is gone
}

var deletionPage = template.Must(template.New("deletion").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1.5rem 0 0; }
dt { opacity: .7; }
dd { margin: 0; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{with .Erasure}}<dl>
<dt>Code</dt><dd>{{.ID}}</dd>
<dt>Asked for</dt><dd>{{.CreatedAt.UTC.Format "2 January 2006, 15:04"}} UTC</dd>
{{if not .DoneAt.IsZero}}<dt>Done</dt><dd>{{.DoneAt.UTC.Format "2 January 2006, 15:04"}} UTC</dd>
{{end}}</dl>{{end}}
</main>
</body>
</html>
`))

// deletionState is the page that tells a person how far the deletion is. Whoever knows its address
// may see it; it says nothing of the person.
func (h *Handler) deletionState(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	var shown struct {
		Title, Text string
		Erasure     *gateway.Erasure
	}
	e, err := h.o.Erasures.Status(r.Context(), r.PathValue("id"))
	switch {
	case gateway.CodeOf(err) == gateway.CodeNotFound:
		status, shown.Title, shown.Text = http.StatusNotFound, "There is no such request", "Check the address: it ends with the code you were given."
	case err != nil:
		h.o.Logger.Error("show the state of an erasure", "err", err)
		status, shown.Title, shown.Text = http.StatusServiceUnavailable, "This cannot be shown now", "Try again in a minute."
	case e.State == gateway.ErasureDone && e.Counts == (gateway.ErasureCounts{}):
		shown.Title, shown.Text, shown.Erasure = "Nothing was found", "Nothing that is kept here belongs to the Facebook account that asked. If you have written to a page of this business, ask the business itself to delete your messages.", e
	case e.State == gateway.ErasureDone:
		shown.Title, shown.Text, shown.Erasure = "Your data is deleted", "Your messages, your profile and everything else that was kept of your conversation are deleted.", e
	default:
		shown.Title, shown.Text, shown.Erasure = "Your data is being deleted", "Your request has come in. It is usually done within a few minutes; look at this page again then.", e
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := deletionPage.Execute(w, shown); err != nil {
		h.o.Logger.Debug("write the page of an erasure", "err", err)
	}
}
