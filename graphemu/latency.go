package graphemu

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Latency is how long the Graph API takes to answer: evenly distributed between Min and Max,
// half before the call takes effect and half after. The same seed yields the same sequence.
type Latency struct {
	Min, Max time.Duration
	Seed     uint64
}

// latencySource returns the sequence of a Latency. It is safe for concurrent use.
type latencySource struct {
	spread Latency

	mu  sync.Mutex
	rng *rand.Rand
}

func newLatencySource(spread Latency) *latencySource {
	return &latencySource{spread: spread, rng: rand.New(rand.NewPCG(spread.Seed, 0))}
}

func (l *latencySource) next() time.Duration {
	if l.spread.Max <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spread.Min + time.Duration(l.rng.Int64N(int64(max(l.spread.Max-l.spread.Min, 0))+1))
}
