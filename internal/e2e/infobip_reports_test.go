package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// single hands a message over and returns its id.
func (f *infobip) single(body string) string {
	f.t.Helper()
	status, answer := f.call("POST", "/facebook/1/single", body)
	if status != http.StatusOK || !strings.Contains(answer, "PENDING_ENROUTE") {
		f.t.Fatalf("%s: %d %s", body, status, answer)
	}
	return member(f.t, answer, "messages.0.messageId")
}

// Reports wait for 48 hours and no longer.
func TestInfobipReportsGrowOld(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	first, second := f.single(`{"to":"`+ada+`","text":"one"}`), f.single(`{"to":"`+ada+`","text":"two"}`)
	f.awaitStatus(first, "delivered", "read")
	f.awaitStatus(second, "delivered", "read")
	f.clock.advance(47 * time.Hour)
	await(t, "the report after 47 hours", func() (bool, string) {
		_, answer := f.call("GET", "/facebook/1/reports?messageId="+first, "")
		return strings.Contains(answer, first), answer
	})
	f.clock.advance(2 * time.Hour)
	if _, answer := f.call("GET", "/facebook/1/reports", ""); answer != `{"results":[]}` {
		t.Errorf("after 49 hours: %s", answer)
	}
}

// awaitTries waits until a receiver was posted to so many times.
func (h *hooks) awaitTries(t testing.TB, n int) {
	t.Helper()
	await(t, strconv.Itoa(n)+" posts", func() (bool, string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.tried >= n, fmt.Sprintf("%d have come", h.tried)
	})
}

// dueReports counts the reports that are to be posted by a moment, and the tries that they have had
// at the most.
func (f *infobip) dueReports(by time.Time) (due, tries int, err error) {
	err = f.app.Store.QueryRow(f.t.Context(), `SELECT COUNT(*), COALESCE(MAX(tries), 0) FROM infobip_reports WHERE due_at > 0 AND due_at <= ?`, by.UnixMilli()).Scan(&due, &tries)
	return due, tries, err
}

// A receiver that refuses a report is asked again: after one minute, two, five, ten.
func TestInfobipNotifiesAgain(t *testing.T) {
	t.Parallel()
	f, h := startInfobip(t), startHooks(t)
	p := f.connect(graphemu.Page{})
	h.refuse = 4
	id := f.single(`{"to":"` + p.person("Ada") + `","text":"one","notifyUrl":"` + h.server.URL + `/dlr","callbackData":"order 7"}`)
	for n, pause := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		h.awaitTries(t, n+1)
		await(t, "the next try to be set", func() (bool, string) {
			due, tries, err := f.dueReports(f.clock.now().Add(pause))
			return err == nil && due == 1 && tries == n+1, fmt.Sprintf("%d, %v", due, err)
		})
		if due, _, err := f.dueReports(f.clock.now().Add(pause - 10*time.Second)); err != nil || due > 0 {
			t.Fatalf("try %d comes too soon: %+v, %v", n+2, due, err)
		}
		f.clock.advance(pause)
	}
	if body := h.next(t, "/dlr"); !strings.Contains(body, id) || !strings.Contains(body, `"callbackData":"order 7"`) {
		t.Errorf("posted %s", body)
	}
}

// Reports never go to private addresses unless the operator allows it: such an address is refused
// at once, and one that was taken before leads nowhere.
func TestInfobipNotifiesNoPrivateAddress(t *testing.T) {
	t.Parallel()
	f, h := startInfobip(t), startHooks(t)
	ada := f.connect(graphemu.Page{}).person("Ada")
	body := `{"to":"` + ada + `","text":"one","notifyUrl":"` + h.server.URL + `/dlr"}`
	h.refuse = 1
	f.single(body)
	h.awaitTries(t, 1)
	tried := func(n int) {
		t.Helper()
		await(t, "the try to be noted", func() (bool, string) {
			due, tries, err := f.dueReports(f.clock.now().Add(time.Hour))
			return err == nil && due == 1 && tries == n, fmt.Sprintf("%d after %d tries, %v", due, tries, err)
		})
	}
	tried(1)
	f.stop()
	f.strict = true
	f.start()
	f.clock.advance(time.Minute)
	tried(2)
	if h.tried != 1 {
		t.Errorf("%d posts have come", h.tried)
	}
	if status, answer := f.call("POST", "/facebook/1/single", body); status != http.StatusBadRequest || !strings.Contains(answer, "notifyUrl") {
		t.Errorf("%d %s", status, answer)
	}
}

// hanging is a receiver that answers nothing until it is let go. gave is how many callers gave up.
func hanging(t testing.TB) (s *httptest.Server, gave *atomic.Int64) {
	over, gave := make(chan struct{}), new(atomic.Int64)
	s = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // so that the end of the connection is noticed
		select {
		case <-over:
		case <-r.Context().Done():
			gave.Add(1)
		}
	}))
	t.Cleanup(func() {
		close(over)
		s.Close()
	})
	return s, gave
}

