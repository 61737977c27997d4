package graphemu

import (
	"fmt"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// handoverAPI answers the calls of the handover protocol.
type handoverAPI struct{ *world }

// thread reads the thread of a call.
func (a handoverAPI) thread(c *call) (ref threadRef, metadata string, e *messenger.Error) {
	recipient := c.params.object("recipient")
	c.psid = recipient.text("id")
	switch {
	case recipient == nil:
		return ref, "", refuse(100, 0, "(#100) The parameter recipient is required")
	case !a.hasPerson(c.page, c.psid):
		return ref, "", refuse(100, 2018001, "(#100) No matching user found")
	}
	metadata = c.params.text("metadata")
	return threadRef{c.page, c.psid, c.app}, metadata, tooLong("metadata", metadata, 1000)
}

// pass is POST /{page}/pass_thread_control.
func (a handoverAPI) pass(c *call) (any, *messenger.Error) {
	ref, metadata, e := a.thread(c)
	if e != nil {
		return nil, e
	}
	target := c.params.text("target_app_id")
	if target == "" {
		return nil, refuse(100, 0, "(#100) The parameter target_app_id is required")
	}
	return success(), a.passThread(ref, target, metadata)
}

// take is POST /{page}/take_thread_control.
func (a handoverAPI) take(c *call) (any, *messenger.Error) {
	ref, metadata, e := a.thread(c)
	if e != nil {
		return nil, e
	}
	return success(), a.takeThread(ref, metadata)
}

// request is POST /{page}/request_thread_control.
func (a handoverAPI) request(c *call) (any, *messenger.Error) {
	ref, metadata, e := a.thread(c)
	if e != nil {
		return nil, e
	}
	return success(), a.requestThread(ref, metadata)
}

// release is POST /{page}/release_thread_control.
func (a handoverAPI) release(c *call) (any, *messenger.Error) {
	ref, metadata, e := a.thread(c)
	if e != nil {
		return nil, e
	}
	return success(), a.releaseThread(ref, metadata)
}

// maxControl is for how many seconds control of a thread can be extended. The number is an
// assumption.
const maxControl = 7 * 24 * 3600

// extend is POST /{page}/extend_thread_control: the owner keeps the thread for so
// many seconds more. In the emulator control does not end by itself, so that the
// owner has it in any case.
func (a handoverAPI) extend(c *call) (any, *messenger.Error) {
	ref, _, e := a.thread(c)
	if e != nil {
		return nil, e
	}
	if text := c.params.text("duration"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > maxControl {
			return nil, refuse(100, 0, fmt.Sprintf("(#100) Param duration must be an integer between 1 and %d", maxControl))
		}
	}
	if a.threadOwner(ref.page, ref.psid) != ref.app {
		return nil, notOwner()
	}
	return success(), nil
}

// owner is GET /{page}/thread_owner.
func (a handoverAPI) owner(c *call) (any, *messenger.Error) {
	c.psid = c.params.text("recipient")
	if !a.hasPerson(c.page, c.psid) {
		return nil, refuse(100, 2018001, "(#100) No matching user found")
	}
	owner := map[string]string{"app_id": a.threadOwner(c.page, c.psid)}
	return map[string]any{"data": []any{map[string]any{"thread_owner": owner}}}, nil
}

// secondary is GET /{page}/secondary_receivers.
func (a handoverAPI) secondary(c *call) (any, *messenger.Error) {
	items := []item{}
	for _, app := range a.secondaryReceivers(c.page) {
		items = append(items, item{app.ID, map[string]any{"id": app.ID, "name": app.Name}})
	}
	items = append(items, item{pageInbox, map[string]any{"id": pageInbox, "name": "Page Inbox"}})
	return list(c, "Application", items, "id", "name")
}
