package apisrv_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// callback is the demo app's callback for pages, as the platform has it.
func (b *bundle) callback() string {
	b.t.Helper()
	c, err := messenger.New(messenger.AppToken(b.app.ID, b.app.Secret), messenger.WithBaseURL(b.graphURL), messenger.WithAppSecret(b.app.Secret))
	if err != nil {
		b.t.Fatal(err)
	}
	subscriptions, err := c.AppSubscriptions(b.t.Context(), b.app.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range subscriptions {
		if s.Object == "page" && s.Active {
			return s.CallbackURL
		}
	}
	return ""
}

// pageFields are the fields a page sends the demo app.
func (b *bundle) pageFields(token string) []string {
	b.t.Helper()
	c, err := messenger.New(token, messenger.WithBaseURL(b.graphURL), messenger.WithAppSecret(b.app.Secret))
	if err != nil {
		b.t.Fatal(err)
	}
	subscriptions, err := c.PageSubscriptions(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range subscriptions {
		if string(s.ID) == b.app.ID {
			return slices.Sorted(slices.Values(s.SubscribedFields))
		}
	}
	return nil
}

func TestConnectAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.platform.AddPage(graphemu.Page{ID: "1000", Name: "Demo Page"})
	a := b.connect(page)

	if !regexp.MustCompile(`^[0-9A-F]{32}$`).MatchString(a.Key) {
		t.Errorf("key = %q", a.Key)
	}
	if a.Page.ID != "1000" || a.Page.Name != "Demo Page" || a.Page.ImageURL == "" || a.Application.ID != b.app.ID || a.Application.Name != "Demo App" {
		t.Errorf("page and app are described as %+v, %+v", a.Page, a.Application)
	}
	if a.State != gatewayapi.ApplicationActive || !a.Door || a.CallbackURL != b.url+"/facebook/1/applications/"+a.Key+"/webhook" {
		t.Errorf("state %s, door %v, callback %s", a.State, a.Door, a.CallbackURL)
	}
	if got := b.callback(); got != a.CallbackURL {
		t.Errorf("the platform's callback is %s", got)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(gateway.SubscribedFields())), b.pageFields(page.AccessToken)); diff != "" {
		t.Errorf("page's fields (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/v1/applications", "/v1/applications/" + a.Key} {
		body := b.call("GET", path, b.key, "").body
		for _, secret := range []string{page.AccessToken, b.app.Secret, "chqv_"} {
			if strings.Contains(body, secret) {
				t.Errorf("GET %s shows a secret: %s", path, body)
			}
		}
	}
	_, err := b.client.ConnectApplication(t.Context(), gatewayapi.ConnectApplicationRequest{
		Page: gatewayapi.PageCredentials{AccessToken: page.AccessToken}, Application: gatewayapi.AppCredentials{ID: b.app.ID, Secret: b.app.Secret},
	})
	if !errors.Is(err, &gatewayapi.Error{Code: "conflict"}) || !strings.Contains(err.Error(), a.Key) {
		t.Errorf("the same page again: %v", err)
	}
}

func TestConnectIsEverythingOrNothing(t *testing.T) {
	t.Parallel()
	type state struct {
		request gatewayapi.ConnectApplicationRequest
		faults  []graphemu.Fault
	}
	for name, c := range map[string]struct {
		change      func(b *bundle, s *state)
		code, field string
	}{
		"no token":         {func(_ *bundle, s *state) { s.request.Page.AccessToken = "" }, "invalid_request", "page.accessToken"},
		"unknown token":    {func(_ *bundle, s *state) { s.request.Page.AccessToken = "EAAnonsense" }, "invalid_request", "page.accessToken"},
		"token with space": {func(_ *bundle, s *state) { s.request.Page.AccessToken = "a b" }, "invalid_request", "page.accessToken"},
		"wrong secret": {func(_ *bundle, s *state) {
			s.request.Application.Secret = strings.Repeat("0", 32)
		}, "invalid_request", "application.secret"},
		"no secret":           {func(_ *bundle, s *state) { s.request.Application.Secret = "" }, "invalid_request", "application.secret"},
		"app is not a number": {func(_ *bundle, s *state) { s.request.Application.ID = "demo" }, "invalid_request", "application.id"},
		"another app's token": {func(b *bundle, s *state) {
			other := b.platform.AddApp(graphemu.App{ID: "777", Name: "Other"})
			s.request.Application = gatewayapi.AppCredentials{ID: other.ID, Secret: other.Secret}
		}, "invalid_request", "page.accessToken"},
		"version": {func(_ *bundle, s *state) { s.request.GraphVersion = "26" }, "invalid_request", "graphVersion"},
		"platform in trouble": {func(_ *bundle, s *state) {
			s.faults = []graphemu.Fault{{Endpoint: "page", Status: 500, Code: 2}}
		}, "platform_unavailable", ""},
		"page cannot be subscribed": {func(_ *bundle, s *state) {
			s.faults = []graphemu.Fault{{Endpoint: "subscribed_apps", Code: 200, Message: "(#200) Permissions error"}}
		}, "invalid_request", "page.accessToken"},
		"app cannot be subscribed": {func(_ *bundle, s *state) {
			s.faults = []graphemu.Fault{{Endpoint: "subscriptions", Code: 2200, Message: "(#2200) callback verification failed"}}
		}, "invalid_request", "application"},
		"answer of the last step is lost": {func(_ *bundle, s *state) {
			s.faults = []graphemu.Fault{{Endpoint: "subscriptions", Status: 503, Code: 2}}
		}, "platform_unavailable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			page := b.platform.AddPage(graphemu.Page{ID: "1000", Name: "Demo Page"})
			s := &state{request: gatewayapi.ConnectApplicationRequest{
				Page: gatewayapi.PageCredentials{AccessToken: page.AccessToken}, Application: gatewayapi.AppCredentials{ID: b.app.ID, Secret: b.app.Secret},
			}}
			c.change(b, s)
			b.platform.SetFaults(s.faults)
			_, err := b.client.ConnectApplication(t.Context(), s.request)
			var e *gatewayapi.Error
			if !errors.As(err, &e) || string(e.Code) != c.code || e.Field != c.field {
				t.Errorf("err = %v, want %s at %q", err, c.code, c.field)
			}
			if err != nil && (strings.Contains(err.Error(), page.AccessToken) || strings.Contains(err.Error(), b.app.Secret)) {
				t.Errorf("the error shows a secret: %v", err)
			}
			b.platform.SetFaults(nil)
			if list, err := b.client.ListApplications(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("left behind: %+v, %v", list, err)
			}
			if fields := b.pageFields(page.AccessToken); len(fields) != 0 {
				t.Errorf("the page is subscribed to %v", fields)
			}
			if callback := b.callback(); callback != "" {
				t.Errorf("the app's callback is %s", callback)
			}
		})
	}
}

