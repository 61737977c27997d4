package graphemu

import (
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

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

func checkRecipient(recipient params) *messenger.Error {
	if recipient == nil {
		return refuse(100, 0, "(#100) The parameter recipient is required")
	}
	if len(recipient) == 0 {
		return refuse(100, 0, "(#100) param recipient must be non-empty.")
	}
	n := 0
	for _, name := range []string{"id", "user_ref", "phone_number", "post_id", "comment_id", "one_time_notif_token", "notification_messages_token"} {
		if recipient.has(name) {
			n++
		}
	}
	if n != 1 {
		return refuse(100, 0, "(#100) Param recipient must have exactly one of id, user_ref, phone_number, post_id, comment_id")
	}
	return nil
}

// checkTyping checks messaging_type, tag and notification_type by the rules of
// the day.
func (s *Server) checkTyping(c *call, page *pageState) *messenger.Error {
	kind, tag, at := c.params.text("messaging_type"), c.params.text("tag"), s.calendar.era(c.ver)
	var kinds []string
	for r := range messenger.Rules() {
		if s.calendar.takes(r.Feature, at) {
			for _, t := range r.Types {
				kinds = append(kinds, string(t))
			}
		}
	}
	if kind != "" && !slices.Contains(kinds, kind) {
		return refuse(100, 0, "(#100) Param messaging_type must be one of {"+strings.Join(kinds, ", ")+"}")
	}
	if e := s.checkTag(page, tag, at); e != nil {
		return e
	}
	if kind == "MESSAGE_TAG" && tag == "" {
		return refuse(100, 0, "(#100) Param tag is required with messaging_type MESSAGE_TAG")
	}
	if n := c.params.text("notification_type"); n != "" && !slices.Contains([]string{"REGULAR", "SILENT_PUSH", "NO_PUSH"}, n) {
		return refuse(100, 0, "(#100) Param notification_type must be one of {REGULAR, SILENT_PUSH, NO_PUSH}")
	}
	return nil
}

func (s *Server) checkTag(page *pageState, tag string, at time.Time) *messenger.Error {
	if tag == "" {
		return nil
	}
	rule, taken, known := s.calendar.tagRule(tag, at)
	switch {
	case taken, known && page.News && slices.Contains(rule.News, messenger.Tag(tag)):
		return nil
	case rule.Feature == messenger.FeatureTagsOf2020 && !at.Before(rule.Until):
		return refuse(100, 1893061, "Invalid parameter")
	}
	return refuse(100, 0, "(#100) Param tag is not a valid message tag")
}

// recipient finds whom a message is for. The lock is held.
func (s *Server) recipient(c *call, page *pageState) (target, *messenger.Error) {
	r := c.recipient()
	switch {
	case r.has("id"):
		c.psid = r.text("id")
		if p := page.people[c.psid]; p != nil {
			return target{person: p}, nil
		}
		return target{}, refuseID(c.psid)
	case r.has("user_ref"):
		return s.byUserRef(c, page, r.text("user_ref")), nil
	case r.has("phone_number"):
		return s.byPhone(c, page, r.text("phone_number"))
	case r.has("comment_id"), r.has("post_id"):
		return s.byComment(c, page, r)
	}
	return s.byToken(c, page, r)
}

// byUserRef finds who has ticked a checkbox. Nobody is known of a reference that
// was never seen: the message is taken all the same, as long as it is not known
// whom it is for.
func (s *Server) byUserRef(c *call, page *pageState, ref string) target {
	to := target{hidden: true, free: true}
	if to.person = page.people[page.Refs[ref]]; to.person == nil {
		to.person = &personState{Person: Person{ID: "user_ref:" + ref, Open: true, Offline: true}}
		return to
	}
	c.psid = to.person.ID
	p := to.person
	to.spend = func() { p.Prior = &priorMessage{Source: "checkbox_plugin", Identifier: ref} }
	return to
}

// byPhone finds who has a phone number. Somebody without a thread sees a request.
func (s *Server) byPhone(c *call, page *pageState, number string) (target, *messenger.Error) {
	if s.calendar.ended(messenger.FeatureCustomerMatching) {
		return target{}, refuse(100, 0, "(#100) The Customer Matching API is no longer available since January 15, 2020")
	}
	for _, id := range page.Order {
		if p := page.people[id]; p.Phone != "" && digits(p.Phone) == digits(number) {
			c.psid = p.ID
			hidden := !s.clock.isDated() || s.calendar.takes(messenger.FeatureHiddenRecipient, s.clock.now())
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
func (s *Server) byComment(c *call, page *pageState, r params) (target, *messenger.Error) {
	id := r.text("comment_id") + r.text("post_id")
	i := slices.IndexFunc(page.Comments, func(x *comment) bool { return x.ID == id || r.has("post_id") && x.Post == id && x.IsPost })
	if i < 0 {
		return target{}, refuse(100, 33, "(#100) Object with ID '"+id+"' does not exist")
	}
	found := page.Comments[i]
	switch p := page.people[found.PSID]; {
	case found.Answered:
		return target{}, refuse(10900, 0, "(#10900) Activity already replied to")
	case s.clock.now().Sub(found.At) > privateReplyWindow():
		return target{}, refuse(10903, 0, "(#10903) This user can't reply to this activity")
	default:
		c.psid = p.ID
		return target{person: p, free: true, spend: func() { found.Answered = true }}, nil
	}
}

// privateReplyWindow is how long after a comment or a post it may be answered.
func privateReplyWindow() time.Duration {
	r, _ := messenger.RuleOf(messenger.FeaturePrivateReplies)
	return r.Window
}

// byToken finds who asked for a notification.
func (s *Server) byToken(c *call, page *pageState, r params) (target, *messenger.Error) {
	token := r.text("one_time_notif_token") + r.text("notification_messages_token")
	marketing := r.has("notification_messages_token")
	i := slices.IndexFunc(page.Tokens, func(t *optinToken) bool { return t.Token == token && t.Marketing == marketing })
	if i < 0 || page.Tokens[i].Stopped || page.Tokens[i].Used && !marketing || s.clock.now().After(page.Tokens[i].Until) {
		return target{}, refuse(100, 0, "(#100) Param recipient holds a token that is not valid, was used or has expired")
	}
	t := page.Tokens[i]
	if marketing && t.Used && s.clock.now().Sub(t.Last) < 24*time.Hour {
		return target{}, refuse(4, 2018354, "(#4) The minimum delay between two marketing messages to this person has not passed")
	}
	p := page.people[t.PSID]
	c.psid = p.ID
	return target{person: p, free: true, spend: func() { t.Used, t.Last = true, s.clock.now() }}, nil
}
