package rivescript

import (
	"context"
	"errors"
)

// Call is the turn that a macro or a request is made in.
type Call struct {
	User   *User
	Engine *Engine

	t    *turn
	step int
}

// Reply answers a text as the engine would at this point of the turn, as {@text} does.
func (c *Call) Reply(text string) string { return c.t.plain(c.t.answer(text, c.step+1)) }

// Macro answers <call>name args</call>. An error stands in the reply as [ERR: …].
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

var (
	errNoHandler = errors.New("No Object Handler")
	errNotFound  = errors.New("Object Not Found")
)

func noHandler(context.Context, *Call, []string) (string, error) { return "", errNoHandler }

// Data are the answers of the turn's $ lines (Dexter): those with a name under it, the others by their members.
func (c *Call) Data() map[string]any { return c.t.data }
