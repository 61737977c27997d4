package rivescript

import (
	"maps"
	"slices"
	"strings"
)

const (
	topicRandom = "random"    // everything outside a topic belongs to it
	topicBegin  = "__begin__" // the frame of every reply
)

// script is what sources say, not yet ordered or compiled.
type script struct {
	vars, globals, subs, person map[string]string
	arrays                      map[string][]string
	topics                      map[string]*topic
	order                       []string // of the topics, as they appeared
	objects                     []object

	commands, triggers, phrases, nodes int // how much there is
}

func newScript() *script {
	s := &script{vars: map[string]string{}, globals: map[string]string{}, subs: map[string]string{}, person: map[string]string{},
		arrays: map[string][]string{}, topics: map[string]*topic{}}
	s.topic(topicRandom) // there is always one to begin in
	return s
}

// topic returns the topic of a name, made if it is new.
func (s *script) topic(name string) *topic {
	t := s.topics[name]
	if t == nil {
		t = &topic{name: name}
		s.topics[name] = t
		s.order = append(s.order, name)
	}
	return t
}

type topic struct {
	name               string
	includes, inherits []string
	triggers           []*trigger
}

// trigger is a + line with all that belongs to it.
type trigger struct {
	text     string // as written
	previous string // of the % line; empty without
	weight   int
	keep     bool // punctuation of the message is kept for it

	redirect   *template
	conditions []condition
	replies    []*template
	weights    []int // of the replies, each with those before it
	requests   []request

	file string
	line int
	top  string // the topic that it stands in

	pattern *pattern // of text
	before  *pattern // of previous
}

type condition struct {
	left, op, right string
	leftT, rightT   *template
	reply           *template
}

// total is the weight of all replies.
func (t *trigger) total() int {
	if len(t.weights) == 0 {
		return 0
	}
	return t.weights[len(t.weights)-1]
}

// request is a $ line of Dexter's.
type request struct {
	name, method string
	url, options *template
	line         int
}

// operators of conditions, the longer before those they begin with.
var operators = []string{"==", "eq", "!=", "ne", "<>", "<=", ">=", "<", ">"}

// parseCondition reads "left op right => reply".
func parseCondition(text string) (condition, bool) {
	test, reply, ok := strings.Cut(text, "=>")
	if !ok {
		return condition{}, false
	}
	test = strings.TrimSpace(test) + " "
	at, c := -1, condition{}
	for _, op := range operators {
		if i := strings.Index(test, " "+op+" "); i > 0 && (at < 0 || i < at) {
			at, c.op = i, op
		}
	}
	if at < 0 {
		return condition{}, false
	}
	c.left, c.right = strings.TrimSpace(test[:at]), strings.TrimSpace(test[at+len(c.op)+2:])
	c.reply = newTemplate(strings.TrimSpace(reply))
	c.leftT, c.rightT = newTemplate(c.left), newTemplate(c.right)
	return c, true
}

// clone copies a script so that more can be added to the copy. The triggers are shared.
func (s *script) clone() *script {
	c := &script{
		vars: maps.Clone(s.vars), globals: maps.Clone(s.globals), subs: maps.Clone(s.subs), person: maps.Clone(s.person), arrays: maps.Clone(s.arrays),
		topics: make(map[string]*topic, len(s.topics)), order: slices.Clone(s.order), objects: slices.Clone(s.objects),
		commands: s.commands, triggers: s.triggers, phrases: s.phrases, nodes: s.nodes,
	}
	for name, t := range s.topics {
		c.topics[name] = &topic{name: t.name, includes: slices.Clone(t.includes), inherits: slices.Clone(t.inherits), triggers: slices.Clone(t.triggers)}
	}
	return c
}

// own gives a script triggers of its own, to be compiled.
func (s *script) own() {
	for _, t := range s.topics {
		for i, shared := range t.triggers {
			x := *shared
			x.pattern, x.before = shared.pattern.fresh(), shared.before.fresh()
			t.triggers[i] = &x
		}
	}
}
