package smtp

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

const mailPassword = channeltest.SecretMark + "-mail"

// mailServer takes mail, by another library than the one that sends it.
type mailServer struct {
	t        *testing.T
	pem      string
	listener net.Listener
	tls      *tls.Config

	mu     sync.Mutex
	mails  []received
	refuse map[string]error // by command
	hangUp bool             // after the mail was taken, instead of an answer
}

type received struct {
	from, to string
	body     string
	secure   bool
	user     string
}

func newMailServer(t *testing.T, mode string) *mailServer {
	t.Helper()
	s := &mailServer{t: t, refuse: map[string]error{}}
	var cert tls.Certificate
	cert, s.pem = channeltest.Certificate(t)
	s.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = plain
	server := smtp.NewServer(s)
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = "test", mode == "none", log.New(io.Discard, "", 0)
	server.ReadTimeout, server.WriteTimeout = 20*time.Second, 20*time.Second
	serve := s.listener
	switch mode {
	case "starttls":
		server.TLSConfig = s.tls
	case "implicit":
		serve = tls.NewListener(plain, s.tls)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(serve)
	}()
	t.Cleanup(func() { server.Close(); plain.Close(); <-ended })
	return s
}

// NewSession begins to take mail of one connection.
func (s *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{s: s, c: c}, nil
}

type mailSession struct {
	s        *mailServer
	c        *smtp.Conn
	user     string
	from, to string
}

func (x *mailSession) trouble(command string) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	return x.s.refuse[command]
}

func (x *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != mailPassword {
			return smtp.ErrAuthFailed
		}
		x.user = user
		return nil
	}), nil
}

func (x *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	x.from = from
	return x.trouble("MAIL")
}

func (x *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	return x.trouble("RCPT")
}

func (x *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := x.trouble("DATA"); err != nil {
		return err
	}
	_, secure := x.c.TLSConnectionState()
	x.s.mu.Lock()
	x.s.mails = append(x.s.mails, received{x.from, x.to, string(body), secure, x.user})
	hangUp := x.s.hangUp
	x.s.mu.Unlock()
	if hangUp {
		x.c.Conn().Close()
	}
	return nil
}

func (x *mailSession) Reset()        {}
func (x *mailSession) Logout() error { return nil }

func (s *mailServer) took() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

func (s *mailServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func mailAccount(s *mailServer, mode string) *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: gatewayapi.ProviderSMTP, Secrets: map[string]gateway.Secret{secretPassword: mailPassword},
		Settings: channeltest.Settings(&gatewayapi.SMTPSettings{Host: "127.0.0.1", Port: s.listener.Addr().(*net.TCPAddr).Port, TLS: mode, CACertificates: s.pem, Username: "shop",
			From: "Shop <news@shop.example>", Senders: []string{"@other.example", "boss@shop.example"}, ReplyTo: "help@shop.example", Subject: "From the shop"})}
}

