package rivescript

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"
)

// Why a turn has no proper reply. The text of the reply says it in the classic words.
var (
	ErrNoMatch   = errors.New("rivescript: no reply matched")
	ErrNoReply   = errors.New("rivescript: no reply found")
	ErrRecursion = errors.New("rivescript: deep recursion detected")
	ErrBudget    = errors.New("rivescript: the turn takes too much")
)

var words = map[error]string{
	ErrNoMatch: "ERR: No Reply Matched", ErrNoReply: "ERR: No Reply Found", ErrRecursion: "ERR: Deep Recursion Detected", ErrBudget: "ERR: Budget Exceeded",
}

func classic(err error) string {
	if text, ok := words[err]; ok {
		return text
	}
	return "ERR: " + err.Error()
}

// Reply is what the engine answers.
type Reply struct {
	Text    string // for Dexter's second stage see Messages
	Trigger string // the trigger that won first, as written; empty when none did
	File    string // where it stands
	Line    int
	Topic   string // the person's topic afterwards
	Err     error  // ErrNoMatch and its kin, or that of ctx

	marked string // Text in which what the person gave is still marked as such
}

// turn is one message on its way to its reply.
type turn struct {
	e   *Engine
	ctx context.Context
	u   *User
	m   *machine

	message heard  // as it is matched
	kept    string // the same with its punctuation
	asked   *heard // what is being matched
	event   bool
	begins  bool
	won     *trigger
	err     error // that ends the turn
	turns   int
	set     int // bytes, by macros
	began   time.Time
	waited  time.Duration // since then, for what is not the script's doing
	raws    []string      // what stood between <raw> and </raw>
	data    map[string]any
}

// Reply answers a message of a person, whose state it changes.
func (e *Engine) Reply(ctx context.Context, u *User, message string) Reply {
	return e.run(ctx, u, message, false)
}

// Event answers something that happened, by its name, such as the payload of a postback. It is
// matched as if the person had written it, but a trigger that differs from it only in underscores
// is meant too.
func (e *Engine) Event(ctx context.Context, u *User, name string) Reply {
	return e.run(ctx, u, name, true)
}

// Process runs the tags of a text as if it were the reply to nothing, for what is said unasked: a
// reminder or a broadcast.
func (e *Engine) Process(ctx context.Context, u *User, text string) Reply {
	t := e.turn(ctx, u)
	defer e.rest(t)
	text = t.text(newTemplate(text), nil, nil, 0)
	if t.err != nil {
		text = classic(t.err)
	}
	r := Reply{Text: t.plain(text), Topic: u.Topic(), Err: t.err, marked: t.unraw(text)}
	u.Replies = pushed(u.Replies, r.Text)
	return r
}

// turn begins a turn; rest ends it.
func (e *Engine) turn(ctx context.Context, u *User) *turn {
	t := &turn{e: e, ctx: ctx, u: u, m: e.pool.Get().(*machine), began: time.Now()}
	t.m.steps, t.m.most = 0, e.o.Budget.Steps
	return t
}

func (e *Engine) rest(t *turn) {
	t.m.rest()
	e.pool.Put(t.m)
}

func (e *Engine) run(ctx context.Context, u *User, message string, event bool) Reply {
	if n := e.o.Budget.Message; len(message) > n {
		for n > 0 && !utf8.RuneStart(message[n]) {
			n--
		}
		message = message[:n]
	}
	message = strings.ToValidUTF8(message, "")
	t := e.turn(ctx, u)
	defer e.rest(t)
	t.event = event
	t.message = e.form.hear(message)
	t.kept = t.message.text
	if e.o.Dialect == Dexter {
		t.kept = e.form.kept(message)
	}
	text := t.framed()
	if t.err == nil && ctx.Err() != nil {
		t.err = ctx.Err()
	}
	if t.err != nil {
		text = classic(t.err)
	}
	r := Reply{Text: t.plain(text), Topic: u.Topic(), Err: t.err, marked: t.unraw(text)}
	if t.won != nil {
		r.Trigger, r.File, r.Line = t.won.text, t.won.file, t.won.line
	}
	u.remember(t.message.text, r.Text)
	return r
}

