package infobip

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// omniMessage is the body of /omni/1/text and /omni/1/advanced.
type omniMessage struct {
	ScenarioKey  string `json:"scenarioKey"`
	BulkID       string `json:"bulkId"`
	Destinations []struct {
		MessageID string          `json:"messageId"`
		To        json.RawMessage `json:"to"`
	} `json:"destinations"`
	Text        string        `json:"text"`        // /omni/1/text, for every channel
	MailSubject string        `json:"mailSubject"` // beside it
	Facebook    *content      `json:"facebook"`
	SMS         *textContent  `json:"sms"`
	Email       *emailContent `json:"email"`
	SendAt      string        `json:"sendAt"`
	notice
}

// textContent is what is sent by SMS. transliteration and language are passed over: every character
// can be sent.
type textContent struct {
	Text string `json:"text"`
	validity
}

type emailContent struct {
	Subject     string `json:"subject"`
	MailSubject string `json:"mailSubject"`
	Text        string `json:"text"`
	HTML        string `json:"html"`
	validity
}

// omniAddress is whom a message is for, on several channels.
type omniAddress struct {
	PhoneNumber        string `json:"phoneNumber"`
	EmailAddress       string `json:"emailAddress"`
	PushRegistrationID string `json:"pushRegistrationId"`
	FacebookUserKey    string `json:"facebookUserKey"`
	LineUserKey        string `json:"lineUserKey"`
}

// sendOMNI sends over the steps of a scenario, one after the other until one does.
func (s *Server) sendOMNI(q *request) error {
	var in omniMessage
	if err := q.decode(&in); err != nil {
		return err
	}
	if err := s.checkOMNI(&in); err != nil {
		return err
	}
	note, err := in.notice.note(wire.APIOMNI, s.o.Subscriptions.Reach)
	if err != nil {
		return err
	}
	route, err := q.scenarioOf(&in)
	if err != nil {
		return err
	}
	rules, life, err := in.rules(route)
	if err != nil {
		return err
	}
	note.BulkID = in.BulkID
	all := make([]outgoing, len(in.Destinations))
	for i, d := range in.Destinations {
		note.MessageID = d.MessageID
		all[i] = outgoing{shownTo: d.To, note: note}
		var to omniAddress
		if given(d.To) && json.Unmarshal(d.To, &to) != nil {
			return gateway.Invalid(fmt.Sprintf("destinations[%d].to", i), "must be an object such as {\"facebookUserKey\":\"…\"}")
		}
		if rules == nil {
			all[i].rejected = rejected(wire.StatusNoRoute, "the message has no content for a channel of the scenario")
			continue
		}
		if err := q.address(&to, &all[i]); err != nil {
			return err
		}
		if all[i].rejected == nil {
			if err := in.fill(&all[i].input, route, rules, s.o.Now().Add(life)); err != nil {
				return err
			}
		}
	}
	return q.send(in.BulkID, all)
}

func (s *Server) checkOMNI(in *omniMessage) error {
	if len(in.Destinations) == 0 {
		return gateway.Invalid("destinations", "say whom the message is for")
	}
	in.spread()
	if in.SendAt == "" {
		return nil
	}
	at, err := parseDate(in.SendAt)
	if err != nil {
		return gateway.Invalid("sendAt", "must be a time such as 2017-01-05T12:47:56.221+0000")
	}
	if at.After(s.o.Now()) {
		return gateway.Invalid("sendAt", "messages cannot be sent later here: send when the time has come")
	}
	return nil
}

// spread makes the one text of a message the content for each channel.
func (in *omniMessage) spread() {
	if in.Text != "" && in.Facebook == nil && in.SMS == nil && in.Email == nil {
		in.Facebook, in.SMS = &content{Text: in.Text}, &textContent{Text: in.Text}
		in.Email = &emailContent{Text: in.Text, Subject: in.MailSubject}
	}
}

// scenarioOf returns the scenario that a message names, or else the default of its key's
// application, or else of all; where there is none, one of the channels that it has content for.
func (q *request) scenarioOf(in *omniMessage) (*gateway.Route, error) {
	if in.ScenarioKey != "" {
		r, err := q.stored(in.ScenarioKey)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return nil, gateway.Invalid("scenarioKey", "there is no scenario %q", in.ScenarioKey)
		}
		return r, err
	}
	routes, err := q.s.o.Routes.List(q.Context(), q.Key)
	if err != nil {
		return nil, err
	}
	defaults := slices.DeleteFunc(routes, func(r *gateway.Route) bool { return !r.Default })
	if own := slices.DeleteFunc(slices.Clone(defaults), func(r *gateway.Route) bool { return (r.Application == "") == q.Key.Limited() }); len(own) > 0 {
		defaults = own // of the key's applications, or for a key of all that of all
	}
	switch {
	case len(defaults) > 1:
		return nil, gateway.Invalid("scenarioKey", "%d applications have a default scenario: name one", len(defaults))
	case len(defaults) == 1:
		return defaults[0], nil
	}
	return &gateway.Route{Rules: gateway.Rules(gateway.ChannelMessenger, gateway.ChannelSMS, gateway.ChannelEmail)}, nil
}

