package graphemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// answerBuffer holds an answer until latency and faults have been applied.
type answerBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answerBuffer) Header() http.Header         { return a.header }
func (a *answerBuffer) WriteHeader(status int)      { a.status = status }
func (a *answerBuffer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *answerBuffer) refuse(e *messenger.Error) {
	if a.header == nil {
		a.header = http.Header{}
	}
	e.TraceID = "A" + fmt.Sprintf("%022x", time.Now().UnixNano())
	messenger.WriteError(a, e)
}

func (a *answerBuffer) write(v any) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header["Content-Type"] = []string{"application/json; charset=UTF-8"}
	a.status = http.StatusOK
	enc := json.NewEncoder(&a.body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		a.status = http.StatusInternalServerError
		return
	}
	a.body.Truncate(a.body.Len() - 1)
}

// finish writes what a call answers, unless it is refused before.
func (a *answerBuffer) finish(refusal *messenger.Error, carryOut func() (any, *messenger.Error)) {
	if refusal != nil {
		a.refuse(refusal)
		return
	}
	value, e := carryOut()
	if e != nil {
		a.refuse(e)
		return
	}
	a.write(value)
}

// flush sends the answer, as a fault wants it.
func (a *answerBuffer) flush(w http.ResponseWriter, c *call, f Fault) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	version := c.ver
	if version == "" {
		version = messenger.DefaultVersion
	}
	h.Set("Facebook-Api-Version", version)
	h.Set("Cache-Control", "private, no-cache, no-store, must-revalidate")
	h.Set("Access-Control-Allow-Origin", "*")
	for name, value := range f.Headers {
		h.Set(name, value)
	}
	w.WriteHeader(a.status)
	if f.SlowBodyMS <= 0 {
		w.Write(a.body.Bytes()) //nolint:errcheck // the caller is gone when this fails
		return
	}
	flush := http.NewResponseController(w)
	step := a.body.Len()/10 + 1
	for a.body.Len() > 0 {
		w.Write(a.body.Next(step)) //nolint:errcheck // likewise
		flush.Flush()              //nolint:errcheck // likewise
		wait(c.r, time.Duration(f.SlowBodyMS)*time.Millisecond/10)
	}
}

// resetConnection makes the kernel reset the connection instead of closing it.
func resetConnection(w http.ResponseWriter, reset bool) {
	if !reset {
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // it is closed in any case
	}
	conn.Close()
}

// wait pauses, unless the caller goes away.
func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}
