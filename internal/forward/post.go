package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/reach"
)

// errGone is a subscriber's answer that it wants no more.
var errGone = errors.New("the receiver answered 410 Gone")

// post delivers one event, or several to a receiver that asked for batches, and tells how it went.
func (w *worker) post(ctx context.Context, events ...*gateway.Event) (gateway.DeliveryAttempt, error) {
	started := w.f.o.Store.Now()
	sub := w.sub.Load()
	var status int
	var err error
	if sub.Format == gateway.FormatComapi {
		status, err = w.exchangeComapi(ctx, sub, events, started)
	} else {
		status, err = w.exchange(ctx, sub, events[0], started)
	}
	attempt := gateway.DeliveryAttempt{At: started.UTC(), DurationMS: w.f.o.Store.Now().Sub(started).Milliseconds(), Status: status}
	if err != nil {
		attempt.Error = err.Error()
	}
	return attempt, err
}

// exchange delivers one event in the gateway's own format, signed after the Standard Webhooks scheme.
//
// Docs: https://www.standardwebhooks.com
func (w *worker) exchange(ctx context.Context, sub *gateway.Subscription, e *gateway.Event, now time.Time) (int, error) {
	body, err := w.body(ctx, e)
	if err != nil {
		return 0, err
	}
	signature, err := sign(sub.ValidSecrets(now), e.ID(), now, body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.f.o.UserAgent)
	req.Header.Set("webhook-id", e.ID())
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	resp, err := w.f.http.Do(req)
	if err != nil {
		return 0, plain(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return resp.StatusCode, nil
	case resp.StatusCode == http.StatusGone:
		return resp.StatusCode, errGone
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return resp.StatusCode, busy(resp, now)
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return resp.StatusCode, fmt.Errorf("the receiver answered %d; redirects are not followed", resp.StatusCode)
	}
	return resp.StatusCode, fmt.Errorf("the receiver answered %d", resp.StatusCode)
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

// body is what the subscriber gets. It is made anew for each try, but for an event it is always the same save for the profile.
func (w *worker) body(ctx context.Context, e *gateway.Event) ([]byte, error) {
	if sub := w.sub.Load(); sub.Format == gateway.FormatInfobip {
		return infobipBody(sub, e)
	}
	profile, page, err := w.around(ctx, e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(gateway.Publish(e, profile, page))
}

// around answers the profile of an event's person and the page of its application.
func (w *worker) around(ctx context.Context, e *gateway.Event) (profile, page string, err error) {
	if profile, err = w.f.o.Store.ProfileOf(ctx, e.Application, e.Person); err != nil {
		return "", "", fmt.Errorf("find profile: %w", err)
	}
	if app := w.f.o.Directory.Application(e.Application); app != nil {
		page = app.PageID
	}
	return profile, page, nil
}

// sign makes the webhook-signature header: a signature with each secret that is valid now.
func sign(secrets []gateway.Secret, id string, at time.Time, body []byte) (string, error) {
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		hook, err := standardwebhooks.NewWebhook(secret.Reveal())
		if err != nil {
			return "", errors.New("a signing secret cannot be used")
		}
		signature, err := hook.Sign(id, at, body)
		if err != nil {
			return "", errors.New("a signing secret cannot be used")
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
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