// framed returns the message within the frame that a begin block makes.
func (t *turn) framed() string {
	if t.e.views[topicBegin] == nil {
		return t.answer(t.message.text, 0)
	}
	frame := t.begin()
	if t.err != nil {
		return ""
	}
	if strings.Contains(frame, "{ok}") {
		frame = strings.ReplaceAll(frame, "{ok}", t.answer(t.message.text, 0))
		if t.err != nil {
			return ""
		}
	}
	return t.process(frame, nil, nil, 0)
}

// begin returns the frame: the reply to "request" with nothing done but its topics and sets.
func (t *turn) begin() string {
	v := t.e.views[topicBegin]
	t.begins = true
	defer func() { t.begins = false }()
	won, caps := t.find(v, "request", "request")
	if won == nil {
		return "{ok}"
	}
	text, ok := t.choose(won, caps, nil, 0)
	if !ok {
		return "{ok}"
	}
	return t.first(text)
}

// answer matches a text in the person's topic and returns the reply. Depth counts redirects.
func (t *turn) answer(text string, depth int) string {
	if t.err != nil {
		return ""
	}
	if t.turns++; t.turns > t.e.o.Budget.Turns || t.m.steps > t.e.o.Budget.Steps || t.left() <= 0 {
		return t.fail(ErrBudget)
	}
	if depth > t.e.depth {
		return t.fail(ErrRecursion)
	}
	if t.ctx.Err() != nil {
		return t.fail(t.ctx.Err())
	}
	v := t.e.views[t.u.Topic()]
	if v == nil {
		t.u.Set("topic", topicRandom)
		v = t.e.views[topicRandom]
	}
	won, caps, before := t.match(v, text, depth)
	if won == nil {
		return t.problem(ErrNoMatch, depth)
	}
	if t.won == nil {
		t.won = won
	}
	reply, ok := t.choose(won, caps, before, depth)
	if !ok && t.err == nil {
		return t.problem(ErrNoReply, depth)
	}
	return reply
}

// match finds the trigger that takes the message, or the text of a redirect.
func (t *turn) match(v *view, text string, depth int) (won *trigger, caps, before []string) {
	was := t.asked
	defer func() { t.asked = was }()
	if depth == 0 {
		t.asked = &t.message
		if len(v.after) > 0 {
			won, caps, before = t.findAfter(v, text)
		}
		if won == nil {
			won, caps = t.find(v, text, t.kept)
		}
		return won, caps, before
	}
	h, unstripped := t.e.form.redirect(text)
	if h.text != unstripped && len(v.ix.exact[unstripped]) > 0 {
		h = heard{text: unstripped} // a trigger that only redirects reach
	}
	t.asked = &h
	won, caps = t.find(v, h.text, unstripped)
	return won, caps, nil
}

// problem returns an error in words; at the top it is the turn's.
func (t *turn) problem(err error, depth int) string {
	if depth == 0 && !t.begins {
		return t.fail(err)
	}
	return words[err]
}

// left is how much time the turn still has.
func (t *turn) left() time.Duration { return t.e.o.Budget.Time - time.Since(t.began) + t.waited }

func (t *turn) fail(err error) string {
	if t.err == nil {
		t.err = err
	}
	return ""
}

// find returns the first trigger of a view that takes the text, and what it captured.
func (t *turn) find(v *view, text, kept string) (*trigger, []string) {
	if t.event {
		if rank, ok := v.squashed[squash(text)]; ok && text == t.message.text {
			return v.plain[rank].trigger, nil
		}
	}
	won, caps := t.firstOf(v, v.ix, text, int32(len(v.plain)))
	if v.keep != nil {
		limit := int32(len(v.plain))
		if won >= 0 {
			limit = won
		}
		if keptWon, keptCaps := t.firstOf(v, v.keep, kept, limit); keptWon >= 0 {
			won, caps = keptWon, keptCaps
		}
	}
	if won < 0 {
		return nil, nil
	}
	return v.plain[won].trigger, caps
}

