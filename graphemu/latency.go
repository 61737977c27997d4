package graphemu

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Latency is how long the Graph API takes to answer: evenly spread between Min
// and Max, half before the call takes effect and half after. The same seed
// gives the same row of values.
type Latency struct {
	Min, Max time.Duration
	Seed     uint64
}

// latencySource gives the row of pauses of a seed.
type latencySource struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (l *latencySource) seed(n uint64) { l.rng = rand.New(rand.NewPCG(n, 0)) }

func (l *latencySource) next(spread Latency) time.Duration {
	if spread.Max <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return spread.Min + time.Duration(l.rng.Int64N(int64(max(spread.Max-spread.Min, 0))+1))
}
