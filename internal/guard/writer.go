package guard

import (
	"net/http"
	"time"
)

// chunk is how much is handed to a connection at once, so that its time can be told by what has
// been taken.
const chunk = 64 << 10

// writer is the answer to a request. Whoever takes it has a while, and the more time the more they
// have taken. Only the time in which they keep us waiting counts, so that an answer may take as
// long as it likes to be made.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	g       *Guard
	written int64
	waited  time.Duration
}

func (w *writer) extend(more int) {
	o := &w.g.o
	left := o.Grace + time.Duration(w.written+int64(more))*time.Second/time.Duration(o.WriteRate) - w.waited
	w.control.SetWriteDeadline(time.Now().Add(max(left, time.Second))) // not all servers of tests can
}

// Write writes within the time that there is.
func (w *writer) Write(p []byte) (n int, err error) {
	for first := true; first || len(p) > 0; first = false {
		part := p[:min(len(p), chunk)]
		w.extend(len(part))
		begun := time.Now()
		wrote, err := w.ResponseWriter.Write(part)
		w.waited += time.Since(begun)
		w.written += int64(wrote)
		n += wrote
		if err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}

// Flush sends what is in the buffer.
func (w *writer) Flush() {
	w.extend(chunk)
	w.control.Flush() // one that is not taken shows at the next write
}

// Unwrap gives http.ResponseController the writer beneath.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
