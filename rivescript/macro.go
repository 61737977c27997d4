package rivescript

import (
	"context"
	"errors"
	"time"
)

// Call is the turn that a macro or a request is made in.
type Call struct {
	User   *User
	Engine *Engine

	t    *turn
	step int
}

// Reply returns what the engine would say to a text at this point of the turn, as {@text} does.
// Macros that are called meanwhile get ctx.
func (c *Call) Reply(ctx context.Context, text string) string {
	was := c.t.ctx
	c.t.ctx = ctx
	defer func() { c.t.ctx = was }()
	return c.t.plain(c.t.answer(text, c.step+1))
}

// maxSet bounds what the macros of a turn may set, in bytes of names and values.
const maxSet = 1 << 20

// Set sets a variable of the person. It fails when the macros of the turn have set more than a
// mebibyte.
func (c *Call) Set(name, value string) error {
	if c.t.set += len(name) + len(value); c.t.set > maxSet {
		return errors.New("it sets too much")
	}
	c.User.Set(name, value)
	return nil
}

// Left is how much of the turn's time is left (see [Budget]).
func (c *Call) Left() time.Duration { return c.t.left() }

// Pause stops the turn's clock, while something is waited for that is not the script's doing, until
// the function that it returns is called.
func (c *Call) Pause() (resume func()) {
	from := time.Now()
	return func() { c.t.waited += time.Since(from) }
}

// What a macro's error may wrap to end the turn, whose [Reply] then has the error.
var (
	// ErrEnded says that the macro brought down the process that it ran in.
	ErrEnded = errors.New("rivescript: a macro ended the process that it ran in")
	// ErrUnavailable says that macros cannot be run at the moment, through no fault of theirs.
	ErrUnavailable = errors.New("rivescript: macros cannot be run at the moment")
)

// Macro is called for <call>name args</call>. An error stands in the reply as [ERR: …], unless it
// wraps [ErrEnded] or [ErrUnavailable].
type Macro func(ctx context.Context, c *Call, args []string) (string, error)

// Compiler makes a macro of the body of an object.
type Compiler func(name, code string) (Macro, error)

// Request is a $ line with its tags filled in.
type Request struct {
	Method, URL string
	Options     string // the JSON after the address; empty without
}

// Response is the answer to a request.
type Response struct {
	Status int
	JSON   any // decoded
}

// What stands in a reply for a macro that is not there, in the classic words.
const (
	noHandlerWords = "[ERR: No Object Handler]"
	notFoundWords  = "[ERR: Object Not Found]"
)

func noHandler(context.Context, *Call, []string) (string, error) {
	return noHandlerWords, nil
}

// Data are the answers of the turn's $ lines (Dexter): those with a name under it, the others by
// their members.
func (c *Call) Data() map[string]any { return c.t.data }
