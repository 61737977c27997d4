package rivescript

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	callOpen = "<call>"
	callShut = "</call>"
)

// calls runs <call>name args</call>, those within the arguments of others first. Their results
// stand in the reply as they are.
func (t *turn) calls(s string, depth int) string {
	from := 0
	for t.err == nil {
		i := strings.Index(s[from:], callOpen)
		if i < 0 {
			return s
		}
		i += from
		end := callEnd(s, i)
		if end < 0 {
			return s
		}
		args := arguments(s[i+len(callOpen) : end-len(callShut)])
		for k, arg := range args {
			arg = strings.ReplaceAll(arg, argMark, "")
			if strings.Contains(arg, callOpen) {
				arg = t.calls(arg, depth)
			}
			args[k] = t.plain(arg)
		}
		result := t.call(args, depth)
		s = s[:i] + result + s[end:]
		from = i + len(result)
		if len(s) > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
	}
	return ""
}

// callEnd is the place after the </call> that belongs to the <call> at a place; -1 when there is
// none.
func callEnd(s string, from int) int {
	nested := 0
	for i := from; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], callOpen):
			nested++
			i += len(callOpen)
		case strings.HasPrefix(s[i:], callShut):
			i += len(callShut)
			if nested--; nested == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

// callsEnd is the place after the calls of a redirect that begins at a place.
func callsEnd(s string, from int) int {
	for {
		i := strings.Index(s[from:], callOpen)
		if i < 0 || strings.IndexByte(s[from:from+i], '}') >= 0 {
			return from
		}
		end := callEnd(s, from+i)
		if end < 0 {
			return from
		}
		from = end
	}
}

func (t *turn) call(args []string, depth int) string {
	if len(args) == 0 {
		return notFoundWords
	}
	if t.turns++; t.turns > t.e.o.Budget.Turns || t.left() <= 0 {
		return t.fail(ErrBudget)
	}
	m := t.e.macros[args[0]]
	if m == nil {
		return notFoundWords
	}
	was := t.begins
	t.begins = false
	defer func() { t.begins = was }()
	result, err := m(t.ctx, &Call{User: t.u, Engine: t.e, t: t, step: depth}, args[1:])
	switch {
	case errors.Is(err, ErrEnded), errors.Is(err, ErrUnavailable):
		return t.fail(err)
	case err != nil:
		return "[ERR: " + err.Error() + "]"
	}
	return storable(result)
}

// storable is a text of a macro without what no database takes: bytes that are not UTF-8, and
// U+0000.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// argMark stands around an argument whose limits were settled before tags were run.
const argMark = "\x10"

// splitCalls marks the limits of arguments as Dexter has them: between blanks before tags are run,
// so that a star of several words is one argument.
func (t *turn) splitCalls(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, callOpen)
		if i < 0 {
			break
		}
		end := callEnd(s, i)
		if end < 0 {
			break
		}
		b.WriteString(s[:i] + callOpen)
		for _, arg := range arguments(s[i+len(callOpen) : end-len(callShut)]) {
			b.WriteString(argMark + arg + argMark)
		}
		b.WriteString(callShut)
		s = s[end:]
	}
	b.WriteString(s)
	return b.String()
}

// arguments splits at blanks; quotes and tags hold together what they enclose.
func arguments(s string) []string {
	var args []string
	var b strings.Builder
	quoted, settled, open, some := false, false, 0, false
	within := 0 // calls
	flush := func() {
		if some {
			args = append(args, b.String())
		}
		b.Reset()
		some = false
	}
	for i, r := range s {
		switch {
		case strings.HasPrefix(s[i:], callOpen):
			within++
		case strings.HasPrefix(s[i:], callShut):
			within--
		}
		switch {
		case within > 0, strings.HasPrefix(s[i:], callShut):
			some = true
			b.WriteRune(r)
		case string(r) == argMark:
			if settled {
				flush()
			}
			settled = !settled
			some = settled
		case settled:
			b.WriteRune(r)
		case r == '"' && open == 0:
			quoted = !quoted
			some = true
		case r == ' ' && !quoted && open == 0:
			flush()
		default:
			switch r {
			case '<':
				open++
			case '>':
				open = max(0, open-1)
			}
			some = true
			b.WriteRune(r)
		}
	}
	flush()
	return args
}

