package rivescript

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// choose returns the reply of a trigger that won: its redirect, the first condition that holds, or
// one of its replies. False when it has none.
func (t *turn) choose(won *trigger, caps, before []string, depth int) (string, bool) {
	t.request(won, caps, before, depth)
	if won.redirect != nil {
		target := strings.TrimSpace(t.plain(t.text(won.redirect, caps, before, depth)))
		was := t.begins
		t.begins = false
		defer func() { t.begins = was }()
		return t.answer(target, depth+1), true
	}
	for i := range won.conditions {
		if t.err != nil {
			return "", true
		}
		if c := &won.conditions[i]; t.holds(c, caps, before, depth) {
			return t.render(c.reply, caps, before, depth), true
		}
	}
	if len(won.replies) == 0 {
		return "", false
	}
	n := t.chance(won.total())
	i, _ := slices.BinarySearch(won.weights, n+1)
	return t.render(won.replies[i], caps, before, depth), true
}

// render makes the text of a reply. That of a frame is made in two steps: see framed.
func (t *turn) render(tp *template, caps, before []string, depth int) string {
	if t.begins {
		return tp.text
	}
	return t.text(tp, caps, before, depth)
}

// text runs the tags of a template.
func (t *turn) text(tp *template, caps, before []string, depth int) string {
	if tp.parts != nil {
		if s, ok := t.join(tp.parts, caps); ok {
			return s
		}
	}
	return t.process(t.filled(tp.text), caps, before, depth)
}

// join puts stars between pieces of text. It leaves to the passes what only they can do.
func (t *turn) join(parts []part, caps []string) (string, bool) {
	if len(parts) == 1 && parts[0].star == 0 {
		return parts[0].text, true
	}
	n := 0
	for _, p := range parts {
		n += len(p.text)
		if p.star > 0 {
			n += len(star(caps, p.star))
		}
	}
	if n > t.e.o.Budget.Reply {
		return "", false
	}
	var b strings.Builder
	b.Grow(n)
	for _, p := range parts {
		if p.star == 0 {
			b.WriteString(p.text)
		} else {
			b.WriteString(t.guard(star(caps, p.star)))
		}
	}
	return b.String(), true
}

func star(caps []string, n int) string {
	if n <= len(caps) && caps[n-1] != absent {
		return caps[n-1]
	}
	return undefined
}

// absent stands for what a capture took that had no part in the match. A message never holds it.
const absent = "\x00"

// What a person wrote, or what is read from variables of theirs, must not act as a tag. While a
// reply is made its special characters are written as others.
const (
	guardLess = "\x01"
	guardMore = "\x02"
	guardOpen = "\x03"
	guardShut = "\x04"
	guardBack = "\x05"
	guardHat  = "\x06"
	guardRaw  = "\x07" // around the number of what <raw> held
	guardAll  = "\x01\x02\x03\x04\x05\x06\x07" + markLess + markMore + argMark + "\x11\x12\x13\x14\x15"
)

