package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/messenger"
)

// referralData is the data of a referral event.
type referralData struct {
	Source     string `json:"source"`
	Ref        string `json:"ref"`
	AdID       string `json:"adId"`
	Via        string `json:"via"`
	First      bool   `json:"first"`
	EntryPoint string `json:"entryPoint"`
	Retired    bool   `json:"retired"`
}

// entry makes an entry point of a page.
func (p *page) entry(kind, ref string, change ...func(*gatewayapi.EntryPoint)) gatewayapi.EntryPoint {
	p.w.t.Helper()
	in := gatewayapi.EntryPoint{Application: p.key, Kind: gatewayapi.EntryPointKind(kind), Ref: ref}
	for _, f := range change {
		f(&in)
	}
	e, err := p.w.client.CreateEntryPoint(p.w.t.Context(), in)
	if err != nil {
		p.w.t.Fatalf("make entry point %s: %v", ref, err)
	}
	return e
}

// report reads what came of entry points, by a key.
func (w *world) report(group string) (map[string]gatewayapi.ReportRow, gatewayapi.ReportRow) {
	w.t.Helper()
	r, err := w.client.ReportEntryPoints(w.t.Context(), gatewayapi.EntryPointReportRequest{Group: gatewayapi.ReportGroup(group)})
	if err != nil {
		w.t.Fatal(err)
	}
	rows := map[string]gatewayapi.ReportRow{}
	for _, row := range r.Rows {
		rows[row.Key] = row
	}
	return rows, r.Total
}

