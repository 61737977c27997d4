package graphemu

import (
	"encoding/json"
	"strings"
	"time"
)

// Person is a Messenger user as one page sees them.
type Person struct {
	ID         string  `json:"id"` // the PSID
	FirstName  string  `json:"first_name"`
	LastName   string  `json:"last_name,omitempty"`
	ProfilePic string  `json:"profile_pic,omitempty"` // drawn when empty
	Locale     string  `json:"locale,omitempty"`      // "en_US" when empty
	Timezone   float64 `json:"timezone,omitempty"`    // hours from UTC
	Gender     string  `json:"gender,omitempty"`
	Phone      string  `json:"phone,omitempty"`   // found by sends to a phone number
	UserID     string  `json:"user_id,omitempty"` // the same for one human on several pages; generated when empty
	Tester     bool    `json:"tester,omitempty"`  // has a role on the app
	Open       bool    `json:"open"`              // has a thread with the page, and the window is open
	Blocks     bool    `json:"blocks,omitempty"`  // has blocked the page: sends are refused with 551
	Offline    bool    `json:"offline,omitempty"` // messages are not delivered until the person is back
}

// Name returns the person's first and last name.
func (p Person) Name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// filledIn returns a text with the person's names in place of the variables of
// greetings and creatives.
func (p Person) filledIn(text string) string {
	return strings.NewReplacer("{{first_name}}", p.FirstName, "{{last_name}}", p.LastName, "{first_name}", p.FirstName, "{last_name}", p.LastName, "{full_name}", p.Name(),
		"{{full_name}}", p.Name(), "{{user_first_name}}", p.FirstName,
		"{{user_last_name}}", p.LastName, "{{user_full_name}}", p.Name()).Replace(text)
}

// personData is what apps and the platform keep about a person.
type personData struct {
	Menu    json.RawMessage `json:"menu,omitempty"`    // user-level menu
	Owner   string          `json:"owner,omitempty"`   // app that has the thread; "" is the page's own
	Prior   *priorMessage   `json:"prior,omitempty"`   // shown with the next event
	Extra   int64           `json:"extra,omitempty"`   // when the one message after the window was sent, milliseconds
	Event   int             `json:"event,omitempty"`   // seq of the last event, in the days that had it
	Request bool            `json:"request,omitempty"` // was written to by phone number and has not accepted yet
}

type personState struct {
	Person
	personData
	Messages   []*ThreadMessage
	Seq        int       // how many mids and event ids were made
	LastTime   int64     // of the last event, milliseconds
	LastActive time.Time // when the window was opened last
	Pending    *Referral // of a link that was followed before the thread began
	Edits      []string  // the mid of every change of a message

	TypingUntil time.Time // the page is typing
	typingAs    string    // persona that is typing
	activeDay   int64     // days since 1970 that were counted last
	openedDay   int64
	receipts    *timer // running while messages wait to be delivered
}

// AddPerson adds a person to a page, or changes the one with that id, who keeps the thread. It
// returns the person with the fields that were filled in, and the zero Person for an unknown
// page.
func (s *Server) AddPerson(pageID string, p Person) Person {
	s.init()
	return s.world.addPerson(pageID, p)
}

// SetBlocks sets whether the person has blocked the page: then sends are refused with
// 551/1545041.
func (s *Server) SetBlocks(pageID, psid string, blocks bool) error {
	s.init()
	return s.world.changePerson(pageID, psid, personChange{blocks: &blocks})
}

// SetOffline sets whether the person is offline: then messages are delivered when they are
// back.
func (s *Server) SetOffline(pageID, psid string, offline bool) error {
	s.init()
	return s.world.changePerson(pageID, psid, personChange{offline: &offline})
}

func (w *world) addPerson(pageID string, p Person) Person {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return Person{}
	}
	n := w.ids.next()
	if p.ID == "" {
		p.ID = w.ids.id("person", n, 16)
	}
	if p.FirstName == "" {
		p.FirstName = "Person " + p.ID[len(p.ID)-min(4, len(p.ID)):]
	}
	if p.Locale == "" {
		p.Locale = "en_US"
	}
	state := page.people[p.ID]
	if p.UserID == "" && state != nil {
		p.UserID = state.UserID
	}
	if p.UserID == "" {
		p.UserID = w.ids.id("user", n, 15)
	}
	if state == nil {
		state = &personState{}
		page.people[p.ID] = state
		page.Order = append(page.Order, p.ID)
	}
	opened := p.Open && !state.Open
	state.Person = p
	if opened {
		state.LastActive = w.clock.now()
	}
	w.announce(change{Type: "pages"})
	return p
}

// personChange is a change of a person. What is nil stays as it is.
type personChange struct{ blocks, offline, tester *bool }

// changePerson changes a person and delivers what was waiting for them.
func (w *world) changePerson(pageID, psid string, c personChange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return err
	}
	if c.blocks != nil {
		p.block(page, w.clock.now(), *c.blocks)
	}
	if c.offline != nil {
		p.Offline = *c.offline
	}
	if c.tester != nil {
		p.Tester = *c.tester
	}
	w.deliverDue(page, p)
	return nil
}

// block lets the person block or unblock the page.
func (p *personState) block(page *pageState, now time.Time, blocks bool) {
	if blocks && !p.Blocks {
		page.tally(now, func(c *count) { c.Blocked++ })
	}
	p.Blocks = blocks
}

// persons returns the page's people, in the order in which they were added.
func (page *pageState) persons() []Person {
	var out []Person
	for _, id := range page.Order {
		out = append(out, page.people[id].Person)
	}
	return out
}

// profileOf returns a person, and the fields that the page's app may not read. It returns false
// when there is no such person.
func (w *world) profileOf(pageID, psid string) (p Person, refused []string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, person, err := w.find(pageID, psid)
	if err != nil {
		return Person{}, nil, false
	}
	return person.Person, page.RefusedFields, true
}

// openPeople returns how many people of a page have a thread with it, and whether
// there is such a page.
func (w *world) openPeople(pageID string) (n int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return 0, false
	}
	for _, p := range page.people {
		if p.Open {
			n++
		}
	}
	return n, true
}
