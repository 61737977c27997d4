package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/rivescript"
	"github.com/chasqui/chasqui/rivescript/js"
)

type botEvalCmd struct {
	Stdio   bool   `help:"Read requests from the standard input, answer on the standard output." required:""`
	Dialect string `help:"Dialect of engines that name none." enum:"rivescript,dexter" default:"rivescript"`
}

// maxEvalLine bounds a request.
const maxEvalLine = 64 << 20

// evalRequest is a line of input.
type evalRequest struct {
	Op      string             `json:"op"`
	UTF8    bool               `json:"utf8"`
	Dialect rivescript.Dialect `json:"dialect"`
	Seed    float64            `json:"seed"`
	Options struct {
		Depth  int    `json:"depth"`
		Concat string `json:"concat"`
	} `json:"options"`
	File    string         `json:"file"`
	Text    string         `json:"text"`
	Path    string         `json:"path"`
	User    string         `json:"user"`
	Name    string         `json:"name"`
	Vars    map[string]any `json:"vars"`
	Inputs  []string       `json:"inputs"`
	Seconds float64        `json:"seconds"`
}

// evalAnswer is a line of output. What is a pointer is left out where it does not belong.
type evalAnswer struct {
	OK       bool                  `json:"ok"`
	Error    string                `json:"error,omitempty"`
	Warnings *[]rivescript.Problem `json:"warnings,omitempty"`
	Reply    *string               `json:"reply,omitempty"`
	Trigger  string                `json:"trigger,omitempty"`
	Topic    string                `json:"topic,omitempty"`
	Messages []rivescript.Message  `json:"messages,omitempty"`
	Value    *string               `json:"value,omitempty"`
	Replies  int                   `json:"replies,omitempty"`
	Seconds  float64               `json:"seconds,omitempty"`
}

// evaluator holds one engine and the people who talk with it.
type evaluator struct {
	c       console
	macros  *js.Pool
	dialect rivescript.Dialect

	builder *rivescript.Builder
	engine  *rivescript.Engine
	stale   bool // sources came since the engine was built
	chance  func(int) int
	users   map[string]*rivescript.User
}

