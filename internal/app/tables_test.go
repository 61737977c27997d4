package app

import (
	"database/sql"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/store"
)

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := OpenStore(t.Context(), store.Options{URL: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(t *testing.T, s *store.Store, query string) []string {
	t.Helper()
	rows, err := s.Query(t.Context(), query)
	all, err := store.Collect(rows, err, func(r *sql.Rows) (text string, err error) {
		err = r.Scan(&text)
		return text, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every table of the database is in the register, with a rule for how its rows end, and what the
// rules name is there: a table that nobody has thought of would keep for ever what it holds of
// people.
func TestEveryTableIsInTheRegister(t *testing.T) {
	t.Parallel()
	s := openStore(t, filepath.Join(t.TempDir(), "chasqui.db"))
	defer s.Close()
	have := texts(t, s, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name`)
	var registered []string
	for _, table := range s.Tables() {
		registered = append(registered, table.Name)
		columns := texts(t, s, `SELECT name FROM pragma_table_info('`+table.Name+`')`)
		var named []string
		for _, column := range []string{table.Profile, table.Application} {
			if column != "" {
				named = append(named, column)
			}
		}
		if table.Person {
			named = append(named, "app", "person")
		}
		if table.Age != nil {
			named = append(append(named, table.Age.Since), strings.Split(table.Age.Key, ", ")...)
		}
		for _, column := range named {
			if !slices.Contains(columns, column) {
				t.Errorf("table %s has no column %s", table.Name, column)
			}
		}
		if len(named) == 0 && table.Note == "" {
			t.Errorf("table %s has no rule and no note", table.Name)
		}
		// Whoever holds what names a person says what an erasure does to it.
		if (slices.Contains(columns, "person") || slices.Contains(columns, "profile")) && !table.Person && table.Profile == "" && table.Note == "" {
			t.Errorf("table %s names people, and the register does not say how they are erased", table.Name)
		}
	}
	slices.Sort(registered)
	if diff := cmp.Diff(have, registered); diff != "" {
		t.Errorf("tables (-database +register):\n%s", diff)
	}
}

// What a database of the version before held for the dialects is there afterwards, where it is kept
// now. A note that a caller of /v1 made up stays what it is: metadata.
func TestWhatDialectsKeptIsCarriedOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chasqui.db")
	s := openStore(t, path)
	exec := func(query string, args ...any) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	// As if the version before had just stopped.
	exec(`DELETE FROM goose_db_version WHERE version_id IN (16, 17)`)
	requests := map[string]string{
		"single":  `{"to":{"fbMessengerId":"1"},"body":"x","metadata":{"infobip":{"api":"facebook","notifyUrl":"https://shop.example/dlr","to":"1"}},"application":"A"}`,
		"forged":  `{"to":{"fbMessengerId":"1"},"body":"x","metadata":{"order":7,"infobip":{"api":"omni","notifyUrl":"https://victim.example"}},"application":"A"}`,
		"wrapped": `{"to":{"fbMessengerId":"1"},"body":"<b> & x","application":"A","comapi":{"to":{"fbMessengerId":"1"},"body":"<b> & x","rules":["fbMessenger"]}}`,
		"plain":   `{"to":{"fbMessengerId":"1"},"body":"infobip and comapi","application":"A"}`,
	}
	for id, request := range requests {
		exec(`INSERT INTO messages (seq, id, part, app, person, profile, api_key, status, open, request, parts, accepted_at, expires_at, updated_at)
VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM messages), ?, 0, 'A', '1', '', 'key', 'sent', 0, ?, 1, 1, 1, 1)`, id, []byte(request))
	}
	for id, doc := range map[string]string{
		"action": `{"url":"https://shop.example/in","format":"infobip","action":{"configuration":"CONF","callbackData":"c","chat":true},"order":"conversation"}`,
		"hook":   `{"name":"h","url":"https://shop.example/c","format":"comapi","topics":[{"type":"message.inbound"}],"batching":{"on":true,"size":7,"timeout":9},"order":"conversation"}`,
		"own":    `{"url":"https://shop.example/o","order":"none"}`,
	} {
		exec(`INSERT INTO subscriptions (id, kind, state, doc, secrets, start_pos, acked_pos, failing_since, created_at, updated_at) VALUES (?, 'forward', 'active', ?, '', 0, 0, 0, 1, 1)`, id, doc)
	}
	exec(`INSERT INTO routes (id, name, app, doc, is_default, created_at, updated_at) VALUES ('r', 'scenario', '', '{"rules":[{"channel":"sms"}],"flow":[{"from":"Shop","channel":"SMS"}]}', 0, 1, 1)`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openStore(t, path)
	defer s.Close()
	got := map[string]gateway.Origin{}
	for id := range requests {
		m, err := s.Message(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got[id] = m.Origin
		in, err := m.Input()
		if err != nil || in.Body == "" || in.To.FBMessengerID != "1" {
			t.Errorf("%s asks for %+v, %v", id, in, err)
		}
		if (id == "forged") != (in.Metadata != nil) {
			t.Errorf("%s has the metadata %s", id, in.Metadata)
		}
	}
	if n := wire.NoteOf(got["single"]); n == nil || n.NotifyURL != "https://shop.example/dlr" || n.API != wire.APIFacebook {
		t.Errorf("the note is %+v", n)
	}
	if o := got["wrapped"]; o.Dialect != "comapi" || string(o.Data) != `{"to":{"fbMessengerId":"1"},"body":"<b> & x","rules":["fbMessenger"]}` {
		t.Errorf("what was asked is %s: %s", o.Dialect, o.Data)
	}
	if got["forged"].Dialect+got["plain"].Dialect != "" {
		t.Errorf("messages of /v1 have the origins %+v and %+v", got["forged"], got["plain"])
	}
	vault, err := store.OpenVault(t.Context(), s, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	vault.Formats = formats()
	all, err := vault.Subscriptions(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatalf("%d subscriptions, %v", len(all), err)
	}
	for _, sub := range all {
		switch sub.ID {
		case "action":
			if a := wire.ActionOf(sub); a == nil || a.Configuration != "CONF" || !a.Chat || a.CallbackData != "c" {
				t.Errorf("the action is %+v", a)
			}
		case "hook":
			if b := sub.Batching(); !b.On || b.Size != 7 || b.Wait.Seconds() != 9 {
				t.Errorf("the webhook gathers %+v", b)
			}
			if !sub.Wants(&gateway.Event{Type: gateway.EventMessageInbound, Channel: "messaging"}) || sub.Wants(&gateway.Event{Type: gateway.EventProfileCreated}) {
				t.Error("the webhook's topics are lost")
			}
		case "own":
			if sub.Format != "" || sub.Deliveries() == nil {
				t.Errorf("the gateway's own is %+v", sub)
			}
		}
	}
	routes, err := s.Routes(t.Context())
	var flow []map[string]string
	if err != nil || len(routes) != 1 || routes[0].Origin.Dialect != wire.Dialect || json.Unmarshal(routes[0].Origin.Data, &flow) != nil || flow[0]["from"] != "Shop" {
		t.Errorf("the route is %+v, %v", routes, err)
	}
}
