// Package ingest is the endpoint where the platform delivers its webhooks. It checks the signature,
// finds out to whom each event belongs, and commits the raw bytes before it answers. It interprets
// nothing: that is for the readers of the log.
package ingest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// DefaultMaxBody is the largest webhook that is taken, in bytes.
const DefaultMaxBody = 10 << 20

// Options says what the endpoint works with.
type Options struct {
	Store     *store.Store
	Directory *service.Directory
	Points    *service.EntryPoints // nil when there are none
	Erasures  *service.Erasures    // nil for no data-deletion callback
	Logger    *slog.Logger
	MaxBody   int64 // bytes; default DefaultMaxBody
	Metrics   Metrics
}

// Metrics receives what is counted; nil functions are not called.
type Metrics struct {
	Received     func(application string, events, duplicates int) // application is empty for events that none owns
	BadSignature func(application string)
	Refused      func(reason string)
}

// Handler is the endpoint of all doors: a path value `key` names the application whose door it is.
type Handler struct {
	o     Options
	noise guard.Noise

	mu       sync.Mutex
	lookedUp time.Time                 // when an unknown key last made the directory be read again
	heard    map[gateway.Lane]struct{} // whose events came a moment ago, so that the database may not know them yet
}

// maxHeard is how many people are remembered as heard of.
const maxHeard = 20_000

// New makes the endpoint.
func New(o Options) *Handler {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Metrics.Received == nil {
		o.Metrics.Received = func(string, int, int) {}
	}
	if o.Metrics.BadSignature == nil {
		o.Metrics.BadSignature = func(string) {}
	}
	if o.Metrics.Refused == nil {
		o.Metrics.Refused = func(string) {}
	}
	return &Handler{o: o, noise: guard.Noise{Logger: o.Logger}}
}

// Register puts the endpoint on a mux, under both of its paths.
func (h *Handler) Register(mux *http.ServeMux) {
	for _, path := range []string{"/facebook/1/applications/{key}/webhook", "/webhooks/{key}"} {
		mux.HandleFunc("GET "+path, h.verify)
		mux.HandleFunc("POST "+path, h.receive)
	}
	if h.o.Erasures != nil {
		h.registerDeletion(mux)
	}
}

// verify answers the platform's question whether this callback is meant.
//
// Docs: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func (h *Handler) verify(w http.ResponseWriter, r *http.Request) {
	app := h.application(r)
	if app == nil {
		http.NotFound(w, r)
		return
	}
	q := r.URL.Query()
	given, want := []byte(q.Get("hub.verify_token")), []byte(app.VerifyToken.Reveal())
	if q.Get("hub.mode") != "subscribe" || len(want) == 0 || subtle.ConstantTimeCompare(given, want) != 1 {
		h.o.Metrics.Refused("verify_token")
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, q.Get("hub.challenge"))
}

// receive takes a delivery: all of its events are committed, or the answer makes the platform send
// it again.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) {
	app := h.application(r)
	if app == nil {
		h.o.Metrics.Refused("unknown_key")
		http.NotFound(w, r)
		return
	}
	signature := r.Header.Get("X-Hub-Signature-256")
	if signature == "" { // whose body is not worth reading
		h.forged(w, r, app)
		return
	}
	body, err := guard.ReadBody(w, r, h.o.MaxBody)
	switch gateway.CodeOf(err) {
	case "":
	case gateway.CodePayloadTooLarge:
		h.o.Metrics.Refused("too_large")
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	case gateway.CodeOverloaded:
		h.o.Metrics.Refused("overloaded")
		w.Header().Set("Retry-After", "5")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	default:
		http.Error(w, "body could not be read", http.StatusBadRequest)
		return
	}
	if messenger.Verify(app.AppSecret.Reveal(), body, signature) != nil {
		h.forged(w, r, app)
		return
	}
	guard.Trust(r)
	envelopes, err := messenger.Split(body)
	if err == nil && gateway.Depth(body) > gateway.MaxDepth {
		h.o.Metrics.Refused("too_deep")
		http.Error(w, "nested too deep", http.StatusBadRequest)
		return
	}
	if err != nil {
		h.o.Metrics.Refused("not_json")
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if err := h.commit(r.Context(), app, envelopes); err != nil {
		h.o.Logger.Error("webhook not stored", "application", app.Key, "events", len(envelopes), "err", err)
		h.o.Metrics.Refused("store")
		w.Header().Set("Retry-After", "5")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "EVENT_RECEIVED")
}

// forged refuses a delivery that is not signed with the app's secret.
func (h *Handler) forged(w http.ResponseWriter, r *http.Request, app *gateway.Application) {
	h.o.Metrics.BadSignature(app.Key)
	h.noise.Refused("bad_signature", "application", app.Key, "app_id", app.AppID, "from", guard.Client(r))
	http.Error(w, "forbidden", http.StatusForbidden)
}

