package graphemu

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// Fault is a rule that makes calls of the Graph API fail, slow or lose their
// answer. Of several rules that fit, the first counts.
type Fault struct {
	Endpoint     string            `json:"endpoint"`                // messages, page, app, profile, debug_token, subscriptions, subscribed_apps, messenger_profile; "" or "*" is all
	Times        int               `json:"times,omitempty"`         // how many calls; 0 means until the rules change
	Status       int               `json:"status,omitempty"`        // HTTP status of the refusal; 400 when only Code is given
	Code         int               `json:"code,omitempty"`          // error code; with neither Status nor Code the call is carried out
	Subcode      int               `json:"subcode,omitempty"`       //
	Message      string            `json:"message,omitempty"`       // words of the refusal
	Headers      map[string]string `json:"headers,omitempty"`       // headers of the answer, such as usage
	DelayMS      int               `json:"delay_ms,omitempty"`      // wait before anything else
	DropResponse bool              `json:"drop_response,omitempty"` // close the connection in place of the answer
	Page         string            `json:"page,omitempty"`          // only calls of this page
	PSID         string            `json:"psid,omitempty"`          // only calls about this person
}

type faultState struct {
	Fault
	left int // -1: for ever
}

// SetFaults replaces the fault rules.
func (s *Server) SetFaults(rules []Fault) {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	for _, f := range rules {
		left := f.Times
		if left <= 0 {
			left = -1
		}
		f.Endpoint = endpointName(f.Endpoint)
		s.faults = append(s.faults, faultState{f, left})
	}
}

// endpointName takes paths such as "/me/messages" for the name of the endpoint.
func endpointName(s string) string {
	s = strings.Trim(s, "/ ")
	s = s[strings.LastIndexByte(s, '/')+1:]
	switch s {
	case "me":
		return "page"
	case "user_profile":
		return "profile"
	}
	return s
}

// Faults returns the rules that still apply, with the calls they have left.
func (s *Server) Faults() []Fault {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, f := range s.faults {
		if f.left != 0 {
			f.Fault.Times = max(f.left, 0)
			out = append(out, f.Fault)
		}
	}
	return out
}

// takeFault uses up one call of the first rule that fits.
func (s *Server) takeFault(endpoint, page, psid string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.left == 0 || (f.Endpoint != "" && f.Endpoint != "*" && f.Endpoint != endpoint) ||
			(f.Page != "" && f.Page != page) || (f.PSID != "" && f.PSID != psid) {
			continue
		}
		if f.left > 0 {
			f.left--
		}
		return f.Fault, true
	}
	return Fault{}, false
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

// latencySource gives the row of pauses of a seed.
type latencySource struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (l *latencySource) seed(n uint64) { l.rng = rand.New(rand.NewPCG(n, 0)) }

func (l *latencySource) next(spread Latency) time.Duration {
	if spread.Max <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return spread.Min + time.Duration(l.rng.Int64N(int64(max(spread.Max-spread.Min, 0))+1))
}