func email(text string) *gateway.ChannelMessage {
	return &gateway.ChannelMessage{ID: "msg_1", Step: 1, Application: "APP", Address: "ann@customer.example", Body: text, AcceptedAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

func TestMailOverEveryKindOfTLS(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"starttls", "implicit", "none"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := channeltest.Setup(t, Provider())
			s := newMailServer(t, mode)
			a := f.Add(mailAccount(s, mode))
			if err := f.Check(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			account, sent, err := f.Send(t.Context(), gateway.ChannelEmail, email("Hello"))
			if err != nil || account != a.ID || sent != (gateway.ChannelSent{Ref: "msg_1.1@shop.example"}) {
				t.Fatal(account, sent, err)
			}
			got := s.took()
			if len(got) != 1 || got[0].from != "news@shop.example" || got[0].to != "ann@customer.example" || got[0].secure != (mode != "none") || got[0].user != "shop" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// parsed is a mail taken apart: its texts and files by media type.
func parsed(t *testing.T, raw string) (mail.Header, map[string]string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	var walk func(header func(string) string, body io.Reader)
	walk = func(header func(string) string, body io.Reader) {
		kind, params, err := mime.ParseMediaType(header("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(kind, "multipart/") {
			reader := multipart.NewReader(body, params["boundary"])
			for {
				p, err := reader.NextRawPart()
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				walk(p.Header.Get, p)
			}
		}
		switch strings.ToLower(header("Content-Transfer-Encoding")) {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		_, disposition, _ := mime.ParseMediaType(header("Content-Disposition"))
		parts[kind+disposition["filename"]] = strings.TrimSuffix(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
	}
	walk(m.Header.Get, m.Body)
	return m.Header, parts
}

func TestMailContent(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newMailServer(t, "starttls")
	f.Add(mailAccount(s, "starttls"))
	for _, test := range []struct {
		name    string
		change  func(m *gateway.ChannelMessage)
		headers map[string]string
		parts   map[string]string
	}{
		{"a text", func(*gateway.ChannelMessage) {},
			map[string]string{"Subject": "From the shop", "From": `"Shop" <news@shop.example>`, "To": "<ann@customer.example>", "Reply-To": "<help@shop.example>",
				"Message-ID": "<msg_1.1@shop.example>", "Date": "Fri, 01 May 2026 12:00:00 +0000"},
			map[string]string{"text/plain": "Grüße"}},
		{"a title", func(m *gateway.ChannelMessage) { m.Title = "Neuigkeiten für\r\nSie" }, map[string]string{"Subject": "Neuigkeiten für Sie"}, map[string]string{"text/plain": "Grüße"}},
		{"options", func(m *gateway.ChannelMessage) {
			m.Title, m.Options = "Title", json.RawMessage(`{"subject":"Subject","from":"Ann <ann@other.example>","replyTo":"r@other.example"}`)
		}, map[string]string{"Subject": "Subject", "From": `"Ann" <ann@other.example>`, "Reply-To": "<r@other.example>", "Message-ID": "<msg_1.1@other.example>"}, map[string]string{"text/plain": "Grüße"}},
		{"a body of its own", func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"subject":"S","text":"T","html":"<p>Ü</p>","headers":{"X-Campaign":"spring"}}`)
		}, map[string]string{"Subject": "S", "X-Campaign": "spring"}, map[string]string{"text/plain": "T", "text/html": "<p>Ü</p>"}},
		{"HTML alone", func(m *gateway.ChannelMessage) { m.Body, m.Custom = "", json.RawMessage(`{"html":"<p>x</p>"}`) }, nil, map[string]string{"text/html": "<p>x</p>"}},
		{"parts", func(m *gateway.ChannelMessage) {
			m.Parts = []gateway.PartInput{{Type: "text/plain", Data: "more"}, {Type: "image/png", URL: "https://shop.example/a.png"},
				{Type: "application/pdf", Name: "bill.pdf", Data: base64.StdEncoding.EncodeToString([]byte("PDF"))}, {Type: "text/html", Data: "<b>h</b>"}}
		}, nil, map[string]string{"text/plain": "Grüße\nmore\nhttps://shop.example/a.png", "text/html": "<b>h</b>", "application/pdfbill.pdf": "PDF"}},
	} {
		m := email("Grüße")
		test.change(m)
		if _, _, err := f.Send(t.Context(), gateway.ChannelEmail, m); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got := s.took()
		header, parts := parsed(t, got[len(got)-1].body)
		for name, want := range test.headers {
			value, err := new(mime.WordDecoder).DecodeHeader(header.Get(name))
			if err != nil || value != want {
				t.Errorf("%s: %s is %q, want %q", test.name, name, value, want)
			}
		}
		if diff := cmp.Diff(test.parts, parts); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestMailThatCannotBe(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newMailServer(t, "starttls")
	f.Add(mailAccount(s, "starttls"))
	for name, change := range map[string]func(m *gateway.ChannelMessage){
		"no address":    func(m *gateway.ChannelMessage) { m.Address = "4479" },
		"two addresses": func(m *gateway.ChannelMessage) { m.Address = "a@b.example, c@d.example" },
		"a header of ours": func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"text":"x","headers":{"bcc":"all@b.example"}}`)
		},
		"a header in a value": func(m *gateway.ChannelMessage) {
			m.Custom = json.RawMessage(`{"headers":{"X-A":"1\r\nBcc: all@b.example"}}`)
		},
		"no base64":        func(m *gateway.ChannelMessage) { m.Parts = []gateway.PartInput{{Type: "image/png", Data: "%%"}} },
		"nothing":          func(m *gateway.ChannelMessage) { m.Body = "" },
		"no such sender":   func(m *gateway.ChannelMessage) { m.Options = json.RawMessage(`{"from":"nobody"}`) },
		"somebody else":    func(m *gateway.ChannelMessage) { m.Options = json.RawMessage(`{"from":"ceo@bank.example"}`) },
		"below the domain": func(m *gateway.ChannelMessage) { m.Options = json.RawMessage(`{"from":"a@sub.other.example"}`) },
		"as its beginning": func(m *gateway.ChannelMessage) {
			m.Options = json.RawMessage(`{"from":"a@other.example.evil.example"}`)
		},
	} {
		m := email("x")
		change(m)
		if _, _, err := f.Send(t.Context(), gateway.ChannelEmail, m); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := s.took(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestMailAnswers(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newMailServer(t, "starttls")
	f.Add(mailAccount(s, "starttls"))
	for _, test := range []struct {
		command string
		code    int
		kind    gateway.ChannelErrorKind
		failure gateway.FailureCode
	}{
		{"MAIL", 451, gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		{"MAIL", 553, gateway.ChannelRefused, gateway.FailureAccountRefused},
		{"RCPT", 450, gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		{"RCPT", 550, gateway.ChannelRefused, gateway.FailureAddressInvalid},
		{"RCPT", 552, gateway.ChannelRefused, gateway.FailureUnreachable},
		{"DATA", 452, gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		{"DATA", 554, gateway.ChannelRefused, gateway.FailureContentRefused},
	} {
		s.set(func() {
			s.refuse = map[string]error{test.command: &smtp.SMTPError{Code: test.code, EnhancedCode: smtp.EnhancedCode{test.code / 100, 1, 1}, Message: "the server's words"}}
		})
		_, _, err := f.Send(t.Context(), gateway.ChannelEmail, email("x"))
		e := channeltest.RefusalOf(t, err)
		if e.Kind != test.kind || e.Failure.Code != test.failure || e.Failure.PlatformCode != test.code || !strings.Contains(e.Failure.Message, "the server's words") {
			t.Errorf("%s %d: %+v", test.command, test.code, e)
		}
	}
	s.set(func() { s.refuse, s.hangUp = nil, true })
	if _, _, err := f.Send(t.Context(), gateway.ChannelEmail, email("x")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelUnknown {
		t.Errorf("the connection was lost after the mail: %v", err)
	}
	s.set(func() { s.hangUp = false })
	s.listener.Close()
	if _, _, err := f.Send(t.Context(), gateway.ChannelEmail, email("x")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRetry {
		t.Errorf("nobody there: %v", err)
	}
}

func TestMailServersThatAreNotTrusted(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	plain, secure := newMailServer(t, "none"), newMailServer(t, "starttls")
	for name, test := range map[string]struct {
		account *gateway.ChannelAccount
		change  func(a *gateway.ChannelAccount)
		code    gateway.FailureCode
	}{
		"no STARTTLS": {mailAccount(plain, "starttls"), func(*gateway.ChannelAccount) {}, gateway.FailureAccountRefused},
		"unknown certificate": {mailAccount(secure, "starttls"), func(a *gateway.ChannelAccount) {
			channeltest.Edit(t, a, func(s *gatewayapi.SMTPSettings) { s.CACertificates = "" })
		}, gateway.FailureProviderUnavailable},
		"wrong password": {mailAccount(secure, "starttls"), func(a *gateway.ChannelAccount) {
			a.Secrets = map[string]gateway.Secret{secretPassword: channeltest.SecretMark + "-wrong"}
		}, gateway.FailureAccountRefused},
	} {
		test.change(test.account)
		e := channeltest.RefusalOf(t, f.Check(t.Context(), test.account))
		if e.Failure.Code != test.code || strings.Contains(e.Failure.Message, channeltest.SecretMark) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if len(plain.took())+len(secure.took()) != 0 {
		t.Error("something was sent")
	}
}
