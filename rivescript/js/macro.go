package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chasqui/chasqui/rivescript"
)

// errEnded is what a worker ended by, in the engine's words.
var errEnded = rivescript.ErrEnded

// macro is a macro as the program sees it: its source, and the workers that can run it.
type macro struct {
	p                        *Pool
	tenant, name, code, hash string
}

// check compiles the macro.
func (m *macro) check(ctx context.Context) error {
	w, err := m.p.acquire(ctx, m.tenant)
	if err != nil {
		return err
	}
	defer m.p.release(m.tenant, w)
	f, err := w.ask(&frame{Kind: kindCheck, Name: m.name, Hash: m.hash, Text: m.code}, compileTime+killAfter)
	switch {
	case errors.Is(err, errTime):
		return errors.New("it takes too long to compile")
	case errors.Is(err, errEnded):
		m.p.log.Warn("a macro ended the process that compiled it", "tenant", m.tenant, "macro", m.name, "err", err)
		return errors.New("it takes too much to compile")
	case err != nil:
		return err
	case f.Kind != kindDone:
		return w.failed(fmt.Errorf("a frame %q", f.Kind))
	case f.Error != "":
		return errors.New(f.Error)
	}
	return nil
}

// ask sends a frame and waits for the next one.
func (w *worker) ask(f *frame, within time.Duration) (*frame, error) {
	switch err := w.write(f, within); {
	case errors.Is(err, errFrame):
		return nil, err
	case err != nil:
		return nil, w.failed(err)
	}
	got, err := w.read(within)
	if err != nil {
		return nil, w.failed(err)
	}
	return got, nil
}

// runningKey is the key of the worker that a turn is using, for macros that are called while
// another waits for its reply.
type runningKey struct{}

// call runs the macro once.
func (m *macro) call(ctx context.Context, c *rivescript.Call, args []string) (string, error) {
	if err := m.p.off(); err != nil {
		return "", explained(m.name, err)
	}
	w, nested := ctx.Value(runningKey{}).(*worker)
	if nested {
		return m.run(ctx, w, c, args)
	}
	resume := c.Pause()
	w, err := m.p.acquire(ctx, m.tenant)
	resume()
	if err != nil {
		return "", explained(m.name, err)
	}
	defer m.p.release(m.tenant, w)
	return m.run(context.WithValue(ctx, runningKey{}, w), w, c, args)
}

func (m *macro) run(ctx context.Context, w *worker, c *rivescript.Call, args []string) (string, error) {
	text, err := m.talk(ctx, w, c, args)
	if err == nil {
		return text, nil
	}
	if w.broken {
		m.p.log.Warn("a macro had to be ended with its process", "tenant", m.tenant, "macro", m.name, "err", err)
	}
	return "", explained(m.name, err)
}

// talk runs the macro in a worker, and gives it what it asks for meanwhile.
func (m *macro) talk(ctx context.Context, w *worker, c *rivescript.Call, args []string) (string, error) {
	if w.broken {
		return "", errEnded
	}
	f := &frame{Kind: kindCall, Name: m.name, Hash: m.hash, User: c.User.ID, Args: args}
	if data := c.Data(); len(data) > 0 {
		var err error
		if f.Data, err = json.Marshal(data); err != nil {
			return "", err
		}
	}
	for asked := 0; ; asked++ {
		left := c.Left()
		if left < -killAfter {
			w.kill()
			return "", errTime
		}
		f.Micros = max(left.Microseconds(), 1)
		got, err := w.ask(f, left+killAfter)
		if err != nil {
			if asked > 0 {
				w.kill() // it waits for an answer
			}
			return "", err
		}
		if got.Kind == kindDone {
			w.slow = w.slow || c.Left() <= 0
			if got.Error != "" {
				return "", errors.New(got.Error)
			}
			if len(got.Text) > m.p.o.Result {
				return "", fmt.Errorf("its answer has more than %d bytes", m.p.o.Result)
			}
			return got.Text, nil
		}
		if asked >= m.p.o.Bridge {
			w.kill()
			return "", errBridge
		}
		if f = m.give(ctx, c, got); f == nil {
			return "", w.failed(fmt.Errorf("a frame %q", got.Kind))
		}
		if w.broken { // by a macro within
			return "", errEnded
		}
	}
}

// give returns the answer to what the worker asks, nil when it asks nothing. The person is the one whose turn
// it is, whatever name the macro has given.
func (m *macro) give(ctx context.Context, c *rivescript.Call, q *frame) *frame {
	a := &frame{Kind: kindValue}
	variable := func(value string, ok bool) { a.Text, a.Missing = value, !ok }
	switch q.Kind {
	case kindNeed:
		a.Text = m.code
	case kindGet:
		variable(c.User.Get(q.Name))
	case kindVars:
		a.Vars = map[string]*string{}
		for name, value := range c.User.Vars {
			a.Vars[name] = &value
		}
		topic := c.User.Topic()
		a.Vars["topic"] = &topic
	case kindSet:
		for name, value := range q.Vars {
			if value == nil {
				c.User.Unset(name)
			} else if err := c.Set(name, *value); err != nil {
				a.Error = err.Error()
			}
		}
	case kindBot:
		variable(c.Engine.BotVar(q.Name))
	case kindBots:
		c.Engine.SetBotVar(q.Name, q.Text)
	case kindReply:
		a.Text = c.Reply(ctx, strings.ToLower(q.Text))
	default:
		return nil
	}
	return a
}