// A referral is one record whichever way a person came, goes before what it explains, and is
// counted with what follows.
func TestEntryPointsFromScanToGoal(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{GetStarted: "get_started_payload"})
	code := p.entry("code", "table-7", func(e *gatewayapi.EntryPoint) { e.Campaign, e.Tags = "tables", []string{"inside", "window"} })
	p.entry("link", "spring")
	p.script("+ get_started_payload\n- at <get _fbRefParam> by <get _fbRefSource>\n+ __fbref__\n- back at <get _fbRefParam> by <get _fbRefSource>\n+ buy *\n- ^goal(order, 3.50)Yours.\n")
	events := w.follow(w.pull("referral", "postback", "message.inbound").id)

	ana := p.person("Ana")
	ben := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Ben"}).ID
	p.act(ana, graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: "table-7"}})
	p.awaitSaid(ana, "back at table-7 by MESSENGER_CODE")
	p.act(ben, graphemu.Action{GetStarted: true, Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: "table-7"}})
	p.awaitSaid(ben, "at table-7 by MESSENGER_CODE")
	p.says(ben, "buy coffee")
	p.awaitSaid(ben, "Yours.")
	p.act(ana, graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: "Ünknown/" + strings.Repeat("x", 2000)}})
	p.act(ana, graphemu.Action{Referral: &graphemu.Referral{Source: "ADS", Ref: "spring", AdID: "12"}})

	var records []referralData
	var order []string
	await(t, "the events", func() (bool, string) {
		records, order = nil, nil
		for _, e := range events.all() {
			if e.Type == "referral" {
				records = append(records, dataOf[referralData](t, e))
			}
			order = append(order, string(e.Type))
		}
		return len(records) == 4 && slices.Contains(order, "message.inbound"), fmt.Sprint(order)
	})
	if r := records[0]; r.Source != "MESSENGER_CODE" || r.Ref != "table-7" || r.EntryPoint != code.ID || r.Via != "referral" || r.First {
		t.Errorf("returning: %+v", r)
	}
	if r := records[1]; r.Source != "MESSENGER_CODE" || r.EntryPoint != code.ID || r.Via != "postback" || !r.First {
		t.Errorf("new: %+v", r)
	}
	if r := records[2]; !strings.HasPrefix(r.Ref, "Ünknown/") || r.EntryPoint != "" || r.Source != "SHORTLINK" {
		t.Errorf("unknown: %.100v", r)
	}
	if at := slices.Index(order, "postback"); at < 1 || order[at-1] != "referral" {
		t.Errorf("a referral goes before what it explains: %q", order)
	}
	for _, e := range events.all() {
		if e.Type == "postback" && !strings.Contains(string(e.Raw), `"SHORTLINK"`) {
			t.Errorf("the platform's word is gone: %s", e.Raw)
		}
	}
	await(t, "the report", func() (bool, string) {
		rows, total := w.report("ref")
		row := rows["table-7"]
		goal := row.Goals["order"]
		ok := row.Opens == 2 && row.Scans == 2 && row.FirstContacts == 1 && row.Returning == 1 && row.FirstMessages == 1 && row.Answered == 2 &&
			goal == (gatewayapi.GoalSum{Count: 1, People: 1, Value: 3.5, FirstCount: 1, FirstValue: 3.5}) && rows["spring"].Opens == 1 && total.Opens == 4
		return ok, fmt.Sprintf("%+v %+v", row, total)
	})
	if rows, _ := w.report("campaign"); rows["tables"].Opens != 2 || rows["tables"].EntryPoints != 1 {
		t.Errorf("%+v", rows)
	}
	if rows, _ := w.report("tag"); rows["inside"].Opens != 2 || rows["window"].Opens != 2 {
		t.Errorf("%+v", rows)
	}
	if rows, _ := w.report("source"); rows["ADS"].Opens != 1 || rows["MESSENGER_CODE"].Opens != 2 {
		t.Errorf("%+v", rows)
	}
	if rows, _ := w.report("day"); rows[time.Now().UTC().Format(time.DateOnly)].Opens != 4 {
		t.Errorf("%+v", rows)
	}
	page, err := w.client.ListProfiles(t.Context(), gatewayapi.ListProfilesRequest{FBMessengerID: ana})
	if err != nil || len(page.Profiles) != 1 {
		t.Fatal(page, err)
	}
	for _, name := range []string{"firstTouch", "lastTouch"} {
		if !regexp.MustCompile(`"at":"[0-9T:-]{19}\.[0-9]{3}Z"`).Match(page.Profiles[0][name]) {
			t.Errorf("%s: %s", name, page.Profiles[0][name])
		}
	}
	if first, last := string(page.Profiles[0]["firstTouch"]), string(page.Profiles[0]["lastTouch"]); !strings.Contains(first, "table-7") || !strings.Contains(last, `"adId":"12"`) {
		t.Errorf("touches: %s, %s", first, last)
	}
	if _, err := w.client.ReachGoal(t.Context(), gatewayapi.GoalRequest{Application: p.key, To: gatewayapi.To{FBMessengerID: ben}, Name: "order", Value: 10}); err != nil {
		t.Fatal(err)
	}
	if rows, _ := w.report("ref"); rows["table-7"].Goals["order"] != (gatewayapi.GoalSum{Count: 2, People: 1, Value: 13.5, FirstCount: 2, FirstValue: 13.5}) {
		t.Errorf("%+v", rows["table-7"].Goals)
	}
	req, _ := http.NewRequest(http.MethodGet, w.url+"/v1/reports/entry-points?group=ref&tz=-05:00", nil)
	req.Header.Set("Authorization", "Bearer "+w.key)
	req.Header.Set("Accept", "text/csv")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "\ntable-7,1,0,2,2,1,1,1,2,2,1,13.5,2\n") {
		t.Errorf("%s", b)
	}
}

