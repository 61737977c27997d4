package comapi

import (
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// stateLife is for how long a state can come back.
const stateLife = 30 * 24 * time.Hour

// state makes the secure metadata that binds a profile to the person who comes back with it: one opaque string in quotes. What the body holds beside profileId
// comes back with the opt-in.
func (f *Face) state(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	var in map[string]any
	if err := decode(body, &in); err != nil {
		return err
	}
	profile, ok := in["profileId"].(string)
	if !ok {
		return gateway.Invalid("profileId", "this must be a string")
	}
	delete(in, "profileId")
	input := service.OptInInput{Application: q.space.Key, ProfileID: profile, ExpiresIn: stateLife}
	if len(in) > 0 {
		input.Data = encode(in)
	}
	token, _, err := f.o.OptIns.Create(q.Context(), q.key, input)
	if err != nil {
		return err
	}
	return q.reply(http.StatusOK, token)
}