// rules makes the steps of a message of those of its scenario: with the content for their channels,
// and left when their time is up. Those of this gateway's channels that it has no content for are
// left out. It returns nil when no step is left, and for how long the whole message is tried: the
// times of the steps add up.
func (in *omniMessage) rules(route *gateway.Route) (rules []gateway.Rule, life time.Duration, err error) {
	usable, open := false, false
	for _, rule := range route.Rules {
		if !slices.Contains(gateway.Channels(), rule.Channel) {
			rules = append(rules, rule) // skipped
			continue
		}
		rule.Body, rule.CustomBody = "", nil
		v, field := in.on(&rule)
		if v == nil {
			continue
		}
		period, err := v.period()
		if err != nil {
			if e, ok := asError(err); ok {
				err = e.Under(field)
			}
			return nil, 0, err
		}
		if period > 0 {
			rule.Until, rule.Within = gateway.UntilDelivered, gateway.Duration(period)
		}
		usable, open, life = true, open || period == 0, life+period
		rules = append(rules, rule)
	}
	if !usable {
		return nil, 0, nil
	}
	if open {
		life += gateway.DefaultExpiry
	}
	return rules, life, nil
}

// on puts the content for a step's channel on it, and answers for how long it is tried, and the
// member that says so; nil when there is no content. What goes to Messenger is the message's own.
func (in *omniMessage) on(rule *gateway.Rule) (*validity, string) {
	switch {
	case rule.Channel == gateway.ChannelMessenger && in.Facebook != nil:
		return &in.Facebook.validity, "facebook"
	case rule.Channel == gateway.ChannelWebhook && in.Facebook != nil:
		return &validity{}, ""
	case rule.Channel == gateway.ChannelSMS && in.SMS != nil:
		rule.Body = in.SMS.Text
		return &in.SMS.validity, "sms"
	case rule.Channel == gateway.ChannelEmail && in.Email != nil:
		in.Email.on(rule)
		return &in.Email.validity, "email"
	}
	return nil, ""
}

// on puts the content for e-mail on a step.
func (c *emailContent) on(rule *gateway.Rule) {
	subject := c.Subject
	if subject == "" {
		subject = c.MailSubject
	}
	rule.ChannelOptions = options(rule.ChannelOptions, "subject", subject)
	rule.Body = c.Text
	if c.HTML != "" {
		rule.Body, rule.CustomBody = "", options(options(nil, "html", c.HTML), "text", c.Text)
	}
}

// address reads whom a message is for. A user key that nobody has is passed over where there is
// another address.
func (q *request) address(to *omniAddress, out *outgoing) error {
	a := address{FacebookUserKey: to.FacebookUserKey, PhoneNumber: to.PhoneNumber}
	out.note.To, out.input.To = a.key(), a.to()
	out.input.To.Email = to.EmailAddress
	if profile := out.input.To.ProfileID; profile != "" && to.PhoneNumber+to.EmailAddress != "" {
		_, err := q.s.o.Profiles.Get(q.Context(), q.Key, profile)
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			out.input.To.ProfileID, out.note.To, err = "", "", nil
		}
		if err != nil {
			return err
		}
	}
	switch {
	case a.shown()+to.EmailAddress != "":
	case to.PushRegistrationID+to.LineUserKey != "":
		out.rejected = rejected(wire.StatusNoRoute, "no channel that can be used here reaches this address")
	default:
		out.rejected = rejected(wire.StatusMissingTo, "")
	}
	return nil
}

// fill makes the message to one destination; whom it is for is there already.
func (in *omniMessage) fill(out *gateway.MessageInput, route *gateway.Route, rules []gateway.Rule, end time.Time) error {
	if in.Facebook != nil {
		if err := in.Facebook.fill(out); err != nil {
			if e, ok := asError(err); ok && in.Text == "" {
				err = e.Under("facebook")
			}
			return err
		}
		out.ChannelOptions.FBMessenger = in.Facebook.options()
	}
	out.Application, out.Rules, out.AnyChannel, out.ExpiresOn = route.Application, slices.Clone(rules), true, &end
	return nil
}
