package lane_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chasqui/chasqui/internal/lane"
)

// key is a lane of an owner.
type key struct{ owner, name string }

// job is one of a lane.
type job struct {
	key  key
	seq  int64
	due  time.Time
	line string
	done bool
}

// source holds jobs as a database does: a read takes a while, and what it returns is as it was when
// the read began.
type source struct {
	mu    sync.Mutex
	jobs  []*job // in order
	took  time.Duration
	fails int
	reads int
	most  int // jobs asked for at once
}

func (s *source) add(k key) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := &job{key: k, seq: int64(len(s.jobs) + 1)}
	s.jobs = append(s.jobs, j)
	return j
}

func (s *source) finish(j *job) (before bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, j.done = j.done, true
	return before
}

func (s *source) read(ctx context.Context, from int64, limit int, want func(*job) bool) (found []*job, next int64, err error) {
	s.mu.Lock()
	s.reads++
	s.most = max(s.most, limit)
	for _, j := range s.jobs {
		if j.seq >= from && !j.done && want(j) {
			if len(found) == limit {
				next = found[limit-1].seq + 1
				break
			}
			found = append(found, j)
		}
	}
	failed := s.fails > 0
	s.fails = max(0, s.fails-1)
	s.mu.Unlock()
	if s.took > 0 {
		select {
		case <-time.After(s.took):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	if failed {
		return nil, 0, errors.New("the database is away")
	}
	return found, next, nil
}

func (s *source) Owner(ctx context.Context, owner string, from int64, limit int) (all []lane.Keyed[key, *job], next int64, err error) {
	jobs, next, err := s.read(ctx, from, limit, func(j *job) bool { return j.key.owner == owner })
	for _, j := range jobs {
		all = append(all, lane.Keyed[key, *job]{Key: j.key, Job: j})
	}
	return all, next, err
}

func (s *source) Lane(ctx context.Context, k key, from int64, limit int) ([]*job, int64, error) {
	return s.read(ctx, from, limit, func(j *job) bool { return j.key == k })
}

// log writes down what was done, in order.
type log struct {
	mu    sync.Mutex
	words []string
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words = append(l.words, fmt.Sprintf(format, args...))
}

func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	words := strings.Join(l.words, " ")
	l.words = nil
	return words
}

func options(run func(key, *job) lane.Next) lane.Options[key, *job] {
	return lane.Options[key, *job]{
		Owner: func(k key) string { return k.owner }, Order: func(j *job) int64 { return j.seq }, Due: func(j *job) time.Time { return j.due },
		Line: func(_ key, j *job) lane.Line { return lane.Line{Name: j.line, Pool: "all"} }, Run: run,
	}
}

// bubble runs a test on a clock of its own; what it leaves behind fails it.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, test)
}

func stop(t *testing.T, s *lane.Scheduler[key, *job]) {
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOrderAndOneAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		s := lane.New(options(func(k key, j *job) lane.Next {
			l.add("+%s%d", k.name, j.seq)
			time.Sleep(time.Second)
			l.add("-%s%d", k.name, j.seq)
			return lane.Done()
		}))
		a, b := key{"o", "a"}, key{"o", "b"}
		for seq := int64(1); seq <= 3; seq++ {
			s.Push(a, &job{seq: seq})
		}
		s.Push(a, &job{seq: 2}) // once more
		time.Sleep(500 * time.Millisecond)
		s.Push(b, &job{seq: 1})
		time.Sleep(5 * time.Second)
		if got, want := l.take(), "+a1 +b1 -a1 +a2 -b1 -a2 +a3 -a3"; got != want {
			t.Errorf("%s, wanted %s", got, want)
		}
		if n := s.Lanes(); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		start := time.Now()
		tries := map[int64]int{}
		s := lane.New(options(func(k key, j *job) lane.Next {
			l.add("%s%d@%d", k.name, j.seq, int(time.Since(start).Seconds()))
			tries[j.seq]++
			switch {
			case j.seq == 1 && tries[1] == 1:
				return lane.Again(time.Now().Add(10 * time.Second))
			case j.seq == 3 && tries[3] == 1:
				return lane.Wait(time.Now().Add(time.Hour))
			case j.seq == 4 && tries[4] == 1:
				return lane.Wait(time.Now().Add(7 * time.Second))
			}
			return lane.Done()
		}))
		defer stop(t, s)
		a, b, c := key{"o", "a"}, key{"o", "b"}, key{"p", "c"}
		s.Push(a, &job{seq: 1}) // again after 10 s
		s.Push(a, &job{seq: 2}) // and this one behind it
		s.Push(b, &job{seq: 3, due: start.Add(3 * time.Second)})
		s.Push(c, &job{seq: 4, due: start.Add(time.Second)})
		time.Sleep(4 * time.Second)
		s.Wake(a) // waits for its time, not for this
		time.Sleep(time.Second)
		s.Wake(b)
		time.Sleep(20 * time.Second)
		if got, want := l.take(), "a1@0 c4@1 b3@3 b3@5 c4@8 a1@10 a2@10"; got != want {
			t.Errorf("%s, wanted %s", got, want)
		}
	})
}

func TestAWakeThatComesWhileTheJobIsUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var runs atomic.Int64
		s := lane.New(options(func(key, *job) lane.Next {
			time.Sleep(time.Second)
			if runs.Add(1) == 1 {
				return lane.Wait(time.Now().Add(time.Hour))
			}
			return lane.Done()
		}))
		defer stop(t, s)
		s.Push(key{"o", "a"}, &job{seq: 1})
		synctest.Wait()
		s.Wake(key{"o", "a"})
		time.Sleep(3 * time.Second)
		if n := runs.Load(); n != 2 {
			t.Errorf("run %d times", n)
		}
	})
}

// An owner with many lanes has no more than its places, and one that comes late is served next.
func TestFairBetweenOwners(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		o := options(func(k key, _ *job) lane.Next {
			l.add("%s", k.owner)
			time.Sleep(time.Second)
			return lane.Done()
		})
		o.Total, o.Places = 3, 2
		s := lane.New(o)
		defer stop(t, s)
		for i := range 6 {
			s.Push(key{"greedy", fmt.Sprint(i)}, &job{seq: 1})
		}
		synctest.Wait()
		if got := l.take(); got != "greedy greedy" {
			t.Fatalf("began with %q", got)
		}
		for i := range 3 {
			s.Push(key{"modest", fmt.Sprint(i)}, &job{seq: 1})
			s.Push(key{"third", fmt.Sprint(i)}, &job{seq: 1})
		}
		synctest.Wait()
		if got := l.take(); got != "modest" {
			t.Fatalf("a free place went to %q", got)
		}
		time.Sleep(1100 * time.Millisecond)
		if round := strings.Fields(l.take()); len(round) != 3 || !slices.Contains(round, "modest") || !slices.Contains(round, "third") {
			t.Errorf("the next places went to %v", round)
		}
		time.Sleep(10 * time.Second)
		if n := s.Lanes(); n != 0 {
			t.Errorf("%d lanes are left", n)
		}
	})
}

func TestLinesSharePlacesAndKeepTheirPace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		o := options(func(k key, j *job) lane.Next {
			l.add("%s", j.line)
			time.Sleep(time.Second)
			return lane.Done()
		})
		o.Places = 2
		open, slow := false, time.Now()
		o.Pace = func(_, line string) time.Duration {
			switch {
			case line == "slow" && time.Now().Before(slow):
				return time.Until(slow)
			case line == "slow":
				slow = time.Now().Add(5 * time.Second)
			case line == "closed" && !open:
				return -1
			}
			return 0
		}
		s := lane.New(o)
		defer stop(t, s)
		for i, line := range []string{"slow", "slow", "closed", "fast", "fast", "fast"} {
			s.Push(key{"o", fmt.Sprint(i)}, &job{seq: 1, line: line})
		}
		synctest.Wait()
		if got := l.take(); got != "slow fast" && got != "fast slow" {
			t.Errorf("at first %q", got)
		}
		time.Sleep(1500 * time.Millisecond)
		if got := l.take(); got != "fast fast" {
			t.Errorf("then %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := l.take(); got != "" {
			t.Errorf("before its time %q", got)
		}
		open = true
		s.Poke("o")
		synctest.Wait()
		if got := l.take(); got != "closed" {
			t.Errorf("after it was opened %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := l.take(); got != "slow" {
			t.Errorf("at last %q", got)
		}
	})
}

