package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// testScripts: versions are numbered by application, and one of them is active.
func testScripts(t *testing.T, url string) {
	s := Open(t, url)
	ctx := t.Context()
	add := func(app string) *gateway.Script {
		x := &gateway.Script{ID: s.NewID("scr"), Application: app, Dialect: "dexter", Files: json.RawMessage(`[]`)}
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.AddScript(x) }); err != nil {
			t.Fatal(err)
		}
		return x
	}
	one, two, other := add("A"), add("A"), add("B")
	if one.Version != 1 || two.Version != 2 || other.Version != 1 {
		t.Errorf("versions %d, %d, %d", one.Version, two.Version, other.Version)
	}
	activate := func(x *gateway.Script, active bool) {
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.ActivateScript(x, active) }); err != nil {
			t.Fatal(err)
		}
	}
	activate(one, true)
	activate(two, true)
	activate(other, true)
	activate(other, false)
	if active, err := s.ActiveScripts(ctx); err != nil || len(active) != 1 || active["A"] != two.ID {
		t.Errorf("active: %v %v", active, err)
	}
	for _, x := range []*gateway.Script{one, two} { // the active one stays
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.DeleteScript(x.ID) }); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Scripts(ctx, "A"); err != nil || len(list) != 1 || !list[0].Active || list[0].ActivatedAt.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := s.Script(ctx, one.ID); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Error(err)
	}
}

// testBotPeople: what a bot knows is changed only by whoever has read it as it is.
func testBotPeople(t *testing.T, url string) {
	s := Open(t, url)
	ctx := t.Context()
	lane := gateway.Lane{Application: "A", Person: "1"}
	save := func(p gateway.BotPerson) (ok bool) {
		if err := s.Write(ctx, func(tx *store.Tx) (err error) { ok, err = tx.SaveBotPerson(&p); return err }); err != nil {
			t.Fatal(err)
		}
		return ok
	}
	fresh, err := s.BotPerson(ctx, lane)
	if err != nil || fresh.Rev != 0 || fresh.State != nil {
		t.Fatalf("%+v %v", fresh, err)
	}
	fresh.Pos, fresh.State, fresh.Human = 7, json.RawMessage(`{"vars":{"a":"1"}}`), true
	if !save(*fresh) || save(*fresh) {
		t.Error("a new person is stored once")
	}
	read, err := s.BotPerson(ctx, lane)
	if err != nil || read.Rev != 1 || read.Pos != 7 || !read.Human || string(read.State) != `{"vars":{"a":"1"}}` {
		t.Errorf("%+v %v", read, err)
	}
	if !save(*read) || save(*read) {
		t.Error("a person is changed once by what was read once")
	}
}

// testTimers: what falls due comes in order, and is taken once.
func testTimers(t *testing.T, url string) {
	s := Open(t, url)
	ctx := t.Context()
	lane := gateway.Lane{Application: "A", Person: "1"}
	now := s.Now()
	add := func(kind, name string, due time.Time, seq int) string {
		x := &gateway.BotTimer{ID: s.NewID("tmr"), Lane: lane, Partition: 3, Kind: kind, Name: name, Content: json.RawMessage(`"x"`), DueAt: due, Seq: seq}
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.AddTimer(x) }); err != nil {
			t.Fatal(err)
		}
		return x.ID
	}
	late := add(gateway.TimerDelay, "", now.Add(-time.Second), 1)
	early := add(gateway.TimerDelay, "", now.Add(-time.Second), 0)
	add(gateway.TimerReminder, "cup", now.Add(-time.Minute), 0)
	add(gateway.TimerReminder, "far", now.Add(time.Hour), 0)
	if err := s.Write(ctx, func(tx *store.Tx) error { return tx.CancelReminder(lane, "cup") }); err != nil {
		t.Fatal(err)
	}
	due, err := s.DueTimers(ctx, nil, 10)
	if err != nil || len(due) != 2 || due[0].ID != early || due[1].ID != late || due[0].Lane != lane || due[0].Partition != 3 || string(due[0].Content) != `"x"` {
		t.Fatalf("%+v %v", due, err)
	}
	if rest, err := s.DueTimers(ctx, due[0], 10); err != nil || len(rest) != 1 || rest[0].ID != late {
		t.Errorf("after the first: %+v %v", rest, err)
	}
	for _, want := range []bool{true, false} {
		err := s.Write(ctx, func(tx *store.Tx) error {
			ok, err := tx.TakeTimer(early)
			if ok != want {
				t.Errorf("taken: %v, want %v", ok, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
