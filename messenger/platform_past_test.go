package messenger_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// TestPlatformOfThePast makes the calls that the real platform takes no more, as
// of a day when it did.
func TestPlatformOfThePast(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC), "v3.2")
	ctx, c := t.Context(), p.client
	t.Run("broadcasts", func(t *testing.T) {
		p.needs(t, messenger.FeatureBroadcast)
		creative, err := c.CreateMessageCreative(ctx, messenger.TextMessage("News"))
		if err != nil {
			t.Fatal(err)
		}
		label, err := c.CreateLabel(ctx, "readers")
		if err != nil {
			t.Fatal(err)
		}
		id, err := c.SendBroadcast(ctx, messenger.BroadcastRequest{
			CreativeID: creative, MessagingType: messenger.TypeMessageTag, Tag: messenger.TagNonPromotionalSubscription,
			Targeting: &messenger.Targeting{Labels: messenger.Or(messenger.HasLabel(label), messenger.Not(messenger.HasLabel(label)))}, ScheduleTime: messenger.ScheduleAt(p.day.Add(time.Hour)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := c.Broadcast(ctx, id); err != nil || b.Status != "SCHEDULED" {
			t.Errorf("broadcast %+v, error %v", b, err)
		}
		if err := c.CancelBroadcast(ctx, id); err != nil {
			t.Error(err)
		}
		if b, err := c.Broadcast(ctx, id); err != nil || b.Status != "CANCELED" {
			t.Errorf("broadcast %+v, error %v", b, err)
		}
		if _, err := c.BroadcastMetrics(ctx, id); err != nil {
			t.Error(err)
		}
		estimate, err := c.StartReachEstimate(ctx, label)
		if err != nil {
			t.Fatal(err)
		}
		if reach, err := c.ReachEstimate(ctx, estimate); err != nil || string(reach.ID) != estimate {
			t.Errorf("reach %+v, error %v", reach, err)
		}
		sponsored, err := c.SendSponsored(ctx, messenger.SponsoredMessage{AdAccountID: "18910417349234", CreativeID: creative, DailyBudget: 100, BidAmount: 400, Targeting: `{"geo_locations":{"countries":["PE"]}}`})
		if err != nil || !sponsored.Success {
			t.Errorf("sponsored %+v, error %v", sponsored, err)
		}
	})
	t.Run("codes", func(t *testing.T) {
		p.needs(t, messenger.FeatureMessengerCode)
		if uri, err := c.MessengerCode(ctx, messenger.CodeRequest{Ref: "poster-12", ImageSize: 300}); err != nil || !strings.HasPrefix(uri, "http") {
			t.Errorf("code %q, error %v", uri, err)
		}
	})
	t.Run("tags", func(t *testing.T) {
		p.needs(t, messenger.FeatureMessageTags)
		if tags, err := c.MessageTags(ctx); err != nil || len(tags) == 0 || tags[0].Tag == "" {
			t.Errorf("tags %+v, error %v", tags, err)
		}
	})
	t.Run("templates", func(t *testing.T) {
		p.needs(t, messenger.FeatureListTemplate)
		card := messenger.Element{Title: "One", Subtitle: "first"}
		p.send(t, messenger.TemplateMessage(messenger.Template{List: &messenger.ListTemplate{TopElementStyle: "compact", Elements: []messenger.Element{card, card}}}))
		p.send(t, messenger.TemplateMessage(messenger.Template{OpenGraph: &messenger.OpenGraphTemplate{Elements: []messenger.OpenGraphElement{{URL: "https://example.com/"}}}}))
	})
	t.Run("profile", func(t *testing.T) {
		p.needs(t, messenger.FeatureTargetAudience)
		audience := messenger.TargetAudience{AudienceType: "custom", Countries: &messenger.AudienceCountries{Whitelist: []string{"PE"}}}
		if err := c.SetTargetAudience(ctx, audience); err != nil {
			t.Error(err)
		}
		if got, err := c.TargetAudience(ctx); err != nil || got == nil || got.AudienceType != "custom" {
			t.Errorf("audience %+v, error %v", got, err)
		}
		if err := c.SetWhitelistedDomains(ctx, "https://example.com"); err != nil {
			t.Error(err)
		}
		home := messenger.HomeURL{URL: "https://example.com/home", WebviewHeightRatio: "tall", InTest: true}
		if err := c.SetHomeURL(ctx, home); err != nil {
			t.Error(err)
		}
		if got, err := c.HomeURL(ctx); err != nil || got == nil || got.URL != home.URL {
			t.Errorf("home %+v, error %v", got, err)
		}
		if err := c.SetPaymentSettings(ctx, messenger.PaymentSettings{PrivacyURL: "https://example.com/privacy"}); err != nil {
			t.Error(err)
		}
		for _, remove := range []func(context.Context) error{c.DeleteTargetAudience, c.DeleteHomeURL, c.DeletePaymentSettings} {
			if err := remove(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}
