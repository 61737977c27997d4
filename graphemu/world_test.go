package graphemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// town is a world with an app, a page and a person, and what its app was sent.
type town struct {
	*world
	app  App
	page Page
	ana  Person

	mu     sync.Mutex
	bodies []string
	refuse int // how many deliveries to refuse
}

func newTown(t *testing.T) *town {
	t.Helper()
	o := &town{}
	o.world = newWorld(worldConfig{receiptDelay: time.Millisecond, log: slog.New(slog.DiscardHandler), post: func(*clock) postFunc { return o.take }})
	t.Cleanup(o.close)
	o.app = o.addApp(App{Name: "Demo"})
	o.page = o.addPage(Page{Name: "Café", GetStarted: "begin"})
	o.ana = o.addPerson(o.page.ID, Person{FirstName: "Ana", Open: true})
	o.setCallback(o.app.ID, &callback{URL: "app", Fields: knownFields(), Version: messenger.DefaultVersion})
	if e := o.subscribePage(o.page.ID, o.app.ID, knownFields()); e != nil {
		t.Fatal(e)
	}
	return o
}

// take is the app's end of the courier's way: it keeps a delivery.
func (o *town) take(_ context.Context, url, _ string, body []byte, _ time.Duration) WebhookAttempt {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := WebhookAttempt{Request: WebhookRequest{URL: url, Body: string(body)}, Answer: &WebhookAnswer{Status: 200}, OK: true}
	if o.refuse > 0 {
		o.refuse--
		a.OK, a.Answer.Status = false, 500
		return a
	}
	o.bodies = append(o.bodies, string(body))
	return a
}

// settle waits until nothing is under way, and returns what the app was sent.
func (o *town) settle(t *testing.T) []messenger.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := o.await(ctx, func() (bool, error) { return o.idle(), nil }); err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var events []messenger.Event
	for _, body := range o.bodies {
		hook, err := messenger.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, hook.Events...)
	}
	return events
}

// say sends a text of the page.
func (o *town) say(psid, text string) (sendAnswer, *messenger.Error) {
	msg, e := o.calendar.readMessage(mustJSON(map[string]string{"text": text}), nil, o.calendar.era(""))
	if e != nil {
		return sendAnswer{}, e
	}
	return o.sendMessage(&outgoing{page: o.page.ID, app: o.app.ID, era: o.calendar.era(""), to: recipient{"id", psid}, message: &msg})
}

