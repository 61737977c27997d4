package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// mailbox is a mail server that keeps what it takes.
type mailbox struct {
	mu    sync.Mutex
	mails []string
}

// NewSession begins to talk to a sender.
func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{b: b}, nil }

type mailSession struct {
	b        *mailbox
	from, to string
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = to; return nil }
func (s *mailSession) Reset()                                      {}
func (s *mailSession) Logout() error                               { return nil }

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.mails = append(s.b.mails, s.from+" "+s.to+"\n"+string(body))
	return nil
}

// A scenario goes on from Messenger to e-mail, with the sender of its flow.
func TestInfobipOMNIByMail(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := &mailbox{}
	server := smtp.NewServer(box)
	server.Domain = "localhost"
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	_, err = f.client.CreateChannel(t.Context(), gatewayapi.CreateChannelRequest{
		Provider: "smtp", Application: p.key,
		SMTP: &gatewayapi.SMTPSettings{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: "none", From: "shop@example.com", Senders: []string{"desk@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	bob := f.platform.AddPerson(p.id, graphemu.Person{FirstName: "Bob", Open: true, Blocks: true}).ID
	_, made := f.call("POST", "/omni/1/scenarios", `{"flow":[{"from":"`+p.key+`","channel":"FACEBOOK"},{"from":"desk@example.com","channel":"EMAIL"}]}`)
	status, answer := f.call("POST", "/omni/1/advanced", `{"scenarioKey":"`+member(t, made, "key")+`","destinations":[{"to":{"facebookUserKey":"`+bob+`","emailAddress":"bob@example.com"}}],
		"facebook":{"text":"on Messenger"},"email":{"subject":"Your order","text":"by mail","html":"<p>by mail</p>"}}`)
	if status != http.StatusOK {
		t.Fatal(answer)
	}
	await(t, "the mail", func() (bool, string) {
		box.mu.Lock()
		defer box.mu.Unlock()
		if len(box.mails) == 0 {
			return false, "none"
		}
		for _, want := range []string{"desk@example.com bob@example.com\n", "Subject: Your order", "<p>by mail</p>"} {
			if !strings.Contains(box.mails[0], want) {
				t.Fatalf("the mail lacks %q:\n%s", want, box.mails[0])
			}
		}
		return true, ""
	})
	f.awaitStatus(member(t, answer, "messages.0.messageId"), "sent", "delivered")
	if _, logs := f.call("GET", "/omni/1/logs?channel=EMAIL&to=bob@example.com", ""); !strings.Contains(logs, `"channel":"EMAIL"`) {
		t.Errorf("logs %s", logs)
	}
}
