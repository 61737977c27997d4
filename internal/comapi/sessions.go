package comapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/comapi/sessions"
	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
)

// A session is what the JavaScript SDK works with: the business's own server says by a token who
// the customer is, and from then on the SDK may read and change that one profile, and make a state
// for it. Browsers come from other origins, so that what sessions may do is open to all of them:
// the token is what counts.

// startSession returns what the business's token has to carry.
func (f *Face) startSession(q *request) error {
	id, nonce, expires, err := f.o.Sessions.Start(q.Context(), q.space.Key)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, map[string]string{"authenticationId": id, "nonce": nonce, "provider": "jwt", "expiresOn": gateway.FormatTime(expires)})
}

// sessionRequest is the body of a request for a session. What it says of the device is kept and
// shown again.
type sessionRequest struct {
	AuthenticationID    string `json:"authenticationId"`
	AuthenticationToken string `json:"authenticationToken"`
	device
}

type device struct {
	DeviceID        string `json:"deviceId,omitempty"`
	Platform        string `json:"platform,omitempty"`
	PlatformVersion string `json:"platformVersion,omitempty"`
	SDKType         string `json:"sdkType,omitempty"`
	SDKVersion      string `json:"sdkVersion,omitempty"`
}

func (f *Face) createSession(q *request) error {
	if err := f.o.Sessions.On(); err != nil {
		return err
	}
	body, err := q.Body()
	if err != nil {
		return err
	}
	var in sessionRequest
	if err := decode(body, &in); err != nil {
		return err
	}
	made, token, err := f.o.Sessions.Create(q.Context(), q.space.Key, in.AuthenticationID, in.AuthenticationToken, encode(in.device))
	if err != nil {
		return err
	}
	shown, err := q.shownSession(made)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, map[string]any{"token": token, "session": shown})
}

func (f *Face) getSession(q *request) error {
	if err := q.ownSession(); err != nil {
		return err
	}
	shown, err := q.shownSession(q.session)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, shown)
}

func (f *Face) endSession(q *request) error {
	if err := q.ownSession(); err != nil {
		return err
	}
	if err := f.o.Sessions.End(q.Context(), q.session.ID); err != nil {
		return err
	}
	return q.Done()
}

// ownSession wants the session of the path to be the caller's.
func (q *request) ownSession() error {
	if id := q.PathValue("id"); q.session == nil || q.session.ID != id {
		return gateway.NotFound("session", id)
	}
	return nil
}

func (q *request) shownSession(s *sessions.Session) (any, error) {
	out := struct {
		ID        string `json:"id"`
		ProfileID string `json:"profileId"`
		device
		IsActive  bool   `json:"isActive"`
		ExpiresOn string `json:"expiresOn"`
	}{ID: s.ID, ProfileID: s.ProfileID, IsActive: s.Active(q.f.o.Now()), ExpiresOn: gateway.FormatTime(s.ExpiresAt)}
	return out, json.Unmarshal(s.Device, &out.device)
}

// authorizeSession lets a session in where it may go: to itself, to its own profile, and to states
// for that.
func (q *request) authorizeSession(token string, e endpoint) error {
	s, err := q.f.o.Sessions.Authenticate(q.Context(), token)
	if err != nil {
		return err
	}
	if !e.session {
		return gateway.Errorf(gateway.CodeForbidden, "a session may not do this")
	}
	if strings.HasPrefix(e.path, "/profiles/") && q.PathValue("id") != s.ProfileID {
		return gateway.Errorf(gateway.CodeForbidden, "a session may see and change its own profile only")
	}
	q.session = s
	key := gateway.Everything(e.scope) // its own profile may have no application yet
	key.ID, key.Name = s.ID, "session"
	return q.Allow(key, e.scope)
}

// bearer returns the token of a request, if it is one of a session.
func (q *request) bearer() (string, bool) {
	scheme, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	return token, strings.EqualFold(scheme, "Bearer") && sessions.IsToken(token)
}

// allow answers what a browser asks before it lets a page of another origin call us.
func (f *Face) allow(r *face.Request) error {
	crossOrigin(r.W)
	h := r.W.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Cache-Control, Pragma, If-Modified-Since")
	h.Set("Access-Control-Max-Age", "600")
	return r.Done()
}

// crossOrigin lets pages of every origin read an answer. No cookie counts here, so that they can do
// no more than anybody with the same token.
func crossOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "ETag")
}
