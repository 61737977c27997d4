package graphemu

import (
	"fmt"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// pageInbox is the app id of the inbox in which people answer for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol
const pageInbox = "263902037430900"

// owner is the app that has the thread: the page's own, the primary receiver,
// unless it was passed on.
func (page *pageState) owner(p *personState) string {
	if p.Owner != "" {
		return p.Owner
	}
	return page.primary()
}

// primary is the app that may take any thread.
func (page *pageState) primary() string {
	if page.Primary != "" {
		return page.Primary
	}
	return page.AppID
}

// shared reports whether only one app at a time may write to the person. Until
// roles are given to apps or a thread is passed on, all may.
func (page *pageState) shared(p *personState) bool { return p.Owner == "" && page.Primary == "" }

// threadOf finds whom a call of the handover protocol is about.
func threadOf(c *call, page *pageState) (*personState, *messenger.Error) {
	recipient := c.params.object("recipient")
	c.psid = recipient.text("id")
	switch {
	case recipient == nil:
		return nil, refuse(100, 0, "(#100) The parameter recipient is required")
	case page.people[c.psid] == nil:
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	return page.people[c.psid], tooLong("metadata", c.params.text("metadata"), 1000)
}

// passThread is POST /{page}/pass_thread_control.
func (s *Server) passThread(c *call, page *pageState) (any, *messenger.Error) {
	p, e := threadOf(c, page)
	if e != nil {
		return nil, e
	}
	target := c.params.text("target_app_id")
	switch {
	case target == "":
		return nil, refuse(100, 0, "(#100) The parameter target_app_id is required")
	case target != pageInbox && s.apps[target] == nil:
		return nil, refuse(100, 2018144, "(#100) The app id is not correct: it does not belong to an app that is subscribed to the page")
	case c.app != page.primary() && c.app != page.owner(p):
		return nil, notOwner()
	}
	s.changeOwner(page, p, "pass_thread_control", target, c.params.text("metadata"))
	return success(), nil
}

func notOwner() *messenger.Error {
	return refuse(10, 2018300, "(#10) Message failed to send because another app is controlling this thread now.")
}

// takeThread is POST /{page}/take_thread_control.
func (s *Server) takeThread(c *call, page *pageState) (any, *messenger.Error) {
	p, e := threadOf(c, page)
	if e != nil {
		return nil, e
	}
	if c.app != page.primary() {
		return nil, refuse(10, 0, "(#10) Only the primary receiver may take control of a thread")
	}
	s.changeOwner(page, p, "take_thread_control", c.app, c.params.text("metadata"))
	return success(), nil
}

// requestThread is POST /{page}/request_thread_control. The owner may ask, too.
func (s *Server) requestThread(c *call, page *pageState) (any, *messenger.Error) {
	p, e := threadOf(c, page)
	if e != nil {
		return nil, e
	}
	ev := s.fromPerson(page, p, "messaging_handovers")
	ev.wire.Request = &wireRequest{RequestedOwner: c.app, Metadata: c.params.text("metadata")}
	ev.only = page.owner(p)
	s.emit(page, p, ev)
	return success(), nil
}

// releaseThread is POST /{page}/release_thread_control.
func (s *Server) releaseThread(c *call, page *pageState) (any, *messenger.Error) {
	p, e := threadOf(c, page)
	if e != nil {
		return nil, e
	}
	if c.app != page.owner(p) {
		return nil, notOwner()
	}
	s.changeOwner(page, p, "pass_thread_control", page.primary(), c.params.text("metadata"))
	return success(), nil
}

// maxControl is for how long control of a thread can be extended; the platform's
// limit is presumed.
const maxControl = 7 * 24 * 3600

// extendThread is POST /{page}/extend_thread_control: the owner keeps the thread
// for so many seconds more. In the emulator control does not end by itself, so
// that the owner has it in any case.
func (s *Server) extendThread(c *call, page *pageState) (any, *messenger.Error) {
	p, e := threadOf(c, page)
	if e != nil {
		return nil, e
	}
	if text := c.params.text("duration"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > maxControl {
			return nil, refuse(100, 0, fmt.Sprintf("(#100) Param duration must be an integer between 1 and %d", maxControl))
		}
	}
	if c.app != page.owner(p) {
		return nil, notOwner()
	}
	return success(), nil
}

// changeOwner gives the thread to an app and tells the others. The lock is held.
func (s *Server) changeOwner(page *pageState, p *personState, how, target, metadata string) {
	before := page.owner(p)
	p.Owner = target
	if target == page.primary() {
		p.Owner = ""
	}
	ev := s.fromPerson(page, p, "messaging_handovers")
	h := &wireHandover{PreviousOwner: before, NewOwner: target, Metadata: metadata}
	if how == "take_thread_control" {
		ev.wire.Take, ev.only = h, before
	} else {
		ev.wire.Pass, ev.only = h, target
	}
	s.emit(page, p, ev)
	s.announceThread(page, p)
}

// threadOwner is GET /{page}/thread_owner.
func (s *Server) threadOwner(c *call, page *pageState) (any, *messenger.Error) {
	c.psid = c.params.text("recipient")
	p := page.people[c.psid]
	if p == nil {
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	return map[string]any{"data": []any{map[string]any{"thread_owner": map[string]string{"app_id": page.owner(p)}}}}, nil
}

// secondaryReceivers is GET /{page}/secondary_receivers.
func (s *Server) secondaryReceivers(c *call, page *pageState) (any, *messenger.Error) {
	items := []item{}
	for _, id := range s.appOrder {
		if id != page.primary() {
			items = append(items, item{id, map[string]any{"id": id, "name": s.apps[id].Name}})
		}
	}
	items = append(items, item{pageInbox, map[string]any{"id": pageInbox, "name": "Page Inbox"}})
	return list(c, "Application", items, "id", "name")
}

// SetPrimary gives the roles of the handover protocol: the app becomes the
// primary receiver and all others secondary ones, who see in standby what they
// may not answer. An empty id takes the roles away. The apps are told with
// app_roles.
func (s *Server) SetPrimary(pageID, appID string) error {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return fmt.Errorf("%w %.40q", ErrUnknownPage, pageID)
	}
	if appID != "" && s.apps[appID] == nil {
		return fmt.Errorf("%w: unknown app %.40q", ErrAction, appID)
	}
	page.Primary = appID
	if appID == "" {
		return nil
	}
	for _, id := range s.appOrder {
		role := "secondary_receiver"
		if id == appID {
			role = "primary_receiver"
		}
		e := s.fromPage(page, "messaging_handovers")
		e.wire.Sender = nil
		e.wire.Roles, e.only = map[string][]string{id: {role}}, id
		s.emit(page, nil, e)
	}
	return nil
}
