package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/comapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// api makes a request with the API key and returns the status and the body.
func (w *world) api(method, path string, into any) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			w.t.Fatalf("%s %s answered %d %s", method, path, res.StatusCode, body)
		}
	}
	return res.StatusCode
}

// awaitErased waits until an erasure is done.
func (w *world) awaitErased(id string) gatewayapi.Erasure {
	w.t.Helper()
	var e gatewayapi.Erasure
	await(w.t, "the erasure to be done", func() (bool, string) {
		if status := w.api("GET", "/v1/erasures/"+id, &e); status != http.StatusOK {
			return false, fmt.Sprint(status)
		}
		return e.Status == gatewayapi.ErasureDone, string(e.Status)
	})
	return e
}

// rows returns every row of every table of the gateway's database, as text.
func (w *world) rows() map[string][]string {
	w.t.Helper()
	driver, source, list := "sqlite", "file:"+w.config.Database()+"?mode=ro&_pragma=busy_timeout(10000)", `SELECT name FROM sqlite_master WHERE type = 'table'`
	if w.config.Store != "" {
		driver, source, list = "pgx", w.config.Store, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, name := range query(w.t, db, list) {
		table := strings.Trim(name, "|")
		all[table] = query(w.t, db, `SELECT * FROM `+table)
	}
	return all
}

func query(t testing.TB, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.Query(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		for _, c := range cells {
			if b, ok := c.([]byte); ok {
				c = string(b)
			}
			fmt.Fprintf(&line, "%v|", c)
		}
		out = append(out, line.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// wantNone fails the test for each row that still tells of the person.
func (w *world) wantNone(needles ...string) {
	w.t.Helper()
	for table, rows := range w.rows() {
		for _, row := range rows {
			for _, n := range needles {
				if strings.Contains(row, n) {
					w.t.Errorf("%s still holds %q: %.300s", table, n, row)
				}
			}
		}
	}
}

// Everything of a person goes, from tables and logs; others, positions and counts stay, and the
// readers of the log go on.
func TestErasure(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Café"})
	failing := true
	rec := startReceiver(t, nil)
	rec.answers(func(*http.Request) int {
		if failing {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	pushed, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "forward", URL: rec.server.URL})
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := w.client.CreateSubscription(t.Context(), gatewayapi.CreateSubscriptionRequest{Kind: "pull"})
	if err != nil {
		t.Fatal(err)
	}
	gone := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Grizelda", LastName: "Quillfeather", Open: true}).ID
	stays := p.person("Bystander")
	p.says(gone, "my word is xyzzyplugh")
	p.says(stays, "hello from a bystander")
	w.awaitStatus(w.send(p.text(gone, "tophush answer")), "delivered", "read")
	stepped := p.text(gone, "over a channel that is not there")
	stepped.To.PhoneNumber, stepped.Rules = "447700900123", gatewayapi.Rules("sms", "fbMessenger")
	w.awaitStatus(w.send(stepped), "sent", "delivered", "read")
	kept := w.send(p.text(stays, "for the bystander"))
	w.awaitStatus(kept, "delivered", "read")
	id := p.named(gone, `{"email":"grizelda@example.org","phoneNumber":"+447700900123","note":"likes plover eggs"}`)
	err = w.app.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO sessions (id, app, profile, device, created_at, expires_at) VALUES ('ses_1', ?, ?, ?, 0, ?)`, p.key, id, `{"deviceId":"the phone of Quillfeather"}`, time.Now().Add(time.Hour).UnixMilli())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a parked delivery", func() (bool, string) {
		page, err := w.client.ListDeliveries(t.Context(), gatewayapi.ListDeliveriesRequest{Subscription: pushed.ID, Status: "pending", Limit: 10})
		return err == nil && len(page.Deliveries) > 0, fmt.Sprint(err)
	})
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", PSID: gone, DelayMS: 1500}})
	flying := w.send(p.text(gone, "nightingale in flight"))
	w.awaitStatus(flying, "sending")
	waiting := w.send(p.text(gone, "wren in the queue"))
	before := len(w.rows()["events"])

	var e gatewayapi.Erasure
	if status := w.api("DELETE", "/v1/profiles/"+id+"?forget=true", &e); status != http.StatusAccepted || e.Status != gatewayapi.ErasurePending || e.StatusURL != w.url+"/v1/erasures/"+e.ID {
		t.Fatalf("forget answered %d %+v", status, e)
	}
	var again gatewayapi.Erasure
	if status := w.api("DELETE", "/v1/profiles/"+id+"?forget=true", &again); status != http.StatusAccepted || again.ID != e.ID {
		t.Errorf("forget again answered %d %+v", status, again)
	}
	if _, err := w.client.GetProfile(t.Context(), id); err == nil {
		t.Error("the profile is still there")
	}
	e = w.awaitErased(e.ID)
	needles := []string{gone, "Grizelda", "Quillfeather", "xyzzyplugh", "tophush", "nightingale", "wren in the", "not there", "plover", "grizelda@", "447700900123"}
	w.wantNone(needles...)
	if e.Counts.Profiles < 1 || e.Counts.Messages != 4 || e.Counts.Events < 4 || e.Counts.Canceled != 1 || e.DoneAt.IsZero() {
		t.Errorf("the counts: %+v", e)
	}
	if m := w.message(waiting); m.Status != "canceled" || m.Body != "(erased)" {
		t.Errorf("what was queued is %s: %q", m.Status, m.Body)
	}
	if m := w.message(flying); m.Status != "sent" && m.Status != "delivered" && m.Status != "read" {
		t.Errorf("what was in flight is %s", m.Status)
	}
	if texts := p.thread(gone); !cmp.Equal(texts, []string{"tophush answer", "over a channel that is not there", "nightingale in flight"}) {
		t.Errorf("the person got %q", texts)
	}
	if after := len(w.rows()["events"]); after < before {
		t.Errorf("the log has %d events of %d", after, before)
	}
	w.erasedLog(p, pulled.ID, stays, kept)
	failing = false
	rec.answers(nil)
	p.says(gone, "a new beginning")
	await(t, "the new message to be forwarded", func() (bool, string) {
		for _, d := range rec.deliveries() {
			if d.status == http.StatusNoContent && strings.Contains(string(d.body), "a new beginning") {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%d deliveries", len(rec.deliveries()))
	})
	if w.config.Store == "" {
		w.erasedFile(needles[1:]) // the person's id is there again
	}
}

// named gives the profile that a person has by itself fields of a business's own, and returns its
// id.
func (p *page) named(psid, patch string) string {
	p.w.t.Helper()
	id := ""
	await(p.w.t, "the platform's words about the person", func() (bool, string) {
		page, err := p.w.client.ListProfiles(p.w.t.Context(), gatewayapi.ListProfilesRequest{FBMessengerID: psid})
		if err != nil || len(page.Profiles) != 1 {
			return false, fmt.Sprint(err)
		}
		id = page.Profiles[0].ID()
		return len(page.Profiles[0]["facebook"]) > 0, string(page.Profiles[0]["facebook"])
	})
	if _, err := p.w.client.PatchProfile(p.w.t.Context(), gatewayapi.PatchProfileRequest{ID: id, Patch: json.RawMessage(patch)}); err != nil {
		p.w.t.Fatal(err)
	}
	return id
}

// erasedLog looks at the log after an erasure: its events are there, those of the person are empty
// and are one conversation's, and the bystander's are whole.
func (w *world) erasedLog(p *page, subscription, stays, kept string) {
	w.t.Helper()
	standIns, empty, whole := map[string]bool{}, 0, 0
	await(w.t, "the log to be pulled", func() (bool, string) {
		clear(standIns)
		empty, whole = 0, 0
		page, err := w.client.PullEvents(w.t.Context(), gatewayapi.PullRequest{Subscription: subscription, Limit: 1000})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, event := range page.Events {
			switch {
			case string(dataText(event)) == `{"erased":true}`:
				empty++
				if event.Person != nil {
					standIns[event.Person.ID] = true
				}
			case event.Person != nil && event.Person.ID == stays:
				whole++
			}
		}
		return empty >= 4 && whole >= 3, fmt.Sprintf("%d empty, %d whole", empty, whole)
	})
	if len(standIns) != 1 {
		w.t.Errorf("the person's conversation became %v", standIns)
	}
	if m := w.message(kept); m.Body != "for the bystander" || m.To.FBMessengerID != stays {
		w.t.Errorf("the bystander's message is %+v", m)
	}
}

// erasedFile looks into the bytes of SQLite's file once the gateway is stopped, as it is and after
// chasqui vacuum.
func (w *world) erasedFile(needles []string) {
	w.t.Helper()
	w.stop()
	s, err := app.OpenStore(w.t.Context(), store.Options{URL: w.config.Database(), Logger: discard()})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.Vacuum(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		w.t.Fatal(err)
	}
	files, err := filepath.Glob(w.config.Database() + "*")
	if err != nil || len(files) == 0 {
		w.t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, n := range needles {
			if bytes.Contains(content, []byte(n)) {
				w.t.Errorf("%s still holds %q", filepath.Base(file), n)
			}
		}
	}
}

// The platform tells of people by their id for the app; whose PSID it is, it answers itself.
func TestDataDeletionCallback(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Café"})
	gone, stays := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Grizelda", LastName: "Quillfeather", Open: true}).ID, p.person("Bystander")
	p.says(gone, "my word is xyzzyplugh")
	p.says(stays, "hello from a bystander")
	w.awaitStatus(w.send(p.text(gone, "tophush answer")), "delivered", "read")
	p.named(gone, `{"note":"likes plover eggs"}`)

	callback := w.url + "/webhooks/" + p.key + "/data-deletion"
	answer, err := w.platform.RequestDeletion(t.Context(), p.id, gone, "", callback)
	if err != nil || answer.Status != http.StatusOK || answer.UserID == gone {
		t.Fatalf("the callback answered %+v, %v", answer, err)
	}
	if want := w.url + "/data-deletion/" + answer.ConfirmationCode; answer.URL != want || !regexp.MustCompile(`^era_[0-9a-f]{32}$`).MatchString(answer.ConfirmationCode) {
		t.Errorf("the person is sent to %q with code %q", answer.URL, answer.ConfirmationCode)
	}
	path := strings.TrimPrefix(answer.URL, w.url)
	if status, body := w.get(path); status != http.StatusOK || !strings.Contains(body, "Your data is") {
		t.Errorf("the page says %d %s", status, body)
	}
	e := w.awaitErased(answer.ConfirmationCode)
	if e.Source != "platform" || e.Counts.Profiles == 0 || e.Counts.Messages != 1 {
		t.Errorf("the erasure: %+v", e)
	}
	w.wantNone(gone, answer.UserID, "Grizelda", "xyzzyplugh", "tophush", "plover")
	if status, body := w.get(path); status != http.StatusOK || !strings.Contains(body, "Your data is deleted") || strings.Contains(body, gone) {
		t.Errorf("the page says %d %s", status, body)
	}
	if status, _ := w.get("/data-deletion/era_none"); status != http.StatusNotFound {
		t.Errorf("a page that is not there answered %d", status)
	}
	if list, err := w.client.ListProfiles(t.Context(), gatewayapi.ListProfilesRequest{FBMessengerID: stays}); err != nil || len(list.Profiles) != 1 {
		t.Errorf("the bystander has %d profiles (%v)", len(list.Profiles), err)
	}
	// Somebody nobody here knows is recorded, and done.
	stranger := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Silent"}).ID
	answer, err = w.platform.RequestDeletion(t.Context(), p.id, stranger, "", w.url+"/facebook/1/applications/"+p.key+"/data-deletion")
	if err != nil {
		t.Fatal(err)
	}
	if e := w.awaitErased(answer.ConfirmationCode); e.Counts != (gatewayapi.ErasureCounts{}) {
		t.Errorf("a stranger's erasure: %+v", e)
	}
	if _, body := w.get(strings.TrimPrefix(answer.URL, w.url)); !strings.Contains(body, "Nothing was found") {
		t.Errorf("the page says %s", body)
	}
}

// A request is taken once, however often it comes, and an old one is not.
func TestDataDeletionIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Café"})
	callback := w.url + "/webhooks/" + p.key + "/data-deletion"
	ask := func(issued time.Time) (int, string) {
		t.Helper()
		signed, err := messenger.SignedRequest{UserID: "4711", IssuedAt: issued.Unix()}.Sign(w.platform.app.Secret)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.PostForm(callback, url.Values{"signed_request": {signed}})
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	now := w.clock.now()
	status, first := ask(now)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, first)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if status, again := ask(now); status != http.StatusOK || again != first {
				t.Errorf("the same request again: %d %s, and first %s", status, again, first)
			}
		})
	}
	all.Wait()
	if status, other := ask(now.Add(-time.Hour)); status != http.StatusOK || other == first {
		t.Errorf("another request: %d %s", status, other)
	}
	for _, issued := range []time.Time{time.Unix(0, 0), now.Add(-8 * 24 * time.Hour)} {
		if status, body := ask(issued); status != http.StatusBadRequest {
			t.Errorf("a request of %s: %d %s", issued, status, body)
		}
	}
	if n := len(w.rows()["erasures"]); n != 2 {
		t.Errorf("%d erasures were begun", n)
	}
}

// What an erasure removes is overwritten from the first one after a start on.
func TestTheFirstErasureLeavesNothingInTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startPlatform(t))
	if w.config.Store != "" {
		t.Skip("PostgreSQL keeps its files itself")
	}
	w.start()
	w.login()
	p := w.connect(graphemu.Page{})
	gone := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Grizelda", LastName: "Quillfeather", Open: true}).ID
	p.says(gone, "my word is xyzzyplugh")
	w.awaitStatus(w.send(p.text(gone, "tophush answer")), "delivered", "read")
	p.named(gone, `{"note":"likes plover eggs","email":"grizelda@hollow.example","phoneNumber":"+447700900999"}`)
	w.stop()
	w.start()
	path := "/v1/profiles/" + w.profileOf(p, gone)
	e := answered[gatewayapi.Erasure](t, w.comapi("DELETE", path+"?forget=true", ""), http.StatusAccepted)
	w.awaitErased(e.ID)
	w.stop()
	files, err := filepath.Glob(w.config.Database() + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"Grizelda", "Quillfeather", "xyzzyplugh", "tophush", "plover", "hollow.example", "447700900999", gone} {
			if bytes.Contains(content, []byte(n)) {
				t.Errorf("%s still holds %q", filepath.Base(file), n)
			}
		}
	}
}

// profileOf is the id of the profile that a person has.
func (w *world) profileOf(p *page, person string) string {
	w.t.Helper()
	id, err := w.app.Store.ProfileOf(w.t.Context(), p.key, person)
	if err != nil || id == "" {
		w.t.Fatalf("profile %q: %v", id, err)
	}
	return id
}

func TestDataDeletionRefusesWhatIsNotSigned(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Café"})
	callback := w.url + "/webhooks/" + p.key + "/data-deletion"
	other, err := messenger.SignedRequest{UserID: "1"}.Sign("another secret")
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, field := range []string{"", "x", "a.b", other} {
		res, err := http.PostForm(callback, url.Values{"signed_request": {field}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%q answered %d (%v)", field, res.StatusCode, err)
		}
		answers = append(answers, string(body))
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("the answers differ: %q", answers)
		}
	}
	if n := w.metric(fmt.Sprintf(`chasqui_webhook_bad_signatures_total{application=%q}`, p.key)); n != 4 {
		t.Errorf("%v bad signatures counted", n)
	}
	res, err := http.PostForm(w.url+"/webhooks/"+strings.Repeat("A", 32)+"/data-deletion", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("a door that is not there answered %d", res.StatusCode)
	}
	if n := len(w.rows()["erasures"]); n != 0 {
		t.Errorf("%d erasures were begun", n)
	}
}

// What was emptied can still be made into everything that events are made into.
func TestErasedEventsArePublished(t *testing.T) {
	t.Parallel()
	for _, kind := range append(gateway.EventTypes(), gateway.EventPlatformDelivery, gateway.EventPlatformRead) {
		e := &gateway.Event{Pos: 7, Application: "A", Person: gateway.NewStandIn(), Type: kind, Data: gateway.ErasedData()}
		for _, made := range []any{gateway.Publish(e, "", "1"), comapi.Publish(e, "", "1", nil)} {
			if b, err := json.Marshal(made); err != nil {
				t.Errorf("%s: %v", kind, err)
			} else if !e.Internal() && !json.Valid(b) {
				t.Errorf("%s: %s", kind, b)
			}
		}
		if p := gateway.Publish(e, "", "1"); string(p.Data) != `{"erased":true}` || p.Raw != nil {
			t.Errorf("%s is published as %+v", kind, p)
		}
	}
}

// A customer who is known by phone and e-mail goes from the other channels too, and a message that
// would have gone on to another channel does not.
func TestErasureOverChannels(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{Name: "Café"})
	c := w.carrier(nil)
	profile := gatewayapi.Profile{"id": json.RawMessage(`"quill-17"`), "phoneNumber": json.RawMessage(`"+44 7700 900456"`), "email": json.RawMessage(`"Quill@example.org"`), "note": json.RawMessage(`"plover"`)}
	if _, err := w.client.CreateProfile(t.Context(), profile); err != nil {
		t.Fatal(err)
	}
	letter := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{ProfileID: "quill-17"}, Body: "tophush by letter", Rules: gatewayapi.Rules("webhook"), Application: p.key})
	await(t, "the letter to be handed over", func() (bool, string) { return len(c.taken(letter)) == 1, string(w.message(letter).Status) })
	w.awaitStatus(letter, "sent", "delivered")
	direct := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{PhoneNumber: "+44 7700 900456"}, Body: "tophush by phone", Rules: gatewayapi.Rules("webhook"), Application: p.key})
	w.awaitStatus(direct, "sent", "delivered")
	if _, err := w.client.SetOptOut(t.Context(), gatewayapi.OptOutRequest{Channel: "sms", Address: "447700900456"}); err != nil {
		t.Fatal(err)
	}
	person := p.person("Fern")
	p.says(person, "xyzzyplugh")
	id := p.named(person, `{"note":"plover"}`)
	steps := p.text(person, "tophush in steps")
	steps.Rules = []gatewayapi.Rule{{Channel: "fbMessenger", Until: "read", Within: gatewayapi.Duration(20 * time.Second)}, {Channel: "webhook"}}
	stepping := w.send(steps)
	w.awaitStatus(stepping, "delivered")
	var begun []string
	for _, forget := range []string{"quill-17", id} {
		e, err := w.client.ForgetProfile(t.Context(), gatewayapi.DeleteProfileRequest{ID: forget})
		if err != nil {
			t.Fatal(err)
		}
		begun = append(begun, e.ID)
	}
	w.clock.advance(30 * time.Second)
	for _, e := range begun {
		w.awaitErased(e)
	}
	if e, err := w.client.GetErasure(t.Context(), begun[0]); err != nil || e.Counts.Messages != 2 {
		t.Errorf("the customer's erasure: %+v, %v", e, err)
	}
	w.wantNone(person, "Fern", "xyzzyplugh", "tophush", "plover", "447700900456", "7700 900456", "uill@example", "quill-17")
	if n := len(c.taken(stepping)); n > 0 {
		t.Errorf("a message of an erased person went on to another channel %d times", n)
	}
}