// commit places the events of a delivery and stores them. Events are attributed only to pages of
// the app whose callback was called.
func (h *Handler) commit(ctx context.Context, door *gateway.Application, envelopes []messenger.Envelope) error {
	if len(envelopes) == 0 {
		return nil
	}
	now := h.o.Store.Now()
	events := make([]*gateway.Event, 0, len(envelopes))
	for _, e := range envelopes {
		event := h.place(door, e, now)
		if told := h.referral(ctx, event); told != nil {
			events = append(events, told)
		}
		events = append(events, event)
		h.hear(event)
	}
	if err := h.o.Store.AppendEvents(ctx, events); err != nil {
		return err
	}
	for start := 0; start < len(events); {
		owner, end, duplicates, told := events[start].Application, start, 0, 0
		for ; end < len(events) && events[end].Application == owner; end++ {
			if events[end].Channel == "" {
				told++
			} else if events[end].Pos == 0 {
				duplicates++
			}
		}
		h.o.Metrics.Received(owner, end-start-told, duplicates)
		start = end
	}
	return nil
}

func (h *Handler) place(door *gateway.Application, e messenger.Envelope, now time.Time) *gateway.Event {
	keys := e.Keys()
	event := &gateway.Event{
		PageID: gateway.KeyText(string(e.PageID)), Type: gateway.TypeOf(e.Channel, keys.Kind), Channel: e.Channel, EntryTime: e.Time, ReceivedAt: now, Raw: e.Raw,
	}
	event.Person = gateway.KeyText(string(keys.Person()))
	owner := "app:" + door.AppID
	if e.Object != gateway.ObjectPage {
		event.Object = gateway.KeyText(string(e.Object)) // there is no application for such: it is kept as nobody's
	} else if app := h.o.Directory.ApplicationOf(door.AppID, event.PageID); app != nil {
		event.Application, owner = app.Key, app.Key
	}
	event.Partition = gateway.Partition(event.Application, event.Person)
	event.Dedup = gateway.DedupKey(owner, e, keys)
	return event
}

// referral notes in an event how the person came. A referral that is part of another event becomes
// one of its own, which goes before the other: it explains it.
func (h *Handler) referral(ctx context.Context, e *gateway.Event) *gateway.Event {
	if e.Application == "" || e.Person == "" {
		return nil
	}
	r := gateway.ReferralOf(e, func(ref string) *gateway.EntryPoint {
		if h.o.Points == nil {
			return nil
		}
		return h.o.Points.OfRef(e.Application, ref)
	})
	if r == nil {
		return nil
	}
	// A referral by itself comes of people only who have a conversation with the page already,
	// known here or not.
	r.First = r.Via != gateway.ViaReferral && h.first(ctx, e.Lane())
	data, err := json.Marshal(r)
	if err != nil {
		h.o.Logger.Error("note a referral", "err", err)
		return nil
	}
	if e.Type == gateway.EventReferral {
		e.Data = data
		return nil
	}
	sum := sha256.Sum256(append([]byte("referral of "), e.Dedup...))
	return &gateway.Event{
		Application: e.Application, Person: e.Person, Partition: e.Partition, PageID: e.PageID, Type: gateway.EventReferral, EntryTime: e.EntryTime,
		ReceivedAt: e.ReceivedAt, Dedup: sum[:16], Raw: e.Raw, Data: data,
	}
}

// hear notes that a person has done something.
func (h *Handler) hear(e *gateway.Event) {
	if e.Application == "" || e.Person == "" || !e.ByPerson() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard == nil || len(h.heard) >= maxHeard {
		h.heard = map[gateway.Lane]struct{}{}
	}
	h.heard[e.Lane()] = struct{}{}
}

// first reports whether nothing is known yet of a person: no profile, and nothing that they have
// done.
func (h *Handler) first(ctx context.Context, lane gateway.Lane) bool {
	h.mu.Lock()
	_, heard := h.heard[lane]
	h.mu.Unlock()
	if heard {
		return false
	}
	known, err := h.o.Store.Knows(ctx, lane)
	if err != nil {
		h.o.Logger.Warn("look a person up", "err", err) // the commit that follows will say whether the webhook is to come again
	}
	return err == nil && !known
}

// application finds the application whose door was used. A key that is not known may be new on
// another node: then the directory is read again, but not more often than ten times a second.
func (h *Handler) application(r *http.Request) *gateway.Application {
	key := r.PathValue("key")
	if app := h.o.Directory.Application(key); app != nil {
		return app
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.o.Store.Now(); now.Sub(h.lookedUp) > 100*time.Millisecond {
		h.lookedUp = now
		if err := h.o.Directory.Refresh(r.Context()); err != nil {
			h.o.Logger.Warn("refresh directory", "err", err)
		}
	}
	return h.o.Directory.Application(key)
}
