package infobip

import (
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

// credential takes what shows who calls from the Authorization header: the API key after `App`, the
// password after `Basic`, whoever the user is, or a session's token (or a key) after `IBSSO`.
func (q *request) credential() (scheme string, secret gateway.Secret) {
	scheme, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	switch scheme = strings.ToUpper(scheme); scheme {
	case "APP", "IBSSO":
	case "BASIC":
		_, token, _ = q.BasicAuth()
	default:
		token = ""
	}
	return scheme, gateway.Secret(strings.TrimSpace(token))
}

// authorize finds out whose request it is, and whether they may make it.
func (q *request) authorize(scope gateway.Scope) error {
	scheme, secret := q.credential()
	var key *gateway.APIKey
	var err error
	if scheme == "IBSSO" && secret != "" {
		key, err = q.s.o.Records.Authenticate(q.Context(), secret)
	} else {
		key, err = q.s.o.Keys.Authenticate(q.Context(), "Bearer "+secret.Reveal())
	}
	if err != nil {
		return err
	}
	return q.Allow(key, scope)
}

// startSession changes a user name and a password, which is an API key, for a token.
func (s *Server) startSession(q *request) error {
	var in struct {
		Username string         `json:"username"`
		Password gateway.Secret `json:"password"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	if _, given := q.credential(); in.Password == "" {
		in.Password = given
	}
	token, err := s.o.Records.StartSession(q.Context(), in.Password)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, map[string]string{"token": token.Reveal()})
}

// endSession ends the session that the request came with.
func (s *Server) endSession(q *request) error {
	scheme, token := q.credential()
	if scheme != "IBSSO" {
		token = ""
	}
	if err := s.o.Records.EndSession(q.Context(), token); err != nil {
		return err
	}
	q.W.WriteHeader(http.StatusOK)
	return nil
}
