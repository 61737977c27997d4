package gatewayapi

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a delivery's timestamp may be from now.
const DefaultTolerance = 5 * time.Minute

// DefaultMaxBody bounds the body of a delivery, in bytes.
const DefaultMaxBody = 4 << 20

// Webhook receives the deliveries of a forward subscription. It checks the signature by the
// Standard Webhooks scheme, and needs nothing but the secrets.
//
// Docs: https://www.standardwebhooks.com
type Webhook struct {
	// Secrets are the subscription's signing secrets, each whsec_ and base64. A delivery is taken
	// when it is signed with any of them, so that a secret can be changed without a gap.
	Secrets []string
	// Tolerance is how far a delivery's timestamp may be from now; zero means DefaultTolerance.
	Tolerance time.Duration
	// MaxBody bounds the body, in bytes; zero means DefaultMaxBody.
	MaxBody int64
	// Logger hears of deliveries that Handler did not take; nil for nobody.
	Logger *slog.Logger
}

// Parse reads a delivery. An error is an *Error: CodeInvalidSignature for what the gateway has not
// signed, or not for now, CodePayloadTooLarge for a body beyond MaxBody, CodeUnreadable for one
// that is no event, and CodeInvalidSecret when Secrets are at fault. Its Status is what to answer.
//
// Deliveries come at least once: Event.ID is the same each time.
func (w Webhook) Parse(r *http.Request) (Event, error) {
	if r.Header.Get("webhook-signature") == "" {
		return Event{}, unsigned("there is no webhook-signature") // before a stranger's body is read
	}
	limit := w.MaxBody
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return Event{}, &Error{Code: CodeUnreadable, Status: http.StatusBadRequest, Message: "the body ends too early", cause: err}
	}
	if int64(len(body)) > limit {
		return Event{}, &Error{Code: CodePayloadTooLarge, Status: http.StatusRequestEntityTooLarge, Message: "the body has more than " + strconv.FormatInt(limit, 10) + " bytes"}
	}
	return w.ParseBody(r.Header, body)
}

// ParseBody is Parse for programs that have read the body themselves: its bytes as they came,
// before any parsing.
func (w Webhook) ParseBody(header http.Header, body []byte) (Event, error) {
	if err := w.verify(header, body); err != nil {
		return Event{}, err
	}
	var event Event
	if err := json.Unmarshal(body, &event); err != nil || event.ID == "" {
		return Event{}, &Error{Code: CodeUnreadable, Status: http.StatusBadRequest, Message: "the body is not an event", cause: err}
	}
	return event, nil
}

// verify checks a delivery's signature and age.
func (w Webhook) verify(header http.Header, body []byte) error {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	tolerance := w.Tolerance
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return unsigned("webhook-timestamp is not of now")
	}
	if len(w.Secrets) == 0 {
		return &Error{Code: CodeInvalidSecret, Status: http.StatusInternalServerError, Message: "the webhook has no secret"}
	}
	given := strings.Fields(header.Get("webhook-signature"))
	for _, secret := range w.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return &Error{Code: CodeInvalidSecret, Status: http.StatusInternalServerError, Message: "a secret of the webhook is not whsec_ and base64"}
		}
		want := signature(key, id, timestamp, body)
		for _, one := range given {
			if hmac.Equal([]byte(one), []byte(want)) {
				return nil
			}
		}
	}
	return unsigned("no signature fits")
}

// signature is that of a delivery with a key.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, id+"."+timestamp+".")
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// NewRequest makes a delivery as the gateway does, signed now with every secret: for tests of
// receivers.
func (w Webhook) NewRequest(ctx context.Context, url string, event Event) (*http.Request, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return nil, &Error{Code: CodeUnreadable, Message: "encode the event", cause: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Code: CodeUnreadable, Message: "make the request", cause: err}
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	var signatures []string
	for _, secret := range w.Secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, &Error{Code: CodeInvalidSecret, Message: "a secret of the webhook is not whsec_ and base64"}
		}
		signatures = append(signatures, signature(key, event.ID, timestamp, body))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("webhook-id", event.ID)
	r.Header.Set("webhook-timestamp", timestamp)
	r.Header.Set("webhook-signature", strings.Join(signatures, " "))
	return r, nil
}

func unsigned(why string) *Error {
	return &Error{Code: CodeInvalidSignature, Status: http.StatusUnauthorized, Message: why}
}

// Handler deals with deliveries: 204 when deal returns nil, 503 when it fails, so that the gateway
// tries again, for a day. What is not signed gets 401 and does not reach deal. Answer within 15
// seconds.
func (w Webhook) Handler(deal func(context.Context, Event) error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		event, err := w.Parse(r)
		if err == nil {
			if err = deal(r.Context(), event); err == nil {
				rw.WriteHeader(http.StatusNoContent)
				return
			}
			err = &Error{Code: CodeUnknown, Status: http.StatusServiceUnavailable, Message: "not dealt with", cause: err}
		}
		var e *Error
		errors.As(err, &e)
		if w.Logger != nil {
			w.Logger.Warn("a delivery was not taken", "event", event.ID, "status", e.Status, "err", err)
		}
		http.Error(rw, e.Message, e.Status)
	})
}
