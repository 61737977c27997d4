package rivescript

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Dialect is a way to read and run scripts.
type Dialect string

// The dialects; the package comment says how they differ.
const (
	RiveScript Dialect = "rivescript"
	Dexter     Dialect = "dexter"
)

// Options make an engine. The zero value is the language of the working draft, in ASCII.
type Options struct {
	Dialect Dialect // RiveScript when empty
	UTF8    bool    // triggers and messages in all scripts; always on in Dexter
	Concat  string  // how continued lines are joined when the source does not say: none (when empty), space, newline
	Depth   int     // of redirects and of topics in topics; 50 when 0, or what the source says in ! global depth

	// First answers with the first of several replies, for tests.
	First bool

	// Budget bounds what one turn may take; zero fields have the defaults.
	Budget Budget

	// Macros answer <call>name</call>. They win over objects of the same name in the source.
	Macros map[string]Macro
	// Languages compile the objects of the source, by the language they name in lower case.
	Languages map[string]Compiler
	// Fetch makes the requests of $ lines (Dexter). Without it they fail and give nothing.
	Fetch func(ctx context.Context, c *Call, r Request) (Response, error)
}

// Budget bounds what one turn may take.
type Budget struct {
	Message int // bytes of a message that are looked at; 16 KiB
	Reply   int // bytes of a reply and of every text on the way to it; 64 KiB
	Steps   int // of the matcher, and for tags; 2,000,000, which takes less than a second
	Turns   int // redirects, calls and requests of one message together; 500

	// Time is what matching and macros of one turn may take together; 1 s. Waiting for the answers
	// to requests does not count.
	Time time.Duration
}

func (o *Options) settle() {
	if o.Dialect == "" {
		o.Dialect = RiveScript
	}
	if o.Dialect == Dexter {
		o.UTF8 = true
	}
	if o.Budget.Message == 0 {
		o.Budget.Message = 16 << 10
	}
	if o.Budget.Reply == 0 {
		o.Budget.Reply = 64 << 10
	}
	if o.Budget.Steps == 0 {
		o.Budget.Steps = 2_000_000
	}
	if o.Budget.Turns == 0 {
		o.Budget.Turns = 500
	}
	if o.Budget.Time == 0 {
		o.Budget.Time = time.Second
	}
}

// Builder collects sources. It is not for several goroutines at once.
type Builder struct {
	o        Options
	s        *script
	warnings []Problem
}

// NewBuilder makes a builder. It refuses options that make no sense.
func NewBuilder(o Options) (*Builder, error) {
	o.settle()
	if o.Dialect != RiveScript && o.Dialect != Dexter {
		return nil, fmt.Errorf("rivescript: there is no dialect %q", o.Dialect)
	}
	if _, ok := joints[o.Concat]; o.Concat != "" && !ok {
		return nil, fmt.Errorf("rivescript: concat is none, space or newline, not %q", o.Concat)
	}
	if o.Depth < 0 {
		return nil, errors.New("rivescript: depth is below 0")
	}
	return &Builder{o: o, s: newScript()}, nil
}

// Add reads a source and adds it to those before. File is for messages only. A source that is
// refused adds nothing; the error is a *[LoadError].
func (b *Builder) Add(file, source string) error {
	return b.AddAll([]Source{{File: file, Text: source}})
}

// AddTopic reads a source whose triggers belong to a topic, unless it says otherwise: Dexter keeps
// each topic in a file of its own, without a label. The topics random and default are one.
func (b *Builder) AddTopic(file, topic, source string) error {
	return b.AddAll([]Source{{File: file, Topic: topic, Text: source}})
}

// Source is a file of a script.
type Source struct {
	File  string // for messages only
	Topic string // that its triggers belong to, unless it says otherwise; random when empty
	Text  string
}

// AddAll reads sources and adds them to those before. When one is refused nothing is added; the
// error is a *[LoadError] with the problems of all.
func (b *Builder) AddAll(sources []Source) error {
	s, problems := b.read(sources)
	if len(problems) > 0 {
		return &LoadError{problems}
	}
	b.s = s
	return nil
}

// Check reads sources as AddAll does, and returns all that is wrong with them at once: the problems
// for which they are refused, and warnings, among them what [Engine.Check] finds in what could be
// read. Nothing is added. The error is that of a compiler of macros which cannot work.
func (b *Builder) Check(sources []Source) (problems, warnings []Problem, err error) {
	had := len(b.warnings)
	s, problems := b.read(sources)
	warnings = slices.Clone(b.warnings[had:])
	b.warnings = b.warnings[:had]
	e, err := (&Builder{o: b.o, s: s}).Build()
	var refused *LoadError
	switch {
	case errors.As(err, &refused):
		problems = append(problems, refused.Problems...)
	case err != nil:
		return nil, nil, err
	}
	if e != nil {
		warnings = append(warnings, e.Check()...)
	}
	return problems, warnings, nil
}

// read reads sources into a copy of the script.
func (b *Builder) read(sources []Source) (*script, []Problem) {
	var problems []Problem
	s, full := b.s.clone(), false
	for _, source := range sources {
		p := parser{o: b.o, file: source.File, s: s, full: full}
		p.home = topicRandom
		if source.Topic != "" {
			p.home = p.topicName(source.Topic)
		}
		p.parse(source.Text)
		p.checkTriggers()
		b.warnings = append(b.warnings, p.warnings...)
		problems = append(problems, p.problems...)
		full = p.full
	}
	return s, problems
}

