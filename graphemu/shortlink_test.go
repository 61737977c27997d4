package graphemu_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/qr"
)

// TestShortLinks follows the short links of a program on this machine, and
// scans codes that hold them.
func TestShortLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	var visits, away atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { away.Add(1) }))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/m/poster", func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.UserAgent(), "Mozilla") {
			visits.Add(1)
		}
		http.Redirect(rw, r, "https://m.me/"+w.page.ID+"?ref=poster", http.StatusFound)
	})
	mux.HandleFunc("/m/twice", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/m/poster", http.StatusFound) })
	mux.HandleFunc("/m/away", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, strings.Replace(elsewhere.URL, "127.0.0.1", "example.com", 1), http.StatusFound)
	})
	mux.HandleFunc("/m/round", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/m/round", http.StatusFound) })
	mux.HandleFunc("/m/gone", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) })
	gateway := httptest.NewServer(mux)
	defer gateway.Close()
	picture, err := qr.PNG(gateway.URL+"/m/poster", 400, 4)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range []graphemu.Action{
		{Link: &graphemu.LinkAction{URL: gateway.URL + "/m/poster"}}, {Link: &graphemu.LinkAction{URL: gateway.URL + "/m/twice"}}, {Scan: &graphemu.ScanAction{Image: picture}},
	} {
		w.act(w.ana, a)
		if e := w.hook.waitCount(t, i+1)[i]; e.Referral == nil || e.Referral.Ref != "poster" {
			t.Errorf("action %d: %s", i, e.Raw)
		}
	}
	if visits.Load() != 3 {
		t.Errorf("%d visits were made by a person", visits.Load())
	}
	for _, path := range []string{"/m/away", "/m/round", "/m/gone", "/m/none"} {
		_, err := w.emu.Act(t.Context(), w.page.ID, w.ana.ID, graphemu.Action{Link: &graphemu.LinkAction{URL: gateway.URL + path}})
		if !errors.Is(err, graphemu.ErrAction) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := w.emu.Act(t.Context(), w.page.ID, w.ana.ID, graphemu.Action{Link: &graphemu.LinkAction{URL: "http://example.com/m/x"}}); !errors.Is(err, graphemu.ErrAction) || away.Load() != 0 {
		t.Errorf("a link into the world: %v, %d visits", err, away.Load())
	}
}

// TestPageNames finds a page by its name in addresses.
func TestPageNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	page := w.page
	page.Username = "Inca.Coffee"
	w.emu.AddPage(page)
	w.act(w.ana, graphemu.Action{Link: &graphemu.LinkAction{URL: "https://m.me/inca.coffee?ref=a"}})
	if e := w.hook.waitCount(t, 1)[0]; e.Referral == nil || e.Referral.Ref != "a" {
		t.Errorf("event %s", e.Raw)
	}
	if status, answer := w.raw("GET", "/v26.0/inca.coffee?fields=username,id", "", ""); status != 200 || answer != `{"id":"`+page.ID+`","username":"Inca.Coffee"}` {
		t.Errorf("the page by its name: %s", answer)
	}
	var state bytes.Buffer
	if err := w.emu.SaveTo(&state); err != nil {
		t.Fatal(err)
	}
	again := &graphemu.Server{Quiet: true}
	defer again.Close()
	if err := again.LoadFrom(&state); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Act(t.Context(), page.ID, w.ana.ID, graphemu.Action{Link: &graphemu.LinkAction{URL: "https://m.me/INCA.coffee?ref=b"}}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	page.Username = ""
	w.emu.AddPage(page)
	if _, err := w.emu.Act(t.Context(), page.ID, w.ana.ID, graphemu.Action{Link: &graphemu.LinkAction{URL: "https://m.me/inca.coffee?ref=c"}}); !errors.Is(err, graphemu.ErrAction) {
		t.Errorf("after the name was given up: %v", err)
	}
}

// TestCodesExpire fetches the picture of a code on its day and after it.
func TestCodesExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	_, _, made := w.graph("POST", "/v2.11/me/messenger_codes", `{"type":"standard","data":{"ref":"r"}}`)
	uri, _ := made["uri"].(string) //nolint:errcheck // "" fails below
	get := func() (int, []byte) {
		resp, err := http.Get(uri)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body)
		return resp.StatusCode, b.Bytes()
	}
	w.emu.Advance(23 * time.Hour)
	status, picture := get()
	if status != 200 {
		t.Fatalf("after 23 hours: %d", status)
	}
	w.emu.Advance(time.Hour)
	if status, why := get(); status != 404 || !strings.Contains(string(why), "expired") {
		t.Errorf("after 24 hours: %d %s", status, why)
	}
	if _, err := w.emu.Act(t.Context(), w.page.ID, w.ana.ID, graphemu.Action{Scan: &graphemu.ScanAction{URL: uri}}); !errors.Is(err, graphemu.ErrAction) {
		t.Errorf("the address: %v", err)
	}
	w.act(w.ana, graphemu.Action{Scan: &graphemu.ScanAction{Image: picture}}) // what was fetched lasts
	if e := w.hook.waitCount(t, 1)[0]; e.Referral == nil || e.Referral.Ref != "r" {
		t.Errorf("event %s", e.Raw)
	}
}