// A long queue is in memory to a part only, and is done in order all the same.
func TestWhatIsLeftToTheSource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		src := &source{took: 10 * time.Millisecond}
		var s *lane.Scheduler[key, *job]
		o := options(func(k key, j *job) lane.Next {
			time.Sleep(time.Millisecond)
			if !src.finish(j) {
				l.add("%s%d", k.name, j.seq)
			}
			return lane.Done()
		})
		o.Source, o.PerOwner, o.PerLane, o.Batch = src, 8, 3, 5
		s = lane.New(o)
		defer stop(t, s)
		var want []*job
		for i := range 100 {
			j := src.add(key{"o", string(rune('a' + i%4))})
			want = append(want, j)
			s.Push(j.key, j)
		}
		if low := s.Spilled(); low != 9 && low != 13 {
			t.Errorf("left to the source from %d on", low)
		}
		src.mu.Lock()
		src.fails = 2
		src.mu.Unlock()
		time.Sleep(time.Minute)
		slices.SortStableFunc(want, func(a, b *job) int { return cmp.Compare(a.key.name, b.key.name) })
		done := strings.Fields(l.take())
		slices.SortStableFunc(done, func(a, b string) int { return cmp.Compare(a[0], b[0]) })
		for i, j := range want {
			if i >= len(done) || done[i] != fmt.Sprintf("%s%d", j.key.name, j.seq) {
				t.Fatalf("done %v", done)
			}
		}
		if src.most > 5 || s.Spilled() != 0 || s.Lanes() != 0 {
			t.Errorf("%d asked for at once; left from %d on, %d lanes", src.most, s.Spilled(), s.Lanes())
		}
	})
}

// What is dropped by Reread or Forget comes back from the source, before what came later.
func TestRereadAndForget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		src := &source{took: time.Millisecond}
		stale := map[int64]bool{1: true}
		mine := true
		o := options(func(k key, j *job) lane.Next {
			time.Sleep(time.Second)
			if stale[j.seq] {
				delete(stale, j.seq)
				return lane.Reread()
			}
			src.finish(j)
			l.add("%d", j.seq)
			return lane.Done()
		})
		o.Source = src
		o.Admit = func(key, *job) lane.Admission {
			if mine {
				return lane.Take
			}
			return lane.Elsewhere
		}
		s := lane.New(o)
		defer stop(t, s)
		a := key{"o", "a"}
		for range 2 {
			s.Push(a, src.add(a))
		}
		time.Sleep(time.Second + time.Millisecond/2) // the first is being read again
		s.Push(a, src.add(a))
		time.Sleep(1100 * time.Millisecond) // and has been done
		if got := l.take(); got != "1" {
			t.Errorf("done %q", got)
		}
		mine = false
		s.Forget(func(key) bool { return true }) // 2 is under way, and is not dropped
		time.Sleep(5 * time.Second)
		if got := l.take(); got != "2" {
			t.Errorf("done %q", got)
		}
		s.Push(a, src.add(a))
		time.Sleep(5 * time.Second)
		if got := l.take(); got != "" || s.Lanes() != 0 {
			t.Errorf("done %q of what is not its own", got)
		}
		mine = true
		s.Spill("o", 1)
		time.Sleep(5 * time.Second)
		if got := l.take(); got != "3 4" {
			t.Errorf("done %q", got)
		}
	})
}

// A job that comes while the rest of its lane is read from the source is not left there.
func TestAJobThatComesWhileItsLaneIsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		src := &source{took: time.Second}
		o := options(func(_ key, j *job) lane.Next {
			l.add("%d", j.seq)
			src.finish(j)
			return lane.Done()
		})
		o.Source, o.PerLane = src, 1
		s := lane.New(o)
		defer stop(t, s)
		a := key{"o", "a"}
		for range 2 {
			s.Push(a, src.add(a))
		}
		time.Sleep(500 * time.Millisecond) // the second is being read
		s.Push(a, src.add(a))
		time.Sleep(10 * time.Second)
		if got := l.take(); got != "1 2 3" || s.Spilled() != 0 {
			t.Errorf("done %q; left from %d on", got, s.Spilled())
		}
	})
}

// The room of lanes that are forgotten goes to what waits in the source.
func TestRoomOfForgottenLanesIsUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		src := &source{}
		o := options(func(_ key, j *job) lane.Next {
			l.add("%d", j.seq)
			src.finish(j)
			return lane.Done()
		})
		o.Source, o.PerOwner = src, 4
		s := lane.New(o)
		defer stop(t, s)
		lost := key{"o", "lost"}
		for range 4 {
			j := src.add(lost)
			j.due = time.Now().Add(time.Hour)
			s.Push(lost, j)
		}
		waits := src.add(key{"o", "waits"})
		s.Push(waits.key, waits)
		time.Sleep(time.Second)
		if got := l.take(); got != "" || s.Spilled() != waits.seq {
			t.Errorf("done %q; left from %d on", got, s.Spilled())
		}
		s.Forget(func(k key) bool { return k == lost })
		time.Sleep(time.Second)
		if got := l.take(); got != "5" {
			t.Errorf("done %q", got)
		}
	})
}