func TestPagesOfOneAppShareADoor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	pages := []graphemu.Page{b.platform.AddPage(graphemu.Page{ID: "1000"}), b.platform.AddPage(graphemu.Page{ID: "2000"}), b.platform.AddPage(graphemu.Page{ID: "3000"})}
	first, second, third := b.connect(pages[0]), b.connect(pages[1]), b.connect(pages[2])
	if got := b.callback(); got != first.CallbackURL || second.Door || third.Door {
		t.Fatalf("callback %s is not the first page's %s, or another claims the door", got, first.CallbackURL)
	}
	// A person writes to the second page; its event comes through the first page's door.
	person := b.platform.AddPerson("2000", graphemu.Person{FirstName: "Ana", Open: true})
	if _, err := b.platform.Act(ctx, "2000", person.ID, graphemu.Action{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	b.waitForEvent(ctx, second.Key, "message.inbound")

	if err := b.client.DeleteApplication(ctx, first.Key); err != nil {
		t.Fatal(err)
	}
	if got := b.callback(); got != second.CallbackURL {
		t.Errorf("callback after delete: %s, want %s", got, second.CallbackURL)
	}
	if fields := b.pageFields(pages[0].AccessToken); len(fields) != 0 {
		t.Errorf("the deleted page is still subscribed to %v", fields)
	}
	if a, err := b.client.GetApplication(ctx, second.Key); err != nil || !a.Door {
		t.Errorf("door = %v, %v", a.Door, err)
	}
	if err := b.client.DeleteApplication(ctx, third.Key); err != nil {
		t.Fatal(err)
	}
	if got := b.callback(); got != second.CallbackURL {
		t.Errorf("callback after the delete of a page that is not a door: %s", got)
	}
	if err := b.client.DeleteApplication(ctx, second.Key); err != nil {
		t.Fatal(err)
	}
	if got := b.callback(); got != "" {
		t.Errorf("callback after the last page: %s", got)
	}
	if _, err := b.client.GetApplication(ctx, second.Key); !errors.Is(err, &gatewayapi.Error{Code: "not_found"}) {
		t.Errorf("after delete: %v", err)
	}
}

// waitForEvent waits until an application has an event of a type.
func (b *bundle) waitForEvent(ctx context.Context, application, kind string) gatewayapi.Event {
	b.t.Helper()
	for {
		_, moved := b.store.HeadChanged()
		page, err := b.client.ListEvents(ctx, gatewayapi.ListEventsRequest{Application: application, Type: gatewayapi.EventType(kind)})
		if err != nil {
			b.t.Fatal(err)
		}
		if len(page.Events) > 0 {
			return page.Events[0]
		}
		select {
		case <-moved:
		case <-ctx.Done():
			b.t.Fatalf("no %s for %s", kind, application)
		}
	}
}

func TestRotateTokenAndSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	page, other := b.platform.AddPage(graphemu.Page{ID: "1000"}), b.platform.AddPage(graphemu.Page{ID: "2000"})
	a := b.connect(page)

	// The token dies, a send would find out and pause the page; the check does here.
	b.platform.SetPageToken("1000", "EAAnew")
	check, err := b.client.CheckApplication(ctx, a.Key)
	if err != nil || check.TokenValid || check.OK || len(check.Problems) == 0 {
		t.Fatalf("check of a dead token: %+v, %v", check, err)
	}
	if a, err = b.client.GetApplication(ctx, a.Key); err != nil || a.State != gatewayapi.ApplicationPaused || a.Paused == nil || a.Paused.Code != "token_invalid" {
		t.Fatalf("state %s, paused %+v, %v", a.State, a.Paused, err)
	}
	for name, c := range map[string]struct{ body, field string }{
		"another page's token": {`{"page":{"accessToken":"` + other.AccessToken + `"}}`, "page.accessToken"},
		"the dead token":       {`{"page":{"accessToken":"` + page.AccessToken + `"}}`, "page.accessToken"},
		"a wrong secret":       {`{"page":{"accessToken":"EAAnew"},"application":{"secret":"ffff"}}`, "application.secret"},
		"another app":          {`{"application":{"id":"1"}}`, "application.id"},
		"an unknown field":     {`{"page":{"token":"x"}}`, "page.token"},
	} {
		if e := b.call("PATCH", "/v1/applications/"+a.Key, b.key, c.body).apiError(t); e.Field != c.field {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if got, _ := b.client.GetApplication(ctx, a.Key); got.State != gatewayapi.ApplicationPaused {
		t.Error("a refused change resumed the page")
	}
	token := "EAAnew"
	if a, err = b.client.UpdateApplication(ctx, a.Key, gatewayapi.UpdateApplicationRequest{Page: &gatewayapi.UpdatePage{AccessToken: &token}}); err != nil {
		t.Fatal(err)
	}
	if a.State != gatewayapi.ApplicationActive || a.Paused != nil {
		t.Errorf("after the new token: %s, %+v", a.State, a.Paused)
	}
	if res := b.call("PUT", "/v1/applications/"+a.Key, b.key, `{"graphVersion":"v25.0","limits":{"textPerSecond":40}}`); res.status != 200 || !strings.Contains(res.body, `"textPerSecond":40`) {
		t.Errorf("PUT: %d %s", res.status, res.body)
	}
	check, err = b.client.CheckApplication(ctx, a.Key)
	if err != nil || !check.OK || !check.CallbackOK || len(check.MissingFields) != 0 || !slices.Contains(check.Permissions, "pages_messaging") {
		t.Errorf("check: %+v, %v", check, err)
	}
}

func TestMessengerProfileIsPassedOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	profile := `{"get_started":{"payload":"begin"},"greeting":[{"locale":"default","text":"Allinllachu"}]}`
	if err := b.client.SetMessengerProfile(t.Context(), a.Key, json.RawMessage(profile)); err != nil {
		t.Fatal(err)
	}
	if check, err := b.client.CheckApplication(t.Context(), a.Key); err != nil || check.GetStarted != "begin" {
		t.Errorf("check: %+v, %v", check, err)
	}
	for _, bad := range []string{`[]`, `{}`, `{"get_started":`, `{"get_started":{"payload":"` + strings.Repeat("x", 2000) + `"}}`} {
		b.call("PUT", "/v1/applications/"+a.Key+"/messenger-profile", b.key, bad).apiError(t)
	}
}

func TestOnlyTheTokenInUsePausesAPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	page := b.platform.AddPage(graphemu.Page{ID: "1000"})
	a := b.connect(page)
	why := gateway.Failure{Code: gateway.FailureTokenInvalid, Message: "expired"}
	for _, c := range []struct {
		used gateway.Secret
		want gatewayapi.ApplicationState
	}{{"EAAreplacedmeanwhile", gatewayapi.ApplicationActive}, {gateway.Secret(page.AccessToken), gatewayapi.ApplicationPaused}} {
		if err := b.apps.Pause(ctx, a.Key, c.used, why); err != nil {
			t.Fatal(err)
		}
		if got, err := b.client.GetApplication(ctx, a.Key); err != nil || got.State != c.want {
			t.Errorf("paused over %s: %s, %v", c.used, got.State, err)
		}
	}
	if err := b.apps.Pause(ctx, "0123", "x", why); err != nil {
		t.Errorf("a page deleted meanwhile: %v", err)
	}
	// The token works after all, so that a check resumes the page.
	if check, err := b.client.CheckApplication(ctx, a.Key); err != nil || !check.OK {
		t.Errorf("check: %+v, %v", check, err)
	}
	if got, err := b.client.GetApplication(ctx, a.Key); err != nil || got.State != gatewayapi.ApplicationActive || got.Paused != nil {
		t.Errorf("after the check: %+v, %v", got, err)
	}
}

