package apisrv

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// profilePage is gatewayapi.ProfilePage with the domain's profiles, which write themselves.
type profilePage struct {
	Profiles []*gateway.Profile `json:"profiles"`
	Cursor   string             `json:"cursor,omitempty"`
}

func (q *request) replyProfile(status int, p *gateway.Profile) error {
	q.w.Header().Set("ETag", etag(p.Version))
	return q.reply(status, p)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch answers the version that the caller says to have read, 0 when it says none or any.
func (q *request) ifMatch() (int64, error) {
	text := strings.TrimSpace(q.Header.Get("If-Match"))
	if text == "" || text == "*" {
		return 0, nil
	}
	quoted, ok := strings.CutPrefix(text, `"`)
	quoted, closed := strings.CutSuffix(quoted, `"`)
	version, err := strconv.ParseInt(quoted, 10, 64)
	if !ok || !closed || err != nil || version < 1 {
		// An ETag that we never gave fits nothing.
		return 0, gateway.Errorf(gateway.CodePreconditionFailed, "If-Match is not the ETag of this profile").WithField("If-Match")
	}
	return version, nil
}

func (s *server) createProfile(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	if err := decode(body, &map[string]any{}); err != nil {
		return err
	}
	p, err := s.o.Profiles.Create(q.Context(), q.key, body)
	if err != nil {
		return err
	}
	q.w.Header().Set("Location", "/v1/profiles/"+url.PathEscape(p.ID))
	return q.replyProfile(http.StatusCreated, p)
}

func (s *server) getProfile(q *request) error {
	p, err := s.o.Profiles.Get(q.Context(), q.key, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusOK, p)
}

func (s *server) patchProfile(q *request) error {
	version, err := q.ifMatch()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	if err := decode(body, &map[string]any{}); err != nil {
		return err
	}
	p, err := s.o.Profiles.Patch(q.Context(), q.key, q.PathValue("id"), version, body)
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusOK, p)
}

func (s *server) deleteProfile(q *request) error {
	version, err := q.ifMatch()
	if err != nil {
		return err
	}
	if err := s.o.Profiles.Delete(q.Context(), q.key, q.PathValue("id"), version); err != nil {
		return err
	}
	return q.done()
}

func listProfilesParams() []param {
	params := append(pageParams(), text("fbMessengerId", "Id of a person."), list("application", "Keys of applications that the profile has an address at."),
		text("idPrefix", "How the id begins."))
	for _, field := range gateway.ProfileQueryFields() {
		params = append(params, text(field, "Value of the field, without regard to case."))
	}
	return params
}

func (s *server) listProfiles(q *request) error {
	if err := q.known(listProfilesParams()); err != nil {
		return err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return err
	}
	query := q.URL.Query()
	f := store.ProfileFilter{
		Applications: q.list("application"), Person: query.Get("fbMessengerId"), IDPrefix: query.Get("idPrefix"), Fields: map[string]string{}, Limit: limit + 1,
	}
	for _, field := range gateway.ProfileQueryFields() {
		if v := query.Get(field); v != "" {
			f.Fields[field] = v
		}
	}
	if f.After, err = parseCursor("cursor", cursorProfiles, query.Get("cursor")); err != nil {
		return err
	}
	profiles, err := s.o.Profiles.List(q.Context(), q.key, f)
	if err != nil {
		return err
	}
	page := profilePage{Profiles: profiles}
	if page.Profiles == nil {
		page.Profiles = []*gateway.Profile{}
	}
	if len(profiles) > limit {
		page.Profiles = profiles[:limit]
		page.Cursor = cursor(cursorProfiles, profiles[limit-1].ID)
	}
	return q.reply(http.StatusOK, page)
}