// takeRaw puts away what stands between <raw> and </raw>.
func (t *turn) takeRaw(s string) string {
	for {
		i := strings.Index(s, "<raw>")
		if i < 0 {
			return s
		}
		j := strings.Index(s[i:], "</raw>")
		if j < 0 {
			return s
		}
		t.raws = append(t.raws, s[i+len("<raw>"):i+j])
		s = s[:i] + guardRaw + strconv.Itoa(len(t.raws)-1) + guardRaw + s[i+j+len("</raw>"):]
	}
}

// unraw puts it back, marked as what the person wrote is: nothing acts on it any more.
func (t *turn) unraw(s string) string {
	if len(t.raws) == 0 {
		return s
	}
	parts := strings.Split(s, guardRaw)
	for i := 1; i < len(parts); i += 2 {
		if n, err := strconv.Atoi(parts[i]); err == nil && n >= 0 && n < len(t.raws) {
			parts[i] = t.guard(t.raws[n])
		}
	}
	return strings.Join(parts, "")
}

// request makes the requests of a trigger that won, and keeps their answers for ${{ }}.
func (t *turn) request(won *trigger, caps, before []string, depth int) {
	for i := range won.requests {
		if t.turns++; t.turns > t.e.o.Budget.Turns {
			t.fail(ErrBudget)
			return
		}
		r := &won.requests[i]
		url := strings.TrimSpace(t.plain(t.text(r.url, caps, before, depth)))
		options := t.plain(t.text(r.options, caps, before, depth))
		if t.err != nil {
			return
		}
		answer := map[string]any{}
		if t.e.o.Fetch != nil {
			began := time.Now()
			got, err := t.e.o.Fetch(t.ctx, &Call{User: t.u, Engine: t.e, t: t, step: depth}, Request{Method: r.method, URL: url, Options: options})
			t.waited += time.Since(began)
			if m, ok := got.JSON.(map[string]any); ok {
				answer = m
			} else if got.JSON != nil {
				answer = map[string]any{"": got.JSON}
				if list, ok := got.JSON.([]any); ok {
					for n, item := range list {
						answer[strconv.Itoa(n)] = item
					}
				}
			}
			if err != nil {
				answer["__error"] = err.Error()
			}
			answer["__status"] = json.Number(strconv.Itoa(got.Status))
		}
		if t.data == nil {
			t.data = map[string]any{}
		}
		if r.name != "" {
			t.data[r.name] = answer
			continue
		}
		for key, value := range answer {
			t.data[key] = value
		}
	}
}

// filled puts the answers of requests in the place of ${{path}}.
func (t *turn) filled(s string) string {
	if t.e.o.Dialect != Dexter {
		return s
	}
	from := 0
	for {
		i := strings.Index(s[from:], "${{")
		if i < 0 {
			return s
		}
		i += from
		j := strings.Index(s[i:], "}}")
		if j < 0 {
			return s
		}
		value := t.guard(t.look(strings.TrimSpace(s[i+3 : i+j])))
		if len(s)+len(value) > t.e.o.Budget.Reply {
			return t.fail(ErrBudget)
		}
		s = s[:i] + value + s[i+j+2:]
		from = i + len(value)
	}
}

// look follows a path such as a.0.b through the answers; nothing when it leads nowhere.
func (t *turn) look(path string) string {
	var at any = map[string]any(t.data)
	for step := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v) {
				return ""
			}
			at = v[n]
		default:
			return ""
		}
	}
	switch v := at.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	b, err := json.Marshal(at)
	if err != nil {
		return ""
	}
	return string(b)
}
