package messenger_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

func TestPlatformProfile(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	ctx, c := t.Context(), p.client
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	started := messenger.GetStarted{Payload: "START"}
	must(c.SetGetStarted(ctx, started.Payload))
	same(t, &started)(c.GetStarted(ctx))
	menu := []messenger.PersistentMenu{{Locale: "default", CallToActions: []messenger.Button{messenger.PostbackButton("Orders", "ORDERS"), messenger.URLButton("Shop", "https://example.com/")}}}
	must(c.SetPersistentMenu(ctx, menu...))
	same(t, menu)(c.PersistentMenu(ctx))
	greeting := []messenger.Greeting{{Locale: "default", Text: "Hello"}, {Locale: "es_LA", Text: "Hola"}}
	must(c.SetGreeting(ctx, greeting...))
	same(t, greeting)(c.Greeting(ctx))
	breakers := []messenger.IceBreakers{{Locale: "default", CallToActions: []messenger.IceBreaker{{Question: "When?", Payload: "WHEN"}, {Question: "Where?", Payload: "WHERE"}}}}
	must(c.SetIceBreakers(ctx, breakers...))
	same(t, breakers)(c.IceBreakers(ctx))
	must(c.SetWhitelistedDomains(ctx, "https://example.com"))
	if domains, err := c.WhitelistedDomains(ctx); err != nil || len(domains) != 1 || strings.TrimRight(domains[0], "/") != "https://example.com" {
		t.Errorf("domains %q, error %v", domains, err)
	}
	must(c.SetAccountLinkingURL(ctx, "https://example.com/login"))
	same(t, "https://example.com/login")(c.AccountLinkingURL(ctx))
	commands := []messenger.Commands{{Locale: "default", Commands: []messenger.ProfileCommand{{Name: "hours", Description: "When we are open"}}}}
	must(c.SetCommands(ctx, commands...))
	same(t, commands)(c.Commands(ctx))
	must(c.SetUserMenu(ctx, p.psid, menu...))
	if own, err := c.UserMenu(ctx, p.psid); err != nil || !cmp.Equal(own.User, menu) {
		t.Errorf("user's menu %+v, error %v", own, err)
	}
	must(c.DeleteUserMenu(ctx, p.psid))
	if own, err := c.UserMenu(ctx, p.psid); err != nil || own.User != nil {
		t.Errorf("user's menu after it was deleted %+v, error %v", own, err)
	}
	whole, err := c.MessengerProfile(ctx)
	if err != nil || whole.GetStarted == nil || len(whole.Commands) != 1 {
		t.Errorf("profile %+v, error %v", whole, err)
	}
	for _, remove := range []func(context.Context) error{
		c.DeleteCommands, c.DeletePersistentMenu, c.DeleteIceBreakers, c.DeleteGetStarted, c.DeleteGreeting, c.DeleteAccountLinkingURL, c.DeleteWhitelistedDomains,
	} {
		must(remove(ctx))
	}
	same[*messenger.GetStarted](t, nil)(c.GetStarted(ctx))
	same(t, "")(c.AccountLinkingURL(ctx))
}

// same compares a result with what was set.
func same[T any](t *testing.T, want T) func(T, error) {
	t.Helper()
	return func(got T, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v (-set +read):\n%s", err, diff)
		}
	}
}

func TestPlatformPeople(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	ctx, c := t.Context(), p.client
	person, err := c.UserProfile(ctx, p.psid, "first_name", "last_name")
	if err != nil || person.FirstName == "" || person.ID != p.psid {
		t.Errorf("profile %+v, error %v", person, err)
	}
	label, err := c.CreateLabel(ctx, "suite "+time.Now().Format("150405.000000"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AssociateLabel(ctx, label, p.psid); err != nil {
		t.Error(err)
	}
	if got, err := c.Label(ctx, label); err != nil || got.ID != label || !strings.HasPrefix(got.Name, "suite ") {
		t.Errorf("label %+v, error %v", got, err)
	}
	found := 0
	for got, err := range c.AllPersonLabels(ctx, p.psid, messenger.ListOptions{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if got.ID == label {
			found++
		}
	}
	for got, err := range c.AllLabels(ctx, messenger.ListOptions{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if got.ID == label {
			found++
		}
	}
	if found != 2 {
		t.Errorf("the label was found %d times", found)
	}
	if err := c.DissociateLabel(ctx, label, p.psid); err != nil {
		t.Error(err)
	}
	if err := c.DeleteLabel(ctx, label); err != nil {
		t.Error(err)
	}
	var ids []string
	for range 3 {
		id, err := c.CreatePersona(ctx, messenger.Persona{Name: "Rosa", ProfilePictureURL: "https://www.gstatic.com/webp/gallery/1.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	walked := map[string]bool{}
	for persona, err := range c.AllPersonas(ctx, messenger.ListOptions{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		walked[persona.ID] = true
	}
	for _, id := range ids {
		if got, err := c.Persona(ctx, id); err != nil || got.Name != "Rosa" || !walked[id] {
			t.Errorf("persona %+v, walked %v, error %v", got, walked[id], err)
		}
		if _, err := c.SenderAction(ctx, messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: p.psid}, Action: messenger.TypingOn, PersonaID: id}); err != nil {
			t.Error(err)
		}
		if err := c.DeletePersona(ctx, id); err != nil {
			t.Error(err)
		}
	}
}

func TestPlatformApps(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	ctx, c := t.Context(), p.client
	if page, err := c.Page(ctx); err != nil || page.ID != p.pageID || page.Name == "" {
		t.Errorf("page %+v, error %v", page, err)
	}
	app := c.As(messenger.AppToken(string(p.app), p.appKey))
	if got, err := app.App(ctx, string(p.app)); err != nil || got.ID != p.app {
		t.Errorf("app %+v, error %v", got, err)
	}
	if err := c.SubscribePage(ctx, "messages", "messaging_postbacks"); err != nil {
		t.Error(err)
	}
	if list, err := c.PageSubscriptions(ctx); err != nil || len(list) == 0 {
		t.Errorf("subscriptions %+v, error %v", list, err)
	}
	if _, err := app.AppSubscription(ctx, string(p.app), "page"); err != nil {
		t.Error(err)
	}
	if _, err := c.FeatureReviews(ctx); err != nil {
		t.Error(err)
	}
	insights, err := c.Insights(ctx, messenger.InsightsRequest{
		Metrics: []messenger.Metric{messenger.MetricNewConversations, messenger.MetricBlockedConversations}, Since: time.Now().AddDate(0, 0, -7), Until: time.Now(),
	})
	if err != nil || (!p.real && len(insights) != 2) {
		t.Errorf("insights %+v, error %v", insights, err)
	}
	on := true
	if err := c.SetNLP(ctx, messenger.NLPConfig{Enabled: &on, NBest: 2}); err != nil {
		t.Error(err)
	}
	if _, err := c.ListIDsForPages(ctx, messenger.IDMatchRequest{ID: p.psid}); err != nil {
		t.Error(err)
	}
	if _, err := c.ListIDsForApps(ctx, messenger.IDMatchRequest{ID: p.psid, App: p.app}); err != nil {
		t.Error(err)
	}
	value := 12.5
	err = c.LogCustomEvents(ctx, messenger.CustomEvents{AppID: p.app, PageID: p.pageID, PSID: p.psid, Events: []messenger.CustomEvent{{Name: "fb_mobile_purchase", ValueToSum: &value, Currency: "PEN"}}})
	if err != nil {
		t.Error(err)
	}
}
