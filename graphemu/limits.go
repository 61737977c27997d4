package graphemu

import (
	"sync"
	"time"
)

// Limits are the rate limits of a page. They are enforced once a date is set, or when On is
// true. Otherwise the emulator never limits a test or a benchmark. Zero fields stand for the
// numbers of the platform.
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

// complete returns the limits with the numbers of the platform in place of zeros.
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

// SetLimits sets the rate limits.
func (s *Server) SetLimits(l Limits) {
	s.init()
	s.limits.set(l)
}

// rateLimits counts calls against the limits. It is safe for concurrent use.
type rateLimits struct {
	clock *clock

	mu      sync.Mutex
	limits  Limits
	windows map[string]*rateWindow
}

// rateWindow counts the calls within a span of time.
type rateWindow struct {
	begin time.Time
	n     int
}

func (r *rateLimits) set(l Limits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = l
	r.windows = map[string]*rateWindow{}
}

// current returns the limits without zeros, and On as it applies now.
func (r *rateLimits) current() Limits {
	dated := r.clock.isDated()
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.limits.complete()
	l.On = l.On || dated
	return l
}

// count counts a call, of which most are allowed within a span of time. It returns what
// percentage of that is used and, when there were too many, how long it takes until the span
// ends.
func (r *rateLimits) count(key string, most int, span time.Duration) (used int, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.windows[key]
	now := r.clock.now()
	if w == nil || now.Sub(w.begin) >= span || now.Before(w.begin) {
		if r.windows == nil {
			r.windows = map[string]*rateWindow{}
		}
		w = &rateWindow{begin: now}
		r.windows[key] = w
	}
	w.n++
	if w.n > most {
		wait = w.begin.Add(span).Sub(now)
	}
	return w.n * 100 / most, wait
}
