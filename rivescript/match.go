package rivescript

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// program is a compiled pattern: a matcher that backtracks but tries each of its instructions at
// each place of the text once at most, so that its work is bounded by the product of both, whatever
// the pattern.
//
// regexp would do but for one thing: its \b knows ASCII only, and options hang on the boundaries of
// words.
type program struct {
	code     []inst
	captures int
}

type opcode uint8

const (
	opText  opcode = iota // text must follow
	opOnce                // one character of class; then opMore
	opMore                // go on to next, or take one more character
	opSplit               // alternatives in order
	opEdge                // blanks, or the boundary of a word
	opOpen                // a capture begins
	opClose               // and ends
	opEmpty               // the text may end here: a lone * takes the empty message too
	opFail
	opAny // one of texts
	opMatch
)

type class uint8

const (
	classAny class = iota
	classDigit
	classAlpha
)

type inst struct {
	op    opcode
	class class
	n     int // of the capture
	next  int
	text  string
	alts  []int
	texts []string
}

// span is where a capture stands in the text; below 0 when it took no part.
type span struct{ from, to int }

// compiler turns nodes into instructions, from the last to the first: each knows what follows it.
type compiler struct {
	code     []inst
	captures int
	array    func(name string) []string
	tag      func(tag string) string // nil where there is nothing of a turn
}

func compile(p *pattern, array func(string) []string, tag func(string) string) *program {
	c := &compiler{array: array, tag: tag}
	number(p.seq, &c.captures)
	end := c.emit(inst{op: opMatch})
	start := 0
	if len(p.seq) == 1 && p.seq[0].kind == nodeStar {
		closing := c.emit(inst{op: opClose, n: 0, next: end})
		more := c.emit(inst{op: opMore, class: classAny, next: closing})
		start = c.emit(inst{op: opOpen, n: 0, next: more})
	} else {
		start = c.seq(p.seq, end, &counter{})
	}
	// The matcher begins with the last instruction.
	if start != len(c.code)-1 {
		c.emit(inst{op: opSplit, alts: []int{start}})
	}
	return &program{code: c.code, captures: c.captures}
}

// number counts the captures.
func number(seq []node, n *int) {
	for _, x := range seq {
		if x.capture {
			*n++
		}
		for _, alt := range x.alts {
			number(alt, n)
		}
	}
}

// counter gives captures their numbers from left to right although the code is made from right to
// left.
type counter struct{ before int }

func (c *compiler) emit(i inst) int {
	c.code = append(c.code, i)
	return len(c.code) - 1
}

func (c *compiler) seq(seq []node, next int, base *counter) int {
	// The number of each node's first capture.
	first := make([]int, len(seq))
	n := base.before
	for i := range seq {
		first[i] = n
		number(seq[i:i+1], &n)
	}
	base.before = n
	for i := len(seq) - 1; i >= 0; i-- {
		next = c.node(seq[i], next, first[i])
	}
	return next
}

func (c *compiler) node(n node, next, capture int) int {
	if n.capture {
		next = c.emit(inst{op: opClose, n: capture, next: next})
	}
	start := next
	switch n.kind {
	case nodeText:
		start = c.emit(inst{op: opText, text: n.text, next: next})
	case nodeTag:
		value := ""
		if c.tag != nil {
			value = c.tag(n.text)
		}
		start = c.emit(inst{op: opText, text: value, next: next})
	case nodeArray:
		start = c.list(n.text, next)
	case nodeStar:
		start = c.wildcard(classAny, next)
	case nodeDigit:
		start = c.wildcard(classDigit, next)
	case nodeAlpha:
		start = c.wildcard(classAlpha, next)
	case nodeGroup:
		inner := &counter{capture + flag(n.capture)}
		start = c.alternatives(n.alts, next, inner)
	case nodeOption:
		edge := c.emit(inst{op: opEdge, next: next})
		inner := &counter{capture}
		alts := make([]int, 0, len(n.alts)+1)
		for _, alt := range n.alts {
			alts = append(alts, c.emit(inst{op: opEdge, next: c.seq(alt, edge, inner)}))
		}
		start = c.emit(inst{op: opSplit, alts: append(alts, edge)})
	}
	if n.capture {
		start = c.emit(inst{op: opOpen, n: capture, next: start})
	}
	return start
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *compiler) alternatives(alts [][]node, next int, inner *counter) int {
	if texts := textsOf(alts); texts != nil {
		return c.emit(inst{op: opAny, texts: texts, next: next})
	}
	starts := make([]int, len(alts))
	for i, alt := range alts {
		starts[i] = c.seq(alt, next, inner)
	}
	if len(starts) == 1 {
		return starts[0]
	}
	return c.emit(inst{op: opSplit, alts: starts})
}

