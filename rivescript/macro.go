package rivescript

import (
	"context"
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

// What stands in a reply for a macro that is not there, in the classic words.
const (
	noHandlerWords = "[ERR: No Object Handler]"
	notFoundWords  = "[ERR: Object Not Found]"
)

func noHandler(context.Context, *Call, []string) (string, error) {
	return noHandlerWords, nil
}

// Data are the answers of the turn's $ lines (Dexter): those with a name under it, the others by their members.
func (c *Call) Data() map[string]any { return c.t.data }