// A receiver that does not answer holds up nobody else's reports.
func TestInfobipNotifiesPastATroubledReceiver(t *testing.T) {
	t.Parallel()
	f, h := startInfobip(t), startHooks(t)
	dead, gave := hanging(t)
	p := f.connect(graphemu.Page{})
	var list []string
	for _, psid := range p.people(90) {
		list = append(list, `{"to":"`+psid+`","text":"x","notifyUrl":"`+dead.URL+`"}`)
	}
	if status, answer := f.call("POST", "/facebook/1/multi", `{"messages":[`+strings.Join(list, ",")+`]}`); status != http.StatusOK {
		t.Fatal(answer)
	}
	id := f.single(`{"to":"` + p.person("Ada") + `","text":"one","notifyUrl":"` + h.server.URL + `/dlr"}`)
	f.awaitStatus(id, "delivered", "read")
	if body := h.next(t, "/dlr"); !strings.Contains(body, id) {
		t.Errorf("posted %s", body)
	}
	// Each post to the dead one is given up after 15 seconds, eight at a time: 90 of them would take twelve rounds.
	if n := gave.Load(); n > 16 {
		t.Errorf("%d posts to the other receiver had been given up", n)
	}
}

// TestKillInfobipReports kills the gateway while reports are being posted: every one comes in the
// end.
func TestKillInfobipReports(t *testing.T) {
	t.Parallel()
	const messages = 60
	w, g := startApart(t, startPlatform(t), func(*config.Config) {}, "--forward-allow-private")
	f, h := &infobip{w, "App " + w.key}, startHooks(t)
	p := f.connect(graphemu.Page{})
	var list []string
	for _, psid := range p.people(messages) {
		list = append(list, `{"to":"`+psid+`","text":"x","notifyUrl":"`+h.server.URL+`/dlr"}`)
	}
	_, answer := f.call("POST", "/facebook/1/multi", `{"messages":[`+strings.Join(list, ",")+`]}`)
	h.awaitTries(t, 1)
	g.kill()
	w.serve("--forward-allow-private")
	var sent struct{ Messages []struct{ MessageID string } }
	if err := json.Unmarshal([]byte(answer), &sent); err != nil || len(sent.Messages) != messages {
		t.Fatalf("%s: %v", answer, err)
	}
	await(t, "every report", func() (bool, string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		all := strings.Join(h.got["/dlr"], "")
		missing := 0
		for _, m := range sent.Messages {
			if !strings.Contains(all, m.MessageID) {
				missing++
			}
		}
		return missing == 0, fmt.Sprintf("%d are missing of %d", missing, messages)
	})
}

// Reports, and what people write, are handed out once also by two nodes at the same time.
func TestInfobipHandsOutOnceOnTwoNodes(t *testing.T) {
	t.Parallel()
	const messages = 40
	url := storetest.Postgres(t)
	w := startBeside(t, startPlatform(t), func(c *config.Config) { c.Store = url })
	f := &infobip{w, "App " + w.key}
	p := f.connect(graphemu.Page{})
	node := newWorld(t, w.platform, func(c *config.Config) {
		c.Store, c.KeyFile = url, filepath.Join(w.config.Data, "chasqui.key")
	})
	node.start()
	other := &infobip{node, f.auth}
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	_, made := f.call("POST", configurations, "")
	if status, answer := f.call("POST", configurations+"/"+member(t, made, "key")+"/actions", `{"type":"PULL"}`); status != http.StatusOK {
		t.Fatal(answer)
	}
	var list []string
	for i, psid := range p.people(messages) {
		list = append(list, `{"from":"`+p.key+`","to":"`+psid+`","text":"hello"}`)
		p.says(psid, "inbound "+strconv.Itoa(i))
	}
	if status, answer := f.call("POST", "/facebook/1/multi", `{"messages":[`+strings.Join(list, ",")+`]}`); status != http.StatusOK {
		t.Fatal(answer)
	}
	for _, path := range []string{"/facebook/1/reports?limit=3", "/facebook/1/inbox/reports?limit=3"} {
		var mu sync.Mutex
		handed := map[string]int{}
		await(t, "all of "+path, func() (bool, string) {
			var both sync.WaitGroup
			for _, through := range []*infobip{f, other, f, other} {
				both.Go(func() {
					_, answer := through.call("GET", path, "")
					var page struct{ Results []struct{ MessageID string } }
					if err := json.Unmarshal([]byte(answer), &page); err != nil {
						t.Errorf("%s: %v", answer, err)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, r := range page.Results {
						handed[r.MessageID]++
					}
				})
			}
			both.Wait()
			return len(handed) >= messages, fmt.Sprintf("%d of %d", len(handed), messages)
		})
		for id, n := range handed {
			if n != 1 {
				t.Errorf("%s: %s was handed out %d times", path, id, n)
			}
		}
	}
}

// A receiver that refuses what a person wrote is asked again after a minute.
func TestInfobipForwardsAgain(t *testing.T) {
	t.Parallel()
	f, h := startInfobip(t), startHooks(t)
	p := f.connect(graphemu.Page{})
	h.refuse = 1
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	_, made := f.call("POST", configurations, "")
	_, action := f.call("POST", configurations+"/"+member(t, made, "key")+"/actions", `{"type":"HTTP_FORWARD","forwardUrl":"`+h.server.URL+`/in"}`)
	p.says(p.person("Ada"), "hello")
	h.awaitTries(t, 1)
	due := func(ahead time.Duration) int {
		list, err := f.app.Store.DueDeliveries(t.Context(), member(t, action, "key"), f.clock.now().Add(ahead), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	await(t, "the next try to be set", func() (bool, string) { return due(time.Minute) == 1, "it is not" })
	if due(50*time.Second) != 0 {
		t.Error("the next try comes too soon")
	}
	f.clock.advance(time.Minute)
	if body := h.next(t, "/in"); !strings.Contains(body, `"text":"hello"`) {
		t.Errorf("posted %s", body)
	}
}
