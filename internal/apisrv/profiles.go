package apisrv

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// profilePage is gatewayapi.ProfilePage with the domain's profiles, which write themselves.
type profilePage struct {
	Profiles []*gateway.Profile `json:"profiles"`
	Cursor   string             `json:"cursor,omitempty"`
}

// newProfile is a profile to be stored.
type newProfile struct{ object }

// tagged is a profile whose ETag goes along.
func (q *request) tagged(p *gateway.Profile) *gateway.Profile {
	q.W.Header().Set("ETag", etag(p.Version))
	return p
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch returns the version that the caller says to have read, 0 when it says none or any.
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

func (s *server) createProfile(q *request, in *newProfile) (*gateway.Profile, error) {
	p, err := s.o.Profiles.Create(q.Context(), q.Key, json.RawMessage(in.object))
	if err != nil {
		return nil, err
	}
	q.W.Header().Set("Location", "/v1/profiles/"+url.PathEscape(p.ID))
	return q.tagged(p), nil
}

func (s *server) getProfile(q *request) (*gateway.Profile, error) {
	p, err := s.o.Profiles.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return q.tagged(p), nil
}

// profilePatch is a change of a profile that was read before.
type profilePatch struct {
	object
	version int64
}

func (in *profilePatch) read(q *request) (err error) {
	if in.version, err = q.ifMatch(); err != nil {
		return err
	}
	return in.object.read(q)
}

func (s *server) patchProfile(q *request, in *profilePatch) (*gateway.Profile, error) {
	p, err := s.o.Profiles.Patch(q.Context(), q.Key, q.PathValue("id"), in.version, json.RawMessage(in.object))
	if err != nil {
		return nil, err
	}
	return q.tagged(p), nil
}

func (s *server) deleteProfile(q *request) error {
	version, err := q.ifMatch()
	if err != nil {
		return err
	}
	if err := s.o.Profiles.Delete(q.Context(), q.Key, q.PathValue("id"), version); err != nil {
		return err
	}
	return q.Done()
}

func listProfilesParams() []param {
	params := append(pageParams(), text("fbMessengerId", "Id of a person."), list("application", "Keys of applications that the profile has an address at."),
		text("idPrefix", "How the id begins."))
	for _, field := range gateway.ProfileQueryFields() {
		params = append(params, text(field, "Value of the field, without regard to case."))
	}
	return params
}

func (s *server) listProfiles(q *request) (*profilePage, error) {
	if err := q.known(listProfilesParams()); err != nil {
		return nil, err
	}
	limit, err := q.limit(pageSize, maxPageSize)
	if err != nil {
		return nil, err
	}
	query := q.URL.Query()
	f := service.ProfileFilter{
		Applications: q.list("application"), Person: query.Get("fbMessengerId"), IDPrefix: query.Get("idPrefix"), Fields: map[string]string{}, Limit: limit + 1,
	}
	for _, field := range gateway.ProfileQueryFields() {
		if v := query.Get(field); v != "" {
			f.Fields[field] = v
		}
	}
	if f.After, err = parseCursor("cursor", cursorProfiles, query.Get("cursor")); err != nil {
		return nil, err
	}
	profiles, err := s.o.Profiles.List(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	page := profilePage{Profiles: profiles}
	if page.Profiles == nil {
		page.Profiles = []*gateway.Profile{}
	}
	if len(profiles) > limit {
		page.Profiles = profiles[:limit]
		page.Cursor = cursor(cursorProfiles, profiles[limit-1].ID)
	}
	return &page, nil
}
