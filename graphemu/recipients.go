package graphemu

import (
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// recipient is whom a call of the Send API names.
type recipient struct {
	kind  string // id, user_ref, phone_number, post_id, comment_id, one_time_notif_token, notification_messages_token
	value string
}

// recipientKinds are the ways to name a recipient.
func recipientKinds() []string {
	return []string{"id", "user_ref", "phone_number", "post_id", "comment_id", "one_time_notif_token", "notification_messages_token"}
}

// target is whom a message is for.
type target struct {
	person *personState
	hidden bool   // the answer does not name the person
	free   bool   // not bound to the window
	spend  func() // when the message is accepted; nil for nothing
}

func (t target) use() {
	if t.spend != nil {
		t.spend()
	}
}

// addressee finds whom a message is for. The lock is held.
func (w *world) addressee(o *outgoing, page *pageState) (target, *messenger.Error) {
	switch o.to.kind {
	case "id":
		o.psid = o.to.value
		if p := page.people[o.psid]; p != nil {
			return target{person: p}, nil
		}
		return target{}, refuseID(o.psid)
	case "user_ref":
		return w.byUserRef(o, page, o.to.value), nil
	case "phone_number":
		return w.byPhone(o, page, o.to.value)
	case "comment_id", "post_id":
		return w.byComment(o, page, o.to)
	}
	return w.byToken(o, page, o.to)
}

// byUserRef finds who has ticked a checkbox. Nobody is known of a reference that
// was never seen: the message is taken all the same, as long as it is not known
// whom it is for.
func (w *world) byUserRef(o *outgoing, page *pageState, ref string) target {
	to := target{hidden: true, free: true}
	if to.person = page.people[page.Refs[ref]]; to.person == nil {
		to.person = &personState{Person: Person{ID: "user_ref:" + ref, Open: true, Offline: true}}
		return to
	}
	o.psid = to.person.ID
	p := to.person
	to.spend = func() { p.Prior = &priorMessage{Source: "checkbox_plugin", Identifier: ref} }
	return to
}

// byPhone finds who has a phone number. Somebody without a thread sees a request.
func (w *world) byPhone(o *outgoing, page *pageState, number string) (target, *messenger.Error) {
	if w.calendar.ended(messenger.FeatureCustomerMatching) {
		return target{}, refuse(100, 0, "(#100) The Customer Matching API is no longer available since January 15, 2020")
	}
	for _, id := range page.Order {
		if p := page.people[id]; p.Phone != "" && digits(p.Phone) == digits(number) {
			o.psid = p.ID
			hidden := !w.clock.isDated() || w.calendar.takesNow(messenger.FeatureHiddenRecipient)
			return target{person: p, hidden: hidden, free: true, spend: func() {
				if !p.Open {
					p.Request = true
				}
			}}, nil
		}
	}
	return target{}, refuse(100, 2018001, "(#100) No matching user found")
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// byComment finds who wrote a comment or a post: one answer each, within seven
// days.
func (w *world) byComment(o *outgoing, page *pageState, r recipient) (target, *messenger.Error) {
	i := slices.IndexFunc(page.Comments, func(x *comment) bool { return x.ID == r.value || r.kind == "post_id" && x.Post == r.value && x.IsPost })
	if i < 0 {
		return target{}, refuse(100, 33, "(#100) Object with ID '"+r.value+"' does not exist")
	}
	found := page.Comments[i]
	switch p := page.people[found.PSID]; {
	case found.Answered:
		return target{}, refuse(10900, 0, "(#10900) Activity already replied to")
	case w.clock.now().Sub(found.At) > privateReplyWindow():
		return target{}, refuse(10903, 0, "(#10903) This user can't reply to this activity")
	default:
		o.psid = p.ID
		return target{person: p, free: true, spend: func() { found.Answered = true }}, nil
	}
}

// privateReplyWindow is how long after a comment or a post it may be answered.
func privateReplyWindow() time.Duration {
	r, _ := messenger.RuleOf(messenger.FeaturePrivateReplies)
	return r.Window
}

// byToken finds who asked for a notification.
func (w *world) byToken(o *outgoing, page *pageState, r recipient) (target, *messenger.Error) {
	marketing := r.kind == "notification_messages_token"
	i := slices.IndexFunc(page.Tokens, func(t *optinToken) bool { return t.Token == r.value && t.Marketing == marketing })
	if i < 0 || page.Tokens[i].Stopped || page.Tokens[i].Used && !marketing || w.clock.now().After(page.Tokens[i].Until) {
		return target{}, refuse(100, 0, "(#100) Param recipient holds a token that is not valid, was used or has expired")
	}
	t := page.Tokens[i]
	if marketing && t.Used && w.clock.now().Sub(t.Last) < 24*time.Hour {
		return target{}, refuse(4, 2018354, "(#4) The minimum delay between two marketing messages to this person has not passed")
	}
	p := page.people[t.PSID]
	o.psid = p.ID
	return target{person: p, free: true, spend: func() { t.Used, t.Last = true, w.clock.now() }}, nil
}
