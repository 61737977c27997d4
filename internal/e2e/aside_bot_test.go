package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// aside waits until the bot has set so many events of a page aside.
func (p *page) aside(n int) []gatewayapi.SetAsideEvent {
	p.w.t.Helper()
	var found []gatewayapi.SetAsideEvent
	await(p.w.t, fmt.Sprintf("%d events to be set aside", n), func() (bool, string) {
		list, err := p.w.client.ListSetAside(context.Background(), gatewayapi.ListSetAsideRequest{Reader: "bot"})
		found = list.Events
		return err == nil && len(found) == n, fmt.Sprintf("%+v %v", found, err)
	})
	return found
}

// asked is a server that scripts ask: each request comes out of the channel, and is answered when
// what came is closed.
func asked(t *testing.T) (server *httptest.Server, requests chan chan struct{}) {
	requests = make(chan chan struct{}, 100)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := make(chan struct{})
		requests <- answer
		select {
		case <-answer:
			fmt.Fprint(w, "{}")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server, requests
}

// next waits for a request.
func next(t *testing.T, requests chan chan struct{}) chan struct{} {
	t.Helper()
	select {
	case r := <-requests:
		return r
	case <-time.After(patience):
		t.Fatal("no request comes")
		return nil
	}
}

// An event whose macro ends its process twice is set aside, others of the same person are answered,
// and once the script is mended it can be answered after all.
func TestAMacroThatEndsItsProcessIsSetAside(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script(macro("return new ArrayBuffer(200*1024*1024*1024).byteLength;"))
	ben := p.person("Ben")
	p.says(ben, "boom")
	p.says(ben, "hello")
	p.awaitSaid(ben, "still here")
	found := p.aside(1)
	if e := found[0]; e.Application != p.key || e.Failures != 2 || !strings.Contains(e.Reason, "ended the process") {
		t.Errorf("%+v", e)
	}
	if n := w.metric(`chasqui_events_set_aside{reader="bot"}`); n != 1 {
		t.Errorf("the metric says %v", n)
	}
	wantCode(t, w.client.RetrySetAside(t.Context(), gatewayapi.RetrySetAsideRequest{Event: found[0].ID, Reader: "bot"}), http.StatusConflict, "conflict")
	p.script(macro("return 'mended';"))
	if err := w.client.RetrySetAside(t.Context(), gatewayapi.RetrySetAsideRequest{Event: found[0].ID, Reader: "bot"}); err != nil {
		t.Fatal(err)
	}
	p.awaitSaid(ben, "[mended]")
	p.aside(0)
	p.says(ben, "hello")
	p.awaitSaid(ben, "still here")
}

// An event that was under way each time the gateway's own process ended is set aside after the
// second time that is certain; nothing else is.
func TestWhatIsUnderWayWhenTheGatewayEndsIsSetAside(t *testing.T) {
	t.Parallel()
	server, requests := asked(t)
	host := strings.TrimPrefix(server.URL, "http://")
	w, g := startApart(t, startPlatform(t), func(*config.Config) {}, "--scripts-allow-hosts", host)
	p := w.connect(graphemu.Page{})
	p.script("+ wait\n$ GET " + server.URL + "/\n- waited\n+ hello *\n- hello <star>\n")
	ana, ben := p.person("Ana"), p.person("Ben")
	p.says(ben, "wait")
	p.says(ben, "hello one")
	for range 3 { // the first time nothing is noted yet
		next(t, requests)
		g.kill()
		g = w.serve("--scripts-allow-hosts", host)
	}
	p.awaitSaid(ben, "hello one")
	p.says(ana, "hello two")
	p.awaitSaid(ana, "hello two")
	if found := p.aside(1); found[0].Failures != 2 {
		t.Errorf("%+v", found)
	}
	retried := make(chan error)
	go func() {
		retried <- w.client.RetrySetAside(context.Background(), gatewayapi.RetrySetAsideRequest{Event: p.aside(1)[0].ID, Reader: "bot"})
	}()
	close(next(t, requests))
	if err := <-retried; err != nil {
		t.Fatal(err)
	}
	p.awaitSaid(ben, "waited")
}

// A partition that is lost in the middle of a turn and won again before the node has noticed is
// answered on.
func TestBotsGoOnInAPartitionThatWasLostAndWonAgain(t *testing.T) {
	t.Parallel()
	server, requests := asked(t)
	w := startWorld(t, func(c *config.Config) {
		c.Store, c.Scripts.AllowHosts = storetest.Postgres(t), strings.TrimPrefix(server.URL, "http://") // a SQLite file's partitions cannot be lost
	})
	p := w.connect(graphemu.Page{})
	p.script("+ wait *\n$ GET " + server.URL + "/\n- waited <star>\n+ hello *\n- hello <star>\n")
	epochs := func(change string) {
		t.Helper()
		err := w.app.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE leases SET epoch = epoch " + change)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ben := p.person("Ben")
	p.says(ben, "wait one")
	p.says(ben, "hello two")
	under := next(t, requests)
	for range 3 { // more often than a process may end
		epochs("+ 1")
		close(under)
		under = next(t, requests) // the turn begins anew, since its commit was refused
	}
	epochs("+ 1")
	close(under)
	under = next(t, requests)
	epochs("- 1")
	close(under)
	await(t, "both answers", func() (bool, string) {
		for { // it may begin anew once more
			select {
			case next := <-requests:
				close(next)
				continue
			default:
			}
			break
		}
		thread := p.thread(ben)
		return strings.Join(thread, "|") == "waited one|hello two", fmt.Sprintf("%q", thread)
	})
	p.says(ben, "hello three")
	p.awaitSaid(ben, "hello three")
	p.aside(0)
}

// A turn that fails for a reason of its own is set aside after some tries; other people are
// answered meanwhile, and later messages of the same person once it is mended.
func TestATurnThatAlwaysFailsIsSetAside(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ hello *\n- hello <star>\n")
	ana, ben := p.person("Ana"), p.person("Ben")
	p.says(ben, "hello one")
	p.awaitSaid(ben, "hello one")
	state := func(text string) {
		t.Helper()
		err := w.app.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec("UPDATE bot_people SET state = ?, rev = rev + 1 WHERE person = ?", []byte(text), ben)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	state("this is not JSON")
	p.says(ben, "hello two")
	p.says(ana, "hello you")
	p.awaitSaid(ana, "hello you")
	if found := p.aside(1); found[0].Failures != 5 {
		t.Errorf("%+v", found)
	}
	state("{}")
	p.says(ben, "hello three")
	p.awaitSaid(ben, "hello three")
	if err := w.client.RetrySetAside(t.Context(), gatewayapi.RetrySetAsideRequest{Event: p.aside(1)[0].ID, Reader: "bot"}); err != nil {
		t.Fatal(err)
	}
	p.awaitSaid(ben, "hello two")
}