func (c *compiler) list(name string, next int) int {
	words := c.array(name)
	if len(words) == 0 {
		return c.emit(inst{op: opFail})
	}
	return c.emit(inst{op: opAny, texts: words, next: next})
}

// textsOf are alternatives that are nothing but text; nil when one is more, or when there is only
// one.
func textsOf(alts [][]node) []string {
	if len(alts) < 2 {
		return nil
	}
	texts := make([]string, len(alts))
	for i, alt := range alts {
		if len(alt) != 1 || alt[0].kind != nodeText || alt[0].capture {
			return nil
		}
		texts[i] = alt[0].text
	}
	return texts
}

func (c *compiler) wildcard(k class, next int) int {
	more := c.emit(inst{op: opMore, class: k, next: next})
	return c.emit(inst{op: opOnce, class: k, next: more})
}

// thread is a place to come back to: an instruction at a position, or an old value of a capture.
type thread struct{ pc, pos, old int }

// machine is what a match works with; it is used again.
type machine struct {
	seen  []uint64
	stack []thread
	caps  []span
	steps int // taken by all matches since it was reset
	most  int // that it may take; 0 for any number
	next  candidates
}

// match reports whether the program takes the whole text. The captures stand in m.caps until the
// next match.
func (m *machine) match(p *program, text string) bool {
	width := len(text) + 1
	words := (len(p.code)*width + 63) / 64
	if m.steps += words / 64; words > maxSeen/8 {
		m.exceed()
		return false
	}
	if cap(m.seen) < words {
		m.seen = make([]uint64, words)
	}
	m.seen = m.seen[:words]
	clear(m.seen)
	m.caps = m.caps[:0]
	for range p.captures {
		m.caps = append(m.caps, span{-1, -1})
	}
	m.stack = append(m.stack[:0], thread{pc: len(p.code) - 1})
	for len(m.stack) > 0 && !m.tired() {
		t := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		switch {
		case t.pc == restoreFrom:
			m.caps[t.pos].from = t.old
		case t.pc == restoreTo:
			m.caps[t.pos].to = t.old
		case m.follow(p, text, t.pc, t.pos, width):
			return true
		}
	}
	return false
}

const (
	restoreFrom = -1
	restoreTo   = -2
)

// tired reports whether the machine has taken all the steps that it may.
func (m *machine) tired() bool { return m.most > 0 && m.steps > m.most }

// exceed takes all steps at once.
func (m *machine) exceed() {
	if m.most > 0 {
		m.steps = max(m.steps, m.most+1)
	}
}

// rest frees what the machine has allocated for large matches.
func (m *machine) rest() {
	if cap(m.seen) > keptSeen/8 {
		m.seen = nil
	}
	if cap(m.stack) > keptSeen/16 {
		m.stack = nil
	}
}

