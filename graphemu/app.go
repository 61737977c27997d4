package graphemu

import "cmp"

// App is a Facebook app. Fields that are empty when it is added are filled in.
type App struct {
	ID           string `json:"id"`
	Secret       string `json:"secret,omitempty"` // signs webhooks; 32 hex digits when made
	Name         string `json:"name"`
	LogoURL      string `json:"logo_url,omitempty"`
	RequireProof bool   `json:"require_proof,omitempty"` // refuse calls without appsecret_proof
	Development  bool   `json:"development,omitempty"`   // not live: only people with a role may be written to, and only their events come
}

type appState struct {
	App
	Callback *callback // nil until subscribed
}

// AddApp adds an app, or changes the one with that id, which keeps its secret, name and picture
// where none are given. It returns the app with the fields that were filled in.
func (s *Server) AddApp(a App) App {
	s.init()
	return s.world.addApp(a)
}

func (w *world) addApp(a App) App {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.makeApp(a)
}

// makeApp adds or changes an app. The lock is held.
func (w *world) makeApp(a App) App {
	n := w.ids.next()
	if a.ID == "" {
		a.ID = w.ids.id("app", n, 15)
	}
	old := w.apps[a.ID]
	if old != nil {
		a.Secret, a.Name, a.LogoURL = cmp.Or(a.Secret, old.Secret), cmp.Or(a.Name, old.Name), cmp.Or(a.LogoURL, old.LogoURL)
	}
	if a.Secret == "" {
		a.Secret = w.ids.hex("secret", n)
	}
	if a.Name == "" {
		a.Name = "App " + a.ID
	}
	if old != nil {
		old.App = a
		return a
	}
	w.putApp(&appState{App: a})
	return a
}

// app returns an app.
func (w *world) app(id string) (App, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if app := w.apps[id]; app != nil {
		return app.App, true
	}
	return App{}, false
}
