package graphemu

import (
	"fmt"
	"net/http"
	"time"
)

func (a controlAPI) addPerson(w http.ResponseWriter, r *http.Request) {
	var p Person
	if !accept(w, r, &p) {
		return
	}
	if p = a.AddPerson(r.PathValue("page"), p); p.ID == "" {
		rejectFor(w, fmt.Errorf("%w %.40q", ErrUnknownPage, r.PathValue("page")))
		return
	}
	reply(w, http.StatusCreated, p)
}

func (a controlAPI) person(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Blocks  *bool `json:"blocks"`
		Offline *bool `json:"offline"`
		Tester  *bool `json:"tester"`
	}
	if !accept(w, r, &in) {
		return
	}
	if err := a.world.changePerson(r.PathValue("page"), r.PathValue("psid"), personChange{in.Blocks, in.Offline, in.Tester}); err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}

func (a controlAPI) act(w http.ResponseWriter, r *http.Request) {
	var action Action
	if !accept(w, r, &action) {
		return
	}
	res, err := a.Act(r.Context(), r.PathValue("page"), r.PathValue("psid"), action)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, res)
}

func (a controlAPI) thread(w http.ResponseWriter, r *http.Request) {
	page, psid := r.PathValue("page"), r.PathValue("psid")
	messages, err := a.Thread(page, psid)
	if err != nil {
		rejectFor(w, err)
		return
	}
	var out struct {
		Messages []ThreadMessage `json:"messages"`
		Open     bool            `json:"open"`
		Typing   bool            `json:"typing"`
		TypingAs string          `json:"typing_as,omitempty"` // persona
		Closes   time.Time       `json:"closes,omitzero"`     // when the window of 24 hours closes
	}
	status := a.world.threadStatus(page, psid)
	out.Messages, out.Open, out.Closes = messages, status.open, status.closes
	out.Typing, out.TypingAs = status.typing, status.typingAs
	for i, m := range out.Messages {
		out.Messages[i].SentAt = m.SentAt.Truncate(time.Millisecond)
	}
	reply(w, http.StatusOK, out)
}

// inbox is a human agent who answers in the page's inbox.
func (a controlAPI) inbox(w http.ResponseWriter, r *http.Request) {
	var in InboxMessage
	if !accept(w, r, &in) {
		return
	}
	mid, err := a.AnswerFromInbox(r.PathValue("page"), r.PathValue("psid"), in)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"mid": mid})
}

func (a controlAPI) deletion(w http.ResponseWriter, r *http.Request) {
	var in struct {
		AppID string `json:"app_id"`
		URL   string `json:"url"`
	}
	if !accept(w, r, &in) {
		return
	}
	answer, err := a.RequestDeletion(r.Context(), r.PathValue("page"), r.PathValue("psid"), in.AppID, in.URL)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, answer)
}
