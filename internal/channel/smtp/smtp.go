package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

const (
	mailTimeout = 30 * time.Second
	// mailConnections is how many connections one account has to its server at once.
	mailConnections = 10
)

// mailer is an account at a mail server. Each message goes over a connection of its own.
//
// Docs: https://www.rfc-editor.org/rfc/rfc5321
type mailer struct {
	channel.Idle
	host    *channel.Host
	account *gateway.ChannelAccount
	set     *gatewayapi.SMTPSettings
	slots   chan struct{}
}

// client makes a client whose connection ends with the context, and a function that ends it in any case: the library leaves one open when its server does not greet.
func (s *mailer) client(ctx context.Context) (*mail.Client, func(), error) {
	set := s.set
	config := channel.TLSConfig(set.Host, set.CACertificates)
	var conn net.Conn
	var stop func() bool
	dial := func(ctx2 context.Context, network, address string) (net.Conn, error) {
		c, err := s.host.Reach.DialContext(channel.DialTimeout)(ctx2, network, address)
		if err != nil {
			return nil, err
		}
		if set.TLS == "implicit" {
			wrapped := tls.Client(c, config)
			if err := wrapped.HandshakeContext(ctx2); err != nil {
				c.Close()
				return nil, err
			}
			c = wrapped
		}
		conn, stop = c, context.AfterFunc(ctx, func() { c.Close() })
		return c, nil
	}
	options := []mail.Option{
		mail.WithPort(set.Port), mail.WithTimeout(mailTimeout), mail.WithDialContextFunc(dial), mail.WithTLSConfig(config), mail.WithTLSPolicy(mail.NoTLS), mail.WithoutNoop(),
	}
	if set.TLS == "starttls" {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if _, domain, ok := strings.Cut(addressOf(set.From), "@"); ok {
		options = append(options, mail.WithHELO(domain))
	}
	if set.Username != "" {
		kind := mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5)
		if set.TLS == "none" {
			kind = mail.WithSMTPAuth(mail.SMTPAuthPlainNoEnc) // in the clear, as the account's settings say
		}
		options = append(options, kind, mail.WithUsername(set.Username), mail.WithPassword(s.account.Secrets[secretPassword].Reveal()))
	}
	c, err := mail.NewClient(set.Host, options...)
	end := func() {
		if conn != nil {
			stop()
			conn.Close()
		}
	}
	return c, end, err
}

// Send mails a message.
func (s *mailer) Send(ctx context.Context, m *gateway.ChannelMessage, _ bool) (gateway.ChannelSent, *gateway.ChannelError) {
	msg, id, refusal := compose(s.set, m)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return gateway.ChannelSent{}, channel.Later(gateway.FailureProviderUnavailable, "the mail server is busy")
	}
	c, end, err := s.client(ctx)
	if err != nil {
		return gateway.ChannelSent{}, channel.Refused(gateway.FailureAccountRefused, "the account's settings cannot be used")
	}
	defer end()
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return gateway.ChannelSent{}, connectRefusal(err)
	}
	err = c.SendWithSMTPClient(conn, msg)
	if err != nil && !msg.IsDelivered() {
		return gateway.ChannelSent{}, mailRefusal(err)
	}
	if err == nil {
		// The server has the message; how the connection ends does not change that.
		if err := conn.Quit(); err != nil {
			s.host.Logger.Debug("the mail server did not part properly", "account", s.account.ID, "err", err)
		}
	}
	return gateway.ChannelSent{Ref: id}, nil
}

// Check connects, encrypts, signs in and says NOOP.
func (s *mailer) Check(ctx context.Context) *gateway.ChannelError {
	c, end, err := s.client(ctx)
	if err != nil {
		return channel.Refused(gateway.FailureAccountRefused, "the account's settings cannot be used")
	}
	defer end()
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return connectRefusal(err)
	}
	if err := conn.Noop(); err != nil {
		return connectRefusal(err)
	}
	conn.Quit() // nothing follows from how it ends
	return nil
}

// connectRefusal is what follows when there is no signed-in connection. Nothing of the message has gone out.
func connectRefusal(err error) *gateway.ChannelError {
	var reply *textproto.Error
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return channel.Later(gateway.FailureProviderUnavailable, "the mail server's certificate is not trusted: %s", channel.Clipped(certificate.Err.Error()))
	case errors.As(err, &reply) && reply.Code >= 400 && reply.Code < 500:
		return channel.Later(gateway.FailureProviderUnavailable, "the mail server answered %d %s", reply.Code, channel.Clipped(reply.Msg))
	case errors.As(err, &reply):
		return channel.Refused(gateway.FailureAccountRefused, "the mail server answered %d %s", reply.Code, channel.Clipped(reply.Msg))
	case errors.As(err, &network) || channel.Private(err) || isEnd(err):
		return channel.Unreached(err)
	}
	return channel.Refused(gateway.FailureAccountRefused, "%s", channel.Clipped(err.Error()))
}

// mailRefusal is what follows from an error on the way of a message. 4xx is for later, 5xx for good; a connection that is lost after the whole message was written leaves
// its outcome unknown.
func mailRefusal(err error) *gateway.ChannelError {
	var e *mail.SendError
	if !errors.As(err, &e) {
		return channel.Later(gateway.FailureProviderUnavailable, "%s", channel.Clipped(err.Error()))
	}
	code := e.ErrorCode()
	words := channel.Clipped(replyWords(e))
	switch {
	case code >= 400 && code < 500:
		return &gateway.ChannelError{Kind: gateway.ChannelRetry, Failure: gateway.Failure{Code: gateway.FailureProviderUnavailable, Message: words, PlatformCode: code}}
	case code >= 500:
		failure := gateway.FailureProviderRefused
		switch {
		case e.Reason == mail.ErrSMTPRcptTo && code == 552:
			failure = gateway.FailureUnreachable
		case e.Reason == mail.ErrSMTPRcptTo:
			failure = gateway.FailureAddressInvalid
		case e.Reason == mail.ErrSMTPMailFrom && (code == 530 || code == 535 || code == 550 || code == 553):
			failure = gateway.FailureAccountRefused
		case e.Reason == mail.ErrSMTPDataClose && (code == 550 || code == 554):
			failure = gateway.FailureContentRefused
		}
		return &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: failure, Message: words, PlatformCode: code}}
	case e.Reason == mail.ErrSMTPDataClose:
		return channel.Unknown("the connection was lost before the mail server answered")
	case e.Reason == mail.ErrGetSender || e.Reason == mail.ErrGetRcpts:
		return channel.Refused(gateway.FailureAddressInvalid, "the address cannot be used")
	}
	return channel.Later(gateway.FailureProviderUnavailable, "the connection to the mail server was lost")
}

// replyWords is what the server said: the library puts words of its own before it and the recipient after it.
func replyWords(e *mail.SendError) string {
	text := e.Error()
	if _, after, ok := strings.Cut(text, ": "); ok {
		text = after
	}
	text, _, _ = strings.Cut(text, ", affected")
	return text
}

// isEnd reports whether a connection merely ended.
func isEnd(err error) bool {
	return errors.Is(err, net.ErrClosed) || strings.HasSuffix(err.Error(), "EOF")
}
