package graphemu

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// stream is the server-sent events of the chat page.
func (a controlAPI) stream(w http.ResponseWriter, r *http.Request) {
	ch := a.world.changes.subscribe()
	if ch == nil {
		http.Error(w, "the emulator is closing", http.StatusServiceUnavailable)
		return
	}
	defer a.world.changes.leave(ch)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 1000\n\n")
	ping := time.NewTicker(15 * time.Second)
	defer ping.Stop()
	for {
		if flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ping.C:
			fmt.Fprint(w, ": ping\n\n")
		case c, open := <-ch:
			if !open {
				return
			}
			b, err := json.Marshal(c)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", b)
		}
	}
}
