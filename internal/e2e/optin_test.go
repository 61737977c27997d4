package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// optIn lets a person come back with a token.
func (p *page) optIn(psid, token string) {
	p.act(psid, graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: token}})
}

type stateData struct {
	State     string          `json:"state"`
	ProfileID string          `json:"profileId"`
	Data      json.RawMessage `json:"data"`
}

func TestOptInStates(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p, other := w.connect(graphemu.Page{}), w.connect(graphemu.Page{})
	ctx := t.Context()
	events := w.follow(w.pull("optin").id)
	make := func(profile string, single bool, seconds int) string {
		s, err := w.client.CreateOptInState(ctx, gatewayapi.OptInStateRequest{ProfileID: profile, Application: p.key, SingleUse: single, ExpiresIn: seconds, Data: json.RawMessage(`{"cart":7}`)})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.State) > 250 || strings.Trim(s.State, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || !strings.Contains(s.HTML, `data-ref="`+s.State+`"`) || !strings.HasSuffix(s.Link, "?ref="+s.State) {
			t.Errorf("%+v", s)
		}
		return s.State
	}
	n := 0
	comes := func(on *page, psid, token, want string) stateData {
		t.Helper()
		on.optIn(psid, token)
		n++
		var got stateData
		await(t, "the opt-in to be "+want, func() (bool, string) {
			all := events.all()
			if len(all) < n {
				return false, fmt.Sprint(len(all))
			}
			got = dataOf[stateData](t, all[n-1])
			return true, ""
		})
		if got.State != want {
			t.Errorf("the opt-in is %q, want %q", got.State, want)
		}
		return got
	}
	owner := func(psid string) string {
		page, err := w.client.ListProfiles(ctx, gatewayapi.ListProfilesRequest{FBMessengerID: psid})
		if err != nil || len(page.Profiles) != 1 {
			t.Fatalf("%+v %v", page, err)
		}
		return page.Profiles[0].ID()
	}
	ana := p.person("Ana")
	p.says(ana, "hello") // makes a profile by itself
	await(t, "a profile", func() (bool, string) {
		page, err := w.client.ListProfiles(ctx, gatewayapi.ListProfilesRequest{FBMessengerID: ana})
		return err == nil && len(page.Profiles) == 1 && page.Profiles[0]["facebook"] != nil, fmt.Sprint(err)
	})
	sent := w.send(p.text(ana, "before"))
	token := make("customer-17", true, 0)
	if got := comes(p, ana, token, "bound"); got.ProfileID != "customer-17" || string(got.Data) != `{"cart":7}` {
		t.Errorf("%+v", got)
	}
	if id := owner(ana); id != "customer-17" {
		t.Errorf("the person is %s", id)
	}
	profile, err := w.client.GetProfile(ctx, "customer-17")
	if err != nil || !strings.Contains(string(profile.Profile["facebook"]), "Ana") {
		t.Errorf("what the platform says did not move along: %v %v", profile, err)
	}
	_ = sent
	if got := comes(p, p.person("Ben"), token, "used"); got.ProfileID != "" || got.Data != nil {
		t.Errorf("%+v", got)
	}
	comes(p, ana, make("customer-18", false, 0), "conflict")
	if id := owner(ana); id != "customer-17" {
		t.Errorf("a named profile lost its person to %s", id)
	}
	comes(p, p.person("Cleo"), token[:len(token)-2]+"xx", "forged")
	comes(p, p.person("Dan"), token[:20], "forged")
	comes(other, other.person("Eva"), make("customer-19", false, 0), "forged")
	late := make("customer-20", false, 60)
	many := make("customer-21", false, 7200)
	w.clock.advance(time.Hour)
	comes(p, p.person("Fay"), late, "expired")
	gus := p.person("Gus")
	comes(p, gus, many, "bound")
	comes(p, gus, many, "bound")
	comes(p, p.person("Hal"), many, "conflict") // the profile is somebody else on this page
	if id := owner(gus); id != "customer-21" {
		t.Errorf("the person is %s", id)
	}
	resp, err := http.Post(w.url+"/apispaces/"+p.key+"/channels/facebook/state", "application/json", strings.NewReader(`{"profileId":"dave@acme.com","plan":"gold"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("without a key it answers %d", resp.StatusCode)
	}
	req, _ := http.NewRequest(http.MethodPost, w.url+"/apispaces/"+p.key+"/channels/facebook/state", strings.NewReader(`{"profileId":"dave@acme.com","plan":"gold"}`))
	req.Header.Set("Authorization", "Bearer "+w.key)
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state string
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode, err)
	}
	if got := comes(p, p.person("Dave"), state, "bound"); got.ProfileID != "dave@acme.com" || string(got.Data) != `{"plan":"gold"}` {
		t.Errorf("%+v", got)
	}
}
