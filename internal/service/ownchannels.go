package service

import (
	"context"
	"slices"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Told applies what the business says of a message that went over a channel of its own: to the last
// step on that channel that was begun. It returns nil once that is committed, and an
// invalid_request error for a channel whose provider reports by itself.
func (c *ChannelEvents) Told(ctx context.Context, m *gateway.Message, channel string, r gateway.ChannelReport) error {
	if channel == "" || !gateway.OwnChannel(channel) {
		return gateway.Invalid("channel", "must be a channel of your own: on %q its provider says what became of a message", channel)
	}
	for i, s := range slices.Backward(m.Steps) {
		if s.Rule.Channel == channel && !s.StartedAt.IsZero() && s.Outcome != gateway.StepSkipped {
			r.MessageID, r.Step = m.ID, i
			return c.Apply(ctx, r)
		}
	}
	return gateway.Invalid("channel", "the message was not handed to %s", channel)
}

// Bring takes a message that a person sent over a channel of the business's own, for which the
// application must have an account. It makes the profile that the message names when there is none
// and the key may make profiles, else finds or makes that of phone when it is a phone number, and
// appends message.inbound to the log, in one commit.
func (c *ChannelEvents) Bring(ctx context.Context, key *gateway.APIKey, in gateway.ChannelInbound, phone string) (*gateway.Event, error) {
	if in.Channel == "" || !gateway.OwnChannel(in.Channel) {
		return nil, gateway.Invalid("channel", "must be a channel of your own: %q reports inbound messages itself", in.Channel)
	}
	account, ok := c.Account(in.Application, in.Channel)
	if !ok {
		return nil, gateway.Invalid("channel", "the channel %s has no account here", in.Channel)
	}
	in.Account, in.Ref, in.At = account, c.Store.NewID("inb"), c.Store.Now().UTC()
	if err := validBrought(in.ProfileID); err != nil {
		return nil, err
	}
	digits, isPhone := gateway.NormalAddress(gateway.ChannelSMS, phone)
	var event *gateway.Event
	err := c.Store.Write(ctx, func(tx *store.Tx) (err error) {
		profile := in.ProfileID
		switch {
		case profile != "":
			err = introduced(tx, key, in.Application, profile)
		case isPhone:
			profile, err = profileWithPhone(tx, c.lookIn(in.Application), in.Application, digits)
		}
		if err != nil {
			return err
		}
		event = gateway.ChannelInboundEvent(in, profile, "")
		tx.AppendEvent(event)
		return nil
	})
	return event, err
}

// introduced makes the profile that a message names as an application's own, when there is none and
// the key may make one. One that the key may not see is taken by somebody else.
func introduced(tx *store.Tx, key *gateway.APIKey, application, id string) error {
	p, err := tx.Profile(id)
	switch {
	case err == nil:
		err = visible(key, p)
	case gateway.CodeOf(err) == gateway.CodeNotFound && key.Allows(gateway.ScopeProfilesWrite):
		return tx.CreateProfile(&gateway.Profile{ID: id, Application: application})
	}
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return gateway.Invalid("from.profileId", "there is no profile %q, and this key may not make it", id)
	}
	return err
}

func validBrought(profile string) error {
	if profile == "" {
		return nil
	}
	return gateway.ValidateProfileID(profile)
}
