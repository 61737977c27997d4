package infobip

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Limits of what one answer lists.
const (
	defaultLimit = 50
	maxLimit     = 1000
	reportWindow = 48 * time.Hour // for which reports wait to be fetched
	logWindow    = 48 * time.Hour // how far back logs go when no time is given
	readAtOnce   = 500            // rows looked at in one step
)

// row is one delivery report or one row of the logs.
type row struct {
	BulkID       *string  `json:"bulkId"`
	MessageID    string   `json:"messageId"`
	From         string   `json:"from,omitempty"` // logs only
	To           string   `json:"to"`
	Text         string   `json:"text,omitempty"` // logs only
	SentAt       *string  `json:"sentAt"`
	DoneAt       *string  `json:"doneAt"`
	MessageCount int      `json:"messageCount"`
	MCCMNC       *string  `json:"mccMnc"`
	CallbackData *string  `json:"callbackData"`
	Price        price    `json:"price"`
	Status       status   `json:"status"`
	Error        *failure `json:"error,omitempty"`
	Channel      string   `json:"channel,omitempty"`
}

// price is nothing: the gateway sells nothing.
type price struct {
	PricePerMessage float64 `json:"pricePerMessage"`
	Currency        string  `json:"currency"`
}

func free() price { return price{0, "EUR"} }

type results struct {
	Results []row `json:"results"`
}

// reportBox answers the pull subscription from which the reports of one API are handed out to this key. The first that sends makes it, so that no report is missed; known
// says that one that was there a moment ago will do.
func (q *request) reportBox(api string, known bool) (*gateway.Subscription, error) {
	type place struct{ api, key string }
	at := place{api, q.key.ID}
	if box, ok := q.s.boxes.Load(at); ok && known {
		return box.(*gateway.Subscription), nil
	}
	q.s.handing.Lock()
	defer q.s.handing.Unlock()
	all, err := q.s.o.Subscriptions.List(q.Context(), q.key)
	if err != nil {
		return nil, err
	}
	name := "Infobip reports: " + api
	mine := slices.Sorted(slices.Values(q.key.Applications))
	for _, sub := range all {
		if sub.Kind == gateway.KindPull && sub.Name == name && slices.Equal(slices.Sorted(slices.Values(sub.Applications)), mine) {
			q.s.boxes.Store(at, sub)
			return sub, nil
		}
	}
	sub := &gateway.Subscription{Name: name, Kind: gateway.KindPull, Applications: mine,
		EventTypes: []gateway.EventType{gateway.EventMessageDelivered, gateway.EventMessageFailed, gateway.EventMessageExpired}}
	if err := q.s.o.Subscriptions.Create(q.Context(), q.key, sub, "now"); err != nil {
		return nil, err
	}
	q.s.boxes.Store(at, sub)
	return sub, nil
}

// facts is what the gateway's own events tell of a message.
type facts struct {
	MessageID string `json:"messageId"`
	Status    gateway.Status
	To        struct {
		FBMessengerID string `json:"fbMessengerId"`
	} `json:"to"`
	Parts      int              `json:"parts"`
	AcceptedAt time.Time        `json:"acceptedAt"`
	SentAt     time.Time        `json:"sentAt"`
	Error      *gateway.Failure `json:"error"`
	Metadata   json.RawMessage  `json:"metadata"`
}

// noteOf reads what the face has kept with a message; nil when another has sent it.
func noteOf(raw json.RawMessage, api string) *note {
	var m metadata
	if json.Unmarshal(raw, &m) != nil || m.Infobip == nil || m.Infobip.API != api {
		return nil
	}
	return m.Infobip
}

// report makes the row of an event; false when the event is about a message that was not sent through this API.
func report(p gateway.Publication, api string) (row, bool) {
	var f facts
	if json.Unmarshal(p.Data, &f) != nil {
		return row{}, false
	}
	n := noteOf(f.Metadata, api)
	if n == nil {
		return row{}, false
	}
	done, err := time.Parse(gateway.TimeFormat, p.CreatedAt)
	if err != nil {
		return row{}, false
	}
	sent := f.SentAt
	if sent.IsZero() {
		sent = f.AcceptedAt
	}
	why := failureOf(f.Error)
	r := n.row(f.MessageID, f.Parts)
	r.SentAt, r.DoneAt, r.Status, r.Error = date(sent), date(done), statusOf(f.Status, f.Error), &why
	return r, true
}

// row is the part of a row that does not change.
func (n *note) row(id string, parts int) row {
	r := row{BulkID: orNull(n.BulkID), MessageID: id, To: n.To, MessageCount: parts, CallbackData: orNull(n.CallbackData), Price: free()}
	if n.MessageID != "" {
		r.MessageID = n.MessageID
	}
	if n.API == apiOMNI {
		r.Channel = channelFacebook
	}
	return r
}

// limit reads how many rows are wanted.
func (q *request) limit() (int, error) {
	text := q.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, gateway.Invalid("limit", "must be a number from 1 to %d", maxLimit)
	}
	return min(n, maxLimit), nil
}