var (
	guarding = strings.NewReplacer("<", guardLess, ">", guardMore, "{", guardOpen, "}", guardShut, `\`, guardBack, "^", guardHat, guardLess, "", guardMore, "",
		guardOpen, "", guardShut, "", guardBack, "", guardHat, "", guardRaw, "", markLess, "", markMore, "", argMark, "", "\x11", "", "\x12", "", "\x13", "", "\x14", "", "\x15", "")
	// Dexter's shortcodes have arguments, whose limits a person's words must not move.
	guardingArguments = strings.NewReplacer(",", "\x11", "(", "\x12", ")", "\x13", `"`, "\x14", "'", "\x15")
	unguarding        = strings.NewReplacer(guardLess, "<", guardMore, ">", guardOpen, "{", guardShut, "}", guardBack, `\`, guardHat, "^",
		"\x11", ",", "\x12", "(", "\x13", ")", "\x14", `"`, "\x15", "'")
)

func (t *turn) guard(value string) string {
	if strings.ContainsAny(value, "<>{}\\^"+guardAll) {
		value = guarding.Replace(value)
	}
	if t.e.o.Dialect == Dexter && strings.ContainsAny(value, ",()\"'") {
		value = guardingArguments.Replace(value)
	}
	return value
}

// plain is a text without marks.
func (t *turn) plain(s string) string {
	s = t.unraw(s)
	if strings.ContainsAny(s, guardAll) {
		return unguarding.Replace(s)
	}
	return s
}

// process runs all passes over a text, in the order that the language gives them.
func (t *turn) process(s string, caps, before []string, depth int) string {
	if t.m.steps += 10 + len(s)/16; t.m.steps > t.e.o.Budget.Steps {
		return t.fail(ErrBudget)
	}
	if strings.Contains(s, "<raw>") && t.e.o.Dialect == Dexter {
		s = t.takeRaw(s)
	}
	if strings.Contains(s, "(@") {
		s = t.arrays(s)
	}
	if strings.Contains(s, "<call>") && t.e.o.Dialect == Dexter {
		s = t.splitCalls(s)
	}
	angle, brace := strings.IndexByte(s, '<') >= 0, strings.IndexByte(s, '{') >= 0
	if angle {
		s = aliases.Replace(s)
		brace = strings.IndexByte(s, '{') >= 0
	}
	if brace {
		s = withoutWeights(s)
	}
	if angle {
		s = t.values(s, caps, before)
	}
	if strings.IndexByte(s, '\\') >= 0 {
		s = escapes.Replace(s)
	}
	if brace {
		s = t.blocks(s)
	}
	if angle {
		s = t.tags(s, depth)
	}
	if brace || strings.IndexByte(s, '{') >= 0 {
		s = t.topics(s)
		s = t.redirects(s, depth)
	}
	if angle {
		s = t.calls(s, depth)
	}
	if len(s) > t.e.o.Budget.Reply {
		return t.fail(ErrBudget)
	}
	return s
}

var (
	aliases = strings.NewReplacer("<person>", "{person}<star>{/person}", "<formal>", "{formal}<star>{/formal}", "<sentence>", "{sentence}<star>{/sentence}",
		"<uppercase>", "{uppercase}<star>{/uppercase}", "<lowercase>", "{lowercase}<star>{/lowercase}", "<@>", "{@<star>}")
	escapes = strings.NewReplacer(`\s`, " ", `\n`, "\n", `\#`, "#")
)

func withoutWeights(s string) string {
	for {
		rest, _, ok := cutWeight(s, false)
		if !ok {
			return s
		}
		s = rest
	}
}

// arrays writes (@name) as a choice among its items.
func (t *turn) arrays(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "(@")
		if i < 0 {
			break
		}
		name := leading(s[i+2:], isWord)
		end := i + 2 + len(name)
		list := t.e.s.arrays[name]
		if len(list) == 0 || end >= len(s) || s[end] != ')' {
			b.WriteString(s[:end])
			s = s[end:]
			continue
		}
		b.WriteString(s[:i] + "{random}" + strings.Join(list, "|") + "{/random}")
		s = s[end+1:]
		if t.m.steps += len(list); b.Len() > 2*maxArrayText || t.m.steps > t.e.o.Budget.Steps {
			return t.fail(ErrBudget)
		}
	}
	b.WriteString(s)
	return b.String()
}

// values fills in stars, what was said before, and the person's id.
func (t *turn) values(s string, caps, before []string) string {
	var b strings.Builder
	b.Grow(len(s) + 32)
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		j := strings.IndexByte(s, '>')
		if j < 0 {
			break
		}
		if k := strings.LastIndexByte(s[:j], '<'); k > 0 { // the innermost comes first
			b.WriteString(s[:k])
			s, j = s[k:], j-k
		}
		value, ok := t.value(s[1:j], caps, before)
		if !ok {
			value = s[:j+1]
		}
		b.WriteString(value)
		s = s[j+1:]
		if b.Len() > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
	}
	b.WriteString(s)
	return b.String()
}

