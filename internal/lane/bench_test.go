package lane_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/chasqui/chasqui/internal/lane"
)

const (
	benchOwners = 4
	benchLanes  = 1000 // of each owner
	benchPlaces = 128
)

func benchKeys() []key {
	var keys []key
	for i := range benchOwners * benchLanes {
		keys = append(keys, key{fmt.Sprint("owner-", i%benchOwners), fmt.Sprint("person-", i)})
	}
	return keys
}

// BenchmarkScheduler pushes jobs into many lanes, most of them idle, and waits until all are done.
func BenchmarkScheduler(b *testing.B) {
	var left sync.WaitGroup
	limiter := rate.NewLimiter(rate.Inf, 1)
	o := options(func(key, *job) lane.Next { left.Done(); return lane.Done() })
	o.Places = benchPlaces
	o.Line = func(key, *job) lane.Line { return lane.Line{Name: "text", Pool: "page"} }
	o.Pace = func(string, string) time.Duration {
		if limiter.Allow() {
			return 0
		}
		return time.Millisecond
	}
	s := lane.New(o)
	defer s.Close()
	keys, jobs := benchKeys(), make([]job, b.N)
	left.Add(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		jobs[i].seq = int64(i + 1)
		s.Push(keys[i%len(keys)], &jobs[i])
	}
	left.Wait()
}

// BenchmarkGoroutineForEachLine does the same with a goroutine that serves each line, a channel for
// its places, and one goroutine for each job, which is how the outbox was scheduled before.
func BenchmarkGoroutineForEachLine(b *testing.B) {
	var left sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d := &plain{ctx: ctx, owners: map[string]*plainOwner{}, do: left.Done}
	keys, jobs := benchKeys(), make([]job, b.N)
	left.Add(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		jobs[i].seq = int64(i + 1)
		d.push(keys[i%len(keys)], &jobs[i])
	}
	left.Wait()
}

type plain struct {
	ctx    context.Context
	mu     sync.Mutex
	owners map[string]*plainOwner
	do     func()
}

type plainOwner struct {
	lanes   map[string]*plainLane
	ready   []*plainLane
	wake    chan struct{}
	slots   chan struct{}
	limiter *rate.Limiter
}

type plainLane struct {
	name         string
	queue        []*job
	busy, queued bool
}

func (d *plain) push(k key, j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.owners[k.owner]
	if o == nil {
		o = &plainOwner{lanes: map[string]*plainLane{}, wake: make(chan struct{}, 1), slots: make(chan struct{}, benchPlaces), limiter: rate.NewLimiter(rate.Inf, 1)}
		d.owners[k.owner] = o
		go d.serve(o)
	}
	l := o.lanes[k.name]
	if l == nil {
		l = &plainLane{name: k.name}
		o.lanes[k.name] = l
	}
	if l.queue = append(l.queue, j); len(l.queue) == 1 {
		d.ready(o, l)
	}
}

func (d *plain) ready(o *plainOwner, l *plainLane) {
	if l.busy || l.queued {
		return
	}
	l.queued = true
	o.ready = append(o.ready, l)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (d *plain) serve(o *plainOwner) {
	for {
		d.mu.Lock()
		var l *plainLane
		if len(o.ready) > 0 {
			l = o.ready[0]
			o.ready[0], o.ready = nil, o.ready[1:]
		}
		d.mu.Unlock()
		if l == nil {
			select {
			case <-o.wake:
				continue
			case <-d.ctx.Done():
				return
			}
		}
		if o.limiter.Wait(d.ctx) != nil {
			return
		}
		o.slots <- struct{}{}
		d.mu.Lock()
		l.queued, l.busy = false, true
		d.mu.Unlock()
		go func() {
			defer func() { <-o.slots }()
			d.do()
			d.mu.Lock()
			defer d.mu.Unlock()
			l.busy, l.queue[0] = false, nil
			if l.queue = l.queue[1:]; len(l.queue) > 0 {
				d.ready(o, l)
				return
			}
			delete(o.lanes, l.name)
		}()
	}
}
