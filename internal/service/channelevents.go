package service

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// ChannelEvents takes what comes back over the channels beside Messenger: reports, and messages
// that people send.
type ChannelEvents struct {
	Store     *store.Store
	Vault     *store.Vault
	Directory *Directory
	Logger    *slog.Logger
	// Apply applies a report to its message, and returns nil once that is committed.
	Apply func(context.Context, gateway.ChannelReport) error
	// Account returns the account that serves a channel for an application.
	Account func(application, channel string) (id string, ok bool)
	// Answer sends the answer to a word such as STOP through an account.
	Answer func(ctx context.Context, account, address, text string) error
}

// Report takes what a provider says of a message. It returns nil once that is committed.
func (c *ChannelEvents) Report(ctx context.Context, r gateway.ChannelReport) error {
	return c.Apply(ctx, r.Cleaned())
}

// Inbound takes a message that a person sent, once: it finds or makes the person's profile by the
// phone number, records what a word such as STOP means for the account's application, and appends
// message.inbound to the log, all in one commit. The answer to a word goes out afterwards; it is
// not tried again.
func (c *ChannelEvents) Inbound(ctx context.Context, in gateway.ChannelInbound) error {
	in = in.Cleaned()
	account, err := c.Vault.Channel(ctx, in.Account)
	if err != nil {
		return fmt.Errorf("take a message over account %s: %w", in.Account, err)
	}
	if in.Application == "" {
		in.Application = c.only()
	}
	var keyword gateway.Keyword
	var word, answer string
	address, ok := gateway.NormalAddress(in.Channel, in.From)
	sms := in.Channel == gateway.ChannelSMS && ok
	if sms {
		in.From = address
		keyword, word, answer = gateway.MatchKeyword(account.Keywords, in.Text)
	}
	var event *gateway.Event
	err = c.Store.Write(ctx, func(tx *store.Tx) error {
		profile := ""
		if sms {
			if profile, err = profileWithPhone(tx, c.lookIn(account.Application), in.Application, address); err != nil {
				return err
			}
			if err := opt(tx, gateway.OptOut{Channel: in.Channel, Address: address, Application: account.Application, At: gatewayapi.At(tx.Now().UTC()), Word: word}, keyword); err != nil {
				return err
			}
		}
		event = gateway.ChannelInboundEvent(in, profile, keyword)
		tx.AppendEvent(event)
		return nil
	})
	if err != nil {
		return fmt.Errorf("store a message over account %s: %w", in.Account, err)
	}
	if answer != "" && event.Pos > 0 { // one that came before has been answered
		if err := c.Answer(ctx, in.Account, address, answer); err != nil {
			c.Logger.Warn("answer a word", "account", in.Account, "keyword", string(keyword), "err", err)
		}
	}
	return nil
}

// lookIn returns the application among whose profiles somebody is looked for who comes by an
// account of it: "" for all, where there is no other.
func (c *ChannelEvents) lookIn(application string) string {
	if application == c.only() {
		return ""
	}
	return application
}

// only returns the one application there is, "" when there are more or none.
func (c *ChannelEvents) only() string {
	if all := c.Directory.Applications(); len(all) == 1 {
		return all[0].Key
	}
	return ""
}

// profileWithPhone returns the profile of a phone number among those of an application ("" for
// all), a new one of the owner's when there is none.
func profileWithPhone(tx *store.Tx, application, owner, digits string) (string, error) {
	id, err := tx.ProfileWithPhone(application, digits)
	if err != nil || id != "" {
		return id, err
	}
	number, err := json.Marshal("+" + digits)
	if err != nil {
		return "", err
	}
	p := &gateway.Profile{ID: tx.NewID("prf"), Application: owner, Doc: map[string]json.RawMessage{"phoneNumber": number}}
	return p.ID, tx.CreateProfile(p)
}

// opt records what a word means for later messages.
func opt(tx *store.Tx, o gateway.OptOut, keyword gateway.Keyword) error {
	var err error
	switch keyword {
	case gateway.KeywordStop:
		_, err = tx.SetOptOut(o)
	case gateway.KeywordStart:
		_, err = tx.DeleteOptOut(o.Application, o.Channel, o.Address)
	}
	return err
}
