package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/fair"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/rivescript"
)

// Scripts keeps the scripts of bots: versions are uploaded, tried, made active and rolled back.
type Scripts struct {
	Store     *store.Store
	Directory *Directory
	Logger    *slog.Logger
	// Fetch makes the requests of scripts; nil when they may make none.
	Fetch Fetch
	// JavaScript runs the macros of scripts.
	JavaScript JavaScript

	builds sync.Once
	gate   *fair.Gate

	mu      sync.Mutex
	current atomic.Pointer[map[string]*ActiveScript] // by application
}

// Fetch makes a request of a script.
type Fetch func(ctx context.Context, c *rivescript.Call, r rivescript.Request) (rivescript.Response, error)

// JavaScript compiles macros for a tenant: an application, or a key that tries something.
type JavaScript interface {
	// Checker is for scripts that are new: what is no JavaScript is refused.
	Checker(ctx context.Context, tenant string) rivescript.Compiler
	// Compiler is for scripts that were checked before.
	Compiler(tenant string) rivescript.Compiler
}

// ActiveScript is a version that answers people.
type ActiveScript struct {
	ID      string
	Version int
	Engine  *rivescript.Engine
	// Names tells whether the scripts want to know the person's name.
	Names bool
}

// ScriptInput is a version to be uploaded.
type ScriptInput struct {
	Application string
	Dialect     string // rivescript, dexter, or empty: guessed from the files
	Note        string
	Files       []script.File
	Activate    bool
}

const maxNote = 1000

// Active returns the script that returns the people of an application; nil when there is none.
func (s *Scripts) Active(app string) *ActiveScript {
	current := s.current.Load()
	if current == nil {
		return nil
	}
	return (*current)[app]
}

// Refresh loads what has become active. A version that does not load leaves the one before it in
// place.
func (s *Scripts) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	want, err := s.Store.ActiveScripts(ctx)
	if err != nil {
		return err
	}
	old := map[string]*ActiveScript{}
	if current := s.current.Load(); current != nil {
		old = *current
	}
	next := map[string]*ActiveScript{}
	same := len(want) == len(old)
	for app, id := range want {
		if have := old[app]; have != nil && have.ID == id {
			next[app] = have
			continue
		}
		same = false
		a, err := s.load(ctx, id)
		if err != nil {
			s.Logger.Error("load script", "script", id, "application", app, "err", err)
			a = old[app]
		} else if have := old[app]; have != nil {
			a.Engine.KeepBotVars(have.Engine)
		}
		if a != nil {
			next[app] = a
		}
	}
	if !same {
		s.current.Store(&next)
	}
	return nil
}

func (s *Scripts) load(ctx context.Context, id string) (*ActiveScript, error) {
	stored, err := s.Store.Script(ctx, id)
	if err != nil {
		return nil, err
	}
	files, err := FilesOf(stored)
	if err != nil {
		return nil, err
	}
	e, _, err := s.build(stored.Dialect, files, s.JavaScript.Compiler(stored.Application))
	if err != nil {
		return nil, err
	}
	names := slices.ContainsFunc(files, func(f script.File) bool {
		return strings.Contains(f.Text, "_user") || strings.Contains(f.Text, "profile.")
	})
	return &ActiveScript{ID: id, Version: stored.Version, Engine: e, Names: names}, nil
}

func (s *Scripts) build(dialect string, files []script.File, javascript rivescript.Compiler) (*rivescript.Engine, []rivescript.Problem, error) {
	return script.Build(s.options(dialect, javascript), files)
}

func (s *Scripts) options(dialect string, javascript rivescript.Compiler) rivescript.Options {
	return rivescript.Options{Dialect: rivescript.Dialect(dialect), UTF8: true, Fetch: s.Fetch, Languages: script.Languages(javascript)}
}

// Bounds of scripts that are built only to be looked at: large ones take memory while they are.
const (
	buildsAtOnce  = 3
	buildsOfAKey  = 1
	compileBudget = 20 * time.Second // for the macros of an upload together
)

