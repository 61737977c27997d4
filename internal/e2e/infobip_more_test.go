package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

func TestInfobipOldUserKey(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	const old = "37512FECA0AC2C5D3A1B0C7A1E1B7D3E37512FECA0AC2C5D3A1B0C7A1E1B7D3E"
	if _, err := f.client.CreateProfile(t.Context(), gatewayapi.Profile{"id": json.RawMessage(`"` + old + `"`), "fbMessengerIds": json.RawMessage(`{"` + p.key + `":"` + ada + `"}`)}); err != nil {
		t.Fatal(err)
	}
	f.want("POST", "/facebook/1/single", `{"from":"`+p.key+`","to":"`+old+`","text":"hello"}`, 200, goldenSent(`"`+old+`"`))
	p.awaitThread(ada, 1)
}

func TestInfobipXML(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	for _, c := range []struct {
		path, accept string
		want         int
		begins       string
	}{
		{"/facebook/1/applications", "application/xml", 406, `{"requestError"`},
		{"/facebook/1/applications", "text/xml, application/xml", 406, `{"requestError"`},
		{"/facebook/1/applications", "application/xml, application/json", 200, `{"applications"`},
		{"/facebook/1/applications", "*/*", 200, `{"applications"`},
		{"/facebook/1/applications", "", 200, `{"applications"`},
		{"/facebook/1/reports", "application/xml", 200, `<?xml version="1.0" encoding="UTF-8"?>` + "\n<reportResponse>"},
		{"/omni/1/logs", "text/xml", 200, `<?xml version="1.0" encoding="UTF-8"?>` + "\n<reportResponse>"},
		{"/omni/1/reports", "application/json", 200, `{"results"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", f.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", f.auth)
		req.Header.Set("Accept", c.accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.want || !strings.HasPrefix(string(body), c.begins) {
			t.Errorf("%s, Accept %q: %d %s, %v", c.path, c.accept, resp.StatusCode, body, err)
		}
	}
}

func TestInfobipLimitedKeys(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	mine, other := f.connect(graphemu.Page{}), f.connect(graphemu.Page{})
	_, secret, err := service.CreateKey(t.Context(), f.app.Store, "limited", []gateway.Scope{gateway.ScopeAll}, []string{mine.key})
	if err != nil {
		t.Fatal(err)
	}
	limited := &infobip{f.world, "App " + secret.Reveal()}
	ada, bob := mine.person("Ada"), other.person("Bob")
	limited.want("POST", "/facebook/1/single", `{"from":"`+mine.key+`","to":"`+ada+`","text":"mine"}`, 200, goldenSent(`"`+ada+`"`))
	f.want("POST", "/facebook/1/single", `{"from":"`+other.key+`","to":"`+bob+`","text":"other"}`, 200, goldenSent(`"`+bob+`"`))
	if _, answer := limited.call("POST", "/facebook/1/single", `{"from":"`+other.key+`","to":"`+bob+`","text":"x"}`); !strings.Contains(answer, "REJECTED_SENDER") {
		t.Errorf("through another's page: %s", answer)
	}
	await(t, "both to be delivered", func() (bool, string) {
		_, all := f.call("GET", "/facebook/1/logs?generalStatus=DELIVERED", "")
		return strings.Contains(all, ada) && strings.Contains(all, bob), all
	})
	for _, path := range []string{"/facebook/1/logs", "/facebook/1/applications", "/omni/1/scenarios", "/facebook/1/reports", "/omni/1/reports"} {
		if status, answer := limited.call("GET", path, ""); status != 200 || strings.Contains(answer, bob) || strings.Contains(answer, other.key) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	for path, want := range map[string]int{"/facebook/1/applications/" + other.key: 404, "/facebook/1/applications/" + other.key + "/configurations": 404, "/facebook/1/logs?from=" + other.key: 403} {
		if status, answer := limited.call("GET", path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

// Reports survive a restart, and none is handed out twice to callers who ask at the same time.
func TestInfobipReportsToManyCallers(t *testing.T) {
	t.Parallel()
	const messages, callers = 40, 4
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	var list []string
	for _, psid := range p.people(messages) {
		list = append(list, `{"from":"`+p.key+`","to":"`+psid+`","text":"hello"}`)
	}
	if status, answer := f.call("POST", "/facebook/1/multi", `{"messages":[`+strings.Join(list, ",")+`]}`); status != 200 {
		t.Fatal(answer)
	}
	f.stop()
	f.start()
	var mu sync.Mutex
	handed := map[string]int{}
	take := func() {
		status, answer := f.call("GET", "/facebook/1/reports?limit=3", "")
		var page struct{ Results []struct{ MessageID string } }
		if err := json.Unmarshal([]byte(answer), &page); err != nil || status != 200 || len(page.Results) > 3 {
			t.Errorf("%d %s: %v", status, answer, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, r := range page.Results {
			handed[r.MessageID]++
		}
	}
	await(t, "every report", func() (bool, string) {
		var all sync.WaitGroup
		for range callers {
			all.Go(take)
		}
		all.Wait()
		return len(handed) >= messages || t.Failed(), strings.Repeat(".", len(handed))
	})
	take()
	for id, n := range handed {
		if n != 1 {
			t.Errorf("the report of %s was handed out %d times", id, n)
		}
	}
	if len(handed) != messages {
		t.Errorf("%d reports of %d messages", len(handed), messages)
	}
}
