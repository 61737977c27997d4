package service

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// DefaultLinkBase is where links open a page's thread.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links
const DefaultLinkBase = "https://m.me"

// MaxBulk is how many entry points one request may make.
const MaxBulk = 10_000

// maxNumber is the greatest number of an entry point that is made with others.
const maxNumber = 999_999_999

// EntryPoints keeps codes and links. It holds them all in memory, for the paths that look one up
// for each event or visit.
type EntryPoints struct {
	Store     *store.Store
	Directory *Directory
	Logger    *slog.Logger
	LinkBase  string // DefaultLinkBase when empty
	PublicURL string
	Pictures  *Pictures // fetches logos
	// Tracked is up to which position of the log it is known how people came; nil when nobody
	// looks.
	Tracked func() int64

	mu      sync.Mutex
	current atomic.Pointer[entryListing]
}

type entryListing struct {
	version int64
	byID    map[string]*gateway.EntryPoint
	byRef   map[entryKey]*gateway.EntryPoint
	bySlug  map[string]*gateway.EntryPoint
}

type entryKey struct{ app, ref string }

// Refresh reads what has changed since the last time.
func (s *EntryPoints) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions, err := s.Store.Versions(ctx, store.ChangeEntryPoints)
	if err != nil {
		return err
	}
	version := versions[store.ChangeEntryPoints]
	if old := s.current.Load(); old != nil && old.version == version {
		return nil
	}
	all, err := s.Store.EntryPoints(ctx)
	if err != nil {
		return err
	}
	l := &entryListing{version, make(map[string]*gateway.EntryPoint, len(all)), map[entryKey]*gateway.EntryPoint{}, map[string]*gateway.EntryPoint{}}
	for _, e := range all {
		l.byID[e.ID], l.bySlug[e.Slug] = e, e
		if e.Ref != "" {
			l.byRef[entryKey{e.Application, e.Ref}] = e
		}
	}
	s.current.Store(l)
	return nil
}

// OfRef returns the entry point of an application that has a ref, also a retired one; nil when
// there is none.
func (s *EntryPoints) OfRef(app, ref string) *gateway.EntryPoint {
	if l := s.current.Load(); l != nil {
		return l.byRef[entryKey{app, ref}]
	}
	return nil
}

// OfSlug returns the entry point of a short link; nil when there is none.
func (s *EntryPoints) OfSlug(slug string) *gateway.EntryPoint {
	if l := s.current.Load(); l != nil {
		return l.bySlug[slug]
	}
	return nil
}

// Known returns an entry point by its id; nil when there is none.
func (s *EntryPoints) Known(id string) *gateway.EntryPoint {
	if l := s.current.Load(); l != nil {
		return l.byID[id]
	}
	return nil
}

// IsCode reports whether a ref is that of a code of the application.
func (s *EntryPoints) IsCode(app, ref string) bool {
	e := s.OfRef(app, ref)
	return e != nil && e.Kind == gateway.EntryCode
}

// Link is the address that opens the thread of an entry point's page.
func (s *EntryPoints) Link(e *gateway.EntryPoint) string {
	base, page := s.LinkBase, e.Application
	if base == "" {
		base = DefaultLinkBase
	}
	if a := s.Directory.Application(e.Application); a != nil {
		page = a.PageID
	}
	return gateway.Link(base, page, e.Ref, e.Prefill)
}

// ShortLink is our own address of an entry point, which counts who comes by.
func (s *EntryPoints) ShortLink(e *gateway.EntryPoint) string { return s.PublicURL + "/m/" + e.Slug }

const slugAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"

// newSlug makes the name of a short link: 9 characters that are not mistaken for each other, 44
// bits of chance.
func newSlug() string {
	var b [9]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = slugAlphabet[int(b[i])%len(slugAlphabet)]
	}
	return string(b[:])
}

// Create stores an entry point.
func (s *EntryPoints) Create(ctx context.Context, key *gateway.APIKey, e *gateway.EntryPoint) error {
	return s.add(ctx, key, []*gateway.EntryPoint{e})
}

// MaxLimitedPoints is how many entry points an application may have by a key that is limited to it:
// all are held in memory.
const MaxLimitedPoints = 100_000

// room reports whether a key may make so many more for an application.
func (s *EntryPoints) room(ctx context.Context, key *gateway.APIKey, application string, more int) error {
	if !key.Limited() {
		return nil
	}
	n, err := s.Store.CountEntryPoints(ctx, application)
	if err == nil && n+more > MaxLimitedPoints {
		return gateway.Errorf(gateway.CodeConflict, "the application has %d entry points already, and a key that is limited to applications makes %d at most: delete some", n, MaxLimitedPoints)
	}
	return err
}