// Run returns one line for each line.
func (cmd *botEvalCmd) Run(c console) error {
	macros := javascript()
	defer macros.Close()
	e := &evaluator{c: c, macros: macros, dialect: rivescript.Dialect(cmd.Dialect)}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<16), maxEvalLine)
	out := bufio.NewWriter(c.stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		if strings.TrimSpace(in.Text()) == "" {
			continue
		}
		answer, err := e.line(in.Bytes())
		if err != nil {
			answer = evalAnswer{Error: err.Error()}
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return in.Err()
}

func (e *evaluator) line(line []byte) (evalAnswer, error) {
	var r evalRequest
	if err := json.Unmarshal(line, &r); err != nil {
		return evalAnswer{}, fmt.Errorf("this is not a request: %w", err)
	}
	if r.Op == "new" {
		return evalAnswer{OK: true}, e.start(r)
	}
	if e.builder == nil {
		if err := e.start(evalRequest{}); err != nil {
			return evalAnswer{}, err
		}
	}
	switch r.Op {
	case "source":
		return e.source(r)
	case "load":
		return e.load(r.Path)
	case "input":
		return e.input(r)
	case "set":
		u := e.user(r.User)
		for name, value := range r.Vars {
			if value == nil {
				u.Unset(name)
			} else {
				u.Set(name, fmt.Sprint(value))
			}
		}
		return evalAnswer{OK: true}, nil
	case "get":
		u := e.user(r.User)
		value, ok := u.Get(r.Name)
		if !ok && r.Name == "topic" {
			value = u.Topic()
		} else if !ok {
			value = "undefined"
		}
		return evalAnswer{OK: true, Value: &value}, nil
	case "bench":
		return e.bench(r)
	}
	return evalAnswer{}, fmt.Errorf("there is no op %q", r.Op)
}

// start makes an engine without sources.
func (e *evaluator) start(r evalRequest) error {
	if r.Dialect == "" {
		r.Dialect = e.dialect
	}
	b, err := rivescript.NewBuilder(rivescript.Options{
		Dialect: r.Dialect, UTF8: r.UTF8, Depth: r.Options.Depth, Concat: r.Options.Concat,
		Languages: script.Languages(e.macros.Checker(e.c.ctx, "")),
	})
	if err != nil {
		return err
	}
	e.builder, e.engine, e.stale, e.users, e.chance = b, nil, true, map[string]*rivescript.User{}, nil
	if r.Seed != 0 {
		e.chance = rand.New(rand.NewPCG(uint64(int64(r.Seed)), 0)).IntN
	}
	return nil
}

func (e *evaluator) source(r evalRequest) (evalAnswer, error) {
	before := len(e.builder.Warnings())
	if err := e.builder.Add(r.File, r.Text); err != nil {
		return evalAnswer{}, err
	}
	e.stale = true
	if err := e.build(); err != nil {
		return evalAnswer{}, err
	}
	warnings := append([]rivescript.Problem{}, e.builder.Warnings()[before:]...)
	return evalAnswer{OK: true, Warnings: &warnings}, nil
}

func (e *evaluator) load(path string) (evalAnswer, error) {
	start := time.Now()
	files, err := script.Files(path)
	if err != nil {
		return evalAnswer{}, err
	}
	for _, f := range files {
		if err := e.builder.AddAll([]rivescript.Source{script.SourceOf(f)}); err != nil {
			return evalAnswer{}, err
		}
	}
	e.stale = true
	if err := e.build(); err != nil {
		return evalAnswer{}, err
	}
	return evalAnswer{OK: true, Seconds: time.Since(start).Seconds()}, nil
}

// build makes the engine of all sources so far.
func (e *evaluator) build() error {
	if !e.stale {
		return nil
	}
	next, err := e.builder.Build()
	if err != nil {
		return err
	}
	if e.engine != nil {
		next.KeepBotVars(e.engine)
	}
	e.engine, e.stale = next, false
	return nil
}

func (e *evaluator) user(id string) *rivescript.User {
	u := e.users[id]
	if u == nil {
		u = &rivescript.User{ID: id, Rand: e.chance}
		e.users[id] = u
	}
	return u
}

func (e *evaluator) input(r evalRequest) (evalAnswer, error) {
	if err := e.build(); err != nil {
		return evalAnswer{}, err
	}
	u := e.user(r.User)
	dexter := e.engine.Dialect() == rivescript.Dexter
	var reply rivescript.Reply
	if dexter && !strings.Contains(r.Text, " ") { // it may be the payload of a button
		reply = e.engine.Event(e.c.ctx, u, r.Text)
	} else {
		reply = e.engine.Reply(e.c.ctx, u, r.Text)
	}
	answer := evalAnswer{OK: true, Reply: &reply.Text, Trigger: reply.Trigger, Topic: reply.Topic}
	if dexter {
		answer.Messages = reply.Messages()
	}
	return answer, nil
}

func (e *evaluator) bench(r evalRequest) (evalAnswer, error) {
	if err := e.build(); err != nil {
		return evalAnswer{}, err
	}
	if len(r.Inputs) == 0 {
		return evalAnswer{}, errors.New("bench has no inputs")
	}
	u := e.user(r.User)
	start, replies := time.Now(), 0
	end := start.Add(time.Duration(min(max(r.Seconds, 0.001), 60) * float64(time.Second)))
	for {
		for range 64 {
			e.engine.Reply(e.c.ctx, u, r.Inputs[replies%len(r.Inputs)])
			replies++
		}
		if now := time.Now(); now.After(end) {
			return evalAnswer{OK: true, Replies: replies, Seconds: now.Sub(start).Seconds()}, nil
		}
	}
}
