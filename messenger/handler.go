package messenger

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// DefaultMaxBody is how many bytes of a delivery a [Handler] reads unless told
// otherwise: well above the platform's batches of 1,000 events.
const DefaultMaxBody = 8 << 20

// Handler receives webhooks over net/http. A GET is answered as the platform's verification wants
// it. A POST is read up to MaxBody, its signature is checked, it is parsed and given to Receive:
// status 200 when that returns nil, and 500 when it returns an error, so that the platform sends
// the delivery again. The answers do not give reasons away; Problem is told them.
//
// The platform waits for the answer before it sends the next event of a thread,
// and gives up after some seconds: Receive should store what it gets and return.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
type Handler struct {
	VerifyToken string   // what the verification request must bring; without one no verification passes
	AppSecrets  []string // a signature by one of them passes; several while a secret is changed
	Receive     func(ctx context.Context, w Webhook) error

	AcceptSHA1 bool  // accept the older X-Hub-Signature where the newer header is missing
	MaxBody    int64 // bytes; [DefaultMaxBody] when it is 0

	// Problem, when set, is told why a request was refused: an error that matches
	// [ErrSignature], [ErrChallenge], [ErrNotJSON], an [*http.MaxBytesError], or what
	// Receive returned.
	Problem func(r *http.Request, err error)
}

// ServeHTTP answers the platform.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.verification(w, r)
	case http.MethodPost:
		status, err := h.delivery(w, r)
		if err != nil && h.Problem != nil {
			h.Problem(r, err)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, http.StatusText(status)) //nolint:errcheck // the platform is gone when this fails
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (h *Handler) verification(w http.ResponseWriter, r *http.Request) {
	challenge, err := Challenge(r.URL.Query(), h.VerifyToken)
	if err != nil {
		if h.Problem != nil {
			h.Problem(r, err)
		}
		w.WriteHeader(http.StatusForbidden)
		return
	}
	// Whoever knows the verify token chooses the challenge: it must not become a page.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, challenge) //nolint:errcheck // the platform is gone when this fails
}

func (h *Handler) delivery(w http.ResponseWriter, r *http.Request) (int, error) {
	limit := h.MaxBody
	if limit == 0 {
		limit = DefaultMaxBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, err
	case err != nil:
		return http.StatusBadRequest, err
	}
	if err := h.verify(r.Header, body); err != nil {
		return http.StatusForbidden, err
	}
	hook, err := Parse(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	if err := h.Receive(r.Context(), hook); err != nil {
		return http.StatusInternalServerError, err
	}
	return http.StatusOK, nil
}

func (h *Handler) verify(header http.Header, body []byte) error {
	err := ErrSignatureMissing
	for _, secret := range h.AppSecrets {
		if secret == "" {
			continue
		}
		if err = Verify(secret, body, header.Get(SignatureHeader)); err == nil {
			return nil
		}
		if h.AcceptSHA1 && header.Get(SignatureHeader) == "" {
			if err = VerifySHA1(secret, body, header.Get(SignatureHeaderSHA1)); err == nil {
				return nil
			}
		}
	}
	return err
}