func TestWorldConversation(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	o.mu.Lock()
	o.refuse = 1 // the first delivery is sent again
	o.mu.Unlock()
	o.courier.setSchedule(RetrySchedule{Delays: []time.Duration{0, 0}})
	res, err := o.act(o.page.ID, o.ana.ID, Action{Text: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	o.settle(t)
	answer, e := o.say(o.ana.ID, "good day")
	if e != nil {
		t.Fatal(e)
	}
	o.settle(t)
	if _, err := o.act(o.page.ID, o.ana.ID, Action{Read: true}); err != nil {
		t.Fatal(err)
	}
	var kinds []messenger.Kind
	for _, event := range o.settle(t) {
		kinds = append(kinds, event.Kind)
	}
	if want := []messenger.Kind{messenger.KindMessage, messenger.KindEcho, messenger.KindDelivery, messenger.KindRead}; !slices.Equal(kinds, want) {
		t.Errorf("the app was sent %v, want %v", kinds, want)
	}
	thread, err := o.thread(o.page.ID, o.ana.ID)
	if err != nil || len(thread) != 2 {
		t.Fatalf("thread %v, error %v", thread, err)
	}
	if thread[0].MID != res.MID || thread[0].DeliveredAt.IsZero() || thread[1].MID != answer.MessageID || thread[1].ReadAt.IsZero() {
		t.Errorf("thread %+v", thread)
	}
	attempts := o.records.webhooksAfter(0)
	if len(attempts) != 5 || attempts[0].OK || attempts[1].Attempt != 2 {
		t.Errorf("attempts %+v", attempts)
	}
}

// What leaves the world is a copy: changing it changes nothing inside.
func TestWorldGivesCopies(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	res, err := o.act(o.page.ID, o.ana.ID, Action{Text: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.act(o.page.ID, o.ana.ID, Action{Reaction: &ReactionAction{MID: res.MID, Emoji: "👍"}}); err != nil {
		t.Fatal(err)
	}
	id, e := o.addLabel(o.page.ID, "regular")
	if e != nil {
		t.Fatal(e)
	}
	thread, _ := o.thread(o.page.ID, o.ana.ID)
	thread[0].Text, thread[0].Reactions["person"] = "changed", "changed"
	labels, _ := o.labels(o.page.ID, o.page.ID)
	labels[0].Name = "changed"
	view, _ := o.view(o.page.ID)
	view.People[0].Last.Text = "changed"
	clear(view.Profile)
	thread, _ = o.thread(o.page.ID, o.ana.ID)
	label, _ := o.label(o.page.ID, id)
	if thread[0].Text != "hello" || thread[0].Reactions["person"] != "👍" || label.Name != "regular" || len(o.profile(o.page.ID, "get_started")) != 1 {
		t.Errorf("the world was changed: %+v, %+v", thread[0], label)
	}
}

func TestWorldHandover(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	second := o.addApp(App{Name: "Second"})
	ref := threadRef{o.page.ID, o.ana.ID, o.app.ID}
	asSecond := threadRef{o.page.ID, o.ana.ID, second.ID}
	if e := o.passThread(asSecond, o.app.ID, ""); e == nil || e.Subcode != 2018300 {
		t.Errorf("an app that does not have the thread passed it on: %v", e)
	}
	if e := o.passThread(ref, "77", ""); e == nil || e.Subcode != 2018144 {
		t.Errorf("passed to an unknown app: %v", e)
	}
	if e := o.passThread(ref, second.ID, "over to you"); e != nil {
		t.Fatal(e)
	}
	if owner := o.threadOwner(o.page.ID, o.ana.ID); owner != second.ID {
		t.Errorf("the thread is with %s", owner)
	}
	if _, e := o.say(o.ana.ID, "still here"); e == nil || e.Subcode != 2018300 {
		t.Errorf("the first app still writes: %v", e)
	}
	if e := o.takeThread(asSecond, ""); e == nil {
		t.Error("a secondary receiver took a thread")
	}
	if e := o.takeThread(ref, ""); e != nil || o.threadOwner(o.page.ID, o.ana.ID) != o.app.ID {
		t.Errorf("the primary receiver could not take the thread: %v", e)
	}
}

func TestWorldClock(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	creative, e := o.addCreative(o.page.ID, []json.RawMessage{json.RawMessage(`{"text":"Hi {{first_name}}"}`)})
	if e != nil {
		t.Fatal(e)
	}
	at := o.clock.now().Add(time.Hour)
	id, e := o.addBroadcast(o.page.ID, broadcast{Creative: creative, App: o.app.ID, At: at, Scheduled: true})
	if e != nil {
		t.Fatal(e)
	}
	if b, _ := o.broadcast(o.page.ID, id); b.Status != "SCHEDULED" {
		t.Fatalf("status %s", b.Status)
	}
	o.advance(time.Hour)
	b, _ := o.broadcast(o.page.ID, id)
	thread, _ := o.thread(o.page.ID, o.ana.ID)
	if b.Status != "FINISHED" || b.Sent != 1 || len(thread) != 1 || thread[0].Text != "Hi Ana" {
		t.Errorf("broadcast %+v, thread %+v", b, thread)
	}
	if e := o.cancelBroadcast(o.page.ID, id); e == nil {
		t.Error("a broadcast that has gone was canceled")
	}
	o.advance(25 * time.Hour)
	if _, e := o.say(o.ana.ID, "late"); e == nil || e.Subcode != 2018278 {
		t.Errorf("a message after the window: %v", e)
	}
}

func TestWorldRestores(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	if _, err := o.act(o.page.ID, o.ana.ID, Action{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if _, e := o.addPersona(o.page.ID, "Jo", "https://example.com/jo.png"); e != nil {
		t.Fatal(e)
	}
	o.settle(t)
	first, err := o.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var in saved
	if err := json.Unmarshal(first, &in); err != nil {
		t.Fatal(err)
	}
	other := newTown(t)
	other.restore(in)
	second, err := other.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	cut := func(b []byte) []byte { b, _, _ = bytes.Cut(b, []byte(`"saved_at"`)); return b }
	if !bytes.Equal(cut(first), cut(second)) {
		t.Errorf("restored:\n%s\nwant:\n%s", second, first)
	}
	if _, err := other.act(o.page.ID, o.ana.ID, Action{Text: "again"}); err != nil {
		t.Error(err)
	}
	if _, err := other.act(other.page.ID+"0", o.ana.ID, Action{Text: "again"}); !errors.Is(err, ErrUnknownPage) {
		t.Errorf("an unknown page: %v", err)
	}
}

// Whatever many do at the same time, each person's events reach the app once and in
// order, and mids are never made twice.
func TestWorldTogether(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	const people, texts = 8, 25
	var all sync.WaitGroup
	for i := range people {
		p := o.addPerson(o.page.ID, Person{ID: strconv.Itoa(9000 + i), FirstName: "P", Open: true})
		all.Go(func() {
			for n := range texts {
				if _, err := o.act(o.page.ID, p.ID, Action{Text: fmt.Sprint(n)}); err != nil {
					t.Error(err)
				}
				if _, e := o.say(p.ID, "answer"); e != nil {
					t.Error(e)
				}
			}
		})
	}
	all.Go(func() {
		for range texts {
			if _, err := o.snapshot(); err != nil {
				t.Error(err)
			}
			if _, err := o.view(o.page.ID); err != nil {
				t.Error(err)
			}
			o.conversations(o.page.ID, "", o.calendar.era(""))
		}
	})
	all.Wait()
	next, mids := map[string]int{}, map[string]bool{}
	for _, e := range o.settle(t) {
		if e.Kind != messenger.KindMessage {
			continue
		}
		psid := string(e.Sender.ID)
		if e.Message.Text != fmt.Sprint(next[psid]) {
			t.Fatalf("%s: got text %s, want %d", psid, e.Message.Text, next[psid])
		}
		next[psid]++
		if mid := string(e.Message.MID); mids[mid] || !strings.HasPrefix(mid, "m_") {
			t.Fatalf("mid %s came twice or is malformed", mid)
		} else {
			mids[mid] = true
		}
	}
	if len(mids) != people*texts {
		t.Errorf("%d messages came, want %d", len(mids), people*texts)
	}
}

// An app that never takes its webhooks is warned, and unsubscribed after an hour of the clock.
func TestWorldPatience(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	o.mu.Lock()
	o.refuse = 1000
	o.mu.Unlock()
	o.courier.setSchedule(RetrySchedule{Delays: slices.Repeat([]time.Duration{20 * time.Second}, 100), Disable: time.Hour})
	if _, err := o.act(o.page.ID, o.ana.ID, Action{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	attempts := 0
	err := o.await(ctx, func() (bool, error) {
		if o.idle() {
			return true, nil
		}
		if n := len(o.records.webhooksAfter(0)); n > attempts {
			attempts = n
			o.advance(16 * time.Minute)
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	alerts := o.courier.allAlerts()
	if len(alerts) != 2 || alerts[0].Kind != "failing" || alerts[1].Kind != "disabled" || alerts[1].Time.Sub(alerts[1].Since) < time.Hour {
		t.Errorf("alerts %+v", alerts)
	}
	if apps := o.subscribedApps(o.page.ID); len(apps) != 0 {
		t.Errorf("still subscribed: %+v", apps)
	}
	before := len(o.records.webhooksAfter(0))
	if _, err := o.act(o.page.ID, o.ana.ID, Action{Text: "anybody there?"}); err != nil {
		t.Fatal(err)
	}
	o.settle(t)
	if n := len(o.records.webhooksAfter(0)); before < 3 || n != before {
		t.Errorf("%d attempts, %d before it was unsubscribed", n, before)
	}
}
