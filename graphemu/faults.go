package graphemu

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"github.com/chasqui/chasqui/messenger"
)

// Fault is a rule that makes calls of the Graph API fail, slow or lose their
// answer, or disturbs webhooks. Of several rules that fit, the first counts. Any
// rule may be limited to a page, a person, a number of calls, every call from the
// nth on, or a share of the calls that a seed makes the same in every run.
type Fault struct {
	Endpoint     string            `json:"endpoint"`                // messages, page, app, profile, debug_token, subscriptions, subscribed_apps, messenger_profile and so on; "webhooks" for webhooks; "" or "*" is all calls
	Times        int               `json:"times,omitempty"`         // how many calls; 0 means until the rules change
	Nth          int               `json:"nth,omitempty"`           // the first call that it applies to, counted from 1; 0 is the first
	Probability  float64           `json:"probability,omitempty"`   // of the calls that fit; 0 is all
	Seed         uint64            `json:"seed,omitempty"`          // of the probability and the jitter
	Status       int               `json:"status,omitempty"`        // HTTP status of the refusal; 400 when only Code is given
	Code         int               `json:"code,omitempty"`          // error code; with neither Status nor Code the call is carried out
	Subcode      int               `json:"subcode,omitempty"`       //
	Message      string            `json:"message,omitempty"`       // words of the refusal
	Headers      map[string]string `json:"headers,omitempty"`       // headers of the answer, such as usage
	DelayMS      int               `json:"delay_ms,omitempty"`      // wait before anything else
	JitterMS     int               `json:"jitter_ms,omitempty"`     // and up to so much longer
	SlowBodyMS   int               `json:"slow_body_ms,omitempty"`  // how long the body of the answer takes, in ten parts
	DropResponse bool              `json:"drop_response,omitempty"` // close the connection in place of the answer, after the effect took place
	Reset        bool              `json:"reset,omitempty"`         // reset the connection before anything happens
	Page         string            `json:"page,omitempty"`          // only calls of this page
	PSID         string            `json:"psid,omitempty"`          // only calls about this person

	ExpireToken  bool `json:"expire_token,omitempty"`  // the token of the call stops working, from this call on
	Unpublish    bool `json:"unpublish,omitempty"`     // the page is unpublished, from this call on
	PersonBlocks bool `json:"person_blocks,omitempty"` // the person blocks the page, from this call on

	Field            string `json:"field,omitempty"`             // of webhooks: only this field
	WebhookDelayMS   int    `json:"webhook_delay_ms,omitempty"`  // send the webhook later
	WebhookDuplicate bool   `json:"webhook_duplicate,omitempty"` // send the webhook twice
	WebhookSwap      bool   `json:"webhook_swap,omitempty"`      // send the webhook after the next one of the person
}

func (f Fault) ofWebhooks() bool {
	return f.Endpoint == "webhooks" || f.WebhookDelayMS > 0 || f.WebhookDuplicate || f.WebhookSwap
}

// SetFaults replaces the fault rules.
func (s *Server) SetFaults(rules []Fault) {
	s.init()
	s.world.faults.set(rules)
}

// Faults returns the rules that still apply, with the calls they have left.
func (s *Server) Faults() []Fault {
	s.init()
	return s.world.faults.list()
}

// faultRules are the rules in force. It is safe for concurrent use.
type faultRules struct {
	mu    sync.Mutex
	rules []faultState
}

type faultState struct {
	Fault
	left int // -1: without end
	met  int // how many calls fitted
	rng  *rand.Rand
}

func (r *faultRules) set(rules []Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = nil
	for _, f := range rules {
		left := f.Times
		if left <= 0 {
			left = -1
		}
		f.Endpoint = endpointName(f.Endpoint)
		state := faultState{Fault: f, left: left, rng: rand.New(rand.NewPCG(f.Seed, 0))}
		r.rules = append(r.rules, state)
	}
}

func (r *faultRules) list() []Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Fault{}
	for _, f := range r.rules {
		if f.left != 0 {
			f.Fault.Times = max(f.left, 0)
			out = append(out, f.Fault)
		}
	}
	return out
}

// ofCall uses up one call of the first rule that fits a call.
func (r *faultRules) ofCall(endpoint, page, psid string) (Fault, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rules {
		f := &r.rules[i]
		if f.ofWebhooks() || f.Endpoint != "" && f.Endpoint != "*" && f.Endpoint != endpoint || !f.fits(page, psid) {
			continue
		}
		out := f.Fault
		if out.JitterMS > 0 {
			out.DelayMS += f.rng.IntN(out.JitterMS + 1)
		}
		return out, true
	}
	return Fault{}, false
}

// ofWebhook uses up one webhook of the first rule that fits a delivery.
func (r *faultRules) ofWebhook(d delivery) (Fault, bool) {
	if d.event.fault != nil {
		return *d.event.fault, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rules {
		f := &r.rules[i]
		if f.ofWebhooks() && (f.Field == "" || f.Field == d.event.field) && f.fits(d.page, d.person) {
			return f.Fault, true
		}
	}
	return Fault{}, false
}

// fits reports whether the rule applies now, and counts.
func (f *faultState) fits(page, psid string) bool {
	if f.left == 0 || f.Page != "" && f.Page != page || f.PSID != "" && f.PSID != psid {
		return false
	}
	f.met++
	if f.met < f.Nth || f.Probability > 0 && f.rng.Float64() >= f.Probability {
		return false
	}
	if f.left > 0 {
		f.left--
	}
	return true
}

// endpointName returns the name of an endpoint, which may be given as a path such
// as "/me/messages".
func endpointName(s string) string {
	s = strings.Trim(s, "/ ")
	if s != "insights/messages_sent" {
		s = s[strings.LastIndexByte(s, '/')+1:]
	}
	switch s {
	case "me":
		return "page"
	case "user_profile":
		return "profile"
	}
	return s
}

func magicWords(text string) string {
	_, rest, ok := strings.Cut(text, "[[fault ")
	words, _, closed := strings.Cut(rest, "]]")
	if !ok || !closed {
		return ""
	}
	return words
}

func parseFault(text string) (Fault, error) {
	var f Fault
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		err := json.Unmarshal([]byte(text), &f)
		return f, err
	}
	fields := map[string]any{}
	for _, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
			fields[name] = n
		} else if ok {
			fields[name] = value
		} else {
			fields[name] = true
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return f, err
	}
	err = json.Unmarshal(raw, &f)
	return f, err
}

// refusal is the answer of a fault, nil when the call is to be carried out.
func (f Fault) refusal() *messenger.Error {
	if f.Status == 0 && f.Code == 0 {
		return nil
	}
	e := refuse(f.Code, f.Subcode, f.Message)
	if f.Message == "" {
		e.Message = faultMessage(f.Code)
	}
	e.Status = f.Status
	e.Transient = f.Code == 2 || f.Code == 1200
	return e
}

func faultMessage(code int) string {
	switch code {
	case 2:
		return "An unexpected error has occurred. Please retry your request later."
	case 4:
		return "(#4) Application request limit reached"
	case 10:
		return "(#10) This message is sent outside of allowed window."
	case 32:
		return "(#32) Page request limit reached"
	case 190:
		return "Error validating access token: Session has expired."
	case 551:
		return "(#551) This person isn't available right now."
	case 613:
		return "(#613) Calls to this api have exceeded the rate limit."
	case 1200:
		return "(#1200) Temporary send message failure. Please try again later."
	}
	return "An error was asked for by a fault rule."
}
