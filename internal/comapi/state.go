package comapi

import (
	"net/http"

	"github.com/chasqui/chasqui/internal/gateway"
)

// state makes the secure metadata that binds a profile to the person who comes back with it: one
// opaque string in quotes. What the body holds beside profileId comes back with the opt-in.
func (f *Face) state(q *request) error {
	var in map[string]any
	body, err := q.Body()
	if err != nil {
		return err
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	if q.session != nil {
		if given, ok := in["profileId"]; ok && given != q.session.ProfileID {
			return gateway.Errorf(gateway.CodeForbidden, "a session makes states for its own profile only").WithField("profileId")
		}
		if in == nil {
			in = map[string]any{}
		}
		in["profileId"] = q.session.ProfileID
	}
	token, err := f.o.OptIns.CreateNamed(q.Context(), q.Key, q.space.Key, in)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, token)
}
