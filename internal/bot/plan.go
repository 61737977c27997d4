package bot

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
	"github.com/chasqui/chasqui/rivescript"
)

// Limits of the platform on what shortcodes make.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/buttons/quick-replies
const (
	maxQuickReplies  = 13
	maxButtons       = 3
	maxButtonTitle   = 20
	maxPayload       = 1000
	maxTemplateText  = 640
	actionTimeout    = 10 * time.Second
	maxTyping        = 20 * time.Second
	maxBotMessages   = 50 // of one turn
	typingPerMessage = 2 * time.Second
)

// plan is what a turn says, now and later, and what it does besides.
type plan struct {
	now       []gateway.MessageInput
	timers    []*gateway.BotTimer
	canceled  []string // names of reminders
	goals     []*gateway.Goal
	actions   []action
	passing   []action // once everything that is said now has been sent
	personaID string
	after     time.Duration // of the pause so far
}

// action is something done at the platform that is no message.
type action func(context.Context, *messenger.Client, *turn) error

// say plans the messages of a reply.
func (t *turn) say(r rivescript.Reply) {
	var messages []rivescript.Message
	if t.script.Engine.Dialect() == rivescript.Dexter {
		messages = r.Messages()
	} else if r.Err == nil && strings.TrimSpace(r.Text) != "" && !strings.Contains(r.Text, "<noreply>") {
		messages = []rivescript.Message{{Text: r.Text}}
	}
	for _, m := range messages {
		t.plan.after += m.Delay
		t.shortcodes(m)
		inputs := t.inputs(m)
		if len(inputs) == 0 {
			continue
		}
		if t.plan.after == 0 {
			t.plan.now = append(t.plan.now, inputs...)
			continue
		}
		content, err := json.Marshal(inputs)
		if err != nil {
			t.r.log.Error("keep a delayed message", "err", err)
			continue
		}
		t.timer(gateway.TimerDelay, "", content, t.now.Add(t.plan.after))
	}
}

func (t *turn) timer(kind, name string, content json.RawMessage, due time.Time) {
	t.plan.timers = append(t.plan.timers, &gateway.BotTimer{
		ID: t.r.o.Store.NewID("tmr"), Lane: t.lane, Partition: gateway.Partition(t.lane.Application, t.lane.Person),
		Kind: kind, Name: name, Content: content, DueAt: due.UTC(), Seq: len(t.plan.timers),
	})
}

// shortcodes obeys those that are not part of a message.
func (t *turn) shortcodes(m rivescript.Message) {
	for _, s := range m.Shortcodes {
		arg := func(i int) string {
			if i < len(s.Args) {
				return s.Args[i]
			}
			return ""
		}
		switch s.Name {
		case "reminder":
			due, ok := reminderTime(arg(2))
			if !ok {
				t.r.log.Warn("script sets a reminder without a time", "application", t.lane.Application, "reminder", arg(0))
				continue
			}
			name := script.ReminderName(arg(0))
			content, _ := json.Marshal(arg(1)) // a string always encodes
			t.plan.canceled = append(t.plan.canceled, name)
			t.timer(gateway.TimerReminder, name, content, due)
			t.user.Set(script.ReminderVar(name), arg(2))
		case "reminderCancel":
			name := script.ReminderName(arg(0))
			t.plan.canceled = append(t.plan.canceled, name)
			t.plan.timers = slices.DeleteFunc(t.plan.timers, func(x *gateway.BotTimer) bool { return x.Kind == gateway.TimerReminder && x.Name == name })
			t.user.Unset(script.ReminderVar(name))
		case "notifyAgent":
			t.bypass()
			t.plan.passing = append(t.plan.passing, func(ctx context.Context, c *messenger.Client, t *turn) error {
				return c.PassThread(ctx, messenger.ThreadRequest{PSID: messenger.PSID(t.lane.Person), AppID: messenger.AppIDPageInbox, Metadata: "the script asks for a human"})
			})
		case "goal":
			value, err := strconv.ParseFloat(strings.TrimSpace(arg(1)), 64)
			if err != nil {
				value = 0
			}
			if err := gateway.CheckGoal(arg(0)); err != nil {
				t.r.log.Warn("script reaches a goal", "application", t.lane.Application, "err", err)
				continue
			}
			t.plan.goals = append(t.plan.goals, &gateway.Goal{ID: t.r.o.Store.NewID("gol"), Lane: t.lane, Name: arg(0), Value: value, At: t.now.UTC()})
		case "persona":
			t.plan.personaID = arg(0)
		case "typing":
			pause := typingPerMessage
			if d, err := time.ParseDuration(arg(0) + "s"); err == nil && d > 0 {
				pause = min(d, maxTyping)
			}
			t.plan.after += pause
			t.plan.actions = append(t.plan.actions, func(ctx context.Context, c *messenger.Client, t *turn) error {
				_, err := c.SenderAction(ctx, messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: messenger.PSID(t.lane.Person)}, Action: messenger.TypingOn})
				return err
			})
		case "menu":
			menu := json.RawMessage(arg(0))
			t.plan.actions = append(t.plan.actions, func(ctx context.Context, c *messenger.Client, t *turn) error {
				return setMenu(ctx, c, t.lane.Person, menu)
			})
		}
	}
}

