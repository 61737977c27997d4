package graphemu

import (
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// recipient is how a call of the Send API names the recipient.
type recipient struct {
	kind  string // id, user_ref, phone_number, post_id, comment_id, one_time_notif_token, notification_messages_token
	value string
}

// recipientKinds returns the ways to name a recipient.
func recipientKinds() []string {
	return []string{"id", "user_ref", "phone_number", "post_id", "comment_id", "one_time_notif_token", "notification_messages_token"}
}

// target is the person to whom a message goes.
type target struct {
	person *personState
	hidden bool   // the answer does not name the person
	free   bool   // not bound to the window
	spend  func() // called when the message is accepted; may be nil
}

// use uses up what the message was allowed by.
func (t target) use() {
	if t.spend != nil {
		t.spend()
	}
}

// addressee returns the recipient of the message.
func (s sending) addressee() (target, *messenger.Error) {
	switch s.o.to.kind {
	case "id":
		s.o.psid = s.o.to.value
		if p := s.page.people[s.o.psid]; p != nil {
			return target{person: p}, nil
		}
		return target{}, refuseID(s.o.psid)
	case "user_ref":
		return s.byUserRef(s.o.to.value), nil
	case "phone_number":
		return s.byPhone(s.o.to.value)
	case "comment_id", "post_id":
		return s.byComment(s.o.to)
	}
	return s.byToken(s.o.to)
}

// byUserRef returns the person who ticked a checkbox. A reference that was never seen belongs
// to nobody yet; the message is accepted all the same.
func (s sending) byUserRef(ref string) target {
	to := target{hidden: true, free: true}
	if to.person = s.page.people[s.page.Refs[ref]]; to.person == nil {
		to.person = &personState{Person: Person{ID: "user_ref:" + ref, Open: true, Offline: true}}
		return to
	}
	s.o.psid = to.person.ID
	p := to.person
	to.spend = func() { p.Prior = &priorMessage{Source: "checkbox_plugin", Identifier: ref} }
	return to
}

// byPhone returns the person with a phone number. A person without a thread gets a message
// request.
func (s sending) byPhone(number string) (target, *messenger.Error) {
	if s.calendar.ended(messenger.FeatureCustomerMatching) {
		return target{}, refuse(100, 0, "(#100) The Customer Matching API is no longer available since January 15, 2020")
	}
	for _, id := range s.page.Order {
		if p := s.page.people[id]; p.Phone != "" && digits(p.Phone) == digits(number) {
			s.o.psid = p.ID
			hidden := !s.clock.isDated() || s.calendar.takesNow(messenger.FeatureHiddenRecipient)
			return target{person: p, hidden: hidden, free: true, spend: func() {
				if !p.Open {
					p.Request = true
				}
			}}, nil
		}
	}
	return target{}, refuse(100, 2018001, "(#100) No matching user found")
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// byComment returns the person who wrote a comment or a post. Each can be answered once, within
// seven days.
func (s sending) byComment(r recipient) (target, *messenger.Error) {
	i := slices.IndexFunc(s.page.Comments, func(x *comment) bool { return x.ID == r.value || r.kind == "post_id" && x.Post == r.value && x.IsPost })
	if i < 0 {
		return target{}, refuse(100, 33, "(#100) Object with ID '"+r.value+"' does not exist")
	}
	found := s.page.Comments[i]
	switch p := s.page.people[found.PSID]; {
	case found.Answered:
		return target{}, refuse(10900, 0, "(#10900) Activity already replied to")
	case s.clock.now().Sub(found.At) > privateReplyWindow():
		return target{}, refuse(10903, 0, "(#10903) This user can't reply to this activity")
	default:
		s.o.psid = p.ID
		return target{person: p, free: true, spend: func() { found.Answered = true }}, nil
	}
}

// privateReplyWindow returns for how long a comment or a post may be answered.
func privateReplyWindow() time.Duration {
	r, _ := messenger.RuleOf(messenger.FeaturePrivateReplies)
	return r.Window
}

// byToken returns the person who agreed to a notification.
func (s sending) byToken(r recipient) (target, *messenger.Error) {
	marketing := r.kind == "notification_messages_token"
	i := slices.IndexFunc(s.page.Tokens, func(t *optinToken) bool { return t.Token == r.value && t.Marketing == marketing })
	if i < 0 || s.page.Tokens[i].Stopped || s.page.Tokens[i].Used && !marketing || s.clock.now().After(s.page.Tokens[i].Until) {
		return target{}, refuse(100, 0, "(#100) Param recipient holds a token that is not valid, was used or has expired")
	}
	t := s.page.Tokens[i]
	if marketing && t.Used && s.clock.now().Sub(t.Last) < 24*time.Hour {
		return target{}, refuse(4, 2018354, "(#4) The minimum delay between two marketing messages to this person has not passed")
	}
	p := s.page.people[t.PSID]
	s.o.psid = p.ID
	return target{person: p, free: true, spend: func() { t.Used, t.Last = true, s.clock.now() }}, nil
}