// Warnings are the problems of all sources that did not keep them from being read.
func (b *Builder) Warnings() []Problem { return b.warnings }

// Engine answers messages. It is safe for any number of goroutines and does not change, but for the
// bot's variables that scripts set.
type Engine struct {
	o      Options
	s      *script
	depth  int
	form   formatter
	person *substitutions
	views  map[string]*view
	arrays map[string][]string // as they stand in patterns
	macros map[string]Macro
	pool   sync.Pool // of *machine

	mu       sync.Mutex
	vars     atomic.Pointer[map[string]string] // of the bot; copied when one is set
	set      map[string]string                 // those that were set since the engine was built; those of envs behind a NUL
	setBytes int                               // of both
	envs     atomic.Pointer[map[string]string]
}

// Build makes an engine of the sources. More can be added to the builder afterwards, for another
// engine.
func (b *Builder) Build() (*Engine, error) {
	s := b.s.clone()
	s.own()
	e := &Engine{o: b.o, s: s, depth: b.o.Depth, views: map[string]*view{}, arrays: map[string][]string{}, person: newSubstitutions(s.person, false), macros: map[string]Macro{}, set: map[string]string{}}
	e.form = formatter{utf8: b.o.UTF8, punct: punctuation, subs: newSubstitutions(s.subs, b.o.UTF8)}
	if b.o.Dialect == Dexter {
		e.form.punct = punctuationDexter
	}
	if n, err := strconv.Atoi(s.globals["depth"]); e.depth == 0 && err == nil && n > 0 {
		e.depth = min(n, 1000)
	}
	if e.depth == 0 {
		e.depth = 50
	}
	for name, list := range s.arrays {
		e.arrays[name] = e.form.lowered(list)
	}
	e.vars.Store(&s.vars)
	e.envs.Store(&s.globals)
	e.pool.New = func() any { return new(machine) }
	for _, t := range s.topics {
		for _, x := range t.triggers {
			e.compile(x.pattern)
			e.compile(x.before)
		}
	}
	room := maxViews
	for _, name := range s.order {
		v := newView(s, name, b.o.Dialect, e.depth, e.array, &room)
		if v == nil {
			return nil, &LoadError{[]Problem{{Text: fmt.Sprintf("the topics hold more than %d triggers, counting those that they include and inherit", maxViews)}}}
		}
		e.views[name] = v
	}
	return e, e.compileObjects()
}

func (e *Engine) compile(p *pattern) {
	if p != nil && !p.user && !p.atomic {
		p.prog = compile(p, e.array, nil)
	}
}

func (e *Engine) compileObjects() error {
	var refused LoadError
	for _, o := range e.s.objects {
		c := e.o.Languages[o.language]
		if c == nil {
			e.macros[o.name] = noHandler
			continue
		}
		m, err := c(o.name, o.code)
		switch {
		case errors.Is(err, ErrUnavailable):
			return err
		case err != nil:
			m = noHandler
			refused.Problems = append(refused.Problems, Problem{o.file, o.line, fmt.Sprintf("object %s: %v", o.name, err)})
		}
		e.macros[o.name] = m
	}
	maps.Copy(e.macros, e.o.Macros)
	if len(refused.Problems) > 0 {
		return &refused
	}
	return nil
}

func (e *Engine) array(name string) []string { return e.arrays[name] }

func (f *formatter) lowered(list []string) []string {
	out := make([]string, len(list))
	for i, item := range list {
		if out[i] = f.small(item); out[i] != item {
			out[i] = strings.Trim(out[i], " ")
		}
	}
	return out
}

// Topics are the names of the topics, as they appeared.
func (e *Engine) Topics() []string {
	names := make([]string, 0, len(e.s.order))
	for _, name := range e.s.order {
		if name != topicBegin {
			names = append(names, name)
		}
	}
	return names
}

// BotVar reads a variable of the bot.
func (e *Engine) BotVar(name string) (string, bool) {
	v, ok := (*e.vars.Load())[name]
	return v, ok
}

// SetBotVar sets a variable of the bot for everybody whom this engine answers, as <bot name=value>
// does. It does nothing when what was set so is more than a mebibyte.
func (e *Engine) SetBotVar(name, value string) {
	if !e.room(name, value) {
		return
	}
	e.setShared(&e.vars, name, value)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set[name] = value
}

// room counts what is set while the bot talks.
func (e *Engine) room(name, value string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.setBytes + len(name) + len(value)
	if old, ok := e.set[name]; ok {
		n -= len(name) + len(old)
	}
	if n > maxShared {
		return false
	}
	e.setBytes = n
	return true
}

// sharedSize is how many variables of the bot and its surroundings there are.
func (e *Engine) sharedSize() int { return len(*e.vars.Load()) + len(*e.envs.Load()) }

// KeepBotVars takes over the variables of the bot that were set in an engine that this one follows.
func (e *Engine) KeepBotVars(old *Engine) {
	old.mu.Lock()
	changed := maps.Clone(old.set)
	old.mu.Unlock()
	for name, value := range changed {
		if !strings.HasPrefix(name, "\x00") {
			e.SetBotVar(name, value)
		}
	}
}

func (e *Engine) setShared(at *atomic.Pointer[map[string]string], name, value string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := maps.Clone(*at.Load())
	set(next, name, value)
	at.Store(&next)
}

// Dialect is how the engine reads and runs its scripts.
func (e *Engine) Dialect() Dialect { return e.o.Dialect }