// TestMediaRules holds attachments to their formats and ids to what they are
// for.
func TestMediaRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	send := func(version, to, message string) int {
		_, subcode, answer := w.graph("POST", "/"+version+"/me/messages", `{"recipient":{"id":"`+to+`"},"message":`+message+`}`)
		if answer["error"] != nil && subcode == 0 {
			return 100
		}
		return subcode
	}
	attachment := func(kind, payload string) string {
		return fmt.Sprintf(`{"attachment":{"type":%q,"payload":{%s}}}`, kind, payload)
	}
	for _, tt := range []struct {
		kind, file string
		want       int
	}{
		{"image", "a.jpg", 0}, {"image", "a.JPEG", 0}, {"image", "a.gif", 0}, {"image", "picture.php", 0}, {"image", "picture", 0}, {"image", "a.png?x=.bmp", 0},
		{"image", "a.bmp", 2018047}, {"image", "a.tiff", 2018047}, {"image", "a.svg", 2018047}, {"image", "a.mp4", 2018047}, {"image", "a.pdf?x=.png", 2018047},
		{"video", "a.mp4", 0}, {"video", "a.webm", 0}, {"video", "a.wmv", 2018047}, {"video", "a.png", 2018047}, {"audio", "a.mp3", 0}, {"audio", "a.m4a", 0}, {"audio", "a.mid", 2018047},
		{"file", "a.bmp", 0}, {"file", "a.anything", 0},
	} {
		if got := send("v26.0", w.ana.ID, attachment(tt.kind, `"url":"https://example.com/`+tt.file+`"`)); got != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.kind, tt.file, got, tt.want)
		}
	}
	part := func(name, kind, content string) int {
		status, answer := w.raw("POST", "/v26.0/me/messages", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"recipient[id]\"\r\n\r\n"+w.ana.ID+
			"\r\n--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n"+attachment(kind, "")+"\r\n--x\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\""+name+"\"\r\n\r\n"+content+"\r\n--x--")
		if status != 200 && !strings.Contains(answer, "2018047") {
			t.Errorf("%s: %s", name, answer)
		}
		return status
	}
	if a, b, c, d := part("a.png", "image", "\x89PNG\r\n\x1a\n"), part("a.png", "image", "BM......"), part("a.bmp", "image", "x"), part("a.mp4", "video", "\xff\xd8\xff"); a != 200 || b != 400 || c != 400 || d != 400 {
		t.Errorf("files: %d %d %d %d", a, b, c, d)
	}
	save := func(payload string) string {
		_, _, made := w.graph("POST", "/v26.0/me/message_attachments", `{"message":`+attachment("image", payload)+`}`)
		id, _ := made["attachment_id"].(string) //nolint:errcheck // "" fails below
		return id
	}
	w.act(w.ben, graphemu.Action{Text: "hi"})
	once, many := save(`"url":"https://example.com/a.png"`), save(`"url":"https://example.com/a.png","is_reusable":true`)
	byID := func(id string) string { return attachment("image", `"attachment_id":"`+id+`"`) }
	element := func(members string) string {
		return attachment("template", `"template_type":"media","elements":[{"media_type":"image"`+members+`}]`)
	}
	for i, step := range []struct {
		to, message string
		want        int
	}{
		{w.ana.ID, byID(once), 0}, {w.ana.ID, byID(once), 0}, {w.ben.ID, byID(once), 2018074}, {w.ben.ID, element(`,"attachment_id":"` + once + `"`), 2018074},
		{w.ana.ID, byID(many), 0}, {w.ben.ID, byID(many), 0}, {w.ben.ID, element(`,"attachment_id":"` + many + `"`), 0},
		{w.ben.ID, element(`,"attachment_id":"1854626884821032"`), 2018074}, {w.ben.ID, element(``), 100}, {w.ben.ID, element(`,"url":"https://x.example/a","attachment_id":"1"`), 100},
		{w.ben.ID, element(`,"url":"https://www.facebook.com/photo.php?fbid=1"`), 0},
	} {
		if got := send("v26.0", step.to, step.message); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
}

// TestCreativesForBroadcasts refuses what a broadcast may not hold.
func TestCreativesForBroadcasts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, kind := range []string{"receipt", "open_graph", "airline_boardingpass", "airline_checkin", "airline_itinerary", "airline_update"} {
		payload := `{"template_type":"` + kind + `","recipient_name":"a","order_number":"1","currency":"USD","payment_method":"x","summary":{"total_cost":1},"intro_message":"a","locale":"en_US",` +
			`"boarding_pass":[{}],"flight_info":[{}],"checkin_url":"https://x.example","pnr_number":"1","passenger_info":[{}],"passenger_segment_info":[{}],"total_price":"1","update_type":"delay","update_flight_info":{},` +
			`"elements":[{"url":"https://open.example/x"}]}`
		message := `{"attachment":{"type":"template","payload":` + payload + `}}`
		if _, _, answer := w.graph("POST", "/v3.0/me/messages", w.to(`"message":`+message)); answer["error"] != nil {
			t.Errorf("%s as a message: %v", kind, answer)
		}
		if _, _, answer := w.graph("POST", "/v3.0/me/message_creatives", `{"messages":[`+message+`]}`); !strings.Contains(fmt.Sprint(answer["error"]), "do not support the template "+kind) {
			t.Errorf("%s as a creative: %v", kind, answer)
		}
	}
	if _, _, answer := w.graph("POST", "/v3.0/me/message_creatives", `{"messages":[{"attachment":{"type":"image","payload":{"attachment_id":"5"}}}]}`); answer["error"] == nil {
		t.Error("a creative with an attachment that there is not was taken")
	}
}

// TestRootInABrowser leads who looks at the address in a browser to the chat
// page, and nobody else.
func TestRootInABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for accept, want := range map[string]int{"text/html,application/xhtml+xml": http.StatusSeeOther, "*/*": http.StatusBadRequest, "application/json": http.StatusBadRequest} {
		req, err := http.NewRequest(http.MethodGet, w.url+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || want == http.StatusSeeOther && resp.Header.Get("Location") != "/chat" {
			t.Errorf("%s: %d, to %q", accept, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}
