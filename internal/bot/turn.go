package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
	"github.com/chasqui/chasqui/rivescript"
)

// Bounds of waiting for the name of somebody who has just come.
const (
	nameWait = 2 * time.Second
	nameLook = 50 * time.Millisecond
)

// maxState bounds what is kept of a person between turns, in bytes of JSON.
const maxState = 256 << 10

// turn is one job on its way to its commit.
type turn struct {
	r      *Runner
	job    job
	lane   gateway.Lane
	epoch  int64
	app    *gateway.Application
	script *service.ActiveScript
	person *gateway.BotPerson
	user   *rivescript.User
	before map[string]string // the profile's attributes as variables
	now    time.Time

	profile string // id of the profile; empty without
	plan    plan
}

// do deals with a job. When what the bot knows has changed meanwhile, it is done anew: nothing of
// the first try was kept.
func (r *Runner) do(ctx context.Context, j job) error {
	for {
		again, err := r.once(ctx, j)
		if err != nil || !again {
			return err
		}
	}
}

func (r *Runner) once(ctx context.Context, j job) (again bool, err error) {
	t := &turn{r: r, job: j, lane: j.lane(), now: r.o.Store.Now()}
	part := gateway.Partition(t.lane.Application, t.lane.Person)
	epoch, held := r.o.Store.Leases().Epoch(part)
	if !held {
		return false, errLeaseLost
	}
	t.epoch, t.app, t.script = epoch, r.o.Directory.Application(t.lane.Application), r.o.Scripts.Active(t.lane.Application)
	if t.app == nil || t.script == nil && j.timer == nil {
		return false, nil // disconnected, or deactivated, since the event came
	}
	if t.person, err = r.o.Store.BotPerson(ctx, t.lane); err != nil {
		return false, err
	}
	if j.event != nil && t.person.Pos >= j.event.Pos && !j.anew {
		return false, nil // answered before a crash
	}
	if err := t.load(ctx); err != nil {
		return false, err
	}
	if err := t.run(ctx); err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return t.commit(ctx, part)
}

// load makes the person's state ready for the script: what is stored, and what the profile says.
func (t *turn) load(ctx context.Context) error {
	t.user = &rivescript.User{ID: t.lane.Person}
	if len(t.person.State) > 0 {
		if err := json.Unmarshal(t.person.State, t.user); err != nil {
			return fmt.Errorf("read what the bot knows of a person: %w", err)
		}
	}
	t.user.ID = t.lane.Person
	t.user.Set("_platform", "facebook")
	t.user.Set("_platformId", t.lane.Person)
	profile, err := t.findProfile(ctx)
	if err != nil || profile == nil {
		return err
	}
	t.profile = profile.ID
	t.before = profileVariables(profile)
	for name, value := range t.before {
		t.user.Set(name, value)
	}
	return nil
}

// run gives the job to the script and plans what is to be said. An error says that the turn is to
// be tried again.
func (t *turn) run(ctx context.Context) error {
	id := t.lane.Person
	if t.job.event != nil {
		id = t.job.event.ID()
	}
	ctx = withTurn(ctx, id)
	if timer := t.job.timer; timer != nil {
		return t.runTimer(ctx, timer)
	}
	event := t.job.event.Parse()
	t.person.Pos = max(t.person.Pos, t.job.event.Pos)
	if t.job.event.Type == gateway.EventHandover {
		t.handOver(&event)
		return nil
	}
	if t.person.Human {
		return nil // people answer
	}
	for _, reply := range t.answers(ctx, &event) {
		if err := unfinished(reply); err != nil {
			return err
		}
		if reply.Err != nil {
			t.r.log.Debug("script has no answer", "application", t.lane.Application, "err", reply.Err)
			continue
		}
		t.say(reply)
	}
	return nil
}

// unfinished is the error of a turn that is to be tried again.
func unfinished(r rivescript.Reply) error {
	if errors.Is(r.Err, rivescript.ErrEnded) || errors.Is(r.Err, rivescript.ErrUnavailable) {
		return r.Err
	}
	return nil
}

// returns gives what the person wrote or did to the script.
func (t *turn) answers(ctx context.Context, event *messenger.Event) []rivescript.Reply {
	e := t.script.Engine
	switch t.job.event.Type {
	case gateway.EventPostback:
		p := event.Postback
		if p == nil {
			return nil
		}
		t.referral(p.Referral)
		payload := p.Payload
		if payload == "" {
			payload = p.Title
		}
		return []rivescript.Reply{e.Event(ctx, t.user, payload)}
	case gateway.EventReferral:
		if event.Referral == nil {
			return nil
		}
		t.referral(event.Referral)
		return []rivescript.Reply{e.Event(ctx, t.user, script.EventReferral)}
	case gateway.EventOptin:
		if event.Optin == nil || event.Optin.Ref == "" {
			return nil // nobody came by it
		}
		t.referral(&messenger.Referral{Source: gateway.SourceOptIn, Ref: event.Optin.Ref})
		return []rivescript.Reply{e.Event(ctx, t.user, script.EventReferral)}
	}
	m := event.Message
	if m == nil || m.IsDeleted {
		return nil
	}
	t.referral(m.Referral)
	at := event.Timestamp
	if at.IsZero() {
		at = t.job.event.ReceivedAt
	}
	var replies []rivescript.Reply
	switch {
	case m.QuickReply != nil && m.QuickReply.Payload != "" && m.QuickReply.Payload != m.Text:
		script.Heard(t.user, m.Text, at)
		return []rivescript.Reply{e.Event(ctx, t.user, m.QuickReply.Payload)}
	case m.Text != "":
		script.Heard(t.user, m.Text, at)
		replies = append(replies, e.Reply(ctx, t.user, m.Text))
	}
	seen := map[string]bool{}
	for _, a := range m.Attachments {
		url := a.Payload.URL
		if url == "" {
			url = a.URL
		}
		if a.Type == "fallback" || a.Type == "template" {
			continue // a preview of a link in the text
		}
		if url != "" && seen[url] {
			continue // a sticker comes as an image as well
		}
		seen[url] = true
		script.Heard(t.user, m.Text, at)
		script.Media(t.user, string(a.Type), url)
		replies = append(replies, e.Event(ctx, t.user, script.EventMedia))
	}
	return replies
}

