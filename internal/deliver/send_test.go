package deliver_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/deliver"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
	"github.com/chasqui/chasqui/messengertest"
)

// appKey is the key of the page that the tests send for.
var appKey = strings.Repeat("A", 32)

// world is a deliverer between a real database and the emulated platform, without the rest of a
// gateway.
type world struct {
	t        *testing.T
	store    *store.Store
	vault    *store.Vault
	platform *messengertest.Platform
	d        *deliver.Deliverer
	sms      *account
}

// account is the one account of every channel beside Messenger: it answers as it is told.
type account struct {
	mu      sync.Mutex
	answers []error // nil takes the message; when there are none left, it is taken
	taken   []string
}

func (a *account) Send(_ context.Context, channel string, m *gateway.ChannelMessage) (string, gateway.ChannelSent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	if len(a.answers) > 0 {
		err, a.answers = a.answers[0], a.answers[1:]
	}
	if err == nil {
		a.taken = append(a.taken, channel+" "+m.Text())
	}
	return "acc", gateway.ChannelSent{Ref: "ref", Accepted: true}, err
}

func start(t *testing.T, o deliver.Options) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, store: storetest.Open(t, storetest.SQLite(t)), platform: messengertest.Start(t), sms: &account{}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	vault, err := store.OpenVault(t.Context(), w.store, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault
	app := &gateway.Application{
		Key: appKey, PageID: w.platform.Page.ID, AppID: w.platform.App.ID, State: gateway.ApplicationActive,
		AccessToken: gateway.Secret(w.platform.Page.AccessToken), AppSecret: gateway.Secret(w.platform.App.Secret),
	}
	if err := vault.CreateApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	directory, err := service.NewDirectory(t.Context(), vault, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	watcher := store.NewWatcher(w.store, log)
	watcher.Follow("directory", directory.Refresh, directory.Changes()...)
	go watcher.Run(ctx)
	platform := service.Platform{BaseURL: w.platform.URL}
	o.Store, o.Directory, o.Logger, o.Platform, o.Channels = w.store, directory, log, platform, w.sms
	o.Applications = &service.Applications{Vault: vault, Directory: directory, Platform: platform, Logger: log, Now: w.store.Now}
	o.Policy = &service.Policy{Store: w.store, Directory: directory, Observe: true}
	w.d = deliver.New(o)
	if err := w.d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// send accepts a message for a person, by the rules given.
func (w *world) send(psid, text string, rules ...gateway.Rule) *gateway.Message {
	w.t.Helper()
	request, err := json.Marshal(&gateway.MessageInput{To: gateway.To{FBMessengerID: psid}, Body: text, Rules: rules})
	if err != nil {
		w.t.Fatal(err)
	}
	m := &gateway.Message{
		ID: w.store.NewID("msg"), Partition: gateway.Partition(appKey, psid), Application: appKey, Person: psid, APIKey: "key_1", Status: gateway.StatusQueued,
		Request: request, Parts: 1, AcceptedAt: w.store.Now(), ExpiresAt: w.store.Now().Add(time.Hour),
	}
	for _, r := range rules {
		m.Steps = append(m.Steps, gateway.Step{Rule: r, Outcome: gateway.StepPending, Address: "447700900000"})
	}
	m.Begin(w.store.Now())
	if _, err := w.store.Accept(w.t.Context(), []*gateway.Message{m}, nil); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// becomes waits until a message is in a state. Every fact of a message is an event, which moves the
// head of the log.
func (w *world) becomes(m *gateway.Message, want gateway.Status) *gateway.Message {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		_, moved := w.store.HeadChanged()
		got, err := w.store.Message(w.t.Context(), m.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		if got.Status == want {
			return got
		}
		select {
		case <-moved:
		case <-deadline:
			w.t.Fatalf("message %s is %s and not %s: %+v", m.ID, got.Status, want, got.Attempts)
		}
	}
}

func (w *world) faults(all ...graphemu.Fault) {
	w.t.Helper()
	w.platform.Emulator.SetFaults(all)
}

// outcomes lists how the tries of a message went.
func outcomes(m *gateway.Message) string {
	var all []string
	for _, a := range m.Attempts {
		all = append(all, string(a.Outcome))
	}
	return strings.Join(all, " ")
}

func TestMessagesOfAPersonGoOutInOrder(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.faults(graphemu.Fault{Endpoint: "messages", Times: 1, Code: 2, Status: 500}) // the first try fails
	first := w.send(ana.PSID, "one")
	last := w.send(ana.PSID, "two")
	w.becomes(last, gateway.StatusSent)
	if got := w.becomes(first, gateway.StatusSent); outcomes(got) != "retry sent" {
		t.Errorf("its tries: %s", outcomes(got))
	}
	ana.Expects("one")
	ana.Expects("two")
}

func TestARefusalIsTheEnd(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.faults(graphemu.Fault{Endpoint: "messages", Times: 1, Code: 551, Message: "gone"})
	got := w.becomes(w.send(ana.PSID, "one"), gateway.StatusFailed)
	if got.Error.Code != gateway.FailurePersonUnreachable || got.Error.PlatformCode != 551 || outcomes(got) != "failed" {
		t.Errorf("%+v, %s", got.Error, outcomes(got))
	}
}

// A token that is refused stops the page, and its queue is kept until somebody mends it.
func TestAPageThatIsBrokenKeepsItsQueue(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.faults(graphemu.Fault{Endpoint: "messages", Times: 1, Code: 190})
	m := w.send(ana.PSID, "one")
	deadline := time.Now().Add(30 * time.Second)
	for {
		app, err := w.vault.Application(t.Context(), appKey)
		if err != nil {
			t.Fatal(err)
		}
		if app.State != gateway.ApplicationActive {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the page is not paused")
		}
	}
	if _, err := w.vault.UpdateApplication(t.Context(), appKey, func(a *gateway.Application) error {
		a.State, a.Paused = gateway.ApplicationActive, nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.becomes(m, gateway.StatusSent); outcomes(got) != "retry sent" {
		t.Errorf("its tries: %s", outcomes(got))
	}
}

// An answer that is lost and not proven holds up the conversation for its time, and then the policy
// decides.
func TestALostAnswer(t *testing.T) {
	for policy, want := range map[deliver.Resend]string{deliver.ResendNever: "uncertain", deliver.ResendOnce: "uncertain sent"} {
		t.Run(string(policy), func(t *testing.T) {
			w := start(t, deliver.Options{WaitProof: 200 * time.Millisecond, Resend: policy})
			ana := w.platform.NewPerson(t, messengertest.WithThread())
			w.faults(graphemu.Fault{Endpoint: "messages", Times: 1, DropResponse: true})
			lost := w.send(ana.PSID, "lost")
			w.becomes(w.send(ana.PSID, "next"), gateway.StatusSent)
			got, err := w.store.Message(t.Context(), lost.ID)
			if err != nil {
				t.Fatal(err)
			}
			if outcomes(got) != want || got.Resent != (policy == deliver.ResendOnce) {
				t.Errorf("its tries: %s, sent again: %v", outcomes(got), got.Resent)
			}
		})
	}
}

// An echo that comes while the conversation waits ends the wait.
func TestAnEchoEndsTheWait(t *testing.T) {
	w := start(t, deliver.Options{WaitProof: time.Hour})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.faults(graphemu.Fault{Endpoint: "messages", Times: 1, DropResponse: true})
	lost := w.becomes(w.send(ana.PSID, "lost"), gateway.StatusUncertain)
	next := w.send(ana.PSID, "next")
	raw, err := json.Marshal(map[string]any{
		"sender": map[string]string{"id": w.platform.Page.ID}, "recipient": map[string]string{"id": ana.PSID}, "timestamp": time.Now().UnixMilli(),
		"message": map[string]any{"mid": "m_echo", "is_echo": true, "metadata": "chq1:" + lost.ID + ".1|"},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Write(t.Context(), func(tx *store.Tx) error {
		tx.AppendEvent(&gateway.Event{Type: gateway.EventMessageEcho, Application: appKey, Person: ana.PSID, PageID: w.platform.Page.ID, Channel: "messaging", Partition: lost.Partition, Raw: raw})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.becomes(lost, gateway.StatusSent); got.MID != "m_echo" {
		t.Errorf("the message is %q", got.MID)
	}
	w.becomes(next, gateway.StatusSent)
}

// A step that does not reach its goal in time gives way to the next, and what its provider says
// late is noted.
func TestStepsOverChannels(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.sms.answers = []error{&gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: gateway.FailureProviderUnavailable, Message: "busy"}}}
	m := w.send(ana.PSID, "hello",
		gateway.Rule{Channel: gateway.ChannelMessenger, Until: gateway.UntilRead, Within: gateway.Duration(200 * time.Millisecond)},
		gateway.Rule{Channel: gateway.ChannelSMS, Until: gateway.UntilDelivered, Within: gateway.Duration(time.Hour)})
	deadline := time.Now().Add(30 * time.Second)
	for {
		row, err := w.store.Message(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if row.Step == 1 && row.Status == gateway.StatusSent {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s at step %d: %s", row.Status, row.Step, outcomes(row))
		}
	}
	report := gateway.ChannelReport{MessageID: m.ID, Step: 1, Status: gateway.StatusDelivered, Ref: "ref"}
	if err := w.d.Report(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	got := w.becomes(m, gateway.StatusDelivered)
	if got.Steps[0].Outcome != gateway.StepPassed || got.Steps[1].Outcome != gateway.StepReached || outcomes(got) != "sent retry sent" {
		t.Errorf("%+v; %s", got.Steps, outcomes(got))
	}
}

// A message whose time is up ends, although its page is held and nothing of it is sent.
func TestTimeIsUpWhileThePageIsHeld(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	w.faults(graphemu.Fault{Endpoint: "messages", Code: 613, Headers: map[string]string{"Retry-After": "3600"}})
	m := w.send(ana.PSID, "one")
	if err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE messages SET expires_at = ? WHERE id = ?`, w.store.Now().Add(-time.Second).UnixMilli(), m.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := w.becomes(m, gateway.StatusExpired); got.Error.Code != gateway.FailureExpired {
		t.Errorf("%+v", got.Error)
	}
}

// A message may go at once when nothing is in its way; with one in its way it waits for its turn.
func TestReserve(t *testing.T) {
	w := start(t, deliver.Options{})
	ana := w.platform.NewPerson(t, messengertest.WithThread())
	request, err := json.Marshal(&gateway.MessageInput{To: gateway.To{FBMessengerID: ana.PSID}, Body: "at once"})
	if err != nil {
		t.Fatal(err)
	}
	draft := func() *gateway.Message {
		return &gateway.Message{
			ID: w.store.NewID("msg"), Partition: gateway.Partition(appKey, ana.PSID), Application: appKey, Person: ana.PSID, APIKey: "key_1", Status: gateway.StatusQueued,
			Request: request, Parts: 1, AcceptedAt: w.store.Now(), ExpiresAt: w.store.Now().Add(time.Hour),
		}
	}
	m, other := draft(), draft()
	if !w.d.Reserve(m) || m.Status != gateway.StatusSending {
		t.Fatalf("nothing is in its way, and it is %s", m.Status)
	}
	if w.d.Reserve(other) {
		t.Fatal("a second message of the conversation goes at once")
	}
	w.d.Release(m)
	deadline := time.Now().Add(30 * time.Second) // the page's rate may be used up for a moment
	for m = draft(); !w.d.Reserve(m); m = draft() {
		if time.Now().After(deadline) {
			t.Fatal("what was released is not free")
		}
	}
	if _, err := w.store.Accept(t.Context(), []*gateway.Message{m}, nil); err != nil {
		t.Fatal(err)
	}
	w.d.Go(m)
	w.becomes(m, gateway.StatusSent)
	ana.Expects("at once")
}
