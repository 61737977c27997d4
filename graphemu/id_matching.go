package graphemu

import "fmt"

// scopedID is the id of a human for an app or a page.
type scopedID struct {
	id     string
	holder string // id of the app or the page
	name   string // its name
}

// appScoped returns the id of a human for one app.
func (w *world) appScoped(appID, user string) string {
	return w.ids.id("user "+user+" of app "+appID, 0, 16)
}

// userBehind returns the human who has an id: the PSID of a person of the page, which is then
// returned as psid, or an app-scoped id.
func (w *world) userBehind(pageID, appID, id string) (user, psid string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.person(pageID, id); p != nil {
		return p.UserID, id, true
	}
	for _, page := range w.pages {
		for _, p := range page.people {
			if w.appScoped(appID, p.UserID) == id {
				return p.UserID, "", true
			}
		}
	}
	return "", "", false
}

// idsForApps returns the ids of a human for all apps, or for one.
func (w *world) idsForApps(user, only string) []scopedID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []scopedID
	for _, id := range w.appOrder {
		if only == "" || only == id {
			out = append(out, scopedID{w.appScoped(id, user), id, w.apps[id].Name})
		}
	}
	return out
}

// idsForPages returns the ids of a human for all pages, or for one.
func (w *world) idsForPages(user, only string) []scopedID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []scopedID
	for _, id := range w.pageOrder {
		page := w.pages[id]
		if only != "" && only != id {
			continue
		}
		for _, psid := range page.Order {
			if page.people[psid].UserID == user {
				out = append(out, scopedID{psid, id, page.Name})
			}
		}
	}
	return out
}

// scopedUser returns the id of a person for an app, and the app's secret. An empty
// appID means the app of the page's token.
func (w *world) scopedUser(pageID, psid, appID string) (userID, secret string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, person, err := w.find(pageID, psid)
	if err != nil {
		return "", "", err
	}
	if appID == "" {
		appID = page.AppID
	}
	app := w.apps[appID]
	if app == nil {
		return "", "", fmt.Errorf("graphemu: there is no app %.40q", appID)
	}
	return w.appScoped(appID, person.UserID), app.Secret, nil
}
