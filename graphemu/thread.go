package graphemu

import (
	"encoding/json"
	"maps"
	"time"
)

// ThreadMessage is one message of a thread, whoever wrote it.
type ThreadMessage struct {
	MID         string            `json:"mid"`
	From        string            `json:"from"` // "person" or "page"
	Text        string            `json:"text,omitempty"`
	Message     json.RawMessage   `json:"message,omitempty"` // the page's: as it was sent; a person's: as in the event
	SentAt      time.Time         `json:"sent_at"`
	DeliveredAt time.Time         `json:"delivered_at,omitzero"`
	ReadAt      time.Time         `json:"read_at,omitzero"`
	Metadata    string            `json:"metadata,omitempty"`
	AppID       string            `json:"app_id,omitempty"`     // the page's: which app sent it
	PersonaID   string            `json:"persona_id,omitempty"` // the page's
	Tag         string            `json:"tag,omitempty"`        // the page's
	ReplyTo     string            `json:"reply_to,omitempty"`   // mid of the message that it answers
	Reactions   map[string]string `json:"reactions,omitempty"`  // "person" or "page" to an emoji
	Postback    string            `json:"postback,omitempty"`   // a tapped button: its payload
	Note        string            `json:"note,omitempty"`       // a line of the system, such as a followed link
}

// Thread returns the messages between a page and a person.
func (s *Server) Thread(pageID, psid string) ([]ThreadMessage, error) {
	s.init()
	return s.world.thread(pageID, psid)
}

func (w *world) thread(pageID, psid string) ([]ThreadMessage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, person, err := w.find(pageID, psid)
	if err != nil {
		return nil, err
	}
	out := make([]ThreadMessage, len(person.Messages))
	for i, m := range person.Messages {
		out[i] = m.clone()
	}
	return out, nil
}

// threadStatus is the state of a thread, apart from its messages.
type threadStatus struct {
	open     bool
	typing   bool
	typingAs string    // persona
	closes   time.Time // when the window of 24 hours closes
}

func (w *world) threadStatus(pageID, psid string) threadStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.person(pageID, psid)
	if p == nil {
		return threadStatus{}
	}
	status := threadStatus{open: p.Open, typing: w.clock.now().Before(p.TypingUntil), typingAs: p.typingAs}
	if p.Open {
		status.closes = p.LastActive.Add(24 * time.Hour)
	}
	return status
}

func (m *ThreadMessage) clone() ThreadMessage {
	out := *m
	out.Reactions = maps.Clone(m.Reactions)
	return out
}

func (m *ThreadMessage) react(who, emoji string) {
	if emoji == "" {
		delete(m.Reactions, who)
		return
	}
	if m.Reactions == nil {
		m.Reactions = map[string]string{}
	}
	m.Reactions[who] = emoji
}

// message returns the message with a mid, nil when there is none.
func (p *personState) message(mid string) *ThreadMessage {
	for i := len(p.Messages) - 1; i >= 0; i-- {
		if p.Messages[i].MID == mid {
			return p.Messages[i]
		}
	}
	return nil
}

// seen marks all the person's messages as seen by the page.
func (p *personState) seen(now time.Time) {
	for _, m := range p.Messages {
		if m.From == "person" && m.ReadAt.IsZero() {
			m.ReadAt = now
		}
	}
}

// threads writes to threads: it assigns ids and times, adds messages, and bounds how many are
// kept. The lock of the world guards it.
type threads struct {
	ids      *ids
	clock    *clock
	calendar *calendar
	kept     []*personState // whose message was kept, the oldest first from head
	head     int
}

const (
	maxThread = 10_000 // messages that one thread keeps
	maxKept   = 50_000 // messages that all threads keep together
)

// reset forgets which messages were kept.
func (t *threads) reset() { t.kept, t.head = nil, 0 }

// keep adds a message to a thread.
func (t *threads) keep(p *personState, m *ThreadMessage) {
	if len(p.Messages) >= maxThread {
		p.Messages = append([]*ThreadMessage(nil), p.Messages[maxThread/10:]...)
	}
	p.Messages = append(p.Messages, m)
	t.bound(p)
}

// bound counts a message and, when there are too many, drops the oldest of all.
func (t *threads) bound(p *personState) {
	t.kept = append(t.kept, p)
	if len(t.kept)-t.head <= maxKept {
		return
	}
	oldest := t.kept[t.head]
	t.kept[t.head] = nil
	t.head++
	if len(oldest.Messages) > 1 {
		oldest.Messages[0] = nil
		oldest.Messages = oldest.Messages[1:]
	}
	if t.head > maxKept {
		t.kept = append(make([]*personState, 0, 2*maxKept), t.kept[t.head:]...)
		t.head = 0
	}
}

// note adds a line of the system to a thread.
func (t *threads) note(page *pageState, p *personState, text string) {
	t.keep(p, &ThreadMessage{
		MID: t.newID("note_", page, p), From: "person", SentAt: time.UnixMilli(t.timestamp(p)).UTC(), Note: text,
	})
}
