package smtp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// emailOptions are channelOptions.email.
type emailOptions struct {
	Subject string `json:"subject"`
	From    string `json:"from"`
	ReplyTo string `json:"replyTo"`
}

// customEmail is customBody.email.
type customEmail struct {
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html"`
	Headers map[string]string `json:"headers"`
}

func addressOf(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return ""
	}
	return a.Address
}

// mailContent is what a message comes to in an e-mail.
type mailContent struct {
	subject, text, html string
	headers             map[string]string
	files               []gateway.PartInput
}

func contentOf(set *gatewayapi.SMTPSettings, m *gateway.ChannelMessage, o emailOptions) (mailContent, *gateway.ChannelError) {
	var custom customEmail
	if len(m.Custom) > 0 && json.Unmarshal(m.Custom, &custom) != nil {
		return mailContent{}, channel.Refused(gateway.FailureInvalidContent, "customBody.email cannot be read: it takes subject, text, html and headers")
	}
	c := mailContent{subject: firstOf(custom.Subject, o.Subject, m.Title, set.Subject), html: custom.HTML, headers: custom.Headers}
	lines := []string{m.Body}
	for _, p := range m.Parts {
		switch {
		case p.URL != "":
			lines = append(lines, p.URL)
		case p.Type == "text/plain":
			lines = append(lines, p.Data)
		case p.Type == "text/html" && custom.HTML == "":
			c.html += p.Data
		case p.Type != "text/html":
			c.files = append(c.files, p)
		}
	}
	c.text = firstOf(custom.Text, channel.JoinLines(lines))
	if c.text == "" && c.html == "" && len(c.files) == 0 {
		if m.Title == "" {
			return c, channel.Refused(gateway.FailureInvalidContent, "there is nothing to send")
		}
		c.text = m.Title
	}
	if c.subject == "" {
		c.subject = channel.Cut(strings.TrimSpace(strings.SplitN(c.text, "\n", 2)[0]), 78)
	}
	return c, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// compose makes the e-mail of a message, and returns its Message-ID: made of message and step, so that a mail that goes twice shows as one.
func compose(set *gatewayapi.SMTPSettings, m *gateway.ChannelMessage) (*gomail.Msg, string, *gateway.ChannelError) {
	var o emailOptions
	if len(m.Options) > 0 && json.Unmarshal(m.Options, &o) != nil {
		return nil, "", channel.Refused(gateway.FailureInvalidContent, "channelOptions.email cannot be read")
	}
	content, refusal := contentOf(set, m, o)
	if refusal != nil {
		return nil, "", refusal
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := firstOf(o.From, set.From)
	if msg.From(from) != nil {
		return nil, "", channel.Refused(gateway.FailureInvalidContent, "channelOptions.email.from is not an address")
	}
	if !sendsAs(set, addressOf(from)) {
		return nil, "", channel.Refused(gateway.FailureInvalidContent, "channelOptions.email.from must be a sender of the account: its from, or one of its senders")
	}
	if err := msg.To(m.Address); err != nil {
		return nil, "", channel.Refused(gateway.FailureAddressInvalid, "this is not an e-mail address")
	}
	if reply := firstOf(o.ReplyTo, set.ReplyTo); reply != "" && msg.ReplyTo(reply) != nil {
		return nil, "", channel.Refused(gateway.FailureInvalidContent, "channelOptions.email.replyTo is not an address")
	}
	_, domain, _ := strings.Cut(addressOf(from), "@")
	id := m.ID + "." + strconv.Itoa(m.Step) + "@" + domain
	msg.SetMessageIDWithValue(id)
	msg.SetDateWithValue(m.AcceptedAt)
	msg.Subject(oneLine(content.subject))
	if refusal := addHeaders(msg, content.headers); refusal != nil {
		return nil, "", refusal
	}
	if content.text != "" || content.html == "" {
		msg.SetBodyString(gomail.TypeTextPlain, content.text)
		if content.html != "" {
			msg.AddAlternativeString(gomail.TypeTextHTML, content.html)
		}
	} else {
		msg.SetBodyString(gomail.TypeTextHTML, content.html)
	}
	for _, p := range content.files {
		file, err := base64.StdEncoding.DecodeString(p.Data)
		if err != nil {
			return nil, "", channel.Refused(gateway.FailureInvalidContent, "a part's data is not base64")
		}
		name := firstOf(oneLine(p.Name), "file")
		if err := msg.AttachReader(name, bytes.NewReader(file), gomail.WithFileContentType(gomail.ContentType(oneLine(p.Type)))); err != nil {
			return nil, "", channel.Refused(gateway.FailureInvalidContent, "a part cannot be attached")
		}
	}
	return msg, id, nil
}

// oneLine keeps a text from beginning another header.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// ownHeaders are those that the gateway writes itself.
func ownHeaders() []string {
	return []string{"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "reply-to", "return-path", "mime-version", "received", "dkim-signature"}
}

func addHeaders(msg *gomail.Msg, headers map[string]string) *gateway.ChannelError {
	for name, value := range headers {
		lower := strings.ToLower(name)
		bad := name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) || strings.ContainsAny(value, "\r\n")
		if bad || strings.HasPrefix(lower, "content-") || slices.Contains(ownHeaders(), lower) {
			return channel.Refused(gateway.FailureInvalidContent, "customBody.email.headers must not hold %q", channel.Clipped(name))
		}
		msg.SetGenHeader(gomail.Header(name), value)
	}
	return nil
}