func TestPagesConnectedAtOnceShareOneDoor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const pages = 3
	var requests []gatewayapi.ConnectApplicationRequest
	for range pages {
		page := b.platform.AddPage(graphemu.Page{})
		request := gatewayapi.ConnectApplicationRequest{Page: gatewayapi.PageCredentials{AccessToken: page.AccessToken}, Application: gatewayapi.AppCredentials{ID: b.app.ID, Secret: b.app.Secret}}
		requests = append(requests, request, request)
	}
	results := make(chan error, len(requests))
	for _, request := range requests {
		go func() {
			_, err := b.client.ConnectApplication(t.Context(), request)
			results <- err
		}()
	}
	conflicts := 0
	for range requests {
		if err := <-results; errors.Is(err, &gatewayapi.Error{Code: "conflict"}) {
			conflicts++
		} else if err != nil {
			t.Error(err)
		}
	}
	list, err := b.client.ListApplications(t.Context())
	if err != nil || len(list) != pages || conflicts != pages {
		t.Fatalf("%d applications, %d conflicts, %v", len(list), conflicts, err)
	}
	doors := 0
	for _, a := range list {
		if a.Door {
			doors++
			if got := b.callback(); got != a.CallbackURL {
				t.Errorf("the callback is %s, the door %s", got, a.CallbackURL)
			}
		}
	}
	if doors != 1 {
		t.Errorf("%d doors", doors)
	}
}

