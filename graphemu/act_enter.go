package graphemu

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/messenger"
)

// enter does what leads a person to the page: a referral, a link, a code, a plugin
// of a website, or an agreement to be written to.
func (t turn) enter(a Action) (ActionResult, error) {
	switch {
	case a.Link != nil:
		return t.followLink(a.Link.URL)
	case a.Scan != nil:
		return t.scan(*a.Scan)
	case a.OptIn != nil:
		return t.optIn(*a.OptIn)
	case a.Accept:
		return t.acceptRequest()
	case a.Notify != nil:
		return t.notify(*a.Notify)
	}
	return t.follow(a.Referral.complete()), nil
}

// follow brings the person into the thread by a referral. A person without a thread has to tap
// Get Started first, and the referral comes with that postback.
func (t turn) follow(ref *Referral) ActionResult {
	t.threads.note(t.page, t.p, entryNote(ref))
	if !t.p.Open {
		t.p.Pending = ref
		return ActionResult{Pending: true}
	}
	e := t.event("messaging_referrals")
	e.wire.Referral = ref
	if ref.Source == "CUSTOMER_CHAT_PLUGIN" {
		e.wire.Sender = &party{ID: t.p.ID, UserRef: "guest_" + t.p.ID}
	}
	// Since 2020 a link into an existing thread opens the window.
	if !t.clock.isDated() || t.calendar.takesNow(messenger.FeatureLinkOpensWindow) || ref.Source != "SHORTLINK" {
		t.open()
	}
	t.send(e)
	return ActionResult{EventID: e.id}
}

// entryNote returns the line that a thread shows when a person has come by a referral.
func entryNote(ref *Referral) string {
	switch ref.Source {
	case "ADS":
		return "You entered this conversation by tapping an ad."
	case "MESSENGER_CODE":
		return "You entered this conversation by scanning a code."
	case "DISCOVER_TAB":
		return "You entered this conversation from the Discover tab."
	case "CUSTOMER_CHAT_PLUGIN":
		return "You entered this conversation on a website."
	}
	return "You entered this conversation by following a link."
}

// open opens the thread and the window because the person wrote, and counts the person as
// active.
func (t turn) open() {
	today := t.clock.now().Unix() / 86400
	if !t.p.Open || t.p.activeDay != today {
		first := !t.p.Open
		t.p.activeDay = today
		t.page.tally(t.clock.now(), func(c *count) {
			c.Active = once(c.Active, t.p.ID)
			if first {
				c.New++
			}
		})
	}
	fresh := !t.p.Open
	t.begin()
	if fresh {
		t.greet(t.page, t.p)
	}
}

// begin opens the thread and the window.
func (t turn) begin() {
	t.p.Open, t.p.LastActive = true, t.clock.now()
}

// followLink follows a link, which must lead to the page of the thread.
func (t turn) followLink(link string) (ActionResult, error) {
	pageID, ref, err := t.readLink(link)
	switch {
	case err != nil:
		return ActionResult{}, err
	case pageID != t.page.ID:
		return ActionResult{}, fmt.Errorf("the link leads to page %.40s, and the person is one of page %s", pageID, t.page.ID)
	case ref.Ref == "" && ref.Source == "SHORTLINK":
		return ActionResult{}, nil // the thread opens and the apps are not told
	}
	return t.follow(ref), nil
}

// scan reads a code and follows the link in it.
func (t turn) scan(a ScanAction) (ActionResult, error) {
	link, err := t.codeAt(a.URL)
	if len(a.Image) > 0 {
		link, err = qr.Decode(bytes.NewReader(a.Image))
	}
	if err != nil {
		return ActionResult{}, err
	}
	pageID, ref, err := t.readLink(link)
	if err == nil && pageID == t.page.ID && ref.Source == "MESSENGER_CODE" {
		return t.follow(ref), nil // a code works without a ref
	}
	return t.followLink(link)
}

// codeAt returns the link of a code that the emulator shows at an address.
func (t turn) codeAt(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errLink
	}
	id, isCode := strings.CutPrefix(strings.TrimSuffix(u.Path, ".png"), "/_emu/codes/")
	code, known := t.codes.get(id)
	if isCode && known {
		return code.link(u.Host, id), nil
	}
	if page, ok := strings.CutPrefix(strings.TrimSuffix(u.Path, ".png"), "/_emu/links/"); ok {
		return "http://" + u.Host + "/m.me/" + page + "?" + u.RawQuery, nil
	}
	return "", errors.New("the address shows no code of this emulator, or one that has expired: give the picture itself")
}