func TestEntryPointsAreKept(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ctx := t.Context()
	e := p.entry("code", "a+b/c=d-e.f:g_h")
	if !strings.HasSuffix(e.Link, "/"+p.id+"?ref=a%2Bb%2Fc%3Dd-e.f%3Ag_h") {
		t.Error(e.Link)
	}
	for field, in := range map[string]gatewayapi.EntryPoint{
		"kind": {Application: p.key, Kind: "poster"}, "ref": {Application: p.key, Kind: "code", Ref: "a b"}, "application": {Application: "X", Kind: "code"},
		"tags": {Application: p.key, Kind: "code", Tags: []string{""}}, "expiresAt": {Application: p.key, Kind: "code", ExpiresAt: gatewayapi.At(time.Now().Add(-time.Hour))},
	} {
		_, err := w.client.CreateEntryPoint(ctx, in)
		wantCode(t, err, 400, "invalid_request")
		var refused *gatewayapi.Error
		if !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := w.client.CreateEntryPoint(ctx, gatewayapi.EntryPoint{Application: p.key, Kind: "link", Ref: e.Ref})
	wantCode(t, err, 409, "conflict")
	many, err := w.client.CreateEntryPoints(ctx, gatewayapi.BulkEntryPointsRequest{EntryPoint: gatewayapi.EntryPoint{Application: p.key, Kind: "code", Ref: "table-{n}", Name: "Table {n}"}, From: 1, To: 10_000})
	if err != nil || len(many) != 10_000 || many[9].Ref != "table-10" || many[9].Name != "Table 10" {
		t.Fatal(len(many), err)
	}
	_, err = w.client.CreateEntryPoints(ctx, gatewayapi.BulkEntryPointsRequest{EntryPoint: gatewayapi.EntryPoint{Application: p.key, Kind: "code", Ref: "table-{n}"}, From: 10_000, To: 10_001})
	wantCode(t, err, 409, "conflict")
	for _, from := range []int{math.MaxInt, math.MaxInt - 5, 1_000_000_000, -1} { // a range whose ends lie near each other where numbers end
		_, err = w.client.CreateEntryPoints(ctx, gatewayapi.BulkEntryPointsRequest{EntryPoint: gatewayapi.EntryPoint{Application: p.key, Kind: "code", Ref: "far-{n}"}, From: from, To: max(from, math.MaxInt-1|1)})
		wantCode(t, err, 400, "invalid_request")
	}
	if page, err := w.client.ListEntryPoints(ctx, gatewayapi.ListEntryPointsRequest{Ref: "table-10001"}); err != nil || len(page.EntryPoints) != 0 {
		t.Error("half of a batch is there", err)
	}
	if err := w.client.RetireEntryPoint(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := w.client.GetEntryPoint(ctx, e.ID); err != nil || got.RetiredAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	events := w.follow(w.pull("referral").id)
	p.act(p.person("Ana"), graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: e.Ref}})
	await(t, "a marked referral", func() (bool, string) {
		all := events.all()
		return len(all) == 1 && dataOf[referralData](t, all[0]).Retired, fmt.Sprint(len(all))
	})
}

