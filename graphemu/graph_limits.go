package graphemu

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// limit counts a call against the limits of its page and sets the usage headers.
func (g *graphAPI) limit(w *answerBuffer, endpoint string, c *call) *messenger.Error {
	if c.page == "" {
		return nil
	}
	l := g.limits.current()
	if !l.On {
		return nil
	}
	people, ok := g.world.openPeople(c.page)
	if !ok {
		return nil
	}
	most, span, code := l.ofKind(endpoint, c)
	usedKind, wait := 0, time.Duration(0)
	if most > 0 {
		usedKind, wait = g.limits.count(c.page+" "+endpoint+" "+c.limitKind(), most, span)
	}
	perDay, dayCode := l.PerPerson, 80006
	if g.byPage() {
		perDay, dayCode = l.OfPage, 32
	}
	usedDay, dayWait := g.limits.count(c.page+" day", max(people, 1)*perDay, 24*time.Hour)
	g.usage(w, c.page, max(usedDay, usedKind), max(wait, dayWait))
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

// ofKind returns how many calls of a kind are allowed within a span of time, 0 for any number,
// and the error code of a call beyond that.
func (l Limits) ofKind(endpoint string, c *call) (most int, span time.Duration, code int) {
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

// byPage reports whether the daily limit counts per page, as it did until 2019.
func (g *graphAPI) byPage() bool {
	return g.world.clock.isDated() && g.world.calendar.takesNow(messenger.FeatureUsageOfPage)
}

// usage sets the headers that say what percentage of the limits is used.
func (g *graphAPI) usage(w *answerBuffer, pageID string, percent int, wait time.Duration) {
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
	if g.byPage() {
		w.header.Set("X-Page-Usage", text(app))
		return
	}
	minutes := int((wait + time.Minute - 1) / time.Minute)
	w.header.Set("X-Business-Use-Case-Usage", text(map[string]any{pageID: []any{map[string]any{
		"type": "messenger", "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 4, "estimated_time_to_regain_access": minutes,
	}}}))
}
