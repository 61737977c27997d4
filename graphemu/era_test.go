package graphemu_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// TestTagsByEra sends with each tag at versions and on days.
func TestTagsByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	try := func(version, tag string) [2]int {
		code, subcode, _ := w.graph("POST", "/"+version+"/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"MESSAGE_TAG","tag":"`+tag+`"`))
		return [2]int{code, subcode}
	}
	gone, never, fine := [2]int{100, 1893061}, [2]int{100, 0}, [2]int{}
	for _, tt := range []struct {
		version, tag string
		want         [2]int
	}{
		{"v4.0", "SHIPPING_UPDATE", fine}, {"v4.0", "GAME_EVENT", fine}, {"v4.0", "ACCOUNT_UPDATE", fine}, {"v4.0", "NON_PROMOTIONAL_SUBSCRIPTION", fine},
		{"v6.0", "SHIPPING_UPDATE", never}, {"v6.0", "ACCOUNT_UPDATE", fine}, {"v6.0", "POST_PURCHASE_UPDATE", fine}, {"v6.0", "HUMAN_AGENT", fine},
		{"v2.11", "GAME_EVENT", never}, {"v2.11", "SHIPPING_UPDATE", fine},
		{"v26.0", "ACCOUNT_UPDATE", gone}, {"v26.0", "CONFIRMED_EVENT_UPDATE", gone}, {"v26.0", "POST_PURCHASE_UPDATE", gone}, {"v26.0", "HUMAN_AGENT", fine}, {"v26.0", "SHIPPING_UPDATE", never},
	} {
		if got := try(tt.version, tt.tag); got != tt.want {
			t.Errorf("%s at %s: %v, want %v", tt.tag, tt.version, got, tt.want)
		}
	}
	for _, tt := range []struct {
		day, tag string
		want     [2]int
	}{
		{"2019-06-01", "SHIPPING_UPDATE", fine}, {"2020-03-03", "SHIPPING_UPDATE", fine}, {"2020-03-05", "SHIPPING_UPDATE", never},
		{"2026-04-26", "ACCOUNT_UPDATE", fine}, {"2026-04-28", "ACCOUNT_UPDATE", gone}, {"2026-04-28", "HUMAN_AGENT", fine},
	} {
		w.date(tt.day)
		if got := try("v26.0", tt.tag); got != tt.want {
			t.Errorf("%s on %s: %v, want %v", tt.tag, tt.day, got, tt.want)
		}
	}
}

