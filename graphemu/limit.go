package graphemu

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Limits are the platform's rate limits of a page. They are in force once a date
// is set, or when On is true; without either the emulator is as fast as it can
// be, so that it never limits a test or a benchmark. Zero fields are the
// platform's numbers.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/overview/rate-limiting
type Limits struct {
	On            bool `json:"on"`
	Text          int  `json:"text,omitempty"`          // sends of text, links, reactions and stickers a second; 300
	Media         int  `json:"media,omitempty"`         // sends of audio and video a second; 10
	Conversations int  `json:"conversations,omitempty"` // reads of conversations a second; 2
	Replies       int  `json:"replies,omitempty"`       // private replies an hour; 750
	Profile       int  `json:"profile,omitempty"`       // changes of the messenger profile in ten minutes; 10
	PerPerson     int  `json:"per_person,omitempty"`    // calls in 24 hours for each person that may be written to; 200
	OfPage        int  `json:"of_page,omitempty"`       // calls by page token in 24 hours for each engaged person; 4,800, until 2019
}

func (l Limits) complete() Limits {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&l.Text, 300)
	set(&l.Media, 10)
	set(&l.Conversations, 2)
	set(&l.Replies, 750)
	set(&l.Profile, 10)
	set(&l.PerPerson, 200)
	set(&l.OfPage, 4800)
	return l
}

// SetLimits changes the rate limits.
func (s *Server) SetLimits(l Limits) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	s.windows = map[string]*rateWindow{}
}

// rateWindow counts the calls of a span of time.
type rateWindow struct {
	begin time.Time
	n     int
}

// take counts a call, and tells how long until the window ends when there were
// too many.
func (s *Server) take(key string, most int, span time.Duration) (used int, wait time.Duration) {
	w := s.windows[key]
	now := s.now()
	if w == nil || now.Sub(w.begin) >= span || now.Before(w.begin) {
		if s.windows == nil {
			s.windows = map[string]*rateWindow{}
		}
		w = &rateWindow{begin: now}
		s.windows[key] = w
	}
	w.n++
	if w.n > most {
		wait = w.begin.Add(span).Sub(now)
	}
	return w.n * 100 / most, wait
}

// limit counts a call against the limits of its page and writes the usage
// headers.
func (s *Server) limit(w *answerBuffer, endpoint string, c *call) *messenger.Error {
	if c.page == "" {
		return nil
	}
	dated := s.clock.isDated()
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[c.page]
	if page == nil || !s.limits.On && !dated {
		return nil
	}
	l := s.limits.complete()
	most, span, code := s.kindLimit(l, endpoint, c)
	usedKind, wait := 0, time.Duration(0)
	if most > 0 {
		usedKind, wait = s.take(page.ID+" "+endpoint+" "+c.limitKind(), most, span)
	}
	people := 0
	for _, p := range page.people {
		if p.Open {
			people++
		}
	}
	perDay, dayCode := l.PerPerson, 80006
	if dated && s.takes(messenger.FeatureUsageOfPage, s.now()) {
		perDay, dayCode = l.OfPage, 32
	}
	usedDay, dayWait := s.take(page.ID+" day", max(people, 1)*perDay, 24*time.Hour)
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
	if dated && s.takes(messenger.FeatureUsageOfPage, s.now()) {
		w.header.Set("X-Page-Usage", text(app))
		return
	}
	minutes := int((wait + time.Minute - 1) / time.Minute)
	w.header.Set("X-Business-Use-Case-Usage", text(map[string]any{pageID: []any{map[string]any{
		"type": "messenger", "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 4, "estimated_time_to_regain_access": minutes,
	}}}))
}