// enter waits for a place to build in.
func (s *Scripts) enter(ctx context.Context, key *gateway.APIKey) (leave func(), err error) {
	s.builds.Do(func() { s.gate = fair.New(buildsAtOnce, buildsOfAKey) })
	tenant := tenantOf(key)
	if err := s.gate.Enter(ctx, tenant); err != nil {
		return nil, err
	}
	return func() { s.gate.Leave(tenant) }, nil
}

func tenantOf(key *gateway.APIKey) string { return "key " + key.ID }

// FilesOf reads the files of a stored version.
func FilesOf(s *gateway.Script) ([]script.File, error) {
	var files []script.File
	if err := json.Unmarshal(s.Files, &files); err != nil {
		return nil, fmt.Errorf("read the files of script %s: %w", s.ID, err)
	}
	return files, nil
}

// Validate reads the files as an upload would. It returns the warnings, and the problems for which
// an upload is refused, all at once.
func (s *Scripts) Validate(ctx context.Context, key *gateway.APIKey, in *ScriptInput) (warnings, problems []rivescript.Problem, err error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	leave, err := s.enter(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	compile, cancel := context.WithTimeoutCause(ctx, compileBudget, fmt.Errorf("the macros take more than %s to compile", compileBudget))
	defer cancel()
	problems, warnings, err = script.Check(s.options(in.Dialect, s.JavaScript.Checker(compile, tenantOf(key))), in.Files)
	switch {
	case errors.Is(err, rivescript.ErrUnavailable):
		return nil, nil, gateway.Errorf(gateway.CodeOverloaded, "%s", err)
	case err != nil:
		return nil, nil, gateway.Invalid("files", "%s", err)
	}
	return warnings, problems, nil
}

func (in *ScriptInput) check() error {
	if len(in.Files) == 0 || len(in.Files) > script.MaxFiles {
		return gateway.Invalid("files", "give 1 to %d files; this has %d", script.MaxFiles, len(in.Files))
	}
	seen, total := map[string]bool{}, 0
	for i, f := range in.Files {
		field := fmt.Sprintf("files[%d].name", i)
		switch {
		case f.Name == "" || len(f.Name) > 200:
			return gateway.Invalid(field, "a name has 1 to 200 bytes")
		case !slices.Contains(script.Extensions, path.Ext(f.Name)):
			return gateway.Invalid(field, "%q ends in none of %s", f.Name, strings.Join(script.Extensions, ", "))
		case seen[f.Name]:
			return gateway.Invalid(field, "there are two files %q", f.Name)
		}
		seen[f.Name] = true
		total += len(f.Text)
	}
	if total > script.MaxBytes {
		return gateway.Invalid("files", "the files have %d bytes; at most %d are allowed", total, script.MaxBytes)
	}
	if len(in.Note) > maxNote {
		return gateway.Invalid("note", "a note has at most %d bytes", maxNote)
	}
	switch rivescript.Dialect(in.Dialect) {
	case rivescript.RiveScript, rivescript.Dexter:
	case "":
		in.Dialect = string(script.DialectOf(in.Files))
	default:
		return gateway.Invalid("dialect", "%q is neither rivescript nor dexter", in.Dialect)
	}
	return nil
}

// Upload stores a new version, and makes it active when asked. What would not load is refused with
// its first problems.
func (s *Scripts) Upload(ctx context.Context, key *gateway.APIKey, in ScriptInput) (*gateway.Script, []rivescript.Problem, error) {
	if err := usable(s.Directory, key, in.Application); err != nil {
		return nil, nil, err
	}
	warnings, problems, err := s.Validate(ctx, key, &in)
	if err != nil {
		return nil, nil, err
	}
	if len(problems) > 0 {
		return nil, nil, gateway.Invalid("files", "%s", (&rivescript.LoadError{Problems: problems}).Error())
	}
	files, err := json.Marshal(in.Files)
	if err != nil {
		return nil, nil, err
	}
	stored := &gateway.Script{ID: s.Store.NewID("scr"), Application: in.Application, Dialect: in.Dialect, Note: in.Note, Files: files}
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.AddScript(stored); err != nil || !in.Activate {
			return err
		}
		return tx.ActivateScript(stored, true)
	})
	if err != nil {
		return nil, nil, err
	}
	return stored, warnings, s.Refresh(ctx)
}