func (s *EntryPoints) add(ctx context.Context, key *gateway.APIKey, points []*gateway.EntryPoint) error {
	if err := s.room(ctx, key, points[0].Application, len(points)); err != nil {
		return err
	}
	now := s.Store.Now()
	for _, e := range points {
		if err := usable(s.Directory, key, e.Application); err != nil {
			return err
		}
		if err := e.Check(now); err != nil {
			return err
		}
		e.ID, e.Slug = s.Store.NewID("ent"), newSlug()
	}
	if err := s.Store.Write(ctx, func(tx *store.Tx) error { return tx.AddEntryPoints(points...) }); err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// CreateMany makes entry points from From to To, in which {n} in ref, name and text stands for the
// number: all or none.
func (s *EntryPoints) CreateMany(ctx context.Context, key *gateway.APIKey, template gateway.EntryPoint, from, to int) ([]*gateway.EntryPoint, error) {
	if !strings.Contains(template.Ref, "{n}") {
		return nil, gateway.Invalid("ref", "the ref of many holds {n}, which stands for the number, such as table-{n}")
	}
	if from < 0 || to < from || to > maxNumber || to-from+1 > MaxBulk {
		return nil, gateway.Invalid("to", "give from and to with at most 10,000 numbers from one to the other, none of more than nine digits")
	}
	points := make([]*gateway.EntryPoint, 0, to-from+1)
	for n := from; n <= to; n++ {
		e := template
		number := func(s string) string { return strings.ReplaceAll(s, "{n}", strconv.Itoa(n)) }
		e.Ref, e.Name, e.Prefill = number(e.Ref), number(e.Name), number(e.Prefill)
		points = append(points, &e)
	}
	return points, s.add(ctx, key, points)
}

// Get returns an entry point that the key may see; a not_found error otherwise.
func (s *EntryPoints) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.EntryPoint, error) {
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	e := s.Known(id)
	if e == nil || !key.AllowsApplication(e.Application) {
		return nil, gateway.NotFound("entry point", id)
	}
	return e, nil
}

// List returns entry points that the key may see, the newest first.
func (s *EntryPoints) List(ctx context.Context, key *gateway.APIKey, f store.EntryPointFilter) ([]*gateway.EntryPoint, error) {
	applications, err := narrowed(key, f.Applications)
	if err != nil {
		return nil, err
	}
	f.Applications = applications
	return s.Store.ListEntryPoints(ctx, f)
}

// EntryPointChange changes an entry point; what is nil stays.
type EntryPointChange struct {
	Name, Campaign, Prefill *string
	Tags                    *[]string
	ExpiresAt               *time.Time // the zero time: never
	Retired                 *bool
}

// Update changes an entry point. Its ref and kind never change: they are printed somewhere.
func (s *EntryPoints) Update(ctx context.Context, key *gateway.APIKey, id string, c EntryPointChange) (*gateway.EntryPoint, error) {
	if _, err := s.Get(ctx, key, id); err != nil {
		return nil, err
	}
	var e *gateway.EntryPoint
	err := s.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.EntryPoint(id); err != nil {
			return err
		}
		set(&e.Name, c.Name)
		set(&e.Campaign, c.Campaign)
		set(&e.Prefill, c.Prefill)
		set(&e.Tags, c.Tags)
		if c.Retired != nil && *c.Retired != !e.RetiredAt.IsZero() {
			e.RetiredAt = time.Time{}
			if *c.Retired {
				e.RetiredAt = tx.Now().UTC()
			}
		}
		check := *e
		if c.ExpiresAt == nil {
			check.ExpiresAt = time.Time{} // it may be over already
		} else {
			e.ExpiresAt, check.ExpiresAt = *c.ExpiresAt, *c.ExpiresAt
		}
		if err := check.Check(tx.Now()); err != nil {
			return err
		}
		return tx.UpdateEntryPoint(e)
	})
	if err != nil {
		return nil, err
	}
	return e, s.Refresh(ctx)
}

func set[T any](at *T, value *T) {
	if value != nil {
		*at = *value
	}
}

// ForRef returns the entry point of a ref, made as a code when there is none.
func (s *EntryPoints) ForRef(ctx context.Context, app, ref string) (*gateway.EntryPoint, error) {
	if e := s.OfRef(app, ref); e != nil {
		return e, nil
	}
	e := &gateway.EntryPoint{Application: app, Kind: gateway.EntryCode, Ref: ref, Name: "made by the Messenger Code API"}
	err := s.Create(ctx, gateway.Everything(), e)
	if gateway.CodeOf(err) == gateway.CodeConflict {
		if err := s.Refresh(ctx); err != nil {
			return nil, err
		}
		if have := s.OfRef(app, ref); have != nil {
			return have, nil
		}
	}
	return e, err
}

// Goal stores a goal that a person has reached.
func (s *EntryPoints) Goal(ctx context.Context, key *gateway.APIKey, to gateway.To, g *gateway.Goal) error {
	if err := gateway.CheckGoal(g.Name); err != nil {
		return err
	}
	if err := usable(s.Directory, key, g.Lane.Application); err != nil {
		return err
	}
	if err := gateway.CheckKey("to.fbMessengerId", to.FBMessengerID); err != nil {
		return err
	}
	g.Lane.Person = to.FBMessengerID
	if g.Lane.Person == "" {
		if to.ProfileID == "" {
			return gateway.Invalid("to", "name who reached it: profileId or fbMessengerId")
		}
		p, err := addressee(ctx, s.Store, key, to.ProfileID)
		if err != nil {
			return err
		}
		if g.Lane.Person = p.Addresses[g.Lane.Application]; g.Lane.Person == "" {
			return gateway.Invalid("to.profileId", "profile %q has no Messenger address for the application", to.ProfileID)
		}
	}
	g.ID = s.Store.NewID("gol")
	if g.At.IsZero() {
		g.At = s.Store.Now().UTC()
	}
	s.awaitTracked(ctx)
	return s.Store.Write(ctx, func(tx *store.Tx) error { return tx.AddGoal(g) })
}

// trackPatience is for how long a goal waits until it is known how the person came.
const trackPatience = 2 * time.Second

// awaitTracked waits until what has come so far is known of the ways in, so that a goal that
// follows on the heels of an arrival is put down to it.
func (s *EntryPoints) awaitTracked(ctx context.Context) {
	if s.Tracked == nil {
		return
	}
	head := s.Store.Head()
	ctx, cancel := context.WithTimeout(ctx, trackPatience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.Tracked() < head {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
