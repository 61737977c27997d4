package entrypoint

import (
	"encoding/json"
	"maps"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// bind gives the person to the profile that an opt-in state is for, and tells what came of it. It
// returns the profile that the person has afterwards.
func (t *Tracker) bind(tx *store.Tx, s step, current string) (string, error) {
	lane := s.event.Lane()
	report := gatewayapi.Optin{Kind: "state", State: gatewayapi.OptinForged, Via: s.referral.Via}
	var state *gateway.OptInState
	if s.handle != "" {
		var err error
		if state, err = tx.OptInState(s.handle); err != nil {
			return "", err
		}
	}
	id := current
	switch {
	case state == nil || state.Application != lane.Application:
	case !tx.Now().Before(state.ExpiresAt):
		report.State = gatewayapi.OptinExpired
	case state.SingleUse && !state.UsedAt.IsZero():
		report.State = gatewayapi.OptinUsed
	default:
		moved, err := t.give(tx, &state.Key, lane, current, state.ProfileID)
		if err != nil {
			return "", err
		}
		report.State, report.ProfileID, report.Data = gatewayapi.OptinConflict, state.ProfileID, state.Data
		if moved {
			report.State, id = gatewayapi.OptinBound, state.ProfileID
			if err := tx.UseOptInState(state.Handle, lane.Person); err != nil {
				return "", err
			}
		}
	}
	data, err := json.Marshal(report)
	if err != nil {
		return "", err
	}
	tx.AppendEvent(&gateway.Event{Type: gateway.EventOptin, Application: lane.Application, Person: lane.Person, PageID: s.event.PageID, Data: data, Raw: s.event.Raw})
	return id, nil
}

// give makes a person of an application be a profile's. A profile that came about by itself is
// merged into it, with its history; one that somebody has named stays as it is, and the answer is
// false. So it is when the key that made the state may not see the profile, which may have come to
// be since.
func (t *Tracker) give(tx *store.Tx, key *gateway.APIKey, lane gateway.Lane, current, named string) (bool, error) {
	if current == named {
		return true, nil
	}
	old, err := tx.Profile(current)
	if err != nil {
		return false, err
	}
	if !old.Automatic() {
		return false, nil
	}
	to, err := tx.Profile(named)
	isNew := gateway.CodeOf(err) == gateway.CodeNotFound
	if err == nil && !key.AllowsProfile(to) {
		return false, nil
	}
	if isNew {
		to = &gateway.Profile{ID: named, Doc: map[string]json.RawMessage{}, Addresses: map[string]string{}}
	} else if err != nil {
		return false, err
	}
	if have := to.Addresses[lane.Application]; have != "" && have != lane.Person {
		return false, nil // the profile is somebody else on this page
	}
	if err := tx.DeleteProfile(old.ID, 0); err != nil {
		return false, err
	}
	for name, value := range old.Doc { // what the platform says, and how the person came
		if _, have := to.Doc[name]; !have {
			to.Doc[name] = value
		}
	}
	maps.Copy(to.Addresses, old.Addresses)
	if err := tx.MoveHistory(old.ID, to.ID); err != nil {
		return false, err
	}
	if isNew {
		return true, tx.CreateProfile(to)
	}
	return true, tx.UpdateProfile(to)
}
