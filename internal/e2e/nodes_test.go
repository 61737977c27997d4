package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// Two nodes over one PostgreSQL share the conversations. One is killed in the middle; the other
// takes over what it worked, and every message that either has accepted arrives once and in order.
func TestNodesTakeOverFromAKilledOne(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	w := startBeside(t, startPlatform(t, func(s *graphemu.Server) {
		s.Latency = graphemu.Latency{Min: 10 * time.Millisecond, Max: 30 * time.Millisecond, Seed: 7}
	}), func(c *config.Config) { c.Store = url })
	p := w.connect(graphemu.Page{})
	persons := p.people(12)
	pulled := w.pull("message.inbound")

	other := newWorld(t, w.platform, func(c *config.Config) { c.Store = url })
	other.config.Addr = freeAddr(t)
	other.url = "http://" + other.config.Addr
	node := other.serve("--key-file", filepath.Join(w.config.Data, "chasqui.key"))
	other.use(w.key)
	await(t, "the nodes to share the partitions", func() (bool, string) {
		held, _ := w.app.Store.Leases().Held()
		return len(held) > 0 && len(held) <= 33, fmt.Sprintf("the first holds %d", len(held))
	})

	const each = 30
	send := func(through *world, n int) {
		for _, psid := range persons {
			if _, err := through.client.SendMessage(t.Context(), gatewayapi.SendMessageRequest{Application: p.key, To: gatewayapi.To{FBMessengerID: psid}, Body: fmt.Sprintf("text %d", n)}); err != nil {
				t.Fatalf("send text %d: %v", n, err)
			}
		}
	}
	for n := range each / 2 {
		send([]*world{w, other}[n%2], n)
		p.says(persons[n%len(persons)], fmt.Sprintf("inbound %d", n))
	}
	node.kill()
	for n := each / 2; n < each; n++ {
		send(w, n)
	}
	for i, psid := range persons {
		// What the killed node had marked and not yet posted, or posted and not heard of, is
		// uncertain: then it may be missing, and is named.
		await(t, fmt.Sprintf("the messages of person %d in order", i), func() (bool, string) {
			list, err := w.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{Status: gatewayapi.StatusUncertain, FBMessengerID: psid})
			if err != nil {
				return false, err.Error()
			}
			want := numbered("text", each)
			for _, m := range list.Messages {
				want = slices.DeleteFunc(want, func(text string) bool { return text == m.Body })
			}
			got := p.thread(psid)
			return slices.Equal(got, want), fmt.Sprintf("%d have come, and %d are uncertain: %.300q", len(got), len(list.Messages), got)
		})
	}
	if got := pulled.awaitCount(each / 2); len(got) != each/2 {
		t.Errorf("%d inbound messages were read", len(got))
	}
	for _, status := range []gatewayapi.MessageStatus{gatewayapi.StatusQueued, gatewayapi.StatusFailed} {
		list, err := w.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{Status: status})
		if err != nil || len(list.Messages) > 0 {
			t.Errorf("%d messages are %s, %v", len(list.Messages), status, err)
		}
	}
}

// A database that is killed and comes back loses nothing that was acknowledged, and the gateway
// goes on by itself.
func TestDatabaseRestart(t *testing.T) {
	t.Parallel()
	cluster := storetest.NewCluster(t)
	w := startWorld(t, func(c *config.Config) { c.Store = cluster.URL })
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	pulled := w.pull("message.inbound")
	accepted := p.sendTexts(ana, "before")
	p.says(ana, "before")
	p.awaitThread(ana, 1)
	pulled.awaitCount(1)

	cluster.Kill()
	p.says(ana, "while it is away") // the platform sends it again until it is taken
	texts := []string{"before"}
	await(t, "a message to be refused", func() (bool, string) {
		// The server's children may still serve for a moment.
		text := fmt.Sprintf("text %d", len(texts))
		result, err := w.client.SendMessage(t.Context(), p.text(ana, text))
		if err != nil {
			wantCode(t, err, 503, "store_unavailable")
			return true, ""
		}
		accepted, texts = append(accepted, result.Message.ID), append(texts, text)
		return false, "it was accepted"
	})
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "a message to be accepted again", func() (bool, string) {
		result, err := w.client.SendMessage(t.Context(), withKey(p.text(ana, "after"), "after-the-restart"))
		if err != nil {
			return false, err.Error()
		}
		accepted = append(accepted, result.Message.ID)
		return true, ""
	})
	texts = append(texts, "after")
	if got := p.awaitThread(ana, len(texts)); !slices.Equal(got, texts) {
		t.Errorf("the thread has %q, wanted %q", got, texts)
	}
	pulled.awaitCount(2)
	for _, id := range accepted {
		w.awaitStatus(id, gatewayapi.StatusSent, gatewayapi.StatusDelivered, gatewayapi.StatusRead)
	}
}
