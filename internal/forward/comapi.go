package forward

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// comapiTimeout is for how long a receiver in Comapi's format may take.
const comapiTimeout = 10 * time.Second

// errRejected is the answer of a receiver in Comapi's format that it does not want an event: it is not tried again.
var errRejected = errors.New("the receiver answered 400 Bad Request: it rejects the event")

// exchangeComapi delivers events in the envelope of Comapi's webhooks: one, or a list to a receiver that asked for batches. X-Comapi-Signature is the lower-case
// hexadecimal HMAC-SHA1 of the body.
func (w *worker) exchangeComapi(ctx context.Context, sub *gateway.Subscription, events []*gateway.Event, now time.Time) (int, error) {
	body, err := w.comapiBody(ctx, sub, events)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, comapiTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the URL cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", w.f.o.UserAgent)
	if secrets := sub.ValidSecrets(now); len(secrets) > 0 {
		mac := hmac.New(sha1.New, []byte(secrets[0].Reveal()))
		mac.Write(body)
		req.Header.Set("X-Comapi-Signature", hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := w.f.http.Do(req)
	if err != nil {
		return 0, plain(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return resp.StatusCode, nil
	case resp.StatusCode == http.StatusBadRequest:
		return resp.StatusCode, errRejected
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return resp.StatusCode, busy(resp, now)
	}
	return resp.StatusCode, fmt.Errorf("the receiver answered %d", resp.StatusCode)
}

// comapiBody is the envelope, or the list of them for a receiver that asked for batches.
func (w *worker) comapiBody(ctx context.Context, sub *gateway.Subscription, events []*gateway.Event) ([]byte, error) {
	envelopes := make([]any, len(events))
	for i, e := range events {
		var err error
		if envelopes[i], err = w.envelope(ctx, e); err != nil {
			return nil, err
		}
	}
	if sub.Batching.On {
		return json.Marshal(envelopes)
	}
	return json.Marshal(envelopes[0])
}

func (w *worker) envelope(ctx context.Context, e *gateway.Event) (any, error) {
	profile, page, err := w.around(ctx, e)
	if err != nil {
		return nil, err
	}
	var last *gateway.Message
	if e.Channel != "" && e.Person != "" {
		newest, err := w.f.o.Store.ListMessages(ctx, store.MessageFilter{Applications: []string{e.Application}, Person: e.Person, Limit: 1})
		if err != nil {
			return nil, fmt.Errorf("find the newest message: %w", err)
		}
		if len(newest) > 0 {
			last = newest[0]
		}
	}
	return gateway.PublishComapi(e, profile, page, last), nil
}
