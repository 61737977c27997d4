package rivescript

import (
	"strings"
	"unicode/utf8"
)

// command is one line of source: its first character, and the rest.
type command struct {
	op   rune
	text string
	line int      // the line it begins on, from 1
	more []string // the ^ lines after it, each by itself; text has them joined

	joined []byte // text, while lines are added to it
}

// object is the body of a macro as it stands in the source.
type object struct {
	name, language, code string
	file                 string
	line                 int
}

// lexer cuts a source into commands: it removes comments, joins continued lines and collects the
// bodies of macros.
type lexer struct {
	file    string
	dialect Dialect
	concat  string
	report  func(line int, words string)

	commands []command
	objects  []object
	comment  bool // inside /* */
	nostrip  bool // a directive that belongs to the next trigger
}

// joints are what continued lines are joined by.
var joints = map[string]string{"none": "", "space": " ", "newline": "\n"}

func (l *lexer) run(source string) {
	source = strings.TrimPrefix(source, "\ufeff")
	var body []string
	var macro *object
	number := 0
	for raw := range strings.Lines(source) {
		if number++; len(l.commands) > maxCommands {
			break // the parser refuses it
		}
		line := strings.TrimSpace(raw)
		if macro != nil {
			if closes(line, "object") {
				macro.code = strings.Join(body, "")
				l.objects = append(l.objects, *macro)
				macro, body = nil, nil
				continue
			}
			body = append(body, raw)
			continue
		}
		line = l.uncomment(line)
		if line == "" {
			continue
		}
		op, size := utf8.DecodeRuneInString(line)
		text := strings.TrimSpace(line[size:])
		if text == "" {
			l.report(number, "the command "+string(op)+" has nothing after it; the line is skipped")
			continue
		}
		if op == '>' {
			if name, rest, _ := strings.Cut(text, " "); name == "object" {
				macro = l.object(rest, number)
				continue
			}
		}
		l.add(command{op: op, text: text, line: number})
	}
	for i := range l.commands {
		if c := &l.commands[i]; c.joined != nil {
			c.text, c.joined = string(c.joined), nil
		}
	}
	if macro != nil {
		l.report(macro.line, "the object "+macro.name+" has no end: < object is missing; it is skipped")
	}
}

func closes(line, label string) bool {
	rest, ok := strings.CutPrefix(line, "<")
	return ok && strings.TrimSpace(rest) == label
}

func (l *lexer) object(rest string, line int) *object {
	fields := strings.Fields(rest)
	o := &object{file: l.file, line: line}
	if len(fields) > 0 {
		o.name = fields[0]
	} else {
		l.report(line, "the object has no name")
	}
	if len(fields) > 1 {
		o.language = strings.ToLower(fields[1])
	} else if l.dialect == Dexter {
		o.language = "javascript"
	} else {
		l.report(line, "the object "+o.name+" names no language; it is taken for javascript")
		o.language = "javascript"
	}
	return o
}

// uncomment removes comments from a trimmed line; what is left may be nothing.
func (l *lexer) uncomment(line string) string {
	if l.comment {
		if strings.Contains(line, "*/") {
			l.comment = false
		}
		return ""
	}
	switch {
	case strings.HasPrefix(line, "//"):
		return ""
	case strings.HasPrefix(line, "/*"):
		l.comment = !strings.Contains(line, "*/")
		return ""
	case strings.HasPrefix(line, "#"):
		l.directive(line[1:])
		return ""
	}
	if i := strings.Index(line, " //"); i >= 0 {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}

// directive obeys what Dexter's scripts write behind a #; to everybody else it is an old kind of
// comment.
func (l *lexer) directive(text string) {
	if l.dialect == Dexter && strings.Join(strings.Fields(text), " ") == "punc nostrip" {
		l.nostrip = true
	}
}

// add keeps a command, or joins it to the one that it continues.
func (l *lexer) add(c command) {
	switch {
	case c.op == '!':
		if value, ok := local(c.text, "concat"); ok {
			l.concat = joints[value]
			return
		}
	case c.op == '^' && len(l.commands) == 0:
		l.report(c.line, "^ continues nothing")
		return
	case c.op == '^':
		last := &l.commands[len(l.commands)-1]
		joint := l.concat
		if last.op == '!' {
			joint = ""
		}
		if last.joined == nil {
			last.joined = []byte(last.text)
		}
		last.more = append(last.more, c.text)
		last.joined = append(append(last.joined, joint...), c.text...)
		return
	case c.op == '+' && l.nostrip:
		l.commands = append(l.commands, command{op: '#', text: "punc nostrip", line: c.line})
		l.nostrip = false
	}
	l.commands = append(l.commands, c)
}

// local reads "local name = value".
func local(text, name string) (string, bool) {
	left, value, ok := strings.Cut(text, "=")
	fields := strings.Fields(left)
	if !ok || len(fields) != 2 || fields[0] != "local" || fields[1] != name {
		return "", false
	}
	return strings.ToLower(strings.TrimSpace(value)), true
}
