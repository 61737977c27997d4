package graphemu

import (
	"fmt"

	"github.com/chasqui/chasqui/messenger"
)

// pageInbox is the app id of the inbox in which people answer for a page.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/handover-protocol
const pageInbox = "263902037430900"

// owner returns the app that controls the thread: the primary receiver, unless the thread was
// passed on.
func (page *pageState) owner(p *personState) string {
	if p.Owner != "" {
		return p.Owner
	}
	return page.primary()
}

// primary returns the primary receiver, which may take control of any thread.
func (page *pageState) primary() string {
	if page.Primary != "" {
		return page.Primary
	}
	return page.AppID
}

// shared reports whether all apps may write to the person, which is so until roles are assigned
// or the thread is passed on.
func (page *pageState) shared(p *personState) bool { return p.Owner == "" && page.Primary == "" }

// SetPrimary assigns the roles of the handover protocol: the app becomes the primary receiver
// and all others secondary ones, which receive in standby what they may not answer. An empty id
// removes the roles. The apps are told with app_roles.
func (s *Server) SetPrimary(pageID, appID string) error {
	s.init()
	return s.world.setPrimary(pageID, appID)
}

func (w *world) setPrimary(pageID, appID string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, err := w.findPage(pageID)
	if err != nil {
		return err
	}
	if appID != "" && w.apps[appID] == nil {
		return fmt.Errorf("%w: unknown app %.40q", ErrAction, appID)
	}
	page.Primary = appID
	if appID == "" {
		return nil
	}
	for _, id := range w.appOrder {
		role := "secondary_receiver"
		if id == appID {
			role = "primary_receiver"
		}
		e := w.threads.fromPage(page, "messaging_handovers")
		e.wire.Sender = nil
		e.wire.Roles, e.only = map[string][]string{id: {role}}, id
		w.emit(page, nil, e)
	}
	return nil
}

// threadRef names a thread, and the app that makes the call.
type threadRef struct{ page, psid, app string }

// inThread calls do with the page and the person of a thread, under the lock.
func (w *world) inThread(ref threadRef, do func(page *pageState, p *personState) *messenger.Error) *messenger.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(ref.page, ref.psid)
	if err != nil {
		return errNoObject
	}
	return do(page, p)
}

// passThread passes control of a thread to another app.
func (w *world) passThread(ref threadRef, target, metadata string) *messenger.Error {
	return w.inThread(ref, func(page *pageState, p *personState) *messenger.Error {
		switch {
		case target != pageInbox && w.apps[target] == nil:
			return refuse(100, 2018144, "(#100) The app id is not correct: it does not belong to an app that is subscribed to the page")
		case ref.app != page.primary() && ref.app != page.owner(p):
			return notOwner()
		}
		w.changeOwner(page, p, "pass_thread_control", target, metadata)
		return nil
	})
}

// takeThread lets the primary receiver take control of a thread.
func (w *world) takeThread(ref threadRef, metadata string) *messenger.Error {
	return w.inThread(ref, func(page *pageState, p *personState) *messenger.Error {
		if ref.app != page.primary() {
			return refuse(10, 0, "(#10) Only the primary receiver may take control of a thread")
		}
		w.changeOwner(page, p, "take_thread_control", ref.app, metadata)
		return nil
	})
}

// requestThread asks the owner of a thread for control. The owner itself may ask as well.
func (w *world) requestThread(ref threadRef, metadata string) *messenger.Error {
	return w.inThread(ref, func(page *pageState, p *personState) *messenger.Error {
		e := w.threads.fromPerson(page, p, "messaging_handovers")
		e.wire.Request = &wireRequest{RequestedOwner: ref.app, Metadata: metadata}
		e.only = page.owner(p)
		w.emit(page, p, e)
		return nil
	})
}

// releaseThread returns control of a thread to the primary receiver.
func (w *world) releaseThread(ref threadRef, metadata string) *messenger.Error {
	return w.inThread(ref, func(page *pageState, p *personState) *messenger.Error {
		if ref.app != page.owner(p) {
			return notOwner()
		}
		w.changeOwner(page, p, "pass_thread_control", page.primary(), metadata)
		return nil
	})
}

// threadOwner returns the app that controls a thread, "" when there is no such person.
func (w *world) threadOwner(pageID, psid string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return ""
	}
	return page.owner(p)
}

// secondaryReceivers returns the apps that are not the page's primary receiver.
func (w *world) secondaryReceivers(pageID string) []App {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return nil
	}
	var out []App
	for _, id := range w.appOrder {
		if id != page.primary() {
			out = append(out, w.apps[id].App)
		}
	}
	return out
}

// changeOwner passes control of a thread to an app and tells the other. The lock is held.
func (w *world) changeOwner(page *pageState, p *personState, how, target, metadata string) {
	before := page.owner(p)
	p.Owner = target
	if target == page.primary() {
		p.Owner = ""
	}
	e := w.threads.fromPerson(page, p, "messaging_handovers")
	h := &wireHandover{PreviousOwner: before, NewOwner: target, Metadata: metadata}
	if how == "take_thread_control" {
		e.wire.Take, e.only = h, before
	} else {
		e.wire.Pass, e.only = h, target
	}
	w.emit(page, p, e)
	w.announceThread(page, p)
}
