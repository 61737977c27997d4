package js

import (
	_ "embed"
	"errors"
	"fmt"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

//go:embed helpers.js
var helpersSource string

// running is a call at work: its runtime, and what it has left.
type running struct {
	m     *machine
	vm    *goja.Runtime
	until atomic.Int64 // in nanoseconds since 1970; 0 while the program has the word
}

// call runs a macro once.
func (m *machine) call(f *frame) (text string, err error) {
	p, err := m.program(f.Hash, f.Name, "")
	if err != nil {
		return "", err
	}
	if m.helpers == nil {
		m.helpers = goja.MustCompile("helpers", helpersSource, true)
	}
	r := &running{m: m, vm: goja.New()}
	r.vm.SetMaxCallStackSize(m.limits.Depth)
	r.allow(f.Micros)
	stop := r.watch()
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("%v", p)
		}
	}()
	result, err := r.run(p, f)
	if err != nil {
		return "", explain(err)
	}
	return r.text(result)
}

func (r *running) allow(micros int64) {
	r.until.Store(time.Now().Add(time.Duration(micros) * time.Microsecond).UnixNano())
}

func (r *running) run(p *goja.Program, f *frame) (goja.Value, error) {
	vm := r.vm
	if _, err := vm.RunProgram(r.m.helpers); err != nil {
		return nil, err
	}
	body, err := vm.RunProgram(p)
	if err != nil {
		return nil, err
	}
	call, ok := goja.AssertFunction(body)
	if !ok {
		return nil, errors.New("it is not the body of a function")
	}
	list := make([]any, len(f.Args))
	for i, a := range f.Args {
		list[i] = a
	}
	this := vm.NewObject()
	data := goja.Value(vm.NewObject())
	if len(f.Data) > 0 {
		parse, _ := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("parse"))
		if data, err = parse(nil, vm.ToValue(string(f.Data))); err != nil {
			return nil, err
		}
	}
	if err := this.Set("httpData", data); err != nil {
		return nil, err
	}
	return call(this, vm.ToValue(r.bridge(f.User)), vm.NewArray(list...))
}

// text is what a macro has answered.
func (r *running) text(result goja.Value) (string, error) {
	if p, ok := promise(result); ok {
		switch p.State() {
		case goja.PromiseStateFulfilled:
			result = p.Result()
		case goja.PromiseStateRejected:
			return "", errors.New(p.Result().String())
		default:
			return "", errors.New("its promise is never kept")
		}
	}
	if result == nil || goja.IsUndefined(result) || goja.IsNull(result) {
		return "", nil
	}
	var text string
	err := r.vm.Try(func() { text = result.String() }) // which may run a toString of the macro's
	if err != nil {
		return "", explain(err)
	}
	if len(text) > r.m.limits.Result {
		return "", fmt.Errorf("its answer has more than %d bytes", r.m.limits.Result)
	}
	return text, nil
}

func promise(v goja.Value) (*goja.Promise, bool) {
	if v == nil {
		return nil, false
	}
	p, ok := v.Export().(*goja.Promise)
	return p, ok
}

func explain(err error) error {
	var interrupted *goja.InterruptedError
	if errors.As(err, &interrupted) {
		if cause, ok := interrupted.Value().(error); ok {
			return cause
		}
	}
	var deep *goja.StackOverflowError
	if errors.As(err, &deep) {
		return errDepth
	}
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		return errors.New(thrown.Value().String())
	}
	return err
}

// watch stops the runtime between two steps when it takes too much, until stop is called. What it
// cannot stop, because it is one step, ends at the limit of memory or by being killed.
func (r *running) watch() (stop func()) {
	done := make(chan struct{})
	before := heap()
	go func() {
		tick := time.NewTicker(heapTick)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				if until := r.until.Load(); until != 0 && now.UnixNano() > until {
					r.vm.Interrupt(errTime)
				}
				if heap() > before+r.m.limits.Heap {
					r.vm.Interrupt(errMemory)
				}
			}
		}
	}()
	return func() { close(done) }
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// ask asks the program. What goes wrong is thrown.
func (r *running) ask(q *frame) *frame {
	until := r.until.Swap(0)
	a, err := r.m.ask(q)
	r.until.Store(until)
	if err != nil {
		panic(r.vm.NewGoError(err))
	}
	if r.allow(a.Micros); a.Micros <= 1 {
		r.vm.Interrupt(errTime)
	}
	return a
}

// bridge is the rs of a macro. It reads and writes only the person whose turn it is, whatever name
// is given.
func (r *running) bridge(user string) map[string]any {
	get := func(k kind, name string) string {
		if a := r.ask(&frame{Kind: k, Name: name}); !a.Missing {
			return a.Text
		}
		return "undefined"
	}
	set := func(values map[string]goja.Value) {
		vars := make(map[string]*string, len(values))
		for name, v := range values {
			vars[name] = nil
			if v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
				s := v.String()
				vars[name] = &s
			}
		}
		r.ask(&frame{Kind: kindSet, Vars: vars})
	}
	bot := func(name string) string { return get(kindBot, name) }
	setBot := func(name string, value goja.Value) { r.ask(&frame{Kind: kindBots, Name: name, Text: value.String()}) }
	return map[string]any{
		"currentUser": func() string { return user },
		"getUservar":  func(_ string, name string) string { return get(kindGet, name) },
		"getUservars": func(goja.FunctionCall) goja.Value {
			all := r.vm.NewObject()
			for name, value := range r.ask(&frame{Kind: kindVars}).Vars {
				if value != nil {
					all.Set(name, *value)
				}
			}
			return all
		},
		"setUservar":  func(_ string, name string, value goja.Value) { set(map[string]goja.Value{name: value}) },
		"setUservars": func(_ string, values map[string]goja.Value) { set(values) },
		"getBotvar":   bot, "getVariable": bot, "setBotvar": setBot, "setVariable": setBot,
		"reply": func(_ string, text string) string { return r.ask(&frame{Kind: kindReply, Text: text}).Text },
	}
}
