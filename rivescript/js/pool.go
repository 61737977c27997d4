package js

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/fair"
	"github.com/chasqui/chasqui/rivescript"
)

// Options make a pool. The zero value is one for a server.
type Options struct {
	Limits
	Mode    Mode          // Auto when empty
	Workers int           // processes at once; 4 when 0
	Idle    time.Duration // after which a worker that is not needed ends; a minute when 0
	Logger  *slog.Logger  // hears of workers that had to be ended; nil for none
	Command []string      // that starts a program which calls Main; this program when empty
}

// Pool compiles and runs macros in workers. It is safe for any number of goroutines.
type Pool struct {
	o    Options
	log  *slog.Logger
	gate *fair.Gate

	started, killed, running atomic.Int64

	mu      sync.Mutex
	idle    []*worker // the last one used stands last
	closed  bool
	trouble int       // starts that failed, one after the other
	again   time.Time // no start before
	strikes map[string]strike
	sweep   *time.Timer
}

// strike is how often the macros of a tenant have ended a worker, or used up the time of their
// turn, lately. Calls that end well count against it.
type strike struct {
	n    float64
	last time.Time
}

const (
	startPause   = 100 * time.Millisecond // after a start that failed, doubled each time
	maxPause     = 10 * time.Second
	strikePause  = 50 * time.Millisecond // before a tenant gets a worker again after its macro has ended one, doubled each time
	maxStrike    = 2 * time.Second
	strikeMemory = time.Minute
	manyStrikes  = 10 // from which on a tenant's calls fail at once
	heldFor      = 5 * time.Second
	forgiven     = 0.05 // of a strike, by a call that ends well
)

// errNoMain says that the program would not become a worker when it is started as one, but do its
// work a second time.
var errNoMain = errors.New("js: the program does not call js.Main first thing in main (in tests: in TestMain)")

// NewPool makes a pool. No worker starts before there is a macro to be compiled or run.
func NewPool(o Options) *Pool {
	o.settle()
	if o.Mode == "" {
		o.Mode = Auto
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pool{o: o, log: o.Logger, gate: fair.New(o.Workers, (o.Workers+1)/2), strikes: map[string]strike{}}
}

// Close ends the workers. Calls under way end with an error.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	if p.sweep != nil {
		p.sweep.Stop()
	}
	p.mu.Unlock()
	for _, w := range idle {
		w.end()
	}
}

// Stats are numbers of a pool since it was made.
type Stats struct {
	Started int64 // workers
	Killed  int64 // workers that did not end by themselves: out of memory or of time
	Running int64 // workers that there are
}

// Stats returns the numbers of the pool.
func (p *Pool) Stats() Stats { return Stats{p.started.Load(), p.killed.Load(), p.running.Load()} }

// off says why no JavaScript is run; nil when it is.
func (p *Pool) off() error {
	switch {
	case p.o.Mode == Off:
		return errOff
	case p.o.Mode == Auto && !canLimit:
		return errSystem
	}
	return nil
}

// Checker returns a compiler for scripts of a tenant that are new: each macro is compiled at once,
// and one that is not JavaScript is refused with line and column. Tenant is whatever must not
// suffer from others and they from it, such as an application.
func (p *Pool) Checker(ctx context.Context, tenant string) rivescript.Compiler {
	return func(name, code string) (rivescript.Macro, error) {
		if err := p.off(); err != nil {
			return nil, err
		}
		if err := p.o.checkSource(code); err != nil {
			return nil, err
		}
		m := p.macro(tenant, name, code)
		return m.call, m.check(ctx)
	}
}

// Compiler returns a compiler for scripts of a tenant that were checked before: a macro is compiled
// when it is first called.
func (p *Pool) Compiler(tenant string) rivescript.Compiler {
	return func(name, code string) (rivescript.Macro, error) { return p.macro(tenant, name, code).call, nil }
}

func (p *Pool) macro(tenant, name, code string) *macro {
	hash := sha256.Sum256([]byte(name + "\x00" + code))
	return &macro{p: p, tenant: tenant, name: name, code: code, hash: string(fmt.Appendf(nil, "%x", hash[:16]))}
}

