package messenger

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// RetryTransport repeats calls that were refused for a reason that passes, after
// the wait that the platform asks for or one that grows. It repeats only what is
// safe: reads; calls that the platform refused, so that they were not done; and
// calls that never had a connection. A call that may have been done, such as a
// send without an answer, is never repeated. Give it to [WithHTTPClient]:
//
//	&http.Client{Transport: &messenger.RetryTransport{}}
//
// It is safe for concurrent use.
type RetryTransport struct {
	Base    http.RoundTripper // http.DefaultTransport when nil
	Retries int               // at most this many after the first try; 3 when it is 0
	MaxWait time.Duration     // an answer that asks for a longer wait is passed on at once; 30 s when it is 0
	MinWait time.Duration     // the first wait when the platform names none; it doubles each time; 500 ms when it is 0
}

// RoundTrip makes the call, and repeats it where that is safe. A wait ends when
// the request's context does.
func (t *RetryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	for try := 0; ; try++ {
		resp, err := base.RoundTrip(r)
		wait, again := t.judge(r, resp, err, try)
		if !again {
			return resp, err
		}
		if resp != nil {
			resp.Body.Close() //nolint:errcheck // it was read to its end
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			if resp != nil {
				return nil, r.Context().Err()
			}
			return nil, err
		}
		if r, err = rewound(r); err != nil {
			return nil, err
		}
	}
}

// judge says whether to try again, and how long to wait before.
func (t *RetryTransport) judge(r *http.Request, resp *http.Response, err error, try int) (time.Duration, bool) {
	retries, longest := t.Retries, t.MaxWait
	if retries == 0 {
		retries = 3
	}
	if longest == 0 {
		longest = 30 * time.Second
	}
	if try >= retries || r.Context().Err() != nil || (r.Body != nil && r.Body != http.NoBody && r.GetBody == nil) {
		return 0, false
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if err != nil {
		return t.growing(try, longest), read || neverConnected(err)
	}
	if resp.StatusCode < 300 {
		return 0, false
	}
	refused, readErr := peek(resp)
	if readErr != nil || refused == nil {
		return 0, false
	}
	verdict := refused.Verdict()
	switch {
	case verdict.Action != Retry && verdict.Action != WaitUntil, verdict.Limit > 0 && try >= verdict.Limit:
		return 0, false
	case !read && !notDone(refused):
		return 0, false
	case verdict.After > longest:
		return 0, false
	}
	return max(verdict.After, t.growing(try, longest)), true
}

// notDone reports whether the platform itself refused the call, so that nothing
// was done. A bare status may come from a machine on the way that knows nothing
// of it.
func notDone(e *Error) bool {
	if e.Code == 0 {
		return e.Status == http.StatusTooManyRequests
	}
	return !OutcomeUnknown(e) && e.Code != 1 && e.Code != 2
}

// growing doubles from MinWait and leaves some of it to chance, so that callers
// who failed together do not come back together.
func (t *RetryTransport) growing(try int, longest time.Duration) time.Duration {
	first := t.MinWait
	if first == 0 {
		first = 500 * time.Millisecond
	}
	wait := min(first<<min(try, 20), longest)
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // chance is all that is wanted
}

// peek reads the refusal out of an answer and leaves the answer readable.
func peek(resp *http.Response) (*Error, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return nil, errors.Join(err, resp.Body.Close())
	}
	resp.Body.Close() //nolint:errcheck // it was read to its end
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return errorFrom(resp.StatusCode, resp.Header, body, func(b []byte) []byte { return b }), nil
}

// rewound is the request with its body at the beginning again.
func rewound(r *http.Request) (*http.Request, error) {
	if r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	return again, nil
}
