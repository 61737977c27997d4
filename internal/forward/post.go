package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/internal/store"
)

// errGone is a subscriber's answer that it wants no more, errRejected that it does not want this event: it is not tried again.
var (
	errGone     = errors.New("the receiver answered 410 Gone")
	errRejected = errors.New("it rejects the event")
)

// post delivers one event, or several to a receiver that asked for batches, and tells how it went.
func (w *worker) post(ctx context.Context, events ...*gateway.Event) (gateway.DeliveryAttempt, error) {
	started := w.f.o.Store.Now()
	status, err := w.exchange(ctx, w.sub.Load(), events, started)
	attempt := gateway.DeliveryAttempt{At: started.UTC(), DurationMS: w.f.o.Store.Now().Sub(started).Milliseconds(), Status: status}
	if err != nil {
		attempt.Error = err.Error()
	}
	return attempt, err
}

// exchange posts what the subscription's format makes of events, and returns the status of the answer.
func (w *worker) exchange(ctx context.Context, sub *gateway.Subscription, events []*gateway.Event, now time.Time) (int, error) {
	format := sub.Deliveries()
	body, err := format.Encode(ctx, sub, events, around{w.f, now})
	if err != nil {
		return 0, err
	}
	if limit := format.Timeout(); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	resp, err := w.f.Post(ctx, sub.URL, body)
	if err != nil {
		return 0, err
	}
	switch status := resp.StatusCode; format.Judge(status) {
	case gateway.Taken:
		return status, nil
	case gateway.Rejected:
		return status, fmt.Errorf("the receiver answered %d %s: %w", status, http.StatusText(status), errRejected)
	case gateway.Gone:
		return status, errGone
	default:
		return status, refusal(resp, now)
	}
}

// Post posts a body to an address that a user gave, as far as it may be reached. It follows no redirect, and what is answered is read and dropped.
func (f *Forwarder) Post(ctx context.Context, target string, body gateway.Body) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body.Content))
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}
	req.Header.Set("User-Agent", f.o.UserAgent)
	for name, value := range body.Header {
		req.Header.Set(name, value)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return resp, nil
}

// refusal is the error of a delivery that a receiver has not taken.
func refusal(resp *http.Response, now time.Time) error {
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return busy(resp, now)
	case status >= 300 && status < 400:
		return fmt.Errorf("the receiver answered %d; redirects are not followed", status)
	default:
		return fmt.Errorf("the receiver answered %d", status)
	}
}

// around is what formats may ask for.
type around struct {
	f   *Forwarder
	now time.Time
}

func (a around) Now() time.Time { return a.now }

func (a around) Profile(ctx context.Context, e *gateway.Event) (string, error) {
	profile, err := a.f.o.Store.ProfileOf(ctx, e.Application, e.Person)
	if err != nil {
		return "", fmt.Errorf("find profile: %w", err)
	}
	return profile, nil
}

func (a around) Page(e *gateway.Event) string {
	if app := a.f.o.Directory.Application(e.Application); app != nil {
		return app.PageID
	}
	return ""
}

func (a around) Newest(ctx context.Context, e *gateway.Event) (*gateway.Message, error) {
	newest, err := a.f.o.Store.ListMessages(ctx, store.MessageFilter{Applications: []string{e.Application}, Person: e.Person, Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("find the newest message: %w", err)
	}
	if len(newest) == 0 {
		return nil, nil
	}
	return newest[0], nil
}

// maxBusy is for how long a receiver may ask for nothing at once.
const maxBusy = 10 * time.Minute

// busyError is a receiver's answer that it wants nothing for a while.
type busyError struct {
	status int
	after  time.Duration
}

func (e *busyError) Error() string {
	return fmt.Sprintf("the receiver answered %d and wants nothing for %s", e.status, e.after.Round(time.Second))
}

// busy reads the Retry-After of a receiver that is busy: seconds, or a date.
//
// Docs: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func busy(resp *http.Response, now time.Time) error {
	given := resp.Header.Get("Retry-After")
	var after time.Duration
	if seconds, err := strconv.Atoi(given); err == nil {
		after = min(time.Duration(min(seconds, 1e6))*time.Second, maxBusy)
	} else if at, err := http.ParseTime(given); err == nil {
		after = min(at.Sub(now), maxBusy)
	}
	if after <= 0 {
		return fmt.Errorf("the receiver answered %d", resp.StatusCode)
	}
	return &busyError{resp.StatusCode, after}
}

// plain says what went wrong with a request without the URL, which may hold a credential in its query.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return errors.New("no answer in time")
		}
		err = u.Err
	}
	if errors.Is(err, reach.ErrRefused) {
		return fmt.Errorf("the address is private or reserved: %w", errPrivate)
	}
	return err
}

var errPrivate = errors.New("forwarding to such addresses is not allowed")
