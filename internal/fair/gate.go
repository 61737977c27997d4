// Package fair shares a fixed number of places among keys, such as applications, by turns: no key
// can hold them all, and one that wants many waits behind the others.
package fair

import (
	"context"
	"slices"
	"sync"
)

// Gate hands out places. It is made by New and safe for any number of goroutines.
type Gate struct {
	mu     sync.Mutex
	free   int
	each   int
	held   map[string]int
	queues map[string][]chan struct{}
	order  []string // of the keys that wait; who was served goes to the end
}

// New makes a gate with a number of places, of which one key has at most each at a time.
func New(places, each int) *Gate {
	return &Gate{free: places, each: each, held: map[string]int{}, queues: map[string][]chan struct{}{}}
}

// Enter waits for a place. It returns the error of ctx when that ends first; otherwise the place
// must be given back with Leave.
func (g *Gate) Enter(ctx context.Context, key string) error {
	g.mu.Lock()
	if g.free > 0 && g.held[key] < g.each {
		// Whoever waits while a place is free waits for places of its own key.
		g.take(key)
		g.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	if len(g.queues[key]) == 0 {
		g.order = append(g.order, key)
	}
	g.queues[key] = append(g.queues[key], mine)
	g.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-mine: // given at the same moment
		g.giveBack(key)
	default:
		g.queues[key] = slices.DeleteFunc(g.queues[key], func(c chan struct{}) bool { return c == mine })
		if len(g.queues[key]) == 0 {
			g.forget(key)
		}
	}
	return context.Cause(ctx)
}

// Leave gives a place back.
func (g *Gate) Leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(key)
}

func (g *Gate) take(key string) {
	g.free--
	g.held[key]++
}

func (g *Gate) giveBack(key string) {
	g.free++
	if g.held[key]--; g.held[key] == 0 {
		delete(g.held, key)
	}
	for i := 0; i < len(g.order) && g.free > 0; {
		next := g.order[i]
		if g.held[next] >= g.each {
			i++
			continue
		}
		g.take(next)
		close(g.queues[next][0])
		g.queues[next] = g.queues[next][1:]
		g.order = slices.Delete(g.order, i, i+1)
		if len(g.queues[next]) == 0 {
			delete(g.queues, next)
		} else {
			g.order = append(g.order, next)
		}
	}
}

func (g *Gate) forget(key string) {
	delete(g.queues, key)
	g.order = slices.DeleteFunc(g.order, func(k string) bool { return k == key })
}

// Waiting counts those who wait for a place of a key.
func (g *Gate) Waiting(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queues[key])
}
