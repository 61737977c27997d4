package service

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

// How erasures are worked.
const (
	erasureInterval = 500 * time.Millisecond // between looks at what is due
	erasureBatch    = 20                     // taken up at one look
	// MaxDeletionAge is how old a request of the platform's to delete somebody's data may be.
	MaxDeletionAge = 7 * 24 * time.Hour
	resolveTries   = 24 // questions to the platform whose an id is, before it counts as nobody's
)

// Erasures removes people: all that is kept of them, in the tables and in the logs.
type Erasures struct {
	Store     *store.Store
	Directory *Directory
	Platform  Platform
	PublicURL string
	Logger    *slog.Logger
}

// StatusPath is the path of the page that tells a person how far an erasure is, below the gateway's
// public URL.
func (s *Erasures) StatusPath(id string) string { return "/data-deletion/" + id }

// Forget begins the erasure of a profile and of the people who belong to it; version is as for
// Profiles.Delete. What is queued for them is canceled, and the profile gone, when it returns; the
// rest follows. While it is under way, the same call returns the same erasure.
func (s *Erasures) Forget(ctx context.Context, key *gateway.APIKey, id string, version int64) (*gateway.Erasure, error) {
	var e *gateway.Erasure
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Profile(id)
		if gateway.CodeOf(err) == gateway.CodeNotFound && !key.Limited() {
			pending, failed := tx.PendingErasureOf(id)
			if failed != nil {
				return failed
			}
			if pending != nil {
				e = pending
				return nil
			}
		}
		if err != nil {
			return err
		}
		if err := deletable(key, p); err != nil {
			return err
		}
		if version != 0 && version != p.Version {
			return gateway.Errorf(gateway.CodePreconditionFailed, "profile %q has changed since it was read", id)
		}
		e = &gateway.Erasure{ID: gateway.NewErasureID(), Source: gateway.ErasureByAPI, Applications: key.Applications} // empty for a key of all
		return tx.BeginErasure(e, []string{id}, nil)
	})
	return e, err
}

// deletable reports whether a key may delete a profile as a whole.
func deletable(key *gateway.APIKey, p *gateway.Profile) error {
	if err := visible(key, p); err != nil {
		return err
	}
	if !key.OwnsProfile(p) {
		return gateway.Errorf(gateway.CodeForbidden, "the profile also belongs to applications that this key is not for")
	}
	return nil
}

// Get returns an erasure that the key may see, that is, one that was asked for by a key of the same
// applications or by the callback of one of them; a not_found error otherwise.
func (s *Erasures) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Erasure, error) {
	e, err := s.Store.Erasure(ctx, id)
	if err != nil {
		return nil, err
	}
	of := e.Applications
	if e.Application != "" {
		of = []string{e.Application}
	}
	if !key.AllowsAll(of) {
		return nil, gateway.NotFound("erasure", id)
	}
	return e, nil
}

// Status returns an erasure to whoever knows its id, which the person it is about was given.
func (s *Erasures) Status(ctx context.Context, id string) (*gateway.Erasure, error) {
	return s.Store.Erasure(ctx, id)
}

// Requested takes up what the platform's data-deletion callback of an application asks for. userID
// is the person's app-scoped id: it may be a PSID that is known here, and else the platform is
// asked, later, for the person's PSIDs. The same request, signed as it is, is taken once: it is
// answered with the same erasure again.
func (s *Erasures) Requested(ctx context.Context, a *gateway.Application, userID, signed string) (*gateway.Erasure, error) {
	e := &gateway.Erasure{ID: gateway.ErasureIDOf(a.Key, signed), Source: gateway.ErasureByPlatform, Application: a.Key, Applications: s.pagesOf(a)}
	if before, err := s.Store.Erasure(ctx, e.ID); gateway.CodeOf(err) != gateway.CodeNotFound {
		return before, err
	}
	return e, s.Store.Write(ctx, func(tx *store.Tx) error {
		if first, err := tx.Spend(store.SpentDeletion, e.ID, tx.Now().Add(MaxDeletionAge)); err != nil || !first {
			return err // somebody else has just brought it
		}
		lanes, err := s.known(tx, a, []gateway.Lane{{Application: a.Key, Person: userID}})
		if err != nil {
			return err
		}
		if len(lanes) == 0 {
			e.UserID = userID
		}
		return tx.BeginErasure(e, nil, lanes)
	})
}