// acquire returns a worker for one call of a tenant, started if none is idle. Errors are that of
// ctx, errHeld, or wrap rivescript.ErrUnavailable.
func (p *Pool) acquire(ctx context.Context, tenant string) (*worker, error) {
	if err := p.penance(ctx, tenant); err != nil {
		return nil, err
	}
	if err := p.gate.Enter(ctx, tenant); err != nil {
		return nil, err
	}
	w, err := p.take()
	if err != nil {
		p.gate.Leave(tenant)
		return nil, err
	}
	return w, nil
}

// penance lets a tenant wait whose macros have just ended workers, so that starting new ones does
// not take all of the machine. After many in a row only one call is let through now and then, until
// they end well again.
func (p *Pool) penance(ctx context.Context, tenant string) error {
	p.mu.Lock()
	s := p.strikes[tenant]
	if s.n < 1 {
		p.mu.Unlock()
		return nil
	}
	if s.n >= manyStrikes {
		if time.Since(s.last) < heldFor {
			p.mu.Unlock()
			return errHeld
		}
		s.last = time.Now() // the others are held until this one has ended
		p.strikes[tenant] = s
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	wait := time.NewTimer(time.Until(s.last.Add(doubled(strikePause, int(s.n)-1, maxStrike))))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func doubled(d time.Duration, times int, most time.Duration) time.Duration {
	return min(d<<min(times, 16), most)
}

func (p *Pool) take() (*worker, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("%w: the pool is closed", rivescript.ErrUnavailable)
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w, nil
	}
	wait := time.Until(p.again)
	p.mu.Unlock()
	if wait > 0 {
		return nil, fmt.Errorf("%w: no worker could be started; the next try is in %s", rivescript.ErrUnavailable, wait.Round(time.Millisecond))
	}
	w, err := p.start()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.again = time.Now().Add(doubled(startPause, p.trouble, maxPause))
		p.trouble++
		p.log.Error("start a worker for JavaScript", "err", err)
		return nil, fmt.Errorf("%w: %w", rivescript.ErrUnavailable, err)
	}
	p.trouble = 0
	p.started.Add(1)
	return w, nil
}

// release takes a worker back. One that is broken is gone already.
func (p *Pool) release(tenant string, w *worker) {
	defer p.gate.Leave(tenant)
	p.mu.Lock()
	p.judge(tenant, w)
	if w.broken {
		p.killed.Add(1)
		p.mu.Unlock()
		return
	}
	if p.closed {
		p.mu.Unlock()
		w.end()
		return
	}
	w.since = time.Now()
	p.idle = append(p.idle, w)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(p.o.Idle, p.endIdle)
	}
	p.mu.Unlock()
}

// judge remembers how a tenant has used a worker. The caller holds p.mu.
func (p *Pool) judge(tenant string, w *worker) {
	now := time.Now()
	if !w.broken && !w.slow {
		if s, ok := p.strikes[tenant]; ok {
			if s.n -= forgiven; s.n >= manyStrikes {
				s.n = manyStrikes - 1 // the one that was let through ended well
			}
			if p.strikes[tenant] = s; s.n <= 0 {
				delete(p.strikes, tenant)
			}
		}
		return
	}
	w.slow = false
	for t, s := range p.strikes {
		if now.Sub(s.last) > strikeMemory {
			delete(p.strikes, t)
		}
	}
	s := p.strikes[tenant]
	p.strikes[tenant] = strike{s.n + 1, now}
}

// endIdle ends workers that nobody needed for a while.
func (p *Pool) endIdle() {
	p.mu.Lock()
	var old []*worker
	for len(p.idle) > 0 && time.Since(p.idle[0].since) >= p.o.Idle {
		old = append(old, p.idle[0])
		p.idle = p.idle[1:]
	}
	p.sweep = nil
	if len(p.idle) > 0 && !p.closed {
		p.sweep = time.AfterFunc(p.o.Idle-time.Since(p.idle[0].since), p.endIdle)
	}
	p.mu.Unlock()
	for _, w := range old {
		w.end()
	}
}

// command is how a worker is started.
func (p *Pool) command() ([]string, error) {
	if len(p.o.Command) > 0 {
		return p.o.Command, nil
	}
	if !called.Load() {
		return nil, errNoMain
	}
	if runtime.GOOS == "linux" {
		return []string{"/proc/self/exe"}, nil // this program, even if another was put into its place
	}
	self, err := os.Executable()
	return []string{self}, err
}
