package service

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// MaxProfiles is how many profiles one request may write.
const MaxProfiles = 1000

// ProfileChange is what is to be merged into a profile.
type ProfileChange struct {
	ID    string
	Patch json.RawMessage // a JSON merge patch; of a profile that is not there, the profile
}

// MergeMany merges into profiles and makes those that are not there, all in one commit or none: an
// error is below the number of the profile at fault.
func (s *Profiles) MergeMany(ctx context.Context, key *gateway.APIKey, changes []ProfileChange) ([]*gateway.Profile, error) {
	if len(changes) == 0 || len(changes) > MaxProfiles {
		return nil, gateway.Invalid("", "give 1 to %d profiles; this has %d", MaxProfiles, len(changes))
	}
	all := make([]*gateway.Profile, len(changes))
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		for i, c := range changes {
			var err error
			if all[i], err = s.merge(tx, key, c); err != nil {
				return under(err, fmt.Sprintf("[%d]", i))
			}
		}
		return nil
	})
	return all, err
}

func (s *Profiles) merge(tx *store.Tx, key *gateway.APIKey, c ProfileChange) (*gateway.Profile, error) {
	p, err := s.patch(tx, key, c.ID, 0, c.Patch)
	if gateway.CodeOf(err) != gateway.CodeNotFound {
		return p, err
	}
	if err := gateway.ValidateProfileID(c.ID); err != nil {
		return nil, err
	}
	if p, err = gateway.ParseProfile(c.Patch); err != nil {
		return nil, err
	}
	p.ID = c.ID
	if err := s.creatable(key, p); err != nil {
		return nil, err
	}
	return p, tx.CreateProfile(p)
}

// DeleteMany removes profiles in one commit, and returns which of them there were.
func (s *Profiles) DeleteMany(ctx context.Context, key *gateway.APIKey, ids []string) ([]string, error) {
	if len(ids) == 0 || len(ids) > MaxProfiles {
		return nil, gateway.Invalid("id", "give 1 to %d ids; this has %d", MaxProfiles, len(ids))
	}
	var gone []string
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		gone = []string{}
		for _, id := range ids {
			err := s.remove(tx, key, id, 0)
			if gateway.CodeOf(err) == gateway.CodeNotFound {
				continue
			}
			if err != nil {
				return err
			}
			gone = append(gone, id)
		}
		return nil
	})
	return gone, err
}
