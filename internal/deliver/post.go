package deliver

import (
	"context"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/outcome"
	"github.com/chasqui/chasqui/messenger"
)

// post makes the call for the next part of a message whose mark is committed, if the lease still
// holds, and returns what came of it. It is bounded in time, and is not cut short when the
// deliverer stops.
func (d *Deliverer) post(m *gateway.Message) outcome.Came {
	in, parts, err := m.Content()
	if _, held := d.o.Store.Leases().Epoch(m.Partition); !held || err != nil {
		return outcome.Unposted{}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), d.o.SendTimeout)
	defer cancel()
	attempt := gateway.Attempt{Number: len(m.Attempts) + 1, Channel: m.Channel(), Step: m.Step, Part: m.PartsSent + 1, StartedAt: gatewayapi.At(m.SendingAt)}
	if m.Channel() != gateway.ChannelMessenger {
		account, sent, err := d.hand(ctx, m)
		attempt.EndedAt = gatewayapi.At(d.now())
		return outcome.ChannelAnswer{Attempt: attempt, Account: account, Sent: sent, Err: err}
	}
	result, err := send(ctx, d.clientOf(m.Application), m, m.Options(in), parts[m.PartsSent])
	attempt.EndedAt = gatewayapi.At(d.now())
	return outcome.Answer{Attempt: attempt, Result: result, Err: err}
}

// send gives one part to the platform.
func send(ctx context.Context, client *messenger.Client, m *gateway.Message, o gateway.MessengerOptions, part gateway.Part) (messenger.SendResult, error) {
	req := messenger.SendRequest{
		Recipient: recipientOf(m, o), MessagingType: gateway.Settled(o), Tag: o.MessageTag,
		NotificationType: o.NotificationType, PersonaID: o.PersonaID, Message: messenger.Message{Raw: part.Raw},
	}
	if part.File != nil {
		return client.SendFile(ctx, req, messenger.File{Name: part.File.Name, ContentType: part.File.Type, Data: part.File.Data})
	}
	return client.Send(ctx, req)
}

// recipientOf returns whom a message goes to on Messenger: a person of the page, or whoever
// Customer Matching finds by phone number.
func recipientOf(m *gateway.Message, o gateway.MessengerOptions) messenger.Recipient {
	if o.OneTimeToken != "" || o.NotificationToken != "" {
		return messenger.Recipient{OneTimeNotifToken: o.OneTimeToken, NotificationMessagesToken: o.NotificationToken}
	}
	if s := m.Current(); m.PSID() == "" && s != nil {
		r := messenger.Recipient{PhoneNumber: "+" + s.Address}
		if in, _, err := m.Content(); err == nil && in.To.FirstName+in.To.LastName != "" {
			r.Name = &messenger.HumanName{FirstName: in.To.FirstName, LastName: in.To.LastName}
		}
		return r
	}
	return messenger.Recipient{ID: messenger.PSID(m.Person)}
}

// hand gives the message at its current step to the account of its channel.
func (d *Deliverer) hand(ctx context.Context, m *gateway.Message) (account string, sent gateway.ChannelSent, err error) {
	out, err := m.ChannelMessage()
	if err != nil {
		return "", sent, err
	}
	if d.o.Channels == nil {
		return "", sent, &gateway.ChannelError{Kind: gateway.ChannelRefused, Failure: gateway.Failure{Code: gateway.FailureNoAccount, Message: "the channel has no account here"}}
	}
	return d.o.Channels.Send(ctx, m.Channel(), out)
}