// firstReport is the cursor after which the reports of a box are that still wait.
func (q *request) firstReport(box *gateway.Subscription) (string, error) {
	old, err := q.s.o.Store.PositionAt(q.Context(), q.s.o.Store.Now().Add(-reportWindow))
	return service.Cursor(max(old, box.AckedPos)), err
}

// reports hands out the delivery reports of an API, each once. Those asked for by bulkId or messageId are only shown.
func (s *Server) reports(api string) func(*request) error {
	return func(q *request) error {
		limit, err := q.limit()
		if err != nil {
			return err
		}
		box, err := q.reportBox(api, false)
		if err != nil {
			return err
		}
		s.handing.Lock()
		defer s.handing.Unlock()
		// What another has acknowledged since the box was looked up must not be handed out again.
		box, err = s.o.Subscriptions.Get(q.Context(), q.key, box.ID)
		if err != nil {
			return err
		}
		cursor, err := q.firstReport(box)
		if err != nil {
			return err
		}
		bulk, message := q.URL.Query().Get("bulkId"), q.URL.Query().Get("messageId")
		answer := results{[]row{}}
		for len(answer.Results) < limit {
			page, err := s.o.Events.Pull(q.Context(), box, cursor, limit-len(answer.Results), 0)
			if err != nil {
				return err
			}
			cursor = page.Cursor
			if len(page.Events) == 0 {
				break
			}
			for _, p := range page.Events {
				r, ok := report(p, api)
				if ok && (bulk == "" || text(r.BulkID) == bulk) && (message == "" || r.MessageID == message) {
					answer.Results = append(answer.Results, r)
				}
			}
		}
		if bulk == "" && message == "" {
			if _, err := s.o.Events.Acknowledge(q.Context(), box, cursor); err != nil {
				return err
			}
		}
		return q.reply(answer)
	}
}

// logQuery is what selects rows of the logs.
type logQuery struct {
	from, to, bulk, message, group string
	since, until                   time.Time
	limit                          int
}

func (q *request) logQuery() (logQuery, error) {
	v := q.URL.Query()
	l := logQuery{from: v.Get("from"), to: v.Get("to"), bulk: v.Get("bulkId"), message: v.Get("messageId"), group: v.Get("generalStatus")}
	var err error
	if l.limit, err = q.limit(); err != nil {
		return l, err
	}
	l.since = q.s.o.Store.Now().Add(-logWindow)
	for name, into := range map[string]*time.Time{"sentSince": &l.since, "sentUntil": &l.until} {
		if given := v.Get(name); given != "" {
			if *into, err = parseDate(given); err != nil {
				return l, gateway.Invalid(name, "must be a time such as 2017-01-05T12:47:56.221+0000")
			}
		}
	}
	return l, nil
}

// parseDate reads a time in one of the forms that callers write. A plus in a query that was not escaped has become a space.
func parseDate(text string) (time.Time, error) {
	if i := len(text) - 5; i > 0 && text[i] == ' ' {
		text = text[:i] + "+" + text[i+1:]
	}
	for _, form := range []string{timeFormat, time.RFC3339, "2006-01-02T15:04:05.000", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, gateway.Invalid("", "%q is no time", text)
}

// logs lists what was sent through an API, newest first.
func (s *Server) logs(api string) func(*request) error {
	return func(q *request) error {
		l, err := q.logQuery()
		if err != nil {
			return err
		}
		f := store.MessageFilter{Limit: readAtOnce}
		if l.from != "" {
			f.Applications = []string{l.from}
		}
		answer := results{[]row{}}
		for {
			list, err := s.o.Messages.List(q.Context(), q.key, f)
			if err != nil {
				return err
			}
			for _, m := range list {
				if m.AcceptedAt.Before(l.since) || len(answer.Results) == l.limit {
					return q.reply(answer)
				}
				if r, ok := l.row(m, api); ok {
					answer.Results = append(answer.Results, r)
				}
			}
			if len(list) < readAtOnce {
				return q.reply(answer)
			}
			f.Before = list[len(list)-1].Seq
		}
	}
}

// row makes the row of a message; false when it is not selected.
func (l *logQuery) row(m *gateway.Message, api string) (row, bool) {
	in, _, err := m.Content()
	if err != nil {
		return row{}, false
	}
	n := noteOf(in.Metadata, api)
	if n == nil {
		return row{}, false
	}
	r := n.row(m.ID, m.Parts)
	r.From, r.Text, r.Status = m.Application, in.Body+in.Title, statusOf(m.Status, m.Error)
	sent := m.SentAt
	if sent.IsZero() {
		sent = m.AcceptedAt
	}
	done := m.DeliveredAt
	if done.IsZero() {
		done = m.EndedAt
	}
	r.SentAt, r.DoneAt = date(sent), date(done)
	if api == apiFacebook {
		why := failureOf(m.Error)
		r.Error = &why
	}
	selected := (l.to == "" || r.To == l.to) && (l.bulk == "" || n.BulkID == l.bulk) && (l.message == "" || r.MessageID == l.message) &&
		(l.group == "" || r.Status.GroupName == l.group) && (l.until.IsZero() || !sent.After(l.until))
	return r, selected
}