func (t *turn) value(tag string, caps, before []string) (string, bool) {
	if n, ok := starNumber(tag, "star"); ok {
		return t.guard(star(caps, n)), true
	}
	if n, ok := starNumber(tag, "botstar"); ok {
		return t.guard(star(before, n)), true
	}
	if kind, n, ok := history(tag); ok {
		if kind == "input" {
			return t.guard(past(t.u.Inputs, n)), true
		}
		return t.guard(past(t.u.Replies, n)), true
	}
	if tag == "id" {
		return t.guard(t.u.ID), true
	}
	return "", false
}

// blocks runs {random} and then the four that change letters, and {person}.
func (t *turn) blocks(s string) string {
	s = t.block(s, "random", func(inner string) string {
		list := strings.Fields(inner)
		if strings.Contains(inner, "|") {
			list = strings.Split(inner, "|")
		}
		if len(list) == 0 {
			return ""
		}
		return list[t.chance(len(list))]
	})
	s = t.block(s, "person", t.e.person.apply)
	s = t.block(s, "formal", formal)
	s = t.block(s, "sentence", capital)
	s = t.block(s, "uppercase", strings.ToUpper)
	return t.block(s, "lowercase", strings.ToLower)
}

// block replaces what stands between {name} and {/name}.
func (t *turn) block(s, name string, f func(string) string) string {
	open, shut := "{"+name+"}", "{/"+name+"}"
	for {
		i := strings.Index(s, open)
		if i < 0 {
			return s
		}
		j := strings.Index(s[i:], shut)
		if j < 0 {
			return s
		}
		inner := s[i+len(open) : i+j]
		s = s[:i] + f(inner) + s[i+j+len(shut):]
		if t.m.steps += len(s); t.m.steps > t.e.o.Budget.Steps || len(s) > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
	}
}

// formal begins each word with a capital.
func formal(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		if start {
			r = unicode.ToTitle(r)
		}
		start = unicode.IsSpace(r)
		b.WriteRune(r)
	}
	return b.String()
}

// capital begins a text with a capital.
func capital(s string) string {
	trimmed := strings.TrimLeft(s, " ")
	r, size := utf8.DecodeRuneInString(trimmed)
	if size == 0 {
		return s
	}
	return s[:len(s)-len(trimmed)] + string(unicode.ToTitle(r)) + trimmed[size:]
}

// topics obeys {topic=name}; the last one wins.
func (t *turn) topics(s string) string {
	for {
		i := strings.Index(s, "{topic=")
		if i < 0 {
			return s
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			return s
		}
		t.enter(strings.TrimSpace(s[i+len("{topic=") : i+j]))
		s = s[:i] + s[i+j+1:]
	}
}

func (t *turn) enter(name string) {
	if t.e.o.Dialect == Dexter && name == "default" {
		name = topicRandom
	}
	if name != "" {
		t.u.Set("topic", t.plain(name))
	}
}

// redirects runs {@text} from left to right.
func (t *turn) redirects(s string, depth int) string {
	from := 0
	for t.err == nil {
		i := strings.Index(s[from:], "{@")
		if i < 0 {
			return s
		}
		i += from
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			return s
		}
		target := s[i+2 : i+j]
		if strings.Contains(target, "<call>") {
			// What a macro says is part of the text that is asked for.
			if j = strings.IndexByte(s[callsEnd(s, i):], '}'); j < 0 {
				return s
			}
			j += callsEnd(s, i) - i
			target = t.calls(s[i+2:i+j], depth)
		}
		reply := t.answer(strings.TrimSpace(t.plain(target)), depth+1)
		s = s[:i] + reply + s[i+j+1:]
		from = i + len(reply)
		if len(s) > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
	}
	return ""
}

// first runs what of a frame comes before the reply within: its topics and its sets.
func (t *turn) first(s string) string {
	s = t.topics(s)
	from := 0
	for {
		i := strings.Index(s[from:], "<set ")
		if i < 0 {
			return s
		}
		i += from
		j := strings.IndexByte(s[i:], '>')
		if j < 0 {
			return s
		}
		if inner := s[i+1 : i+j]; !strings.Contains(inner, "<") {
			t.tag(inner, 0)
			s, from = s[:i]+s[i+j+1:], i
			continue
		}
		from = i + 1
	}
}
