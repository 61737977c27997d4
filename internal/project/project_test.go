package project_test

import (
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/project"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/service/servicetest"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messengertest"
)

// Whoever does something himself gets a profile once; an echo and a receipt make nobody known.
func TestWhoGetsAProfile(t *testing.T) {
	t.Parallel()
	in := servicetest.Open(t)
	in.Connect("A")
	platform := messengertest.Start(t)
	p := project.New(project.Options{Store: in.Store, Directory: in.Directory, Platform: service.Platform{BaseURL: platform.URL}, Logger: in.Logger})
	p.Start(t.Context())
	t.Cleanup(p.Stop)
	at := in.Store.Now().UTC().Truncate(time.Millisecond)
	event := func(person string, kind gateway.EventType, raw string) *gateway.Event {
		return &gateway.Event{Application: "A", Person: person, Type: kind, Channel: "messaging", Object: "page", ReceivedAt: at, Raw: []byte(raw)}
	}
	message := func(person, mid string) string {
		return `{"sender":{"id":"` + person + `"},"recipient":{"id":"A"},"timestamp":1,"message":{"mid":"` + mid + `","text":"x"}}`
	}
	in.Happen(
		event("100", gateway.EventMessageInbound, message("100", "m1")),
		event("100", gateway.EventMessageInbound, message("100", "m2")),
		event("200", gateway.EventMessageEcho, `{"sender":{"id":"A"},"recipient":{"id":"200"},"timestamp":1,"message":{"mid":"m3","is_echo":true,"text":"x"}}`),
		event("300", gateway.EventMessageRead, `{"sender":{"id":"300"},"recipient":{"id":"A"},"timestamp":1,"read":{"watermark":1}}`),
	)
	in.Read(store.ReaderProjector)
	for person, want := range map[string]bool{"100": true, "200": false, "300": false} {
		id, err := in.Store.ProfileOf(t.Context(), "A", person)
		if err != nil || (id != "") != want {
			t.Errorf("the profile of %s is %q (%v)", person, id, err)
		}
	}
	h, err := in.Store.History(t.Context(), gateway.Lane{Application: "A", Person: "100"})
	if err != nil || !h.LastInbound.Equal(at) {
		t.Errorf("last heard at %v (%v), wanted %v", h.LastInbound, err, at)
	}
}
