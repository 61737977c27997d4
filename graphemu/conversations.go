package graphemu

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// conversation is a thread as the Conversations API shows it.
type conversation struct {
	page     Page
	person   Person
	talk     []ThreadMessage // without the lines of the system
	canReply bool
	last     int64 // time of the last event, milliseconds
}

// conversationID returns the id of a thread in the Conversations API.
func conversationID(psid string) string { return "t_" + psid }

// conversation returns the person whose thread has an id, nil when there is none.
func (page *pageState) conversation(id string) *personState {
	if psid, ok := strings.CutPrefix(id, "t_"); ok {
		return page.people[psid]
	}
	return nil
}

// messageByID returns the message with an id and the person in whose thread it is, nil when
// there is none.
func (page *pageState) messageByID(id string) (*personState, *ThreadMessage) {
	if !strings.HasPrefix(id, "m_") && !strings.HasPrefix(id, "mid.") && len(id) != 86 {
		return nil, nil
	}
	for _, p := range page.people {
		if m := p.message(id); m != nil {
			return p, m
		}
	}
	return nil, nil
}

// talk returns the messages of a thread without the lines of the system.
func (p *personState) talk() []ThreadMessage {
	out := make([]ThreadMessage, 0, len(p.Messages))
	for _, m := range p.Messages {
		if m.Note == "" {
			out = append(out, m.clone())
		}
	}
	return out
}

// conversations returns the threads of a page that have messages, or only that of one person,
// the newest first. The rules of era decide whether the page may write.
func (w *world) conversations(pageID, only string, era time.Time) []conversation {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return nil
	}
	var out []conversation
	for _, id := range page.Order {
		if only == "" || only == id {
			if v := w.conversationOf(page, page.people[id], era); len(v.talk) > 0 {
				out = append(out, v)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b conversation) int { return cmp.Compare(b.last, a.last) })
	return out
}

// conversationByID returns the thread of a page with an id.
func (w *world) conversationByID(pageID, id string, era time.Time) (conversation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return conversation{}, false
	}
	p := page.conversation(id)
	if p == nil {
		return conversation{}, false
	}
	return w.conversationOf(page, p, era), true
}

// messageByID returns a message of a page and its thread, without the other messages.
func (w *world) messageByID(pageID, id string) (conversation, ThreadMessage, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return conversation{}, ThreadMessage{}, false
	}
	p, m := page.messageByID(id)
	if m == nil {
		return conversation{}, ThreadMessage{}, false
	}
	return conversation{page: page.Page, person: p.Person}, m.clone(), true
}

// conversationOf returns a person's thread. The lock is held.
func (w *world) conversationOf(page *pageState, p *personState, era time.Time) conversation {
	// A copy that has used up the message after the window, so that asking uses up nothing.
	copied := &personState{Person: p.Person, LastActive: p.LastActive, personData: personData{Extra: 1 << 62}}
	inWindow := sending{w, &outgoing{era: era}, page}.checkWindow(copied) == nil
	return conversation{page.Page, p.Person, p.talk(), inWindow && !p.Blocks, p.LastTime}
}
