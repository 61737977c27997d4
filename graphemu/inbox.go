package graphemu

import (
	"errors"
	"fmt"

	"github.com/chasqui/chasqui/messenger"
)

// InboxMessage is what a human agent does in the page's inbox: write a text, send a file by its
// address, look at the thread, take it from the apps, return it, or move the person to done.
type InboxMessage struct {
	Text       string            `json:"text,omitempty"`
	Attachment *AttachmentAction `json:"attachment,omitempty"`
	Seen       bool              `json:"seen,omitempty"`
	Take       bool              `json:"take,omitempty"`
	Done       bool              `json:"done,omitempty"` // the thread goes back to the primary receiver
}

// AnswerFromInbox lets a human agent of the page act, who is bound to seven days instead of 24
// hours. It returns the mid of the message, if one was sent.
func (s *Server) AnswerFromInbox(pageID, psid string, in InboxMessage) (mid string, err error) {
	s.init()
	return s.world.answerFromInbox(pageID, psid, in)
}

func (w *world) answerFromInbox(pageID, psid string, in InboxMessage) (mid string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, p, err := w.find(pageID, psid)
	if err != nil {
		return "", err
	}
	defer w.announceThread(page, p)
	switch {
	case in.Take:
		w.changeOwner(page, p, "pass_thread_control", pageInbox, "")
		return "", nil
	case in.Done:
		w.changeOwner(page, p, "pass_thread_control", page.primary(), "")
		return "", nil
	case in.Seen:
		p.seen(w.clock.now())
		return "", nil
	}
	message := map[string]any{}
	if in.Text != "" {
		message["text"] = in.Text
	}
	if in.Attachment != nil {
		message["attachment"] = map[string]any{"type": in.Attachment.Type, "payload": map[string]string{"url": in.Attachment.URL}}
	}
	msg, e := w.calendar.readMessage(mustJSON(message), nil, w.clock.now())
	if e != nil {
		return "", fmt.Errorf("%w: %s", ErrAction, e.Message)
	}
	o := &outgoing{page: pageID, app: pageInbox, era: w.calendar.era(""), class: messageClass{tag: string(messenger.TagHumanAgent)}}
	s := sending{w, o, page}
	switch {
	case p.Blocks:
		return "", fmt.Errorf("%w: the person has blocked the page", ErrAction)
	case s.checkWindow(p) != nil:
		return "", fmt.Errorf("%w: the person wrote last more than seven days ago, or never", ErrAction)
	}
	answer, e := s.accept(p, msg)
	if e != nil {
		return "", errors.New(e.Message)
	}
	return answer.MessageID, nil
}