// List returns the versions that the key may see, by application and the newest first.
func (s *Scripts) List(ctx context.Context, key *gateway.APIKey, app string) ([]*gateway.Script, error) {
	all, err := s.Store.Scripts(ctx, app)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(x *gateway.Script) bool { return !key.AllowsApplication(x.Application) }), nil
}

// Get returns a version that the key may see; a not_found error otherwise.
func (s *Scripts) Get(ctx context.Context, key *gateway.APIKey, id string) (*gateway.Script, error) {
	x, err := s.Store.Script(ctx, id)
	if err != nil {
		return nil, err
	}
	if !key.AllowsApplication(x.Application) {
		return nil, gateway.NotFound("script", id)
	}
	return x, nil
}

// Activate makes a version the one that answers people; with active false it stops the bot. What the
// bot knows of people stays.
func (s *Scripts) Activate(ctx context.Context, key *gateway.APIKey, id string, active bool) (*gateway.Script, error) {
	if _, err := s.Get(ctx, key, id); err != nil {
		return nil, err
	}
	var x *gateway.Script
	err := s.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if x, err = tx.Script(id); err != nil {
			return err
		}
		if !active && !x.Active {
			return gateway.Errorf(gateway.CodeConflict, "script %s is not active", id)
		}
		return tx.ActivateScript(x, active)
	})
	if err != nil {
		return nil, err
	}
	return x, s.Refresh(ctx)
}

// RollBack makes the version active that was before the one that is.
func (s *Scripts) RollBack(ctx context.Context, key *gateway.APIKey, app string) (*gateway.Script, error) {
	if err := usable(s.Directory, key, app); err != nil {
		return nil, err
	}
	all, err := s.Store.Scripts(ctx, app)
	if err != nil {
		return nil, err
	}
	var now, before *gateway.Script
	for _, x := range all {
		if x.Active {
			now = x
		}
	}
	for _, x := range all {
		if !x.Active && !x.ActivatedAt.IsZero() && (now == nil || x.Version < now.Version) && (before == nil || x.Version > before.Version) {
			before = x
		}
	}
	if before == nil {
		return nil, gateway.Errorf(gateway.CodeConflict, "no earlier version of application %s was ever active", app)
	}
	return s.Activate(ctx, key, before.ID, true)
}

// Delete removes a version that is not active.
func (s *Scripts) Delete(ctx context.Context, key *gateway.APIKey, id string) error {
	if _, err := s.Get(ctx, key, id); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		x, err := tx.Script(id)
		if err != nil {
			return err
		}
		if x.Active {
			return gateway.Errorf(gateway.CodeConflict, "script %s is active: activate another, or deactivate it, before it is deleted", id)
		}
		return tx.DeleteScript(id)
	})
}

// Trial is what a version is tried with: what the person writes, or an event by its name.
type Trial struct {
	Text  string
	Event string
	User  *rivescript.User
}

// Try returns what a version would say; nothing is sent or stored. The user of the trial changes.
func (s *Scripts) Try(ctx context.Context, key *gateway.APIKey, id string, t Trial) (rivescript.Reply, error) {
	x, err := s.Get(ctx, key, id)
	if err != nil {
		return rivescript.Reply{}, err
	}
	files, err := FilesOf(x)
	if err != nil {
		return rivescript.Reply{}, err
	}
	leave, err := s.enter(ctx, key)
	if err != nil {
		return rivescript.Reply{}, err
	}
	defer leave()
	e, _, err := s.build(x.Dialect, files, s.JavaScript.Compiler(tenantOf(key)))
	if err != nil {
		return rivescript.Reply{}, err
	}
	if t.Event != "" {
		return e.Event(ctx, t.User, t.Event), nil
	}
	script.Heard(t.User, t.Text, s.Store.Now())
	return e.Reply(ctx, t.User, t.Text), nil
}
