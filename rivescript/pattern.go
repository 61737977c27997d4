package rivescript

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// pattern is the parsed text of a trigger. What depends on the person or on variables is filled in
// when it is compiled.
type pattern struct {
	seq    []node
	exact  string // the text of a pattern that is nothing but text
	atomic bool
	user   bool // it names something that only a turn knows
	arrays bool
	size   int      // how many nodes there are
	prog   *program // compiled, unless user
}

type nodeKind uint8

const (
	nodeText   nodeKind = iota
	nodeStar            // one character or more
	nodeDigit           // one digit or more
	nodeAlpha           // one or more that are neither blank nor digit
	nodeGroup           // ( )
	nodeOption          // [ ]
	nodeArray           // @name
	nodeTag             // <get x> and its kin
)

type node struct {
	kind    nodeKind
	text    string // of nodeText; the name of nodeArray; the inside of nodeTag
	capture bool
	alts    [][]node
}

// patternParser reads a trigger from left to right.
type patternParser struct {
	s     string
	pos   int
	utf8  bool
	depth int // of brackets
	opt   int // of square brackets
	p     *pattern
}

// maxNesting bounds brackets in brackets.
const maxNesting = 20

// parsePattern reads the text of a + or % line. With keep its punctuation stays, as that of the
// messages that it is matched with.
func parsePattern(text string, unicode, keep bool) (*pattern, error) {
	for {
		rest, _, ok := cutWeight(text, true)
		if !ok {
			break
		}
		text = rest
	}
	text = normalize(text)
	if unicode && !keep {
		text = plainSigns(text)
	}
	text = squeeze(text)
	p := &pattern{}
	pp := patternParser{s: text, utf8: unicode, p: p}
	alts, err := pp.alternatives(0)
	if err != nil {
		return nil, err
	}
	if len(alts) > 1 {
		return nil, errors.New("| stands outside of brackets")
	}
	p.seq = alts[0]
	if len(p.seq) == 0 {
		return nil, errors.New("the trigger is empty")
	}
	if len(p.seq) == 1 && p.seq[0].kind == nodeText {
		p.atomic, p.exact = true, p.seq[0].text
	}
	return p, nil
}

// alternatives reads up to the closing bracket (0: the end).
func (pp *patternParser) alternatives(end byte) ([][]node, error) {
	var alts [][]node
	var seq []node
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			seq = append(seq, node{kind: nodeText, text: text.String()})
			text.Reset()
		}
	}
	next := func() error {
		pp.p.size++
		flush()
		seq = trimBlanks(seq)
		if len(seq) == 0 && end != 0 {
			return errors.New("an alternative is empty")
		}
		alts, seq = append(alts, seq), nil
		return nil
	}
	for pp.pos < len(pp.s) {
		c := pp.s[pp.pos]
		switch c {
		case ')', ']':
			if c != end {
				return nil, fmt.Errorf("%c closes nothing", c)
			}
			pp.pos++
			err := next()
			return alts, err
		case '|':
			pp.pos++
			if err := next(); err != nil {
				return nil, err
			}
			continue
		case '(', '[', '*', '#', '_', '@', '<':
			n, ok, err := pp.special(c)
			if err != nil {
				return nil, err
			}
			if ok {
				flush()
				seq = append(seq, n)
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(pp.s[pp.pos:])
		if err := pp.allowed(r); err != nil {
			return nil, err
		}
		text.WriteRune(r)
		pp.pos += size
	}
	if end != 0 {
		return nil, fmt.Errorf("%c is missing", end)
	}
	err := next()
	return alts, err
}

// special reads what is more than text.
func (pp *patternParser) special(c byte) (node, bool, error) {
	pp.pos++
	pp.p.size++
	capture := pp.opt == 0
	switch c {
	case '*':
		return node{kind: nodeStar, capture: capture}, true, nil
	case '#':
		return node{kind: nodeDigit, capture: capture}, true, nil
	case '_':
		return node{kind: nodeAlpha, capture: capture}, true, nil
	case '@':
		name := leading(pp.s[pp.pos:], isWord)
		if name == "" {
			return node{}, false, errors.New("@ is followed by no name of an array")
		}
		pp.pos += len(name)
		pp.p.arrays = true
		return node{kind: nodeArray, text: name}, true, nil
	case '<':
		i := strings.IndexByte(pp.s[pp.pos:], '>')
		if i < 0 {
			return node{}, false, errors.New("> is missing")
		}
		tag := pp.s[pp.pos : pp.pos+i]
		if !knownInTrigger(tag) {
			return node{}, false, fmt.Errorf("<%s> cannot stand in a trigger", tag)
		}
		pp.pos += i + 1
		pp.p.user = true
		return node{kind: nodeTag, text: tag}, true, nil
	}
	if pp.depth++; pp.depth > maxNesting {
		return node{}, false, fmt.Errorf("brackets are nested more than %d deep", maxNesting)
	}
	n := node{kind: nodeGroup, capture: capture}
	end := byte(')')
	if c == '[' {
		n.kind, end = nodeOption, ']'
		n.capture = false
		pp.opt++
	}
	alts, err := pp.alternatives(end)
	if c == '[' {
		pp.opt--
	}
	pp.depth--
	n.alts = alts
	return n, true, err
}

// knownInTrigger reports whether a tag may stand in a trigger.
func knownInTrigger(tag string) bool {
	name, rest, _ := strings.Cut(tag, " ")
	switch name {
	case "get", "bot":
		return strings.TrimSpace(rest) != ""
	}
	_, _, ok := history(tag)
	return ok
}

// history reads input, input1 … reply9.
func history(tag string) (kind string, n int, ok bool) {
	for _, kind := range []string{"input", "reply"} {
		if rest, found := strings.CutPrefix(tag, kind); found {
			switch {
			case rest == "":
				return kind, 1, true
			case len(rest) == 1 && rest[0] >= '1' && rest[0] <= '9':
				return kind, int(rest[0] - '0'), true
			}
		}
	}
	return "", 0, false
}

func (pp *patternParser) allowed(r rune) error {
	switch {
	case r >= 'A' && r <= 'Z':
		return fmt.Errorf("%q: triggers are written in lower case", r)
	case pp.utf8 && (r == '\\' || r == '.'):
		return fmt.Errorf("%q cannot stand in a trigger", r)
	case pp.utf8, r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune(" {}=/", r):
		return nil
	}
	return fmt.Errorf("%q cannot stand in a trigger unless the engine works in UTF-8", r)
}

// trimBlanks removes the blanks from both ends of an alternative, and those around options: they
// belong to the boundary that an option brings.
func trimBlanks(seq []node) []node {
	out := seq[:0]
	for i, n := range seq {
		if n.kind == nodeText {
			if i == 0 || seq[i-1].kind == nodeOption {
				n.text = strings.TrimLeft(n.text, " ")
			}
			if i == len(seq)-1 || seq[i+1].kind == nodeOption {
				n.text = strings.TrimRight(n.text, " ")
			}
			if n.text == "" {
				continue
			}
		}
		out = append(out, n)
	}
	return out
}

// leading returns the longest beginning of s whose runes all satisfy ok.
func leading(s string, ok func(rune) bool) string {
	for i, r := range s {
		if !ok(r) {
			return s[:i]
		}
	}
	return s
}

// fresh is the pattern without what was compiled of it.
func (p *pattern) fresh() *pattern {
	if p == nil {
		return nil
	}
	own := *p
	own.prog = nil
	return &own
}
