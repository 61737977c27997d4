package graphemu

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// limit counts a call against the limits of its page and writes the usage
// headers.
func (s *Server) limit(w *answerBuffer, endpoint string, c *call) *messenger.Error {
	if c.page == "" {
		return nil
	}
	dated := s.clock.isDated()
	l := s.limits.current()
	if !l.On {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if page == nil {
		return nil
	}
	most, span, code := s.kindLimit(l, endpoint, c)
	usedKind, wait := 0, time.Duration(0)
	if most > 0 {
		usedKind, wait = s.limits.count(page.ID+" "+endpoint+" "+c.limitKind(), most, span)
	}
	people := 0
	for _, p := range page.people {
		if p.Open {
			people++
		}
	}
	perDay, dayCode := l.PerPerson, 80006
	if dated && s.calendar.takes(messenger.FeatureUsageOfPage, s.clock.now()) {
		perDay, dayCode = l.OfPage, 32
	}
	usedDay, dayWait := s.limits.count(page.ID+" day", max(people, 1)*perDay, 24*time.Hour)
	s.usage(w, page.ID, dated, max(usedDay, usedKind), max(wait, dayWait))
	switch {
	case wait > 0:
		e := refuse(code, 0, faultMessage(code))
		return e
	case dayWait > 0 && dayCode == 32:
		return refuse(32, 0, "(#32) Page request limit reached")
	case dayWait > 0:
		return refuse(dayCode, 0, "(#80006) There have been too many calls to this messenger account. Wait a bit and try again.")
	}
	return nil
}

// kindLimit is the limit of one kind of call.
func (s *Server) kindLimit(l Limits, endpoint string, c *call) (most int, span time.Duration, code int) {
	switch {
	case endpoint == "messages" && c.method == http.MethodGet:
		return l.Conversations, time.Second, 613
	case endpoint == "messages" && c.limitKind() == "reply":
		return l.Replies, time.Hour, 613
	case endpoint == "messages" && c.limitKind() == "media":
		return l.Media, time.Second, 613
	case endpoint == "messages":
		return l.Text, time.Second, 613
	case endpoint == "conversations" || endpoint == "conversation":
		return l.Conversations, time.Second, 613
	case endpoint == "messenger_profile" && c.method != http.MethodGet:
		return l.Profile, 10 * time.Minute, 613
	case endpoint == "private_replies":
		return l.Replies, time.Hour, 613
	}
	return 0, 0, 0
}

func (c *call) limitKind() string {
	if c.edge != "messages" {
		return ""
	}
	if r := c.recipient(); r.has("comment_id") || r.has("post_id") {
		return "reply"
	}
	switch c.params.object("message").object("attachment").text("type") {
	case "audio", "video":
		return "media"
	}
	return "text"
}

// usage writes the headers that tell how much of the limits is used, in percent.
func (s *Server) usage(w *answerBuffer, pageID string, dated bool, percent int, wait time.Duration) {
	if w.header == nil {
		w.header = http.Header{}
	}
	app := map[string]int{"call_count": percent, "total_cputime": percent / 4, "total_time": percent / 4}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			return "{}"
		}
		return strings.TrimSpace(string(b))
	}
	w.header.Set("X-App-Usage", text(app))
	if dated && s.calendar.takes(messenger.FeatureUsageOfPage, s.clock.now()) {
		w.header.Set("X-Page-Usage", text(app))
		return
	}
	minutes := int((wait + time.Minute - 1) / time.Minute)
	w.header.Set("X-Business-Use-Case-Usage", text(map[string]any{pageID: []any{map[string]any{
		"type": "messenger", "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 4, "estimated_time_to_regain_access": minutes,
	}}}))
}
