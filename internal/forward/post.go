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
)

// Poster posts to addresses that users gave, as far as they may be reached.
type Poster struct {
	client *http.Client
	agent  string
}

// NewPoster makes a poster. allowed is where it may lead beside public addresses, timeout that of
// one POST, and agent the User-Agent it sends.
func NewPoster(allowed *reach.Allowed, timeout time.Duration, agent string) *Poster {
	return &Poster{allowed.Client(reach.Client{Timeout: timeout, Dial: 10 * time.Second, PerHost: 64, Idle: 90 * time.Second}), agent}
}

// Post posts a body. It follows no redirect, and what is answered is read and dropped. The error
// does not hold the address, which may have a credential in its query.
func (p *Poster) Post(ctx context.Context, target string, body gateway.Body) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body.Content))
	if err != nil {
		return nil, errors.New("the URL cannot be used")
	}
	req.Header.Set("User-Agent", p.agent)
	for name, value := range body.Header {
		req.Header.Set(name, value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return resp, nil
}

// push is the sink of forward subscriptions: what the subscription's format makes of events is
// posted to its URL.
type push struct {
	poster *Poster
	around gateway.Around
}

// Push makes the sink that posts to URLs.
func Push(p *Poster) func(gateway.Around) Sink {
	return func(around gateway.Around) Sink { return push{p, around} }
}

func (push) Batching(s *gateway.Subscription) gateway.Batching { return s.Batching() }

func (p push) Close() { p.poster.client.CloseIdleConnections() }

// Deliver posts all events as one: what is answered holds for all.
func (p push) Deliver(ctx context.Context, s *gateway.Subscription, events []*gateway.Event) []Result {
	status, err := p.exchange(ctx, s, events)
	return each(events, Result{status, err})
}

func (p push) exchange(ctx context.Context, s *gateway.Subscription, events []*gateway.Event) (int, error) {
	format := s.Deliveries()
	body, err := format.Encode(ctx, s, events, p.around)
	if err != nil {
		return 0, err
	}
	if limit := format.Timeout(); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	resp, err := p.poster.Post(ctx, s.URL, body)
	if err != nil {
		return 0, err
	}
	switch status := resp.StatusCode; format.Judge(status) {
	case gateway.Taken:
		return status, nil
	case gateway.Rejected:
		return status, fmt.Errorf("the receiver answered %d %s: %w", status, http.StatusText(status), ErrRejected)
	case gateway.Gone:
		return status, ErrGone
	default:
		return status, refusal(resp, p.around.Now())
	}
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
	return &BusyError{resp.StatusCode, after}
}

// plain says what went wrong with a request without the URL, which may hold a credential in its
// query.
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
