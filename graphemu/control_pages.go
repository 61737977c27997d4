package graphemu

import "net/http"

func (a controlAPI) addApp(w http.ResponseWriter, r *http.Request) {
	var app App
	if accept(w, r, &app) {
		reply(w, http.StatusCreated, a.AddApp(app))
	}
}

func (a controlAPI) addPage(w http.ResponseWriter, r *http.Request) {
	var p Page
	if accept(w, r, &p) {
		reply(w, http.StatusCreated, a.AddPage(p))
	}
}

func (a controlAPI) page(w http.ResponseWriter, r *http.Request) {
	v, err := a.world.view(r.PathValue("page"))
	if err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, v)
}

func (a controlAPI) pages(w http.ResponseWriter, _ *http.Request) {
	views := []pageView{}
	for _, page := range a.world.allPages() {
		if v, err := a.world.view(page.ID); err == nil {
			views = append(views, v)
		}
	}
	reply(w, http.StatusOK, map[string]any{"pages": views})
}

func (a controlAPI) token(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Token    *string        `json:"token"`
		Settings *TokenSettings `json:"settings"`
	}
	if !accept(w, r, &in) {
		return
	}
	if _, err := a.world.view(r.PathValue("page")); err != nil {
		rejectFor(w, err)
		return
	}
	if in.Token != nil || in.Settings == nil {
		token := ""
		if in.Token != nil {
			token = *in.Token
		}
		a.SetPageToken(r.PathValue("page"), token)
	}
	if in.Settings != nil {
		a.SetTokenSettings(r.PathValue("page"), *in.Settings)
	}
	reply(w, http.StatusOK, success())
}

func (a controlAPI) primary(w http.ResponseWriter, r *http.Request) {
	var in struct {
		AppID string `json:"app_id"`
	}
	if !accept(w, r, &in) {
		return
	}
	if err := a.SetPrimary(r.PathValue("page"), in.AppID); err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}

func (a controlAPI) policy(w http.ResponseWriter, r *http.Request) {
	var in PolicyAction
	if !accept(w, r, &in) {
		return
	}
	if err := a.EnforcePolicy(r.PathValue("page"), in); err != nil {
		rejectFor(w, err)
		return
	}
	reply(w, http.StatusOK, success())
}