// TestTagsByTheCalendar walks the platform's calendar: each tag on the days on
// which it comes and goes, and on those before.
func TestTagsByTheCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	walked := 0
	for r := range messenger.Rules() {
		for _, tag := range r.Tags {
			for _, day := range []time.Time{r.Since.AddDate(0, 0, -1), r.Since, r.Until.AddDate(0, 0, -1), r.Until} {
				if day.Year() < 2016 {
					continue // no such day
				}
				taken := false
				for _, other := range messenger.RulesOfTag(tag) {
					taken = taken || other.Takes("v2.6", day)
				}
				w.date(day.Format(time.DateOnly))
				code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"MESSAGE_TAG","tag":"`+string(tag)+`"`))
				if got := code == 0; got != taken {
					t.Errorf("%s on %s: taken: %v, by the calendar: %v", tag, day.Format(time.DateOnly), got, taken)
				}
				walked++
			}
		}
	}
	if walked < 40 {
		t.Errorf("the calendar has %d days of tags", walked)
	}
}

// date sets the clock, and lets Ana write then.
func (w *world) date(day string) {
	w.t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		w.t.Fatal(err)
	}
	w.emu.SetTime(at.Add(time.Hour))
	w.act(w.ana, graphemu.Action{Text: "hello on " + day})
}

// TestWindowByEra lets the window close on days with different rules.
func TestWindowByEra(t *testing.T) {
	t.Parallel()
	text := `"message":{"text":"a"}`
	for _, tt := range []struct {
		day  string
		want [][2]int // of messages after 25 hours
	}{
		{"2018-03-01", [][2]int{{}, {10, 2018065}}}, // 24+1
		{"2019-03-01", [][2]int{{10, 2018065}}},
		{"2021-03-01", [][2]int{{10, 2018278}}},
		{"2026-09-01", [][2]int{{10, 2018278}}},
	} {
		w := newWorld(t, nil)
		w.date(tt.day)
		w.emu.Advance(23 * time.Hour)
		if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); code != 0 {
			t.Errorf("%s, 23 hours later: %d", tt.day, code)
		}
		w.emu.Advance(2 * time.Hour)
		for i, want := range tt.want {
			if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); [2]int{code, subcode} != want {
				t.Errorf("%s, message %d after 25 hours: %d/%d, want %v", tt.day, i, code, subcode, want)
			}
		}
	}
	w := newWorld(t, nil)
	human := `"message":{"text":"a"},"tag":"HUMAN_AGENT"`
	w.emu.Advance(6 * 24 * time.Hour)
	if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(human)); code != 0 {
		t.Errorf("a human agent after six days: %d", code)
	}
	w.emu.Advance(2 * 24 * time.Hour)
	if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", w.to(human)); code != 10 || subcode != 2018278 {
		t.Errorf("a human agent after eight days: %d/%d", code, subcode)
	}
	w.act(w.ana, graphemu.Action{Referral: &graphemu.Referral{Ref: "x"}})
	if code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(text)); code != 0 {
		t.Errorf("after a link into the thread: %d", code)
	}
	if code, subcode, _ := w.graph("POST", "/v26.0/me/messages", `{"recipient":{"id":"`+w.ben.ID+`"},`+text+`}`); code != 10 || subcode != 2018278 {
		t.Errorf("to somebody who never wrote: %d/%d", code, subcode)
	}
}

// TestFeaturesByEra asks for what came and went.
func TestFeaturesByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	post := func(path, body string) int {
		code, _, _ := w.graph("POST", path, body)
		return code
	}
	menu := `{"get_started":{"payload":"x"},"persistent_menu":[{"locale":"default","call_to_actions":[{"type":"nested","title":"a","call_to_actions":[{"type":"postback","title":"b","payload":"c"}]}]}]}`
	wide := `{"get_started":{"payload":"x"},"persistent_menu":[{"locale":"default","call_to_actions":[` + strings.TrimSuffix(strings.Repeat(`{"type":"postback","title":"b","payload":"c"},`, 20), ",") + `]}]}`
	home := `{"home_url":{"url":"https://example.com","webview_height_ratio":"tall","in_test":true}}`
	list := w.to(`"message":{"attachment":{"type":"template","payload":{"template_type":"list","elements":[{"title":"a"},{"title":"b"}]}}}`)
	code := `{"type":"standard","data":{"ref":"a"}}`
	long := w.to(`"message":{"text":"` + strings.Repeat("a", 641) + `"}`)
	for _, tt := range []struct {
		name, path, body string
		want             int
	}{
		{"nested menu at 4.0", "/v4.0/me/messenger_profile", menu, 0},
		{"nested menu at 26.0", "/v26.0/me/messenger_profile", menu, 100},
		{"20 rows at 26.0", "/v26.0/me/messenger_profile", wide, 0},
		{"20 rows at 4.0", "/v4.0/me/messenger_profile", wide, 105},
		{"home_url at 4.0", "/v4.0/me/messenger_profile", home, 0},
		{"home_url at 7.0", "/v7.0/me/messenger_profile", home, 100},
		{"list at 4.0", "/v4.0/me/messages", list, 0},
		{"list at 26.0", "/v26.0/me/messages", list, 100},
		{"codes at 2.6", "/v2.6/me/messenger_codes", code, 0},
		{"codes at 26.0", "/v26.0/me/messenger_codes", code, 0},
		{"641 characters at 2.6", "/v2.6/me/messages", long, 100},
		{"641 characters at 4.0", "/v4.0/me/messages", long, 0},
		{"thread settings at 2.6", "/v2.6/me/thread_settings", `{"setting_type":"greeting","greeting":{"text":"Hi"}}`, 0},
		{"thread settings at 26.0", "/v26.0/me/thread_settings", `{"setting_type":"greeting","greeting":{"text":"Hi"}}`, 100},
		{"broadcast estimate at 4.0", "/v4.0/me/broadcast_reach_estimations", `{}`, 0},
		{"broadcast estimate at 6.0", "/v6.0/me/broadcast_reach_estimations", `{}`, 100},
		{"subscription type at 4.0", "/v4.0/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"NON_PROMOTIONAL_SUBSCRIPTION"`), 0},
		{"subscription type at 26.0", "/v26.0/me/messages", w.to(`"message":{"text":"a"},"messaging_type":"NON_PROMOTIONAL_SUBSCRIPTION"`), 100},
	} {
		if got := post(tt.path, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	w.date("2019-11-01")
	if got := post("/v4.0/me/messenger_codes", code); got != 100 {
		t.Errorf("codes on a day after their end: %d", got)
	}
	phone := `{"recipient":{"phone_number":"+15550001"},"message":{"text":"a"}}`
	if got, sub, _ := w.graph("POST", "/v4.0/me/messages", phone); got != 100 || sub != 2018001 {
		t.Errorf("an unknown number: %d/%d", got, sub)
	}
}

// TestQuickRepliesByEra counts quick replies on days with different limits.
func TestQuickRepliesByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	send := func(n int) int {
		list := strings.TrimSuffix(strings.Repeat(`{"content_type":"text","title":"a","payload":"b"},`, n), ",")
		code, _, _ := w.graph("POST", "/v26.0/me/messages", w.to(`"message":{"text":"a","quick_replies":[`+list+`]}`))
		return code
	}
	for day, most := range map[string]int{"2016-08-01": 10, "2018-08-01": 11, "2021-08-01": 13} {
		w.date(day)
		if within, beyond := send(most), send(most+1); within != 0 || beyond != 105 {
			t.Errorf("%s: %d quick replies %d, one more %d", day, most, within, beyond)
		}
	}
}

// TestProfileByEra asks for a person as versions answer.
func TestProfileByEra(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for version, has := range map[string]map[string]bool{
		"v2.6":  {"first_name": true, "locale": true, "is_payment_enabled": true, "name": false},
		"v26.0": {"first_name": true, "locale": false, "is_payment_enabled": false, "name": true},
	} {
		_, _, answer := w.graph("GET", "/"+version+"/"+w.ana.ID, "")
		for name, want := range has {
			if _, got := answer[name]; got != want {
				t.Errorf("%s: %s is there: %v: %v", version, name, got, answer)
			}
		}
	}
}
