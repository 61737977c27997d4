package guard

import (
	"log/slog"
	"sync"
	"time"
)

// noiseInterval is how often a kind of nonsense is told of at most.
const noiseInterval = time.Minute

// Noise tells of requests that anybody can make and that are refused: each at level debug, and of
// each kind one line a minute with their number, so that a flood of them is no flood of lines. The
// zero value with a Logger is ready.
type Noise struct {
	Logger *slog.Logger

	mu    sync.Mutex
	kinds map[string]*noise
}

type noise struct {
	told time.Time
	n    int
}

// Refused tells of one. kind must be one of a few.
func (x *Noise) Refused(kind string, attrs ...any) {
	x.Logger.Debug("a request was refused", append([]any{"reason", kind}, attrs...)...)
	x.mu.Lock()
	k := x.kinds[kind]
	if k == nil {
		if x.kinds == nil {
			x.kinds = map[string]*noise{}
		}
		k = &noise{}
		x.kinds[kind] = k
	}
	k.n++
	n := 0
	if now := time.Now(); now.Sub(k.told) >= noiseInterval {
		n, k.n, k.told = k.n, 0, now
	}
	x.mu.Unlock()
	if n > 0 {
		x.Logger.Warn("requests were refused; level debug tells of each", append([]any{"reason", kind, "number", n}, attrs...)...)
	}
}
