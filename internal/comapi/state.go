package comapi

import "net/http"

// state makes the secure metadata that binds a profile to the person who comes back with it: one opaque string in quotes. What the body holds beside profileId
// comes back with the opt-in.
func (f *Face) state(q *request) error {
	var in map[string]any
	body, err := q.body()
	if err != nil {
		return err
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	token, err := f.o.OptIns.CreateNamed(q.Context(), q.key, q.space.Key, in)
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, token)
}
