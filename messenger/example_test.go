package messenger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// emulated starts a platform for the examples.
func emulated() (base string, page graphemu.Page, ana graphemu.Person, stop func()) {
	emu := &graphemu.Server{}
	srv := httptest.NewServer(emu)
	page = emu.AddPage(graphemu.Page{Name: "Café"})
	ana = emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana", Open: true})
	return srv.URL, page, ana, func() { emu.Close(); srv.Close() }
}

func ExampleClient_Send() {
	base, page, ana, stop := emulated() // in production: no WithBaseURL
	defer stop()

	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	sent, err := client.Send(context.Background(), messenger.SendRequest{
		Recipient:     messenger.Recipient{ID: messenger.PSID(ana.ID)},
		MessagingType: messenger.TypeResponse,
		Message: messenger.Message{
			Text:         "Coffee or tea?",
			QuickReplies: []messenger.QuickReply{messenger.TextReply("Coffee", "COFFEE"), messenger.TextReply("Tea", "TEA")},
		},
	})
	fmt.Println(sent.RecipientID == messenger.PSID(ana.ID), sent.MessageID != "", err)
	// Output: true true <nil>
}

func ExampleError_Verdict() {
	base, page, _, stop := emulated()
	defer stop()

	client, err := messenger.New(page.AccessToken, messenger.WithBaseURL(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Send(context.Background(), messenger.SendRequest{
		Recipient: messenger.Recipient{ID: "4711"},
		Message:   messenger.TextMessage("Anybody there?"),
	})
	var refused *messenger.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Subcode, refused.Verdict().Action, errors.Is(err, messenger.ErrUnreachable))
	}
	// Output: 100 2018001 person_unreachable true
}

func ExampleVerify() {
	const appSecret, verifyToken = "app secret", "verify token"
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			challenge, err := messenger.Challenge(r.URL.Query(), verifyToken)
			if err != nil {
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			}
			io.WriteString(w, challenge)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10<<20))
		if err != nil || messenger.Verify(appSecret, body, r.Header.Get(messenger.SignatureHeader)) != nil {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		hook, err := messenger.Parse(body)
		if err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		for _, ev := range hook.Events {
			if ev.Message != nil {
				fmt.Printf("%s wrote %q\n", ev.Sender.ID, ev.Message.Text)
			}
		}
	})
	srv := httptest.NewServer(handler)
	defer srv.Close()
}

func ExampleSplit() {
	body := []byte(`{"object":"page","entry":[{"id":"7","time":1700000000000,"messaging":[
		{"sender":{"id":"42"},"recipient":{"id":"7"},"timestamp":1700000000000,"message":{"mid":"m_1","text":"Hi"}},
		{"sender":{"id":"42"},"recipient":{"id":"7"},"timestamp":1700000000001,"something_new":{}}]}]}`)
	envelopes, err := messenger.Split(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range envelopes {
		fmt.Println(e.PageID, e.Person(), e.Keys().Kind, e.Keys().MID)
	}
	// Output:
	// 7 42 message m_1
	// 7 42 unknown
}
