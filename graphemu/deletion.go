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

// DeletionAnswer is how an app's data-deletion callback answered.
type DeletionAnswer struct {
	Status           int    `json:"status"`            // of HTTP
	UserID           string `json:"user_id"`           // the app-scoped id that was sent
	URL              string `json:"url"`               // where the person sees how far the deletion is
	ConfirmationCode string `json:"confirmation_code"` // empty when the answer is not what the platform wants
}

// RequestDeletion posts a data-deletion request to an app's callback, as the platform does when a person takes the app's access away. The person is told by
// their id for the app, not by the PSID. appID may be empty for the app of the page's token. The answer is that of the callback, whatever its status.
//
// Docs: https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
func (s *Server) RequestDeletion(ctx context.Context, pageID, psid, appID, callback string) (DeletionAnswer, error) {
	var answer DeletionAnswer
	s.init()
	secret, err := s.deletionOf(pageID, psid, appID, &answer)
	if err != nil {
		return answer, err
	}
	now := s.Time()
	signed, err := messenger.SignedRequest{UserID: answer.UserID, IssuedAt: now.Unix(), Expires: now.Unix() + 3600}.Sign(secret)
	if err != nil {
		return answer, err
	}
	form := strings.NewReader(url.Values{"signed_request": {signed}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, form)
	if err != nil {
		return answer, fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.callbacks.client.Do(req)
	if err != nil {
		return answer, fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	defer res.Body.Close()
	answer.Status = res.StatusCode
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return answer, fmt.Errorf("graphemu: data-deletion callback: %w", err)
	}
	if answer.Status == http.StatusOK {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		return answer, fmt.Errorf("graphemu: the data-deletion callback did not answer JSON: %w", err)
	}
	return answer, nil
}

// deletionOf finds the app's secret and the person's id for the app.
func (s *Server) deletionOf(pageID, psid, appID string, answer *DeletionAnswer) (secret string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.pages[pageID]
	if page == nil {
		return "", fmt.Errorf("%w %.40q", ErrUnknownPage, pageID)
	}
	person := page.people[psid]
	if person == nil {
		return "", fmt.Errorf("%w %.40q", ErrUnknownPerson, psid)
	}
	if appID == "" {
		appID = page.AppID
	}
	app := s.apps[appID]
	if app == nil {
		return "", fmt.Errorf("graphemu: there is no app %.40q", appID)
	}
	answer.UserID = s.appScoped(appID, person.UserID)
	return app.Secret, nil
}

func (s *Server) controlDeletion(w http.ResponseWriter, r *http.Request) {
	var in struct {
		AppID string `json:"app_id"`
		URL   string `json:"url"`
	}
	if !accept(w, r, &in) {
		return
	}
	answer, err := s.RequestDeletion(r.Context(), r.PathValue("page"), r.PathValue("psid"), in.AppID, in.URL)
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, answer)
}
