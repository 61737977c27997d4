package e2e

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/store"
)

// A queue longer than what is held in memory, for many conversations and for one, survives restarts
// in its middle.
func TestRestartInTheMiddleOfAQueue(t *testing.T) {
	t.Parallel()
	// More than the 2,000 messages of a page and the 32 of a conversation that are held in memory;
	// the race detector makes that too slow.
	people, each, alone := 20, 120, 80
	if slow {
		people, each = 5, 60
	}
	w := startBeside(t, startPlatform(t, func(s *graphemu.Server) {
		s.Latency = graphemu.Latency{Min: time.Millisecond, Max: 3 * time.Millisecond, Seed: 3}
	}))
	p, q := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	persons, ana := p.people(people), q.person("Ana")
	pulled := w.pull("message.inbound")
	for start := 0; start < each; start += 20 {
		var req gatewayapi.SendBatchRequest
		for n := start; n < start+20; n++ {
			for _, psid := range persons {
				req.Messages = append(req.Messages, p.text(psid, fmt.Sprintf("text %d", n)))
			}
		}
		if res, err := w.client.SendBatch(t.Context(), req); err != nil || res.Refused > 0 {
			t.Fatalf("%d refused, %v", res.Refused, err)
		}
	}
	q.sendTexts(ana, numbered("text", alone)...)
	for round := range 3 {
		p.awaitThread(persons[0], (round+1)*each/5)
		w.stop()
		p.says(persons[round], fmt.Sprintf("while it is away %d", round))
		w.start()
	}
	for i, psid := range persons {
		if got := p.awaitThread(psid, each); !slices.Equal(got, numbered("text", each)) {
			t.Errorf("person %d has %d messages, or not in order: %.200q", i, len(got), got)
		}
	}
	if got := q.awaitThread(ana, alone); !slices.Equal(got, numbered("text", alone)) {
		t.Errorf("Ana has %d messages, or not in order: %.200q", len(got), got)
	}
	for _, status := range []gatewayapi.MessageStatus{gatewayapi.StatusUncertain, gatewayapi.StatusFailed} {
		if list, err := w.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{Status: status}); err != nil || len(list.Messages) > 0 {
			t.Errorf("%d messages are %s after stops that were in no hurry, %v", len(list.Messages), status, err)
		}
	}
	pulled.awaitCount(3)
	checkOnce(t, pulled.events)
}

func TestTwoGatewaysInOneProcess(t *testing.T) {
	t.Parallel()
	a, b := startWorld(t), startWorld(t)
	for i, w := range []*world{a, b} {
		p := w.connect(graphemu.Page{})
		ana := p.person("Ana")
		id := w.send(p.text(ana, fmt.Sprintf("of gateway %d", i)))
		w.awaitStatus(id, gatewayapi.StatusDelivered)
		if got := p.thread(ana); !slices.Equal(got, []string{fmt.Sprintf("of gateway %d", i)}) {
			t.Errorf("Ana has %q", got)
		}
	}
	if list, err := a.client.ListApplications(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("one gateway sees %d applications, %v", len(list), err)
	}
}

func TestSecondGatewayOnOneFolder(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	if !w.app.Store.Exclusive() {
		t.Skip("any number of gateways may share a PostgreSQL database")
	}
	c := w.config
	c.Addr = "127.0.0.1:0"
	second, err := app.New(t.Context(), app.Options{Config: c, Logger: discard(), Version: "test"})
	if err == nil {
		second.Stop(t.Context())
		t.Fatal("a second gateway works on the same folder")
	}
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("refused with: %v", err)
	}
	p := w.connect(graphemu.Page{}) // the first goes on
	w.awaitStatus(w.send(p.text(p.person("Ana"), "hello")), gatewayapi.StatusDelivered)
}
