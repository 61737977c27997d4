package lane_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/chasqui/chasqui/internal/lane"
)

// world is a scheduler over a source, and what is known of its jobs.
type world struct {
	s   *lane.Scheduler[key, *job]
	src *source
	o   lane.Options[key, *job]

	dice   sync.Mutex
	random *rand.Rand

	under map[key]bool // a job of the lane is under way, claimed or reserved
	busy  map[string]int
	total int
	wrong string
	lost  map[key]bool // lanes that another node works
	calm  bool         // nothing goes wrong any more
}

func (w *world) roll(n int) int {
	w.dice.Lock()
	defer w.dice.Unlock()
	return w.random.IntN(n)
}

// run does a job, or lets something go wrong with it.
func (w *world) run(k key, j *job) lane.Next {
	w.begin(k, j)
	time.Sleep(time.Duration(1+w.roll(3000)) * time.Millisecond)
	w.src.mu.Lock()
	defer w.src.mu.Unlock()
	w.end(k)
	switch n := w.roll(12); {
	case w.lost[k]:
		return lane.Reread()
	case w.calm:
	case n == 0:
		return lane.Again(time.Now().Add(time.Duration(w.roll(5000)) * time.Millisecond))
	case n == 1:
		return lane.Wait(time.Now().Add(time.Duration(1+w.roll(5000)) * time.Millisecond))
	case n == 2:
		return lane.Reread()
	}
	w.finish(k, j)
	return lane.Done()
}

func (w *world) begin(k key, j *job) {
	w.src.mu.Lock()
	defer w.src.mu.Unlock()
	w.busy[k.owner]++
	w.total++
	if w.under[k] {
		w.fail("two jobs of %v are under way", k)
	}
	w.under[k] = true
	if j.key != k || w.busy[k.owner] > w.o.Places || w.total > w.o.Total {
		w.fail("%v in %v; %d of its owner and %d of all are under way", j.key, k, w.busy[k.owner], w.total)
	}
}

func (w *world) end(k key) {
	w.busy[k.owner]--
	w.total--
	w.under[k] = false
}

// finish does a job, unless it is done: a read may have been older than that.
func (w *world) finish(k key, j *job) {
	if j.done {
		return
	}
	for _, other := range w.src.jobs {
		if other.key == k && other.seq < j.seq && !other.done {
			w.fail("%d of %v is done before %d", j.seq, k, other.seq)
		}
	}
	j.done = true
}

func (w *world) fail(format string, args ...any) {
	if w.wrong == "" {
		w.wrong = fmt.Sprintf(format, args...)
	}
}

// accept adds a job to the source, at once by a reservation where that is to be had.
func (w *world) accept(k key) {
	if w.admit(k, nil) == lane.Take && w.roll(3) == 0 && w.s.Reserve(k, lane.Line{Pool: "all"}) {
		j := w.src.add(k)
		if w.roll(2) == 0 {
			w.s.Begin(k, j)
			return
		}
		w.s.Finish(k, lane.Done())
		w.s.Push(k, j)
		return
	}
	w.s.Push(k, w.src.add(k))
}

// claim takes a job from outside, as one whose time is up: the first of its lane, or any.
func (w *world) claim(k key, first bool) {
	w.src.mu.Lock()
	var j *job
	for _, other := range w.src.jobs {
		if other.key == k && !other.done && (j == nil || !first && w.roll(2) == 0) {
			j = other
		}
	}
	w.src.mu.Unlock()
	if j == nil {
		return
	}
	free, claimed := w.s.Claim(k, j.seq)
	switch {
	case claimed:
		w.src.mu.Lock()
		w.finish(k, j)
		w.src.mu.Unlock()
		w.s.Finish(k, lane.Done())
	case free:
		w.s.Drop(k, j.seq)
		w.s.Put(k, j)
	}
}

// step is one thing that happens to a lane.
type step struct{ lane, what, much int }

func (w *world) step(at step) {
	keys := []key{{"p", "a"}, {"p", "b"}, {"q", "c"}, {"r", "d"}, {"r", "e"}}
	k := keys[at.lane]
	switch at.what {
	case 0, 1, 2:
		for range 1 + at.much/500 {
			w.accept(k)
		}
	case 3, 4:
		time.Sleep(time.Duration(at.much) * time.Millisecond)
	case 5:
		w.s.Wake(k)
	case 6:
		w.claim(k, at.much < 2000)
	case 7:
		w.src.mu.Lock()
		w.src.fails++
		w.src.mu.Unlock()
	case 8:
		w.lose(k)
	case 9:
		w.gain(k)
	case 10:
		w.s.Poke(k.owner)
	}
}

// lose lets a lane go to another node.
func (w *world) lose(k key) {
	w.src.mu.Lock()
	w.lost[k] = true
	w.src.mu.Unlock()
	w.s.Forget(func(other key) bool { return other == k })
}

// gain lets a lane come back, with what was not done of its owner's.
func (w *world) gain(k key) {
	w.s.SpillAll(func() map[string]int64 {
		w.src.mu.Lock()
		defer w.src.mu.Unlock()
		delete(w.lost, k)
		for _, j := range w.src.jobs {
			if j.key.owner == k.owner && !j.done {
				return map[string]int64{k.owner: j.seq}
			}
		}
		return nil
	})
}

func (w *world) admit(k key, _ *job) lane.Admission {
	w.src.mu.Lock()
	defer w.src.mu.Unlock()
	if w.lost[k] {
		return lane.Elsewhere
	}
	return lane.Take
}

// Whatever comes in whatever order: jobs of a lane are done once, in order and one at a time,
// within the places; and left alone, all of them are.
func TestEveryJobOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := &world{src: &source{took: 400 * time.Millisecond}, random: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1)), under: map[key]bool{}, lost: map[key]bool{}, busy: map[string]int{}}
		w.o = options(w.run)
		w.o.Admit = w.admit
		w.o.Source, w.o.Places, w.o.Total = w.src, rapid.IntRange(1, 2).Draw(r, "places"), rapid.IntRange(1, 4).Draw(r, "total")
		w.o.PerOwner, w.o.PerLane, w.o.Batch = rapid.IntRange(1, 9).Draw(r, "in memory"), rapid.IntRange(1, 4).Draw(r, "of a lane"), rapid.IntRange(1, 5).Draw(r, "batch")
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{rapid.IntRange(0, 4).Draw(r, "lane"), rapid.IntRange(0, 10).Draw(r, "what"), rapid.IntRange(0, 4000).Draw(r, "much")}
		}), 1, 40).Draw(r, "steps")
		synctest.Test(t, func(t *testing.T) { w.play(t, steps) })
		if w.wrong != "" {
			r.Fatal(w.wrong)
		}
	})
}

func (w *world) play(t *testing.T, steps []step) {
	w.s = lane.New(w.o)
	for _, at := range steps {
		w.step(at)
	}
	w.src.mu.Lock()
	w.calm = true
	lost := slices.Collect(maps.Keys(w.lost))
	w.src.mu.Unlock()
	for _, k := range lost {
		w.gain(k)
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	left := w.s.Lanes()
	stop(t, w.s)
	for _, j := range w.src.jobs {
		if !j.done {
			w.fail("%d of %v is never done", j.seq, j.key)
		}
	}
	if left > 0 {
		w.fail("%d lanes are left", left)
	}
}
