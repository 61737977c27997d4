package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

func TestTheSameRequestIsSentOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	first, err := w.client.SendMessage(t.Context(), withKey(p.text(ana, "one"), "key-1"))
	if err != nil || first.Replayed {
		t.Fatalf("first: %+v, %v", first, err)
	}
	w.awaitStatus(first.Message.ID, gatewayapi.StatusDelivered)
	// Many repeats at once, also after it was sent and after a restart: the same message each time.
	w.stop()
	w.start()
	results := make(chan string)
	for range 8 {
		go func() {
			again, err := w.client.SendMessage(t.Context(), withKey(p.text(ana, "one"), "key-1"))
			results <- fmt.Sprintln(again.Message.ID, again.Replayed, err)
		}()
	}
	for range 8 {
		if got := <-results; got != fmt.Sprintln(first.Message.ID, true, nil) {
			t.Errorf("repeat: %s", got)
		}
	}
	_, err = w.client.SendMessage(t.Context(), withKey(p.text(ana, "other"), "key-1"))
	wantCode(t, err, 409, "idempotency_mismatch")
	_, err = w.client.SendMessage(t.Context(), withKey(p.text(ana, ""), "key-2"))
	wantCode(t, err, 400, "invalid_request")
	mended, err := w.client.SendMessage(t.Context(), withKey(p.text(ana, "two"), "key-2"))
	if err != nil || mended.Replayed {
		t.Errorf("a refused request was remembered: %+v, %v", mended, err)
	}
	w.awaitStatus(mended.Message.ID, gatewayapi.StatusDelivered)
	if got := p.thread(ana); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("Ana has %q", got)
	}
}

func TestManyAtOnceUnderOneKey(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	ids := make(chan string)
	for range 16 {
		go func() {
			res, err := w.client.SendMessage(t.Context(), withKey(p.text(ana, "one"), "key"))
			if err != nil {
				t.Error(err)
			}
			ids <- res.Message.ID
		}()
	}
	first := <-ids
	for range 15 {
		if id := <-ids; id != first {
			t.Errorf("message %s beside %s", id, first)
		}
	}
	w.awaitStatus(first, gatewayapi.StatusDelivered)
	if got := p.thread(ana); len(got) != 1 {
		t.Errorf("Ana has %q", got)
	}
}

func TestBatchVerdicts(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	req := gatewayapi.SendBatchRequest{}
	var want []string
	for i := range 60 {
		m := p.text(ana, fmt.Sprintf("text %d", i))
		if i%3 == 0 {
			m.Body = ""
		} else {
			want = append(want, m.Body)
		}
		req.Messages = append(req.Messages, m)
	}
	res, err := w.client.SendBatch(t.Context(), gatewayapi.SendBatchRequest{Messages: req.Messages, IdempotencyKey: "batch"})
	if err != nil || res.Accepted != 40 || res.Refused != 20 || len(res.Results) != 60 {
		t.Fatalf("accepted %d, refused %d, %d verdicts, %v", res.Accepted, res.Refused, len(res.Results), err)
	}
	last := ""
	for i, v := range res.Results {
		if refused := v.Error != nil; refused != (i%3 == 0) || v.Index != i || refused == (v.Message != nil) {
			t.Errorf("verdict %d: %+v", i, v)
		}
		if v.Error != nil && v.Error.Field == "" {
			t.Errorf("verdict %d names no field: %+v", i, v.Error)
		}
		if v.Message != nil {
			last = v.Message.ID
		}
	}
	again, err := w.client.SendBatch(t.Context(), gatewayapi.SendBatchRequest{Messages: req.Messages, IdempotencyKey: "batch"})
	if err != nil || again.Accepted != 40 || again.Results[59].Message.ID != last {
		t.Errorf("repeat: %d accepted, %v", again.Accepted, err)
	}
	w.awaitStatus(last, gatewayapi.StatusDelivered)
	if diff := cmp.Diff(want, p.thread(ana)); diff != "" {
		t.Errorf("Ana's thread, -want +got:\n%s", diff)
	}
}

func TestCancelAndExpiryWhileThePageIsPaused(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	pulled := w.pull("message.expired", "message.failed")
	w.platform.SetPageToken(p.id, "")
	ids := p.sendTexts(ana, "first", "canceled", "kept")
	short := p.text(ana, "expires")
	at := gatewayapi.At(time.Now().Add(700 * time.Millisecond))
	short.ExpiresOn = &at
	expiring := w.send(short)
	w.awaitState(p.key, gatewayapi.ApplicationPaused)
	w.awaitStatus(ids[0], gatewayapi.StatusQueued)
	if m, err := w.client.CancelMessage(t.Context(), ids[1]); err != nil || m.Status != gatewayapi.StatusCanceled {
		t.Errorf("cancel: %s, %v", m.Status, err)
	}
	if m := w.awaitStatus(expiring, gatewayapi.StatusExpired); m.Failure == nil || m.Failure.Code != "expired" {
		t.Errorf("expired because of %+v", m.Failure)
	}
	e := pulled.await("message.expired", func(gatewayapi.Event) bool { return true })
	if e.Type != "message.expired" || dataOf[struct{ MessageID string }](t, e).MessageID != expiring {
		t.Errorf("event %s %s", e.Type, e.Data)
	}
	token := "EAAnew"
	w.platform.SetPageToken(p.id, token)
	if _, err := w.client.UpdateApplication(t.Context(), p.key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: &token}}); err != nil {
		t.Fatal(err)
	}
	w.awaitStatus(ids[2], gatewayapi.StatusDelivered)
	if got := p.thread(ana); !slices.Equal(got, []string{"first", "kept"}) {
		t.Errorf("Ana has %q", got)
	}
	_, err := w.client.CancelMessage(t.Context(), ids[2])
	wantCode(t, err, 409, "not_cancelable")
}