// get fetches an address of the gateway as a browser would, without following on.
func (w *world) browse(path, agent string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("User-Agent", agent)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

func TestShortLinksCountVisits(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	e := p.entry("link", "spring", func(e *gatewayapi.EntryPoint) { e.Text = "Hola & more" })
	path := strings.TrimPrefix(e.ShortLink, w.url)
	for range 3 {
		resp := w.browse(path, firefox)
		if resp.StatusCode != 302 || resp.Header.Get("Location") != e.Link || len(resp.Cookies()) > 0 || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	}
	if !strings.HasSuffix(e.Link, "?ref=spring&text=Hola%20%26%20more") {
		t.Error(e.Link)
	}
	for _, robot := range []string{"facebookexternalhit/1.1", "Mozilla/5.0 (compatible; Googlebot/2.1)", "WhatsApp/2.23", ""} {
		if resp := w.browse(path, robot); resp.StatusCode != 302 {
			t.Error(robot, resp.StatusCode)
		}
	}
	await(t, "three visits", func() (bool, string) {
		rows, _ := w.report("ref")
		return rows["spring"].Visits == 3, fmt.Sprintf("%+v", rows["spring"])
	})
	if resp := w.browse("/m/nothing", firefox); resp.StatusCode != 404 {
		t.Error(resp.StatusCode)
	}
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if _, err := w.client.UpdateEntryPoint(t.Context(), e.ID, gatewayapi.EntryPointPatch{ExpiresAt: &soon}); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(2 * time.Hour)
	if resp := w.browse(path, firefox); resp.StatusCode != 410 {
		t.Error(resp.StatusCode)
	}
}

// The Messenger Code API answers as the platform did, and its codes are read by phones of today.
func TestMessengerCodeAPI(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	call := func(token, body string) (int, string, map[string]any) {
		resp, err := http.Post(w.url+"/v2.6/me/messenger_codes?access_token="+url.QueryEscape(token), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct {
			URI   string
			Error map[string]any
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, answer.URI, answer.Error
	}
	for body, want := range map[string]string{
		`{"type":"standard","image_size":1000}`:                                                  w.config.LinkURL + "/" + p.id,
		`{"type":"standard","data":{"ref":"billboard-ad"},"image_size":"300"}`:                   w.config.LinkURL + "/" + p.id + "?ref=billboard-ad",
		`{"type":"standard","data":{"ref":"a+b/c=d"},"image_size":2000}`:                         w.config.LinkURL + "/" + p.id + "?ref=a%2Bb%2Fc%3Dd",
		`{"type":"standard","data":{"ref":"` + strings.Repeat("z", 250) + `"},"image_size":100}`: w.url + "/m/",
	} {
		status, uri, problem := call(p.AccessToken, body)
		if status != 200 || problem != nil {
			t.Errorf("%s: %d %v", body, status, problem)
			continue
		}
		resp, err := http.Get(uri)
		if err != nil {
			t.Fatal(err)
		}
		picture, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		text, err := qr.Decode(bytes.NewReader(picture))
		if err != nil || !strings.HasPrefix(text, want) || resp.Header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: %q %v %d, want %q", body, text, err, resp.StatusCode, want)
		}
		if resp := w.browse(strings.TrimPrefix(strings.Replace(uri, "size=", "size=9", 1), w.url), firefox); resp.StatusCode != 403 {
			t.Errorf("a changed address answers %d", resp.StatusCode)
		}
		w.clock.advance(2 * time.Hour)
		if resp := w.browse(strings.TrimPrefix(uri, w.url), firefox); resp.StatusCode != 403 {
			t.Errorf("after an hour it answers %d", resp.StatusCode)
		}
	}
	for body, code := range map[string]float64{
		`{"type":"fancy"}`: 100, `{}`: 100, `{"type":"standard","image_size":99}`: 100, `{"type":"standard","image_size":2001}`: 100, `{"type":"standard","image_size":"big"}`: 100,
		`{"type":"standard","data":{"ref":"a b"}}`: 100, `{"type":"standard","data":{"ref":"` + strings.Repeat("z", 251) + `"}}`: 100, `{"type":"standard","data":{"ref":""}}`: 100, `{`: 100,
	} {
		if status, _, problem := call(p.AccessToken, body); status != 400 || problem["code"] != code || problem["type"] != "OAuthException" {
			t.Errorf("%s: %d %v", body, status, problem)
		}
	}
	client, err := messenger.New(p.AccessToken, messenger.WithBaseURL(w.url), messenger.WithVersion("v2.6"), messenger.WithAppSecret(w.platform.app.Secret))
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 the platform has ended it, the gateway answers it
	if uri, err := client.MessengerCode(t.Context(), messenger.CodeRequest{Ref: "from-go", ImageSize: 500}); err != nil || !strings.HasPrefix(uri, w.url+"/codes/") {
		t.Errorf("package messenger: %q %v", uri, err)
	}
	if status, _, problem := call("EAAnobody", `{"type":"standard"}`); status != 401 || problem["code"] != 190.0 {
		t.Errorf("%d %v", status, problem)
	}
}

// A code made by the Messenger Code API is a code from the first, whatever its size, and its path
// may name the page.
func TestACodeOfTheAPICountsAsACode(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	for path, ref := range map[string]string{"/v2.6/me/messenger_codes": "billboard", "/me/messenger_codes": "7", "/v2.6/" + p.id + "/messenger_codes": "poster"} {
		body := `{"type":"standard","image_size":1000,"data":{"ref":"` + ref + `"}}`
		if ref == "7" {
			body = `{"type":"standard","data":{"ref":7}}` // the Graph API takes numbers for text
		}
		resp, err := http.Post(w.url+path+"?access_token="+url.QueryEscape(p.AccessToken), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %d", path, resp.StatusCode)
		}
		p.act(p.person("Ana"), graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: ref}})
	}
	events := w.follow(w.pull("referral").id)
	await(t, "three referrals of codes", func() (bool, string) {
		sources := ""
		for _, e := range events.all() {
			sources += dataOf[referralData](t, e).Source + " "
		}
		return sources == "MESSENGER_CODE MESSENGER_CODE MESSENGER_CODE ", sources
	})
	await(t, "scans", func() (bool, string) {
		rows, _ := w.report("ref")
		return rows["billboard"].Scans == 1 && rows["7"].Scans == 1 && rows["poster"].Scans == 1, fmt.Sprintf("%+v", rows)
	})
	resp, err := http.Post(w.url+"/v2.6/1234/messenger_codes?access_token="+url.QueryEscape(p.AccessToken), "application/json", strings.NewReader(`{"type":"standard"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Error struct{ Code int } }
	if json.NewDecoder(resp.Body).Decode(&answer); resp.StatusCode != 400 || answer.Error.Code != 100 {
		t.Errorf("another page: %d %+v", resp.StatusCode, answer)
	}
}

// webhookOf delivers one event of a page, signed.
func (w *world) webhookOf(p *page, event string) {
	w.t.Helper()
	if status := w.post(webhook{door: "/webhooks/" + p.key, body: batch(entry{p.id, "messaging", []string{event}})}); status != 200 {
		w.t.Fatalf("a webhook answered %d: %s", status, event)
	}
}

// Whether somebody is new is what the gateway knows of them, and not the way they came.
func TestFirstContactsByWhatIsKnown(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{GetStarted: "get_started_payload"})
	events := w.follow(w.pull("referral").id)
	known := p.person("Known")
	p.says(known, "hello")
	imported := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "Imported"}).ID
	if _, err := w.client.CreateProfile(t.Context(), gatewayapi.Profile{"fbMessengerIds": json.RawMessage(`{"` + p.key + `":"` + imported + `"}`)}); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return w.platform.AddPerson(p.id, graphemu.Person{FirstName: "New"}).ID }
	started := fresh()
	n := 0
	for _, c := range []struct {
		name, person, event string
		first               bool
	}{
		{"Get Started of somebody known", known, `"postback":{"title":"Get Started","payload":"GS","referral":{"ref":"poster","source":"SHORTLINK","type":"OPEN_THREAD"}}`, false},
		{"a menu of somebody known", known, `"postback":{"title":"Menu","payload":"M","referral":{"source":"CUSTOMER_CHAT_PLUGIN"}}`, false},
		{"Get Started of somebody new", started, `"postback":{"title":"Get Started","payload":"GS","referral":{"ref":"poster","source":"SHORTLINK","type":"OPEN_THREAD"}}`, true},
		{"the same once more", started, `"postback":{"title":"Get Started","payload":"GS2","referral":{"ref":"poster","source":"SHORTLINK","type":"OPEN_THREAD"}}`, false},
		{"an opt-in of somebody new", fresh(), `"optin":{"ref":"poster"}`, true},
		{"a first message from an ad", fresh(), `"message":{"mid":"m_ad","text":"hi","referral":{"ref":"poster","source":"ADS","ad_id":"1","type":"OPEN_THREAD"}}`, true},
		{"an imported customer", imported, `"message":{"mid":"m_imported","text":"hi","referral":{"ref":"poster","source":"ADS","ad_id":"1","type":"OPEN_THREAD"}}`, false},
		{"a link to a conversation that is there", fresh(), `"referral":{"ref":"poster","source":"SHORTLINK","type":"OPEN_THREAD"}`, false},
	} {
		w.webhookOf(p, fmt.Sprintf(`{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,%s}`, c.person, p.id, time.Now().UnixMilli()+int64(n), c.event))
		n++
		await(t, c.name, func() (bool, string) { return len(events.all()) >= n, fmt.Sprint(len(events.all())) })
		if r := dataOf[referralData](t, events.all()[n-1]); r.First != c.first {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	await(t, "the report", func() (bool, string) {
		rows, _ := w.report("ref")
		row := rows["poster"]
		return row.Opens == 7 && row.FirstContacts == 3 && row.Returning == 4, fmt.Sprintf("%+v", row)
	})
	// A goal that follows on the heels of an arrival is put down to it.
	for range 5 {
		quick := fresh()
		w.webhookOf(p, fmt.Sprintf(`{"sender":{"id":%q},"recipient":{"id":%q},"timestamp":%d,"optin":{"ref":"quick"}}`, quick, p.id, time.Now().UnixMilli()))
		if _, err := w.client.ReachGoal(t.Context(), gatewayapi.GoalRequest{Application: p.key, To: gatewayapi.To{FBMessengerID: quick}, Name: "order"}); err != nil {
			t.Fatal(err)
		}
	}
	if rows, _ := w.report("ref"); rows["quick"].Goals["order"].Count != 5 {
		t.Errorf("goals: %+v", rows["quick"].Goals)
	}
}

// all are the events read so far, each once.
func (f *follower) all() []gatewayapi.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return firstOfEach(f.events)
}
