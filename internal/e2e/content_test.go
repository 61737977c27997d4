package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// shown is what the person sees of one send.
type shown struct {
	Text string
	Kind string // of an attachment
	File string // what its address holds
}

// contents fetches what a person sees, in order.
func (p *page) contents(psid string) []shown {
	p.w.t.Helper()
	thread, err := p.w.platform.Thread(p.id, psid)
	if err != nil {
		p.w.t.Fatal(err)
	}
	var all []shown
	for _, m := range thread {
		var wire struct {
			Text       string
			Attachment *struct {
				Type    string
				Payload struct{ URL string }
			}
		}
		if err := json.Unmarshal(m.Message, &wire); err != nil {
			p.w.t.Fatal(err)
		}
		s := shown{Text: wire.Text}
		if wire.Attachment != nil {
			s.Kind, s.File = wire.Attachment.Type, wire.Attachment.Payload.URL
			if strings.HasPrefix(s.File, p.w.platform.url) {
				s.File = fetch(p.w.t, s.File)
			}
		}
		all = append(all, s)
	}
	return all
}

func fetch(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A message of several parts goes out in order: texts as they are, files by address, and files that
// came in the message itself.
func TestMessageParts(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	picture := bytes.Repeat([]byte{0x89, 'P', 'N', 'G', 0, 255}, 200_000)
	id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Application: p.key, Title: "Your order", MessageParts: []gatewayapi.MessagePart{
		{Type: "text/plain", Data: "is ready <&> \u00e1\U0001f999"},
		{Type: "image/png", URL: "https://shop.example/a.png"},
		{Type: "image/png", Name: "foto.png", Data: base64.StdEncoding.EncodeToString(picture)},
		{Type: "application/pdf", Name: "invoice.pdf", Data: base64.StdEncoding.EncodeToString([]byte("%PDF-"))},
		{Type: "audio/mpeg", URL: "https://shop.example/a.mp3"},
		{Type: "text/plain", Data: "Thank you"},
	}})
	m := w.awaitStatus(id, gatewayapi.StatusDelivered)
	want := []shown{
		{Text: "Your order\nis ready <&> \u00e1\U0001f999"}, {Kind: "image", File: "https://shop.example/a.png"}, {Kind: "image", File: string(picture)},
		{Kind: "file", File: "%PDF-"}, {Kind: "audio", File: "https://shop.example/a.mp3"}, {Text: "Thank you"},
	}
	if diff := cmp.Diff(want, p.contents(ana)); diff != "" {
		t.Errorf("-want +got:\n%.2000s", diff)
	}
	if m.Parts != 6 || m.PartsSent != 6 || len(m.Attempts) != 6 {
		t.Errorf("%d of %d parts in %d attempts", m.PartsSent, m.Parts, len(m.Attempts))
	}
}

// A lost answer in the middle of a message, to the upload of a file, is proven like any other, and
// the rest follows.
func TestLostAnswerOfAFile(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Times: 1, DropResponse: true, PSID: ana}})
	id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Application: p.key, MessageParts: []gatewayapi.MessagePart{
		{Type: "application/pdf", Name: "a.pdf", Data: base64.StdEncoding.EncodeToString([]byte("%PDF-"))}, {Type: "text/plain", Data: "that was it"},
	}})
	w.awaitStatus(id, gatewayapi.StatusDelivered)
	if diff := cmp.Diff([]shown{{Kind: "file", File: "%PDF-"}, {Text: "that was it"}}, p.contents(ana)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The platform's own message object goes through as it is, with the metadata of both.
func TestCustomBody(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	pulled := w.pull("message.echo")
	custom := `{"text":"Choose","quick_replies":[{"content_type":"text","title":"Red","payload":"RED"}],"metadata":"mine|too"}`
	id := w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: ana}, Application: p.key, Body: "for other channels",
		CustomBody: map[string]json.RawMessage{"fbMessenger": json.RawMessage(custom)}})
	echo := pulled.await("the echo", func(gatewayapi.Event) bool { return true })
	got := dataOf[struct{ MessageID, Metadata, Text string }](t, echo)
	if got.MessageID != id || got.Metadata != "mine|too" || got.Text != "Choose" {
		t.Errorf("the echo says %+v", got)
	}
	thread, err := w.platform.Thread(p.id, ana)
	if err != nil || len(thread) != 1 || !strings.Contains(string(thread[0].Message), `"payload":"RED"`) {
		t.Errorf("thread %+v, %v", thread, err)
	}
	long := p.text(ana, "")
	long.CustomBody = map[string]json.RawMessage{"fbMessenger": json.RawMessage(`{"text":"a","metadata":"` + strings.Repeat("m", 1000) + `"}`)}
	_, err = w.client.SendMessage(t.Context(), long)
	wantCode(t, err, 400, "invalid_request")
}