// setMenu gives one person a persistent menu; nothing takes it away.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/persistent-menu#user-level
func setMenu(ctx context.Context, c *messenger.Client, person string, menu json.RawMessage) error {
	if len(menu) == 0 {
		return c.DeleteUserMenu(ctx, messenger.PSID(person))
	}
	return c.Do(ctx, "POST", "me/custom_user_settings", nil, map[string]any{"psid": person, "persistent_menu": menu}, nil)
}

// inputs are the messages that one of the script's takes on Messenger: pictures and files first,
// then templates, then the text with what can be tapped.
func (t *turn) inputs(m rivescript.Message) []gateway.MessageInput {
	var customs []messenger.Message
	var buttons []messenger.Button
	var quick []messenger.QuickReply
	var metadata []json.RawMessage
	text := m.Text
	var templates []json.RawMessage
	for _, s := range m.Shortcodes {
		switch s.Name {
		case "image", "audio", "video", "file":
			if len(s.Args) > 0 && s.Args[0] != "" {
				customs = append(customs, messenger.Message{Attachment: &messenger.Attachment{Type: messenger.AttachmentType(s.Name), URL: s.Args[0]}})
			}
		case "template":
			if len(s.Args) > 0 && json.Valid([]byte(s.Args[0])) {
				templates = append(templates, json.RawMessage(s.Args[0]))
			} else {
				t.r.log.Warn("script has a template that is not JSON", "application", t.lane.Application)
			}
		case "link":
			switch {
			case len(s.Args) > 1 && s.Args[1] != "" && len(buttons) < maxButtons:
				buttons = append(buttons, messenger.URLButton(short(s.Args[1], maxButtonTitle), s.Args[0]))
			case len(s.Args) > 0:
				text = strings.TrimSpace(text + "\n" + s.Args[0])
			}
		case "buttons":
			for _, a := range s.Args {
				quick = append(quick, messenger.QuickReply{ContentType: "text", Title: short(a, maxButtonTitle), Payload: short(a, maxPayload)})
			}
		case "quick":
			for _, a := range s.Args {
				quick = append(quick, quickReply(a))
			}
		case "metadata":
			if len(s.Args) > 0 && json.Valid([]byte(s.Args[0])) {
				metadata = append(metadata, json.RawMessage(s.Args[0]))
			}
		}
	}
	if len(quick) > maxQuickReplies {
		t.r.log.Warn("script shows more buttons than Messenger has room for", "application", t.lane.Application, "buttons", len(quick))
		quick = quick[:maxQuickReplies]
	}
	raws := make([]json.RawMessage, 0, len(customs)+len(templates)+1)
	for _, c := range customs {
		raws = append(raws, encode(c))
	}
	for _, p := range templates {
		raws = append(raws, encode(map[string]any{"attachment": map[string]any{"type": "template", "payload": p}}))
	}
	switch {
	case len(buttons) > 0:
		if text == "" {
			text = buttons[0].Title
		}
		raws = append(raws, encode(map[string]any{"attachment": map[string]any{"type": "template", "payload": map[string]any{
			"template_type": "button", "text": short(text, maxTemplateText), "buttons": buttons}}}))
		text = ""
	case text == "" && len(quick) > 0 && len(raws) == 0:
		text = "…"
	}
	var all []gateway.MessageInput
	for _, raw := range raws {
		all = append(all, gateway.MessageInput{CustomBody: map[string]json.RawMessage{gateway.ChannelMessenger: raw}})
	}
	switch {
	case text != "" && len(quick) == 0:
		all = append(all, gateway.MessageInput{Body: text})
	case text != "":
		pieces := gateway.SplitText(text, gateway.MaxText)
		for _, p := range pieces[:len(pieces)-1] {
			all = append(all, gateway.MessageInput{Body: p})
		}
		all = append(all, gateway.MessageInput{CustomBody: map[string]json.RawMessage{gateway.ChannelMessenger: encode(messenger.Message{Text: pieces[len(pieces)-1], QuickReplies: quick})}})
	case len(quick) > 0 && len(all) > 0:
		last := &all[len(all)-1]
		last.CustomBody[gateway.ChannelMessenger] = withQuickReplies(last.CustomBody[gateway.ChannelMessenger], quick)
	}
	for i := range all {
		all[i].To.FBMessengerID = t.lane.Person
		all[i].ChannelOptions.FBMessenger.PersonaID = t.plan.personaID
		if len(metadata) > 0 && i == 0 {
			all[i].Metadata = encode(metadata)
		}
	}
	return all
}

