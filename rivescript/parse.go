package rivescript

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is something in a source that is not as it should be.
type Problem struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line"` // from 1
	Text string `json:"msg"`
}

// String is the problem in one line.
func (p Problem) String() string {
	if p.File == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// LoadError refuses a source; nothing of that source is kept.
type LoadError struct{ Problems []Problem }

// Error returns the first problem and how many more there are.
func (e *LoadError) Error() string {
	s := e.Problems[0].String()
	if n := len(e.Problems) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// parser makes a script of the commands of one source.
type parser struct {
	o        Options
	file     string
	home     string // the topic of what stands in none
	s        *script
	topic    *topic
	trigger  *trigger
	keep     bool
	full     bool // it was said that the script is too large
	added    []*trigger
	warnings []Problem
	problems []Problem
}

func (p *parser) warn(line int, words string) {
	if len(p.warnings) >= maxProblems {
		return
	}
	p.warnings = append(p.warnings, Problem{p.file, line, words})
}

func (p *parser) refuse(line int, words string) {
	if len(p.problems) >= maxProblems {
		return
	}
	p.problems = append(p.problems, Problem{p.file, line, words})
}

// parse adds a source to the script.
func (p *parser) parse(source string) {
	l := lexer{file: p.file, dialect: p.o.Dialect, concat: joints[p.o.Concat], report: p.warn}
	l.run(source)
	p.topic = p.s.topic(p.home)
	for _, c := range l.commands {
		if !p.count(c.line, &p.s.commands, maxCommands, "lines") {
			break
		}
		if words := c.size(); words != "" {
			p.refuse(c.line, words)
			continue
		}
		p.command(c)
	}
	for _, o := range l.objects {
		if len(o.code) > maxLine {
			p.refuse(o.line, fmt.Sprintf("the object %s has %d bytes; at most %d are allowed", o.name, len(o.code), maxLine))
		}
		if len(p.s.objects) == maxObjects {
			p.refuse(o.line, fmt.Sprintf("the script has more than %d objects", maxObjects))
			break
		}
		p.s.objects = append(p.s.objects, o)
	}
}

func (p *parser) command(c command) {
	switch c.op {
	case '!':
		p.define(c)
	case '>':
		p.open(c)
	case '<':
		p.topic, p.trigger = p.s.topic(p.home), nil
	case '#':
		p.keep = true
	case '+':
		p.plus(c)
	case '?': // a keyword, anywhere
		c.text = "[*] " + c.text + " [*]"
		p.plus(c)
	case '%', '-', '*', '@', '$':
		if p.trigger == nil {
			p.warn(c.line, fmt.Sprintf("%c belongs to no trigger; the line is skipped", c.op))
			return
		}
		p.under(c)
	default:
		p.warn(c.line, fmt.Sprintf("%q is not a command; the line is skipped", string(c.op)))
	}
}

func (p *parser) plus(c command) {
	if !p.count(c.line, &p.s.triggers, maxTriggers, "triggers") {
		p.trigger = &trigger{}
		return
	}
	t := &trigger{text: squeeze(c.text), file: p.file, line: c.line, keep: p.keep, top: p.topic.name}
	p.keep = false
	t.text, t.weight = triggerWeight(t.text)
	p.trigger = t
	p.topic.triggers = append(p.topic.triggers, t)
	p.added = append(p.added, t)
}

// checkTriggers parses the new triggers. A bad one refuses the source; Dexter's scripts expect that
// it is left out.
func (p *parser) checkTriggers() {
	bad := map[*trigger]bool{}
	defer func() {
		if len(bad) == 0 {
			return
		}
		for _, in := range p.s.topics {
			in.triggers = slices.DeleteFunc(in.triggers, func(x *trigger) bool { return bad[x] })
		}
	}()
	for _, t := range p.added {
		err := p.patterns(t)
		switch {
		case err == nil && len(t.replies)+len(t.conditions) == 0 && t.redirect == nil:
			p.warn(t.line, fmt.Sprintf("the trigger %q has no reply", t.text))
		case err != nil:
			bad[t] = true
			if p.o.Dialect == Dexter {
				p.warn(t.line, err.Error()+"; the trigger is left out")
			} else {
				p.refuse(t.line, err.Error())
			}
			continue
		}
		for _, part := range []*pattern{t.pattern, t.before} {
			if part != nil && !p.count(t.line, &p.s.nodes, maxNodes, "parts of triggers") {
				bad[t] = true
				continue
			} else if part != nil {
				p.s.nodes += part.size
			}
		}
	}
}

func (p *parser) patterns(t *trigger) (err error) {
	if t.pattern, err = parsePattern(t.text, p.o.UTF8, t.keep); err != nil {
		return fmt.Errorf("trigger %q: %w", t.text, err)
	}
	if t.previous == "" {
		return nil
	}
	if t.before, err = parsePattern(t.previous, p.o.UTF8, false); err != nil {
		return fmt.Errorf("%% %q: %w", t.previous, err)
	}
	return nil
}

// under adds a line to the trigger that it stands below.
func (p *parser) under(c command) {
	t := p.trigger
	switch c.op {
	case '%':
		if t.previous != "" || len(t.replies)+len(t.conditions) > 0 || t.redirect != nil {
			p.warn(c.line, "% stands right below its + and nowhere else; the line is skipped")
			return
		}
		t.previous = squeeze(c.text)
	case '-':
		text, weight := replyWeight(c.text)
		t.replies = append(t.replies, newTemplate(text))
		t.weights = append(t.weights, t.total()+weight)
	case '@':
		t.redirect = newTemplate(c.text)
	case '*':
		cond, ok := parseCondition(c.text)
		if !ok {
			p.warn(c.line, "a condition is written \"left op right => reply\" with blanks around op; this one never holds")
			return
		}
		t.conditions = append(t.conditions, cond)
	case '$':
		if p.o.Dialect != Dexter {
			p.warn(c.line, "$ lines are of the dialect dexter; the line is skipped")
			return
		}
		r, err := parseRequest(c)
		if err != nil {
			p.warn(c.line, err.Error())
			return
		}
		t.requests = append(t.requests, r)
	}
	if t.redirect != nil && len(t.replies)+len(t.conditions) > 0 && (c.op == '@' || c.op == '-' || c.op == '*') {
		p.warn(c.line, "the redirect @ wins over the replies and conditions of its trigger")
	}
}

// parseRequest reads "METHOD[:name] URL [JSON]".
func parseRequest(c command) (request, error) {
	head, rest, _ := strings.Cut(c.text, " ")
	method, name, _ := strings.Cut(head, ":")
	method = strings.ToUpper(method)
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) {
		return request{}, fmt.Errorf("$ knows no method %q", method)
	}
	url, options, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if i := strings.Index(rest, " {"); i >= 0 { // the address may hold tags with blanks
		url, options = strings.TrimSpace(rest[:i]), rest[i+1:]
	} else if strings.Contains(rest, "<") {
		url, options = strings.TrimSpace(rest), ""
	}
	if url == "" {
		return request{}, fmt.Errorf("$ %s has no address", method)
	}
	return request{name: name, method: method, url: newTemplate(url), options: newTemplate(strings.TrimSpace(options)), line: c.line}, nil
}

// open enters a label.
func (p *parser) open(c command) {
	fields := strings.Fields(c.text)
	p.trigger = nil
	switch fields[0] {
	case "begin":
		p.topic = p.s.topic(topicBegin)
	case "topic":
		if len(fields) < 2 {
			p.refuse(c.line, "the topic has no name")
			return
		}
		if len(p.s.topics) >= maxTopics && p.s.topics[p.topicName(fields[1])] == nil {
			p.refuse(c.line, fmt.Sprintf("the script has more than %d topics", maxTopics))
			return
		}
		p.topic = p.s.topic(p.topicName(fields[1]))
		list := (*[]string)(nil)
		for _, f := range fields[2:] {
			switch {
			case f == "includes":
				list = &p.topic.includes
			case f == "inherits":
				list = &p.topic.inherits
			case list == nil:
				p.warn(c.line, fmt.Sprintf("%q: after a topic's name come includes or inherits", f))
			case len(p.topic.includes)+len(p.topic.inherits) >= maxTies:
				p.refuse(c.line, fmt.Sprintf("the topic %s includes and inherits more than %d", p.topic.name, maxTies))
				return
			default:
				*list = append(*list, p.topicName(f))
			}
		}
	default:
		p.warn(c.line, fmt.Sprintf("there is no label %q; the line is skipped", fields[0]))
	}
}

func (p *parser) topicName(name string) string {
	if p.o.Dialect == Dexter && name == "default" {
		return topicRandom
	}
	return name
}

// define obeys a ! line.
func (p *parser) define(c command) {
	left, value, ok := strings.Cut(c.text, "=")
	fields := strings.Fields(left)
	if !ok || len(fields) == 0 {
		p.warn(c.line, "a definition is written \"! type name = value\"; the line is skipped")
		return
	}
	name, value := strings.Join(fields[1:], " "), strings.TrimSpace(value)
	if fields[0] == "version" {
		if v, err := strconv.ParseFloat(value, 64); err != nil || v > 2 {
			p.refuse(c.line, fmt.Sprintf("the script is of version %s; this engine knows 2.0", value))
		}
		return
	}
	if name == "" {
		p.warn(c.line, "the definition has no name; the line is skipped")
		return
	}
	if kind := fields[0]; kind != "array" {
		if len(c.text) > maxLine {
			p.refuse(c.line, fmt.Sprintf("the definition has %d bytes; at most %d are allowed", len(c.text), maxLine))
			return
		}
		if kind == "sub" || kind == "person" {
			if p.s.phrases += len(name); len(value) > maxPhrase || p.s.phrases > maxPhrases {
				p.refuse(c.line, fmt.Sprintf("a substitution puts in at most %d bytes, and all together replace at most %d", maxPhrase, maxPhrases))
				return
			}
		}
	}
	switch fields[0] {
	case "var":
		set(p.s.vars, name, value)
	case "global":
		set(p.s.globals, name, value)
	case "sub":
		set(p.s.subs, strings.ToLower(name), value)
	case "person":
		set(p.s.person, strings.ToLower(name), value)
	case "array":
		if value == "<undef>" {
			delete(p.s.arrays, name)
			return
		}
		_, first, _ := strings.Cut(p.firstLine(c), "=")
		p.s.arrays[name] = items(append([]string{strings.TrimSpace(first)}, c.more...))
	case "local":
		p.warn(c.line, fmt.Sprintf("there is no local %q", name))
	default:
		p.warn(c.line, fmt.Sprintf("there is no definition of type %q; the line is skipped", fields[0]))
	}
}

// firstLine is a command without the lines that continue it.
func (p *parser) firstLine(c command) string {
	n := len(c.text)
	for _, m := range c.more {
		n -= len(m)
	}
	return c.text[:n]
}

func set(m map[string]string, name, value string) {
	if value == "<undef>" {
		delete(m, name)
		return
	}
	m[name] = value
}

// items cuts the lines of an array.
func items(lines []string) []string {
	var all []string
	for _, line := range lines {
		fields := strings.Fields(line)
		if strings.Contains(line, "|") {
			fields = strings.Split(line, "|")
		}
		for _, f := range fields {
			if f = strings.TrimSpace(f); f != "" {
				all = append(all, strings.ReplaceAll(f, `\s`, " "))
			}
		}
	}
	return all
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// cutWeight removes the first {weight=N} with the blanks around it from a text.
func cutWeight(s string, blanks bool) (rest string, weight int, ok bool) {
	i := strings.Index(s, "{weight=")
	if i < 0 {
		return s, 0, false
	}
	j := strings.IndexByte(s[i:], '}')
	if j < 0 {
		return s, 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(s[i+len("{weight=") : i+j]))
	if err != nil {
		return s, 0, false
	}
	before, after := s[:i], s[i+j+1:]
	if blanks {
		before, after = strings.TrimRight(before, " "), strings.TrimLeft(after, " ")
	}
	return before + after, n, true
}

// triggerWeight keeps the text as it is, for it counts in sorting, and returns the weight.
func triggerWeight(text string) (string, int) {
	_, weight, _ := cutWeight(text, true)
	return text, weight
}

// maxReplyWeight bounds what a reply may weigh.
const maxReplyWeight = 10_000

func replyWeight(text string) (string, int) {
	total := 1
	for {
		rest, n, ok := cutWeight(text, false)
		if !ok {
			return strings.TrimSpace(text), total
		}
		text, total = rest, min(max(n, 1), maxReplyWeight)
	}
}