func TestReserve(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		o := options(func(_ key, j *job) lane.Next {
			l.add("%d", j.seq)
			time.Sleep(time.Second)
			return lane.Done()
		})
		o.Places = 1
		s := lane.New(o)
		defer stop(t, s)
		a, b, in := key{"o", "a"}, key{"o", "b"}, lane.Line{Name: "", Pool: "all"}
		if !s.Reserve(a, in) {
			t.Fatal("a free lane was not given")
		}
		if s.Reserve(a, in) || s.Reserve(b, in) {
			t.Error("a taken lane, or a taken place, was given")
		}
		s.Push(a, &job{seq: 2})
		s.Push(b, &job{seq: 3})
		synctest.Wait()
		if got := l.take(); got != "" {
			t.Fatalf("%q overtook what the lane is reserved for", got)
		}
		s.Begin(a, &job{seq: 1})
		time.Sleep(10 * time.Second)
		if got := l.take(); got != "1 3 2" {
			t.Errorf("done %q", got)
		}
		if !s.Reserve(a, in) {
			t.Fatal("a free lane was not given")
		}
		s.Push(a, &job{seq: 4})
		s.Finish(a, lane.Done())
		time.Sleep(10 * time.Second)
		if got := l.take(); got != "4" || s.Lanes() != 0 {
			t.Errorf("after a reservation that came to nothing: %q", got)
		}
	})
}

func TestClaimPutDropBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		var s *lane.Scheduler[key, *job]
		a := key{"o", "a"}
		o := options(func(_ key, j *job) lane.Next {
			l.add("%d", j.seq)
			if j.seq == 9 {
				for _, b := range s.Behind(a) {
					l.add("(%d)", b.seq)
				}
			}
			time.Sleep(time.Second)
			return lane.Done()
		})
		s = lane.New(o)
		defer stop(t, s)
		later := time.Now().Add(time.Minute)
		s.Push(a, &job{seq: 5, due: later})
		s.Push(a, &job{seq: 7})
		if free, claimed := s.Claim(a, 7); !free || claimed {
			t.Error("one that is not a head was claimed")
		}
		if free, claimed := s.Claim(a, 5); !free || !claimed {
			t.Error("a head that waits was not claimed")
		}
		if free, _ := s.Claim(a, 5); free {
			t.Error("it was claimed twice")
		}
		s.Put(a, &job{seq: 5}) // another form of what is claimed: whoever has it knows best
		s.Put(a, &job{seq: 6})
		s.Finish(a, lane.Done())
		s.Drop(a, 7)
		s.Put(a, &job{seq: 3, due: later})
		s.Put(a, &job{seq: 3}) // replaced
		synctest.Wait()
		if got := l.take(); got != "6" { // it had begun
			t.Errorf("done %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := l.take(); got != "3" {
			t.Errorf("done %q", got)
		}
		for seq := int64(9); seq < 12; seq++ {
			s.Push(a, &job{seq: seq})
		}
		time.Sleep(10 * time.Second)
		if got := l.take(); got != "9 (10) (11)" || s.Lanes() != 0 {
			t.Errorf("done %q", got)
		}
	})
}

func TestHaltAndStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var l log
		s := lane.New(options(func(k key, j *job) lane.Next {
			l.add("%s%d", k.name, j.seq)
			time.Sleep(time.Minute)
			if k.name == "bad" {
				return lane.Halt()
			}
			return lane.Done()
		}))
		for seq := int64(1); seq <= 2; seq++ {
			s.Push(key{"o", "bad"}, &job{seq: seq})
			s.Push(key{"o", "good"}, &job{seq: seq})
		}
		time.Sleep(90 * time.Second)
		if got := l.take(); got != "bad1 good1 good2" && got != "good1 bad1 good2" {
			t.Errorf("done %q", got)
		}
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Stop(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a job under way: %v", err)
		}
		s.Push(key{"o", "late"}, &job{seq: 1})
		s.Push(key{"o", "good"}, &job{seq: 3})
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if got := l.take(); got != "" {
			t.Errorf("%q began after the stop", got)
		}
	})
}