// quickReply reads "Title", "Title=payload" or "Title=payload=icon"; @email and @phone ask for
// these.
func quickReply(arg string) messenger.QuickReply {
	switch arg {
	case "@email":
		return messenger.QuickReply{ContentType: "user_email"}
	case "@phone":
		return messenger.QuickReply{ContentType: "user_phone_number"}
	}
	title, rest, hasPayload := strings.Cut(arg, "=")
	payload, icon, _ := strings.Cut(rest, "=")
	if !hasPayload {
		payload = title
	}
	return messenger.QuickReply{ContentType: "text", Title: short(strings.TrimSpace(title), maxButtonTitle), Payload: short(strings.TrimSpace(payload), maxPayload), ImageURL: strings.TrimSpace(icon)}
}

func withQuickReplies(raw json.RawMessage, quick []messenger.QuickReply) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	m["quick_replies"] = encode(quick)
	return encode(m)
}

// encode is JSON that cannot fail to encode.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// short cuts a text to so many characters.
func short(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// compose makes messages of what is said now. What cannot be sent is logged and left out, so that
// the conversation goes on.
func (t *turn) compose() ([]*gateway.Message, error) {
	if len(t.plan.now) > maxBotMessages {
		t.r.log.Warn("script says too much at once", "application", t.lane.Application, "messages", len(t.plan.now))
		t.plan.now = t.plan.now[:maxBotMessages]
	}
	var all []*gateway.Message
	for i := range t.plan.now {
		in := &t.plan.now[i]
		in.To.ProfileID = t.profile
		m, err := t.r.o.Messages.Compose(t.lane, "bot", in)
		if err != nil {
			t.r.log.Warn("script says what cannot be sent", "application", t.lane.Application, "err", err)
			continue
		}
		all = append(all, m)
	}
	return all, nil
}

// store keeps what is said later.
func (p *plan) store(tx *store.Tx, lane gateway.Lane, _ int) error {
	for _, name := range p.canceled {
		if err := tx.CancelReminder(lane, name); err != nil {
			return err
		}
	}
	for _, timer := range p.timers {
		if err := tx.AddTimer(timer); err != nil {
			return err
		}
	}
	for _, g := range p.goals {
		if err := tx.AddGoal(g); err != nil {
			return err
		}
	}
	return nil
}

// act does what is no message. It may be lost in a crash: none of it is worth doing late.
func (p *plan) act(ctx context.Context, t *turn, messages []*gateway.Message) {
	p.do(ctx, t, p.actions)
	if len(p.passing) > 0 {
		t.r.work.Go(func() {
			t.r.awaitSent(messages)
			p.do(ctx, t, p.passing)
		})
	}
}

// awaitSent waits a while for messages to have come to their end.
func (r *Runner) awaitSent(messages []*gateway.Message) {
	ctx, cancel := context.WithTimeout(r.ctx, actionTimeout)
	defer cancel()
	for _, m := range messages {
		for ctx.Err() == nil {
			if now, err := r.o.Store.Message(ctx, m.ID); err == nil && !now.Status.Open() {
				break
			}
			pause(ctx, nameLook)
		}
	}
}

func (p *plan) do(ctx context.Context, t *turn, actions []action) {
	if len(actions) == 0 {
		return
	}
	client, err := t.r.o.Platform.Client(t.app)
	if err != nil {
		t.r.log.Warn("make a client for a bot", "application", t.lane.Application, "err", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, actionTimeout)
	defer cancel()
	for _, act := range actions {
		if err := act(ctx, client, t); err != nil {
			t.r.log.Warn("bot action", "application", t.lane.Application, "err", err)
		}
	}
}
