// Package js runs the JavaScript macros of scripts.
//
// A macro is the body of function(rs, args), as in every engine for RiveScript that knows JavaScript. Each call has a runtime of its own, without files, network or
// timers, and with bounds on time, memory and depth. Of lodash (_) and moment there is what scripts use; docs of the project list it.
package js

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/dop251/goja"

	"github.com/chasqui/chasqui/rivescript"
)

// Limits bound each call of a macro. Zero fields have the defaults.
type Limits struct {
	Time   time.Duration // 250 ms
	Memory uint64        // bytes by which the heap of the process may grow meanwhile, whoever uses it; 128 MiB
	Depth  int           // of calls; 500
	Result int           // bytes of the answer; 64 KiB
}

//go:embed helpers.js
var helpersSource string

// Compiler compiles macros. A body that is no JavaScript is refused with line and column.
func Compiler(l Limits) rivescript.Compiler {
	if l.Time == 0 {
		l.Time = 250 * time.Millisecond
	}
	if l.Memory == 0 {
		l.Memory = 128 << 20
	}
	if l.Depth == 0 {
		l.Depth = 500
	}
	if l.Result == 0 {
		l.Result = 64 << 10
	}
	helpers := goja.MustCompile("helpers", helpersSource, true)
	return func(name, code string) (rivescript.Macro, error) {
		program, err := goja.Compile(name, "(function(rs, args) {"+code+"\n})", false)
		if err != nil {
			return nil, err
		}
		m := &macro{name: name, limits: l, helpers: helpers, program: program}
		return m.call, nil
	}
}

type macro struct {
	name             string
	limits           Limits
	helpers, program *goja.Program
}

var (
	errTime   = errors.New("it takes too long")
	errMemory = errors.New("it takes too much memory")
)

// call runs the macro once.
func (m *macro) call(ctx context.Context, c *rivescript.Call, args []string) (text string, err error) {
	vm := goja.New()
	vm.SetMaxCallStackSize(m.limits.Depth)
	stop := m.watch(ctx, vm)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("macro %s: %v", m.name, p)
		}
	}()
	result, err := m.run(vm, c, args)
	if err != nil {
		return "", m.explain(err)
	}
	if p, ok := result.Export().(*goja.Promise); ok {
		switch p.State() {
		case goja.PromiseStateFulfilled:
			result = p.Result()
		case goja.PromiseStateRejected:
			return "", fmt.Errorf("macro %s: %s", m.name, p.Result())
		default:
			return "", fmt.Errorf("macro %s: its promise is never kept", m.name)
		}
	}
	if result == nil || goja.IsUndefined(result) || goja.IsNull(result) {
		return "", nil
	}
	if text = result.String(); len(text) > m.limits.Result {
		return "", fmt.Errorf("macro %s: its answer has more than %d bytes", m.name, m.limits.Result)
	}
	return text, nil
}

func (m *macro) run(vm *goja.Runtime, c *rivescript.Call, args []string) (goja.Value, error) {
	if _, err := vm.RunProgram(m.helpers); err != nil {
		return nil, err
	}
	f, err := vm.RunProgram(m.program)
	if err != nil {
		return nil, err
	}
	call, _ := goja.AssertFunction(f)
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
	}
	this := vm.NewObject()
	if err := this.Set("httpData", c.Data()); err != nil {
		return nil, err
	}
	return call(this, vm.ToValue(bridge(vm, c)), vm.NewArray(list...))
}

func (m *macro) explain(err error) error {
	var interrupted *goja.InterruptedError
	if errors.As(err, &interrupted) {
		if cause, ok := interrupted.Value().(error); ok {
			err = cause
		}
	}
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		err = errors.New(thrown.Value().String())
	}
	return fmt.Errorf("macro %s: %w", m.name, err)
}

// watch stops the runtime when it takes too much, until stop is called.
func (m *macro) watch(ctx context.Context, vm *goja.Runtime) (stop func()) {
	done := make(chan struct{})
	before := heap()
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		end := time.NewTimer(m.limits.Time)
		defer end.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				vm.Interrupt(context.Cause(ctx))
				return
			case <-end.C:
				vm.Interrupt(errTime)
				return
			case <-tick.C:
				if now := heap(); now > before+m.limits.Memory {
					vm.Interrupt(errMemory)
					return
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

// bridge is the rs of a macro. It reads and writes only the person whose turn it is, whatever name is given.
func bridge(vm *goja.Runtime, c *rivescript.Call) map[string]any {
	get := func(_ string, name string) string {
		if v, ok := c.User.Get(name); ok {
			return v
		}
		return "undefined"
	}
	bot := func(name string) string {
		if v, ok := c.Engine.BotVar(name); ok {
			return v
		}
		return "undefined"
	}
	setVar := func(_ string, name string, value goja.Value) {
		if value == nil || goja.IsUndefined(value) || goja.IsNull(value) {
			c.User.Unset(name)
			return
		}
		c.User.Set(name, value.String())
	}
	setBot := func(name string, value goja.Value) { c.Engine.SetBotVar(name, value.String()) }
	return map[string]any{
		"currentUser": func() string { return c.User.ID },
		"getUservar":  get,
		"getUservars": func(goja.FunctionCall) goja.Value {
			all := map[string]any{"topic": c.User.Topic()}
			for k, v := range c.User.Vars {
				all[k] = v
			}
			return vm.ToValue(all)
		},
		"setUservar": setVar,
		"setUservars": func(_ string, values map[string]goja.Value) {
			for k, v := range values {
				setVar("", k, v)
			}
		},
		"getBotvar": bot, "getVariable": bot, "setBotvar": setBot, "setVariable": setBot,
		"reply": func(_ string, text string) string { return c.Reply(strings.ToLower(text)) },
	}
}
