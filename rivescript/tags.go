package rivescript

import (
	"fmt"
	"strconv"
	"strings"
)

// tags runs the tags that read and write variables, the innermost first, so that <set a=<get b>>
// works. What is not a known tag stays as it is.
func (t *turn) tags(s string, depth int) string {
	from := 0 // before it no tag is left to run
	for t.err == nil {
		i, j := innermost(s, from)
		if i < 0 {
			return unmark.Replace(s)
		}
		value, ok := t.tag(s[i+1:j], depth)
		if !ok {
			value = markLess + s[i+1:j] + markMore
		}
		s = s[:i] + value + s[j+1:]
		// An outer tag may have become innermost: the search begins at the last one that is open.
		from = max(0, strings.LastIndexByte(s[:i], '<'))
		if t.m.steps += 20 + len(s)/16; t.m.steps > t.e.o.Budget.Steps || len(s) > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
	}
	return ""
}

// Tags that are not ours are marked while the others are looked for.
const (
	markLess = "\x0e"
	markMore = "\x0f"
)

var unmark = strings.NewReplacer(markLess, "<", markMore, ">")

// innermost finds the first < that is closed before another is opened; -1 when there is none.
func innermost(s string, from int) (int, int) {
	for {
		i := strings.IndexByte(s[from:], '<')
		if i < 0 {
			return -1, 0
		}
		i += from
		j := strings.IndexByte(s[i:], '>')
		if j < 0 {
			return -1, 0
		}
		k := strings.LastIndexByte(s[i:i+j], '<')
		if j > k+1 {
			return i + k, i + j
		}
		from = i + j + 1 // <> is no tag
	}
}

// tag runs one tag and returns what stands in its place, and false when it is not a known tag.
func (t *turn) tag(inner string, depth int) (string, bool) {
	kind, rest, _ := strings.Cut(inner, " ")
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return "", false
	}
	switch strings.ToLower(kind) {
	case "bot":
		return t.shared(rest, depth, t.e.BotVar, t.e.SetBotVar)
	case "env":
		return t.shared(rest, depth, t.e.env, t.e.setEnv)
	case "set":
		name, value, assigns := assignment(rest)
		value = t.called(value, depth)
		switch {
		case t.e.o.Dialect == Dexter && strings.HasPrefix(name, "_"):
			return "", true // reserved for the platform
		case !assigns || value == "<undef>":
			t.u.Unset(name)
		case name == "topic":
			t.enter(value)
		default:
			t.u.Set(name, t.plain(value))
		}
		return "", true
	case "get":
		if value, ok := t.u.Get(t.plain(rest)); ok {
			return t.guard(value), true
		}
		return undefined, true
	case "add", "sub", "mult", "div":
		name, value, _ := assignment(rest)
		value = t.called(value, depth)
		return t.calculate(strings.ToLower(kind), name, t.plain(value)), true
	}
	return "", false
}

// called runs the macros in a value that is to be set, whose tags were marked as not ours.
func (t *turn) called(value string, depth int) string {
	if !strings.Contains(value, markLess+"call"+markMore) {
		return value
	}
	return t.calls(unmark.Replace(value), depth)
}

// assignment reads name=value; the value ends at a second =.
func assignment(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	value, _, _ = strings.Cut(value, "=")
	return strings.TrimSpace(name), strings.TrimSpace(value), ok
}

// shared reads or sets a variable that is not the person's own.
func (t *turn) shared(rest string, depth int, get func(string) (string, bool), set func(name, value string)) (string, bool) {
	if name, value, ok := assignment(rest); ok {
		t.m.steps += t.e.sharedSize() / 8 // they are copied
		set(name, t.plain(t.called(value, depth)))
		return "", true
	}
	if value, ok := get(t.plain(rest)); ok {
		return value, true
	}
	return undefined, true
}

func (e *Engine) env(name string) (string, bool) {
	v, ok := (*e.envs.Load())[name]
	return v, ok
}

func (e *Engine) setEnv(name, value string) {
	if !e.room("\x00"+name, value) {
		return
	}
	e.setShared(&e.envs, name, value)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set["\x00"+name] = value
}

// calculate changes a number of the person's. Errors are texts in the reply.
func (t *turn) calculate(op, name, value string) string {
	old := "0"
	if v, ok := t.u.Get(name); ok {
		old = v
	}
	by, ok := t.number(value)
	if !ok {
		return fmt.Sprintf("[ERR: Math can't '%s' non-numeric value '%s']", op, t.guard(value))
	}
	n, ok := t.number(old)
	if !ok {
		return fmt.Sprintf("[ERR: Math can't '%s' non-numeric user variable '%s']", op, t.guard(name))
	}
	switch op {
	case "add":
		n += by
	case "sub":
		n -= by
	case "mult":
		n *= by
	case "div":
		if by == 0 {
			return "[ERR: Can't Divide By Zero]"
		}
		if t.e.o.Dialect == Dexter && n%by != 0 {
			t.u.Set(name, strconv.FormatFloat(float64(n)/float64(by), 'f', -1, 64))
			return ""
		}
		n /= by
	}
	t.u.Set(name, strconv.FormatInt(n, 10))
	return ""
}

// number reads an integer. In Dexter's scripts what follows the digits does not count.
func (t *turn) number(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if t.e.o.Dialect == Dexter {
		end := 0
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
			end++
		}
		s = s[:end]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// holds reports whether a condition is true.
func (t *turn) holds(c *condition, caps, before []string, depth int) bool {
	left, right := t.side(c.leftT, caps, before, depth), t.side(c.rightT, caps, before, depth)
	switch c.op {
	case "==", "eq":
		return left == right
	case "!=", "ne", "<>":
		return left != right
	}
	a, aOK := t.number(left)
	b, bOK := t.number(right)
	if !aOK || !bOK {
		return false
	}
	switch c.op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func (t *turn) side(tp *template, caps, before []string, depth int) string {
	was := t.begins
	t.begins = false
	s := strings.TrimSpace(t.plain(t.text(tp, caps, before, depth)))
	t.begins = was
	if s == "" {
		return undefined
	}
	return s
}
