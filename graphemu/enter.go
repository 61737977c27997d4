package graphemu

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/qr"

	"github.com/chasqui/chasqui/messenger"
)

// LinkAction is a link that the person follows: of m.me, or the emulator's own.
type LinkAction struct {
	URL string `json:"url"`
}

// ScanAction is a QR code before the person's camera: the picture, or the
// address at which the emulator shows one. Image is base64 in JSON: PNG, JPEG or
// GIF.
type ScanAction struct {
	Image []byte `json:"image,omitempty"`
	URL   string `json:"url,omitempty"`
}

// follow is a way into the thread with a ref. A person without a thread has to
// tap Get Started first, and the referral comes with that postback.
func (s *Server) follow(page *pageState, p *personState, ref *Referral) ActionResult {
	s.note(page, p, entryNote(ref))
	if !p.Open {
		p.Pending = ref
		return ActionResult{Pending: true}
	}
	e := s.fromPerson(page, p, "messaging_referrals")
	e.wire.Referral = ref
	if ref.Source == "CUSTOMER_CHAT_PLUGIN" {
		e.wire.Sender = &party{ID: p.ID, UserRef: "guest_" + p.ID}
	}
	// A link into a thread that exists opens the window since 2020.
	if !s.clock.isDated() || s.calendar.takes(messenger.FeatureLinkOpensWindow, s.clock.now()) || ref.Source != "SHORTLINK" {
		s.open(page, p)
	}
	s.emit(page, p, e)
	return ActionResult{EventID: e.id}
}

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

// note puts a line of the system into the thread. The lock is held.
func (s *Server) note(page *pageState, p *personState, text string) {
	s.keep(p, &ThreadMessage{
		MID: s.newID("note_", page, p), From: "person", SentAt: time.UnixMilli(s.timestamp(p)).UTC(), Note: text,
	})
}

// open opens the thread and the window. The lock is held.
func (s *Server) open(page *pageState, p *personState) {
	today := s.clock.now().Unix() / 86400
	if !p.Open || p.activeDay != today {
		first := !p.Open
		p.activeDay = today
		s.tally(page, func(c *count) {
			c.Active = once(c.Active, p.ID)
			if first {
				c.New++
			}
		})
	}
	fresh := !p.Open
	s.begin(page, p)
	if fresh {
		s.greet(page, p)
	}
}

// begin opens the thread without the person having written. The lock is held.
func (s *Server) begin(_ *pageState, p *personState) {
	p.Open, p.LastActive = true, s.clock.now()
}

// followLink follows a link to its page. The lock is held.
func (s *Server) followLink(page *pageState, p *personState, link string) (ActionResult, error) {
	pageID, ref, _, err := s.readLink(link)
	switch {
	case err != nil:
		return ActionResult{}, err
	case pageID != page.ID:
		return ActionResult{}, fmt.Errorf("the link leads to page %.40s, and the person is one of page %s", pageID, page.ID)
	case ref.Ref == "" && ref.Source == "SHORTLINK":
		return ActionResult{}, nil // the thread opens and nobody is told
	}
	return s.follow(page, p, ref), nil
}

// scan reads a code and follows its link. The lock is held.
func (s *Server) scan(page *pageState, p *personState, a ScanAction) (ActionResult, error) {
	link := ""
	if len(a.Image) > 0 {
		text, err := qr.Decode(bytes.NewReader(a.Image))
		if err != nil {
			return ActionResult{}, err
		}
		link = text
	} else {
		text, err := s.codeAt(a.URL)
		if err != nil {
			return ActionResult{}, err
		}
		link = text
	}
	pageID, ref, _, err := s.readLink(link)
	if err == nil && pageID == page.ID && ref.Source == "MESSENGER_CODE" {
		return s.follow(page, p, ref), nil // a code without a ref leads in, too
	}
	return s.followLink(page, p, link)
}

// codeAt is the link of a code that the emulator shows at an address.
func (s *Server) codeAt(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errLink
	}
	id, isCode := strings.CutPrefix(strings.TrimSuffix(u.Path, ".png"), "/_emu/codes/")
	code, known := s.codeByID(id)
	if isCode && known {
		return s.codeLink(u.Host, id, code), nil
	}
	if page, ok := strings.CutPrefix(strings.TrimSuffix(u.Path, ".png"), "/_emu/links/"); ok {
		return "http://" + u.Host + "/m.me/" + page + "?" + u.RawQuery, nil
	}
	return "", errors.New("the address shows no code of this emulator, or one that has expired: give the picture itself")
}

func (p *personState) filledIn(text string) string {
	return strings.NewReplacer("{{first_name}}", p.FirstName, "{{last_name}}", p.LastName, "{first_name}", p.FirstName, "{last_name}", p.LastName, "{full_name}", p.Name(),
		"{{full_name}}", p.Name(), "{{user_first_name}}", p.FirstName,
		"{{user_last_name}}", p.LastName, "{{user_full_name}}", p.Name()).Replace(text)
}