// pagesOf returns the applications whose conversations a callback of a Facebook app is about: those
// of the app's pages. It returns nil where there are no others here.
func (s *Erasures) pagesOf(a *gateway.Application) []string {
	var pages []string
	all := s.Directory.Applications()
	for _, of := range all {
		if of.AppID == a.AppID {
			pages = append(pages, of.Key)
		}
	}
	if len(pages) == len(all) {
		return nil
	}
	return pages
}

// known returns which people of a Facebook app's pages there are here; a lane without application
// is looked for at each of them.
func (s *Erasures) known(tx *store.Tx, a *gateway.Application, people []gateway.Lane) ([]gateway.Lane, error) {
	var found []gateway.Lane
	for _, p := range people {
		for _, of := range s.Directory.Applications() {
			if of.AppID != a.AppID {
				continue
			}
			lane := gateway.Lane{Application: of.Key, Person: p.Person}
			is, err := tx.KnowsPerson(lane)
			if err != nil {
				return nil, err
			}
			if is && !slices.Contains(found, lane) {
				found = append(found, lane)
			}
		}
	}
	return found, nil
}

// Run works erasures until ctx ends, and drops what this node holds in memory when another has
// worked one.
func (s *Erasures) Run(ctx context.Context) {
	tick := time.NewTicker(erasureInterval)
	defer tick.Stop()
	seen := int64(0)
	for {
		var err error
		if seen, err = s.Store.FollowErasures(ctx, seen); err != nil && ctx.Err() == nil {
			s.Logger.Warn("follow erasures", "err", err)
		}
		due, err := s.Store.DueErasures(ctx, s.Store.Now(), erasureBatch)
		if err != nil && ctx.Err() == nil {
			s.Logger.Warn("read due erasures", "err", err)
		}
		for _, e := range due {
			if err := s.work(ctx, e); err != nil && ctx.Err() == nil {
				s.Logger.Warn("erase a person; it is tried again", "erasure", e.ID, "err", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Erasures) work(ctx context.Context, e *gateway.Erasure) error {
	if e.UserID != "" {
		return s.resolve(ctx, e)
	}
	if err := s.Store.Erase(ctx, e); err != nil {
		return err
	}
	if e.State == gateway.ErasureDone {
		s.Logger.Info("a person was erased", "erasure", e.ID, "source", e.Source, "profiles", e.Counts.Profiles, "messages", e.Counts.Messages, "events", e.Counts.Events,
			"deliveries", e.Counts.Deliveries, "canceled", e.Counts.Canceled)
	}
	return nil
}

// resolve asks the platform which people of this app's pages an app-scoped id is.
func (s *Erasures) resolve(ctx context.Context, e *gateway.Erasure) error {
	a := s.Directory.Application(e.Application)
	var people []gateway.Lane
	var err error
	if a != nil {
		people, err = s.peopleOf(ctx, a, e.UserID)
	}
	var refusal *messenger.Error
	final := err == nil || errors.As(err, &refusal) && !errors.Is(refusal, messenger.ErrTemporary) && !errors.Is(refusal, messenger.ErrRateLimited)
	if !final {
		s.Logger.Warn("ask the platform whose data is to be deleted", "erasure", e.ID, "application", e.Application, "err", err)
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		e.Tries++
		if !final && e.Tries < resolveTries {
			e.DueAt = tx.Now().Add(min(time.Hour, time.Minute<<min(e.Tries-1, 6)))
			return tx.SaveErasure(e)
		}
		lanes := []gateway.Lane(nil)
		if a != nil {
			var err error
			if lanes, err = s.known(tx, a, people); err != nil {
				return err
			}
		}
		e.UserID, e.Tries = "", 0
		return tx.BeginErasure(e, nil, lanes)
	})
}

// peopleOf asks for the PSIDs of an app-scoped id.
func (s *Erasures) peopleOf(ctx context.Context, a *gateway.Application, userID string) ([]gateway.Lane, error) {
	client, err := s.Platform.Client(a)
	if err != nil {
		return nil, err
	}
	var people []gateway.Lane
	for match, err := range client.AllIDsForPages(ctx, messenger.IDMatchRequest{ID: messenger.PSID(userID)}) {
		if err != nil {
			return nil, err
		}
		people = append(people, gateway.Lane{Person: string(match.ID)})
	}
	return people, nil
}