// follow runs one thread until it fails or takes the whole text.
func (m *machine) follow(p *program, text string, pc, pos, width int) bool {
	for {
		if bit := pc*width + pos; m.seen[bit>>6]&(1<<(bit&63)) != 0 {
			return false
		} else {
			m.seen[bit>>6] |= 1 << (bit & 63)
		}
		if m.steps++; m.tired() {
			return false
		}
		in := &p.code[pc]
		switch in.op {
		case opText:
			if !strings.HasPrefix(text[pos:], in.text) {
				return false
			}
			pos, pc = pos+len(in.text), in.next
		case opAny:
			m.steps += len(in.texts) / 8
			first := -1
			for i := len(in.texts) - 1; i >= 0; i-- {
				if !strings.HasPrefix(text[pos:], in.texts[i]) {
					continue
				}
				if first >= 0 {
					m.stack = append(m.stack, thread{pc: in.next, pos: pos + len(in.texts[first])})
				}
				first = i
			}
			if first < 0 {
				return false
			}
			pos, pc = pos+len(in.texts[first]), in.next
		case opOnce:
			size := one(text[pos:], in.class)
			if size == 0 {
				return false
			}
			pos, pc = pos+size, in.next
		case opMore:
			to := m.skip(p, text, in, pos)
			if to < 0 {
				return false
			}
			if to != pos {
				pos = to
				continue
			}
			if size := one(text[pos:], in.class); size > 0 {
				m.stack = append(m.stack, thread{pc: pc, pos: pos + size})
			}
			pc = in.next
		case opSplit:
			for i := len(in.alts) - 1; i > 0; i-- {
				m.stack = append(m.stack, thread{pc: in.alts[i], pos: pos})
			}
			pc = in.alts[0]
		case opEdge:
			n := blanks(text[pos:])
			if n == 0 {
				if !edge(text, pos) {
					return false
				}
				pc = in.next
				break
			}
			if edge(text, pos) {
				m.stack = append(m.stack, thread{pc: in.next, pos: pos})
			}
			for i := 1; i < n; i++ {
				m.stack = append(m.stack, thread{pc: in.next, pos: pos + i})
			}
			pos, pc = pos+n, in.next
		case opOpen:
			m.stack = append(m.stack, thread{restoreFrom, in.n, m.caps[in.n].from})
			m.caps[in.n].from = pos
			pc = in.next
		case opClose:
			m.stack = append(m.stack, thread{restoreTo, in.n, m.caps[in.n].to})
			m.caps[in.n].to = pos
			pc = in.next
		case opMatch:
			return pos == len(text)
		default:
			return false
		}
	}
}

// skip returns the next place where a * may stop because the text that must follow it stands there;
// -1 when there is none. Where that cannot be told, it is pos itself.
func (m *machine) skip(p *program, text string, in *inst, pos int) int {
	if in.class != classAny {
		return pos
	}
	next := &p.code[in.next]
	if next.op == opClose {
		next = &p.code[next.next]
	}
	switch next.op {
	case opText:
		m.steps += (len(text) - pos) / 256
		if i := strings.Index(text[pos:], next.text); i >= 0 {
			return pos + i
		}
		return -1
	case opMatch:
		return len(text)
	}
	return pos
}

// one returns the size of the character that s begins with when it is of the class, else 0.
func one(s string, k class) int {
	if s == "" {
		return 0
	}
	if c := s[0]; c < utf8.RuneSelf {
		switch {
		case k == classAny, k == classDigit && c >= '0' && c <= '9', k == classAlpha && c > ' ' && (c < '0' || c > '9'):
			return 1
		}
		return 0
	}
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case k == classDigit && !unicode.IsDigit(r), k == classAlpha && (unicode.IsDigit(r) || unicode.IsSpace(r)):
		return 0
	}
	return size
}

// blanks counts the blanks that s begins with.
func blanks(s string) int {
	n := 0
	for n < len(s) && (s[n] == ' ' || s[n] >= '\t' && s[n] <= '\r') {
		n++
	}
	return n
}

// edge reports whether a word may begin or end at a position: everywhere but between two characters
// of a word.
func edge(text string, pos int) bool {
	if pos == 0 || pos == len(text) {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(text[:pos])
	after, _ := utf8.DecodeRuneInString(text[pos:])
	return !joined(before, after)
}

// isWord reports whether a character is part of words: letters, marks, digits and the low line.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '_'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}