// firstOf returns the rank of the first trigger below a limit that takes the text; -1 when there is
// none.
func (t *turn) firstOf(v *view, ix *index, text string, limit int32) (int32, []string) {
	c := &t.m.next
	c.reset(ix, text)
	for rank := c.next(); rank >= 0 && rank < limit; rank = c.next() {
		if caps, ok := t.takes(v.plain[rank].pattern, text); ok {
			return rank, caps
		}
		if t.m.tired() {
			t.fail(ErrBudget)
			return -1, nil
		}
	}
	return -1, nil
}

// findAfter returns the first trigger whose % takes the bot's last reply and which takes the text.
func (t *turn) findAfter(v *view, text string) (*trigger, []string, []string) {
	if len(t.u.Replies) == 0 {
		return nil, nil, nil
	}
	last := t.e.form.reply(t.u.Replies[0])
	c := &t.m.next
	c.reset(v.afterIx, last)
	for rank := c.next(); rank >= 0; rank = c.next() {
		r := v.after[rank]
		before, ok := t.takes(r.before, last)
		if t.m.tired() {
			t.fail(ErrBudget)
			break
		}
		if !ok {
			continue
		}
		want := text
		if r.keep {
			want = t.kept
		}
		if caps, ok := t.takes(r.pattern, want); ok {
			return r.trigger, caps, before
		}
		if t.m.tired() {
			t.fail(ErrBudget)
			break
		}
	}
	return nil, nil, nil
}

// takes matches one pattern and returns what it captured.
func (t *turn) takes(p *pattern, text string) ([]string, bool) {
	t.m.steps++
	if p.atomic {
		return nil, p.exact == text
	}
	prog := p.prog
	if prog == nil {
		prog = compile(p, t.e.array, t.triggerTag)
		t.m.steps += len(prog.code)
	}
	if !t.m.match(prog, text) {
		return nil, false
	}
	if len(t.m.caps) == 0 {
		return nil, true
	}
	caps := make([]string, len(t.m.caps))
	for i, s := range t.m.caps {
		switch {
		case s.from < 0 || s.to < s.from:
			caps[i] = absent
		case t.asked != nil && len(t.asked.inner) > 0 && text == t.asked.text:
			caps[i] = t.asked.restored(s.from, s.to)
		default:
			caps[i] = text[s.from:s.to]
		}
	}
	return caps, true
}

// triggerTag is the value of a tag in a trigger, as text to be matched.
func (t *turn) triggerTag(tag string) string {
	if kind, n, ok := history(tag); ok {
		if kind == "input" {
			return past(t.u.Inputs, n)
		}
		return t.e.form.reply(past(t.u.Replies, n))
	}
	kind, name, _ := strings.Cut(tag, " ")
	name = strings.TrimSpace(name)
	var value string
	var ok bool
	if kind == "bot" {
		if value, ok = t.e.BotVar(name); ok {
			return t.botText(value)
		}
		return undefined
	}
	if value, ok = t.u.Get(name); !ok {
		return undefined
	}
	return t.e.form.small(value)
}

// botText is a variable of the bot as it stands in a message.
func (t *turn) botText(value string) string {
	value = t.e.form.small(value)
	if !t.e.o.UTF8 {
		return tidy(value, plain)
	}
	return tidy(value, func(r rune) bool { return !strings.ContainsRune(`\<>`, r) && !strings.ContainsRune(t.e.form.punct, r) })
}

// chance returns a number from 0 up to but not including n.
func (t *turn) chance(n int) int {
	switch {
	case n < 2 || t.e.o.First:
		return 0
	case t.u.Rand != nil:
		return t.u.Rand(n)
	}
	return rand.IntN(n)
}