// referral sets the variables of a referral. A link whose ref is that of a code is said to be that
// code, since today's codes are links.
func (t *turn) referral(r *messenger.Referral) {
	if r == nil {
		return
	}
	source := r.Source
	if source == "SHORTLINK" && r.Ref != "" && t.r.o.Code(t.lane.Application, r.Ref) {
		source = "MESSENGER_CODE"
	}
	script.Referral{Source: source, Ref: r.Ref, AdID: r.AdID}.Set(t.user)
}

// handOver follows who has the thread.
func (t *turn) handOver(event *messenger.Event) {
	switch {
	case event.PassThread != nil && string(event.PassThread.NewOwnerAppID) == t.app.AppID:
		t.giveBack()
	case event.PassThread != nil, event.TakeThread != nil:
		t.bypass()
	}
}

// bypass silences the bot: people have the conversation.
func (t *turn) bypass() {
	t.person.Human = true
	t.user.Set("topic", script.TopicBypass)
}

func (t *turn) giveBack() {
	t.person.Human = false
	if t.user.Topic() == script.TopicBypass {
		t.user.Unset("topic")
	}
}

// runTimer says what has fallen due.
func (t *turn) runTimer(ctx context.Context, timer *gateway.BotTimer) error {
	if timer.Kind == gateway.TimerDelay {
		var inputs []gateway.MessageInput
		if err := json.Unmarshal(timer.Content, &inputs); err != nil {
			t.r.log.Error("read a delayed message", "timer", timer.ID, "err", err)
		}
		t.plan.now = inputs
		return nil
	}
	t.user.Unset(script.ReminderVar(timer.Name))
	if t.script == nil || t.person.Human {
		return nil
	}
	var text string
	if err := json.Unmarshal(timer.Content, &text); err != nil {
		t.r.log.Error("read a reminder", "timer", timer.ID, "err", err)
		return nil
	}
	reply := t.script.Engine.Process(ctx, t.user, text)
	if err := unfinished(reply); err != nil {
		return err
	}
	t.say(reply)
	return nil
}

// commit stores everything that the turn has brought about. It returns true when the turn must be
// done anew.
func (t *turn) commit(ctx context.Context, part int) (again bool, err error) {
	changes := t.profileChanges()
	for _, name := range append(keysOf(t.before), "_platform", "_platformId") {
		t.user.Unset(name)
	}
	for name := range t.user.Vars {
		if strings.HasPrefix(name, profilePrefix) {
			t.user.Unset(name)
		}
	}
	state, err := json.Marshal(t.user)
	if err != nil {
		return false, err
	}
	if len(state) > maxState && len(state) > len(t.person.State) {
		// The turn is as one that took too much: nothing of it stays but that it was.
		t.r.log.Warn("a script keeps too much of a person: the turn is given up", "application", t.lane.Application, "bytes", len(state), "most", maxState)
		state, changes, t.plan = t.person.State, nil, plan{}
		if state == nil {
			state = noState
		}
	}
	t.person.State = state
	messages, err := t.compose()
	if err != nil {
		return false, err
	}
	err = t.r.o.Store.Write(ctx, func(tx *store.Tx) error {
		if ok, err := tx.Holds(part, t.epoch); err != nil || !ok {
			return orElse(err, errLeaseLost)
		}
		if trial := t.job.trial; trial != nil && trial.noted {
			if err := tx.ForgetBotTrial(trial.id); err != nil {
				return err
			}
			tx.OnCommit(func() { trial.noted = false })
		}
		if t.job.timer != nil {
			if ok, err := tx.TakeTimer(t.job.timer.ID); err != nil || !ok {
				return orElse(err, errDone)
			}
		}
		person := *t.person
		if ok, err := tx.SaveBotPerson(&person); err != nil || !ok {
			return orElse(err, errAgain)
		}
		if err := t.plan.store(tx, t.lane, part); err != nil {
			return err
		}
		if err := t.changeProfile(tx, changes); err != nil {
			return err
		}
		for _, m := range messages {
			tx.Accept(m)
		}
		return nil
	})
	switch err {
	case errAgain:
		return true, nil
	case errDone:
		return false, nil
	case nil:
	default:
		return false, err
	}
	for range messages {
		t.r.o.Accepted(t.lane.Application)
	}
	for _, timer := range t.plan.timers {
		if in := timer.DueAt.Sub(t.now); in < timerPoll {
			t.r.wake(in + time.Millisecond)
		}
	}
	t.plan.act(context.WithoutCancel(ctx), t, messages)
	return false, nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func keysOf(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// reminderTime reads the time of a reminder: milliseconds since 1970.
func reminderTime(s string) (time.Time, bool) {
	ms, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || ms < 0 || ms > 1e15 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}
