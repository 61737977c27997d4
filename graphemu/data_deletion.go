package graphemu

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// DeletionAnswer is the answer of an app's data-deletion callback.
type DeletionAnswer struct {
	Status           int    `json:"status"`            // of HTTP
	UserID           string `json:"user_id"`           // the app-scoped id that was sent
	URL              string `json:"url"`               // where the person sees how far the deletion is
	ConfirmationCode string `json:"confirmation_code"` // empty when the answer is not what the platform wants
}

// RequestDeletion posts a data-deletion request to an app's callback, as the platform does when
// a person removes the app. The person is named by their id for the app, not by the PSID. An
// empty appID means the app of the page's token. The answer is returned whatever its status.
//
// Docs: https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
func (s *Server) RequestDeletion(ctx context.Context, pageID, psid, appID, callback string) (DeletionAnswer, error) {
	s.init()
	var answer DeletionAnswer
	userID, secret, err := s.world.scopedUser(pageID, psid, appID)
	if err != nil {
		return answer, err
	}
	answer.UserID = userID
	now := s.Time()
	signed, err := messenger.SignedRequest{UserID: userID, IssuedAt: now.Unix(), Expires: now.Unix() + 3600}.Sign(secret)
	if err != nil {
		return answer, err
	}
	return answer, s.callbacks.requestDeletion(ctx, callback, signed, &answer)
}

// requestDeletion posts a signed request and fills in the answer.
func (cb *callbacks) requestDeletion(ctx context.Context, callback, signed string, answer *DeletionAnswer) error {
	form := strings.NewReader(url.Values{"signed_request": {signed}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, form)
	if err != nil {
		return fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := cb.client.Do(req)
	if err != nil {
		return fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	defer res.Body.Close()
	answer.Status = res.StatusCode
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	if answer.Status != http.StatusOK {
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("graphemu: the data-deletion callback did not answer JSON: %w", err)
	}
	return nil
}