func TestAForeignCallbackIsReplacedAndFoundByTheCheck(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	first := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	// Somebody takes the app's callback away, as can be done in the app's dashboard.
	c, err := messenger.New(messenger.AppToken(b.app.ID, b.app.Secret), messenger.WithBaseURL(b.graphURL), messenger.WithAppSecret(b.app.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UnsubscribeApp(ctx, b.app.ID, "page"); err != nil {
		t.Fatal(err)
	}
	if check, err := b.client.CheckApplication(ctx, first.Key); err != nil || check.OK || check.CallbackOK || !check.TokenValid {
		t.Errorf("check: %+v, %v", check, err)
	}
	// Connecting another page of the app finds the door shut and opens it again, with the verify
	// token that belongs to it.
	b.connect(b.platform.AddPage(graphemu.Page{ID: "2000"}))
	if got := b.callback(); got != first.CallbackURL {
		t.Errorf("callback: %s, want %s", got, first.CallbackURL)
	}
	if check, err := b.client.CheckApplication(ctx, first.Key); err != nil || !check.OK {
		t.Errorf("check: %+v, %v", check, err)
	}
}

func TestDeleteWhenThePlatformDoesNotPlayAlong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	first := b.connect(b.platform.AddPage(graphemu.Page{ID: "1000"}))
	second := b.connect(b.platform.AddPage(graphemu.Page{ID: "2000"}))
	for _, endpoint := range []string{"subscriptions", "subscribed_apps"} {
		b.platform.SetFaults([]graphemu.Fault{{Endpoint: endpoint, Status: 500, Code: 2}})
		if err := b.client.DeleteApplication(ctx, first.Key); !errors.Is(err, &gatewayapi.Error{Code: "platform_unavailable"}) {
			t.Errorf("%s out of order: %v", endpoint, err)
		}
		if _, err := b.client.GetApplication(ctx, first.Key); err != nil {
			t.Errorf("%s out of order: the application is gone: %v", endpoint, err)
		}
	}
	// A token and a secret that are dead for good do not keep it.
	b.platform.SetFaults([]graphemu.Fault{{Code: 190, Message: "Error validating access token"}})
	for _, a := range []gatewayapi.Application{first, second} {
		if err := b.client.DeleteApplication(ctx, a.Key); err != nil {
			t.Errorf("delete with dead credentials: %v", err)
		}
	}
	if list, err := b.client.ListApplications(ctx); err != nil || len(list) != 0 {
		t.Errorf("left: %+v, %v", list, err)
	}
}
