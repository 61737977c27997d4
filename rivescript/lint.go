package rivescript

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	inlineTopic    = regexp.MustCompile(`\{topic=([^}<]*)\}`)
	inlineRedirect = regexp.MustCompile(`\{@\s*([^}<{]*)\}`)
	inlineCall     = regexp.MustCompile(`<call>\s*([^\s<]+)`)
	inlineArray    = regexp.MustCompile(`\(@(\w+)\)`)
)

// Check looks for what a script can hardly mean: triggers that can never win, and names of arrays,
// topics, objects and redirects that lead nowhere. The engine works with all of them. Problems come
// in the order of files and lines.
func (e *Engine) Check() []Problem {
	c := checker{e: e, seen: map[string]bool{}, taken: map[string]bool{}}
	for _, name := range e.s.order {
		c.topic(e.s.topics[name])
		c.order(e.views[name], name)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		if n := strings.Compare(a.File, b.File); n != 0 {
			return n
		}
		return a.Line - b.Line
	})
	return c.problems
}

type checker struct {
	e        *Engine
	problems []Problem
	seen     map[string]bool
	taken    map[string]bool // targets of redirects
	looks    int             // triggers that were looked for
}

func (c *checker) add(t *trigger, format string, args ...any) {
	p := Problem{t.file, t.line, fmt.Sprintf(format, args...)}
	if !c.seen[p.String()] && len(c.problems) < maxProblems {
		c.seen[p.String()] = true
		c.problems = append(c.problems, p)
	}
}

// topic looks at the names that a topic and its triggers use.
func (c *checker) topic(t *topic) {
	for _, name := range slices.Concat(t.includes, t.inherits) {
		if c.e.s.topics[name] == nil && len(t.triggers) > 0 {
			c.add(t.triggers[0], "topic %s includes or inherits %q, which there is not", t.name, name)
		}
	}
	for _, x := range t.triggers {
		for _, p := range []*pattern{x.pattern, x.before} {
			if p != nil {
				c.arrays(x, p.seq)
			}
		}
		for _, text := range x.texts() {
			c.names(x, text)
		}
		if x.redirect != nil {
			c.redirect(x, x.redirect.text)
		}
	}
}

// texts are all that a trigger may say.
func (t *trigger) texts() []string {
	var all []string
	for _, r := range t.replies {
		all = append(all, r.text)
	}
	for _, c := range t.conditions {
		all = append(all, c.left, c.right, c.reply.text)
	}
	if t.redirect != nil {
		all = append(all, t.redirect.text)
	}
	return all
}

func (c *checker) arrays(t *trigger, seq []node) {
	for _, n := range seq {
		if n.kind == nodeArray && len(c.e.s.arrays[n.text]) == 0 {
			c.add(t, "there is no array %q", n.text)
		}
		for _, alt := range n.alts {
			c.arrays(t, alt)
		}
	}
}

func (c *checker) names(t *trigger, text string) {
	for _, m := range inlineTopic.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSpace(m[1])
		if c.e.o.Dialect == Dexter && (name == "default" || name == "dex-human-bypass") {
			continue
		}
		if c.e.s.topics[name] == nil {
			c.add(t, "{topic=%s}: there is no such topic", name)
		}
	}
	for _, m := range inlineArray.FindAllStringSubmatch(text, -1) {
		if len(c.e.s.arrays[m[1]]) == 0 {
			c.add(t, "(@%s): there is no such array", m[1])
		}
	}
	for _, m := range inlineCall.FindAllStringSubmatch(text, -1) {
		if c.e.macros[m[1]] == nil {
			c.add(t, "<call>%s: there is no such object", m[1])
		}
	}
	for _, m := range inlineRedirect.FindAllStringSubmatch(text, -1) {
		c.redirect(t, m[1])
	}
}

// redirect looks whether a fixed text is taken by a trigger of any topic.
func (c *checker) redirect(t *trigger, target string) {
	target = strings.TrimSpace(target)
	if target == "" || strings.ContainsAny(target, "<{") {
		return
	}
	taken, known := c.taken[target]
	if !known {
		if c.looks += len(c.e.s.order); c.looks > maxLooks {
			return
		}
		taken = c.isTaken(target)
		c.taken[target] = taken
	}
	if !taken {
		c.add(t, "the redirect to %q is taken by no trigger", target)
	}
}

func (c *checker) isTaken(target string) bool {
	h, unstripped := c.e.form.redirect(target)
	target = h.text
	turn := &turn{e: c.e, u: &User{}, m: &machine{most: c.e.o.Budget.Steps}, message: heard{text: target}, kept: target, began: time.Now()}
	for _, name := range c.e.s.order {
		if won, _ := turn.find(c.e.views[name], target, unstripped); won != nil && name != topicBegin {
			return true
		}
		if len(c.e.views[name].ix.exact[unstripped]) > 0 {
			return true
		}
	}
	return false
}

// order looks for triggers that one before them leaves nothing for.
func (c *checker) order(v *view, name string) {
	first := map[string]ranked{}
	var all *ranked
	for i, r := range slices.Concat(v.after, v.plain) {
		key := r.previous + "\x00" + normal(r.text)
		if r.keep {
			key += "\x00"
		}
		before, twice := first[key]
		switch {
		case twice && before.trigger != r.trigger:
			if before.top == r.top && r.top == name || r.level == before.level {
				c.add(r.trigger, "%q can never win: the same stands in %s:%d", r.text, before.file, before.line)
			}
		case all != nil && i >= len(v.after) && r.top == name:
			c.add(r.trigger, "%q can never win: %q in %s:%d comes first and takes everything", r.text, all.text, all.file, all.line)
		}
		if !twice {
			first[key] = r
		}
		if r.previous == "" && normal(r.text) == "*" && all == nil {
			all = &v.plain[i-len(v.after)]
		}
	}
}

// normal is the text of a trigger without its weight.
func normal(text string) string {
	rest, _, _ := cutWeight(text, true)
	return squeeze(rest)
}
