package guard

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

// errOverloaded ends the reading of a body for which there is no room.
var errOverloaded = gateway.Errorf(gateway.CodeOverloaded, "too many large requests are under way; try again")

// budget is the room for the bodies of requests under way.
type budget struct {
	max int64

	mu           sync.Mutex
	all, strange int64 // bytes held, and those of them by callers who have not shown who they are
}

// take takes room for n more bytes of a request.
func (h *held) take(n int64) bool {
	b := &h.g.bodies
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all+n > b.max || !h.trusted && b.strange+n > b.max/2 {
		return false
	}
	b.all += n
	h.bytes += n
	if !h.trusted {
		b.strange += n
	}
	return true
}

func (h *held) trust() {
	b := &h.g.bodies
	b.mu.Lock()
	defer b.mu.Unlock()
	if !h.trusted {
		b.strange -= h.bytes
		h.trusted = true
	}
}

// release gives the room back.
func (h *held) release() {
	b := &h.g.bodies
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all -= h.bytes
	if !h.trusted {
		b.strange -= h.bytes
	}
	h.bytes = 0
}

// body is the body of a request. Whoever sends it has a while, and the more time the more has come:
// a slow upload that lives goes on, one that stands still ends.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	header  http.Header // of the answer
	held    *held
	conn    *conn
	begun   time.Time
	read    int64
	over    bool
}

func newBody(from io.ReadCloser, w http.ResponseWriter, control *http.ResponseController, h *held, c *conn) *body {
	b := &body{ReadCloser: from, control: control, header: w.Header(), held: h, conn: c, begun: time.Now()}
	b.extend() // what no handler reads, the server does
	return b
}

func (b *body) extend() {
	o := &b.held.g.o
	b.control.SetReadDeadline(b.begun.Add(o.Grace + time.Duration(b.read)*time.Second/time.Duration(o.ReadRate))) // not all servers of tests can
}

// Read reads on, within the time and the room that there is.
func (b *body) Read(p []byte) (int, error) {
	if b.over {
		return b.ReadCloser.Read(p)
	}
	b.extend()
	b.conn.works(false)
	n, err := b.ReadCloser.Read(p)
	b.conn.works(true)
	b.read += int64(n)
	switch {
	case !b.held.take(int64(n)):
		n, err = 0, errOverloaded
	case err == io.EOF:
		b.over = true
		b.control.SetReadDeadline(time.Time{}) // the connection is watched from now on, for as long as the answer takes
		return n, err
	}
	if err != nil {
		b.header.Set("Connection", "close") // the rest is not waited for
	}
	return n, err
}

// firstRead is how much room a body is given at first. It grows with what comes: what a header
// promises costs its sender nothing.
const firstRead = 32 << 10

// ReadBody reads the body of a request, at most limit bytes. The error is one of the API's:
// payload_too_large, overloaded, or invalid_request when the body does not come to its end.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := gateway.Errorf(gateway.CodePayloadTooLarge, "the body may have %d bytes", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	reader := http.MaxBytesReader(w, r.Body, limit)
	size := int64(firstRead)
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength+1) // one more, to meet the end
	}
	all := make([]byte, 0, size)
	for {
		n, err := reader.Read(all[len(all):cap(all)])
		all = all[:len(all)+n]
		var exceeded *http.MaxBytesError
		var known *gateway.Error
		switch {
		case err == io.EOF:
			return all, nil
		case errors.As(err, &exceeded):
			return nil, tooLarge
		case errors.As(err, &known):
			return nil, known
		case err != nil:
			return nil, gateway.Invalid("", "the body could not be read to its end").WithCause(err)
		}
		if len(all) == cap(all) {
			next := int64(cap(all)) * 2
			if r.ContentLength >= 0 {
				next = min(next, r.ContentLength+1)
			}
			grown := make([]byte, len(all), max(next, int64(len(all))+512))
			copy(grown, all)
			all = grown
		}
	}
}
