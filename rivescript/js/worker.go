package js

import (
	"bufio"
	"container/list"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"
)

// called says that Main was called: only then can the program be started as a worker.
var called atomic.Bool

// What a worker does not need to be told.
const (
	maxStack     = 64 << 20 // of a goroutine; a compiler that goes down too deep ends the worker there
	gcPercent    = 200
	maxPrograms  = 512     // compiled macros that are kept
	maxSources   = 8 << 20 // bytes of their sources
	heapTick     = 2 * time.Millisecond
	regexpTime   = time.Second           // of one match that goes back and forth, after which it has not matched; the others need none
	regexpRepeat = 50 * time.Millisecond // how exactly that is kept
)

// Main is called first thing in main, and in TestMain of tests. In a program that was started as a
// worker it works until the program that started it has no more need of it, and does not return.
// Otherwise it does nothing.
func Main() {
	called.Store(true)
	words, ok := os.LookupEnv(marker)
	if !ok {
		return
	}
	os.Unsetenv(marker)
	os.Exit(work(words))
}

// work limits this process and does what it is asked.
func work(words string) int {
	out := os.Stdout
	ready := frame{Kind: kindReady}
	var l Limits
	err := json.Unmarshal([]byte(words), &l)
	if err == nil {
		l.settle()
		ready.Limited, err = limitMemory(l.Memory)
	}
	if err != nil {
		ready.Error = err.Error()
	}
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(int64(l.Heap) * 2)
	regexp2.DefaultMatchTimeout = regexpTime
	regexp2.SetTimeoutCheckPeriod(regexpRepeat)
	if writeFrame(out, &ready, maxFromWorker) != nil || err != nil {
		return 1
	}
	m := &machine{limits: l, out: out, asked: make(chan *frame), programs: newPrograms()}
	go m.listen(os.Stdin)
	for f := range m.asked {
		if err := m.serve(f); err != nil {
			return 1
		}
	}
	return 0
}

// machine is the worker's side of the pipes.
type machine struct {
	limits   Limits
	out      io.Writer
	asked    chan *frame
	programs *programs
	helpers  *goja.Program
}

// listen reads frames. When the program is gone, so is this process, whatever it is doing.
func (m *machine) listen(in io.Reader) {
	r := bufio.NewReader(in)
	for {
		f, err := readFrame(r, maxToWorker)
		if err != nil {
			os.Exit(0)
		}
		m.asked <- f
	}
}

// serve does what a frame asks. The error is that of the pipe.
func (m *machine) serve(f *frame) error {
	done := frame{Kind: kindDone}
	var err error
	switch f.Kind {
	case kindCheck:
		_, err = m.program(f.Hash, f.Name, f.Text)
	case kindCall:
		done.Text, err = m.call(f)
	default:
		err = errors.New("a frame " + string(f.Kind) + " out of turn")
	}
	if err != nil {
		done.Error = oneLine(err.Error())
	}
	return writeFrame(m.out, &done, maxFromWorker)
}

// ask asks the program for something, and does what that asks first.
func (m *machine) ask(q *frame) (*frame, error) {
	if err := writeFrame(m.out, q, maxFromWorker); err != nil {
		return nil, err
	}
	for f := range m.asked {
		if f.Kind == kindValue {
			if f.Error != "" {
				return nil, errors.New(f.Error)
			}
			return f, nil
		}
		if err := m.serve(f); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// program returns the compiled macro of a hash. Without its source, it is asked for.
func (m *machine) program(hash, name, code string) (*goja.Program, error) {
	if p := m.programs.get(hash); p != nil {
		return p, nil
	}
	if code == "" {
		f, err := m.ask(&frame{Kind: kindNeed})
		if err != nil {
			return nil, err
		}
		code = f.Text
	}
	if err := m.limits.checkSource(code); err != nil {
		return nil, err
	}
	p, err := goja.Compile(name, "(function(rs, args) {"+code+"\n})", false)
	if err != nil {
		return nil, err
	}
	m.programs.put(hash, p, len(code))
	return p, nil
}

// programs are compiled macros; those that were not used for longest go first.
type programs struct {
	by    map[string]*list.Element
	order *list.List // the latest first
	size  int
}

type compiled struct {
	hash    string
	program *goja.Program
	size    int
}

func newPrograms() *programs { return &programs{by: map[string]*list.Element{}, order: list.New()} }

func (p *programs) get(hash string) *goja.Program {
	e := p.by[hash]
	if e == nil {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*compiled).program
}

func (p *programs) put(hash string, program *goja.Program, size int) {
	p.by[hash] = p.order.PushFront(&compiled{hash, program, size})
	for p.size += size; p.size > maxSources || p.order.Len() > maxPrograms; {
		last := p.order.Back()
		old := p.order.Remove(last).(*compiled)
		delete(p.by, old.hash)
		p.size -= old.size
	}
}
