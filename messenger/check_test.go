package messenger_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("ñ", n) }
	replies := func(n int) []messenger.QuickReply {
		var out []messenger.QuickReply
		for range n {
			out = append(out, messenger.TextReply("A", "a"))
		}
		return out
	}
	template := func(x messenger.Template) messenger.Message { return messenger.TemplateMessage(x) }
	card := messenger.Element{Title: "T", Subtitle: "S"}
	cards := func(n int) []messenger.Element {
		var out []messenger.Element
		for range n {
			out = append(out, card)
		}
		return out
	}
	button := messenger.PostbackButton("B", "b")
	tests := []struct {
		field   string // "" for what is allowed
		limit   int
		message messenger.Message
	}{
		{"", 0, messenger.TextMessage(long(2000))},
		{"message.text", 2000, messenger.TextMessage(long(2001))},
		{"message", 1, messenger.Message{}},
		{"message", 1, messenger.Message{Text: "a", StickerID: messenger.StickerLikeSmall}},
		{"message.metadata", 1000, messenger.Message{Text: "a", Metadata: long(1001)}},
		{"", 0, messenger.TextMessage("a").WithQuickReplies(replies(13)...)},
		{"message.quick_replies", 13, messenger.TextMessage("a").WithQuickReplies(replies(14)...)},
		{"message.quick_replies[1].title", 20, messenger.TextMessage("a").WithQuickReplies(messenger.PhoneReply(), messenger.TextReply(long(21), "a"))},
		{"message.quick_replies[0].title", 0, messenger.TextMessage("a").WithQuickReplies(messenger.TextReply("", "a"))},
		{"message.quick_replies[0].payload", 1000, messenger.TextMessage("a").WithQuickReplies(messenger.TextReply("a", long(1001)))},
		{"", 0, messenger.MediaMessage(messenger.TypeImage, "https://x/a.png")},
		{"", 0, messenger.Message{Attachments: []messenger.Attachment{{Type: messenger.TypeImage, URL: "https://x/a.png"}, {Type: messenger.TypeImage, AttachmentID: "1"}}}},
		{"message.attachments", 2, messenger.Message{Attachments: []messenger.Attachment{{Type: messenger.TypeImage, URL: "https://x/a.png"}}}},
		{"message.attachments[1].type", 0, messenger.Message{Attachments: []messenger.Attachment{{Type: messenger.TypeImage, URL: "https://x/a.png"}, {Type: messenger.TypeFile, URL: "https://x/a"}}}},
		{"message.attachment.payload", 0, messenger.MediaMessage(messenger.TypeImage, "")},
		{"message.attachment.type", 0, messenger.MediaMessage("", "https://x/a.png")},
		{"message.attachment.payload.template_type", 0, template(messenger.Template{})},
		{"", 0, template(messenger.Template{Raw: json.RawMessage(`{}`)})},
		{"message.attachment.payload.text", 640, template(messenger.Template{Button: &messenger.ButtonTemplate{Text: long(641), Buttons: []messenger.Button{button}}})},
		{"message.attachment.payload.buttons", 1, template(messenger.Template{Button: &messenger.ButtonTemplate{Text: "a"}})},
		{"message.attachment.payload.buttons", 3, template(messenger.Template{Button: &messenger.ButtonTemplate{Text: "a", Buttons: []messenger.Button{button, button, button, button}}})},
		{"message.attachment.payload.buttons[0].title", 20, template(messenger.Template{Button: &messenger.ButtonTemplate{Text: "a", Buttons: []messenger.Button{messenger.URLButton(long(21), "https://x")}}})},
		{"", 0, template(messenger.Template{Generic: &messenger.GenericTemplate{Elements: cards(10)}})},
		{"message.attachment.payload.elements", 10, template(messenger.Template{Generic: &messenger.GenericTemplate{Elements: cards(11)}})},
		{"message.attachment.payload.elements", 1, template(messenger.Template{Generic: &messenger.GenericTemplate{}})},
		{"message.attachment.payload.elements[0].title", 80, template(messenger.Template{Generic: &messenger.GenericTemplate{Elements: []messenger.Element{{Title: long(81), Subtitle: "s"}}}})},
		{"message.attachment.payload.elements[0]", 0, template(messenger.Template{Generic: &messenger.GenericTemplate{Elements: []messenger.Element{{Title: "t"}}}})},
		{"message.attachment.payload.elements[0].buttons[0].payload", 1000, template(messenger.Template{Generic: &messenger.GenericTemplate{Elements: []messenger.Element{{Title: "t", Buttons: []messenger.Button{messenger.PostbackButton("a", long(1001))}}}}})},
		{"message.attachment.payload.elements", 1, template(messenger.Template{Media: &messenger.MediaTemplate{Elements: make([]messenger.MediaElement, 2)}})},
		{"message.attachment.payload.elements", 100, template(messenger.Template{Receipt: &messenger.ReceiptTemplate{OrderNumber: "1", Elements: make([]messenger.ReceiptElement, 101)}})},
		{"message.attachment.payload.title", 65, template(messenger.Template{OneTimeNotif: &messenger.OneTimeNotifTemplate{Title: long(66)}})},
		{"message.attachment.payload.elements", 4, template(messenger.Template{List: &messenger.ListTemplate{Elements: cards(5)}})},
		{"message.attachment.payload.elements", 1, template(messenger.Template{OpenGraph: &messenger.OpenGraphTemplate{}})},
		{"message.attachment.payload.elements", 10, template(messenger.Template{Product: &messenger.ProductTemplate{Elements: make([]messenger.ProductElement, 11)}})},
		{"message.attachment.payload.expires_in_days", 7, template(messenger.Template{CustomerFeedback: &messenger.CustomerFeedbackTemplate{ExpiresInDays: 8}})},
		{"message.attachment.payload.price_info", 4, template(messenger.Template{AirlineItinerary: &messenger.AirlineItineraryTemplate{PriceInfo: make([]messenger.AirlinePrice, 5)}})},
		{"message.attachment.payload.boarding_pass[0]", 0, template(messenger.Template{AirlineBoardingPass: &messenger.AirlineBoardingPassTemplate{BoardingPass: []messenger.BoardingPass{{QRCode: "q", BarcodeImageURL: "b"}}}})},
	}
	base, calls := recorder(t, sendAnswer)
	go func() {
		for range calls { //nolint:revive // what was sent is not looked at
		}
	}()
	strict, loose := newClient(t, base), newClient(t, base, messenger.WithoutChecks())
	for _, tt := range tests {
		req := messenger.SendRequest{Recipient: messenger.Recipient{ID: "1"}, Message: tt.message}
		_, err := strict.Send(t.Context(), req)
		var field *messenger.FieldError
		switch {
		case tt.field == "":
			if err != nil {
				t.Errorf("an allowed message: %v", err)
			}
		case !errors.As(err, &field) || field.Field != tt.field || field.Limit != tt.limit || !messenger.Unsent(err) || !errors.Is(err, messenger.ErrInvalid):
			t.Errorf("%s %d: error %v", tt.field, tt.limit, err)
		}
		if _, err := loose.Send(t.Context(), req); err != nil && !errors.Is(err, messenger.ErrEmptyTemplate) {
			t.Errorf("%s without checks: %v", tt.field, err)
		}
	}
}

func TestChecksOfOtherCalls(t *testing.T) {
	t.Parallel()
	menu := func(n int, locale string) messenger.PersistentMenu {
		return messenger.PersistentMenu{Locale: locale, CallToActions: make([]messenger.Button, n)}
	}
	nested := messenger.PersistentMenu{Locale: "default", CallToActions: []messenger.Button{{Type: "nested", Title: "More", CallToActions: []messenger.Button{messenger.PostbackButton("a", "b")}}}}
	tests := []struct {
		version, field string
		do             func(context.Context, *messenger.Client) error
	}{
		{"v26.0", "recipient", func(ctx context.Context, c *messenger.Client) error {
			return result(c.Send(ctx, messenger.SendRequest{Recipient: messenger.Recipient{ID: "1", UserRef: "u"}, Message: messenger.TextMessage("a")}))
		}},
		{"v26.0", "recipient.name", func(ctx context.Context, c *messenger.Client) error {
			return result(c.Send(ctx, messenger.SendRequest{Recipient: messenger.Recipient{UserRef: "1", Name: &messenger.HumanName{}}, Message: messenger.TextMessage("a")}))
		}},
		{"v26.0", "tag", func(ctx context.Context, c *messenger.Client) error {
			return result(c.Send(ctx, messenger.SendRequest{Recipient: messenger.Recipient{ID: "1"}, MessagingType: messenger.TypeMessageTag, Message: messenger.TextMessage("a")}))
		}},
		{"v26.0", "payload.message_id", func(ctx context.Context, c *messenger.Client) error {
			return result(c.SenderAction(ctx, messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: "1"}, Action: messenger.React}))
		}},
		{"v26.0", "name", func(ctx context.Context, c *messenger.Client) error {
			return result(c.CreatePersona(ctx, messenger.Persona{Name: strings.Repeat("x", 51), ProfilePictureURL: "https://x"}))
		}},
		{"v26.0", "metadata", func(ctx context.Context, c *messenger.Client) error {
			return c.PassThread(ctx, messenger.ThreadRequest{PSID: "1", AppID: messenger.AppIDPageInbox, Metadata: strings.Repeat("x", 1001)})
		}},
		{"v26.0", "n_best", func(ctx context.Context, c *messenger.Client) error {
			return c.SetNLP(ctx, messenger.NLPConfig{NBest: 9})
		}},
		{"v2.6", "image_size", func(ctx context.Context, c *messenger.Client) error {
			return result(c.MessengerCode(ctx, messenger.CodeRequest{ImageSize: 99}))
		}},
		{"v2.6", "data.ref", func(ctx context.Context, c *messenger.Client) error {
			return result(c.MessengerCode(ctx, messenger.CodeRequest{Ref: "a b"}))
		}},
		{"v26.0", "get_started.payload", func(ctx context.Context, c *messenger.Client) error { return c.SetGetStarted(ctx, "") }},
		{"v26.0", "greeting[1].text", func(ctx context.Context, c *messenger.Client) error {
			return c.SetGreeting(ctx, messenger.Greeting{Locale: "default"}, messenger.Greeting{Locale: "es_LA", Text: strings.Repeat("x", 161)})
		}},
		{"v26.0", "ice_breakers[0].call_to_actions", func(ctx context.Context, c *messenger.Client) error {
			return c.SetIceBreakers(ctx, messenger.IceBreakers{Locale: "default", CallToActions: make([]messenger.IceBreaker, 5)})
		}},
		{"v26.0", "whitelisted_domains", func(ctx context.Context, c *messenger.Client) error {
			return c.SetWhitelistedDomains(ctx, make([]string, 51)...)
		}},
		{"v26.0", "account_linking_url", func(ctx context.Context, c *messenger.Client) error {
			return c.SetAccountLinkingURL(ctx, "http://x")
		}},
		{"v26.0", "persistent_menu", func(ctx context.Context, c *messenger.Client) error {
			return c.SetPersistentMenu(ctx, menu(1, "es_LA"))
		}},
		{"v26.0", "persistent_menu[0].call_to_actions", func(ctx context.Context, c *messenger.Client) error {
			return c.SetPersistentMenu(ctx, menu(21, "default"))
		}},
		{"v26.0", "persistent_menu[0].call_to_actions[0].call_to_actions", func(ctx context.Context, c *messenger.Client) error { return c.SetPersistentMenu(ctx, nested) }},
		{"v7.0", "persistent_menu[0].call_to_actions", func(ctx context.Context, c *messenger.Client) error {
			return c.SetUserMenu(ctx, "1", menu(4, "default"))
		}},
		{"v7.0", "", func(ctx context.Context, c *messenger.Client) error { return c.SetPersistentMenu(ctx, nested) }},
		{"v26.0", "", func(ctx context.Context, c *messenger.Client) error {
			return c.SetPersistentMenu(ctx, menu(20, "default"))
		}},
		{"v3.3", "messages[0].attachment.payload.template_type", func(ctx context.Context, c *messenger.Client) error {
			return result(c.CreateMessageCreative(ctx, messenger.TemplateMessage(messenger.Template{AirlineUpdate: &messenger.AirlineUpdateTemplate{}})))
		}},
		{"v3.3", "messages[1].attachment.payload.template_type", func(ctx context.Context, c *messenger.Client) error {
			return result(c.CreateMessageCreative(ctx, messenger.TextMessage("a"), messenger.TemplateMessage(messenger.Template{Receipt: &messenger.ReceiptTemplate{OrderNumber: "1"}})))
		}},
		{"v3.3", "messages[0].attachment.payload.template_type", func(ctx context.Context, c *messenger.Client) error {
			return result(c.CreateMessageCreative(ctx, messenger.TemplateMessage(messenger.Template{Raw: json.RawMessage(`{"template_type":"open_graph"}`)})))
		}},
	}
	base, calls := recorder(t, `{}`)
	go func() {
		for range calls { //nolint:revive // what was sent is not looked at
		}
	}()
	for _, tt := range tests {
		err := tt.do(t.Context(), newClient(t, base, messenger.WithVersion(tt.version)))
		var field *messenger.FieldError
		if tt.field == "" && err == nil {
			continue
		}
		if !errors.As(err, &field) || field.Field != tt.field || !strings.Contains(err.Error(), tt.field) {
			t.Errorf("%s: error %v", tt.field, err)
		}
		if err := tt.do(t.Context(), newClient(t, base, messenger.WithVersion(tt.version), messenger.WithoutChecks())); messenger.Unsent(err) {
			t.Errorf("%s without checks: %v", tt.field, err)
		}
	}
}

func TestSupport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		feature messenger.Feature
		version string
		day     string
		ok      bool
	}{
		{messenger.FeatureSend, "v2.6", "2016-05-01", true},
		{messenger.FeatureSend, "v26.0", "2026-11-22", true},
		{messenger.FeatureMessengerCode, "v2.6", "2019-10-28", true},
		{messenger.FeatureMessengerCode, "v4.0", "2019-10-28", false},
		{messenger.FeatureMessengerCode, "v2.6", "2019-10-29", false},
		{messenger.FeatureBroadcast, "v4.0", "2020-03-03", true},
		{messenger.FeatureBroadcast, "v4.0", "2020-03-04", false},
		{messenger.FeatureNestedMenu, "v7.0", "2021-01-01", true},
		{messenger.FeatureNestedMenu, "v8.0", "2021-01-01", false},
		{messenger.FeatureNestedMenu, "v7.0", "2022-08-04", false},
		{messenger.FeatureProductTemplate, "v7.0", "2021-01-01", false},
		{messenger.FeatureProductTemplate, "v8.0", "2021-01-01", true},
		{messenger.FeatureListTemplate, "v3.3", "2020-01-01", true},
		{messenger.FeatureListTemplate, "v10.0", "2021-01-01", false},
		{messenger.FeatureHomeURL, "v6.0", "2021-01-01", true},
		{messenger.FeatureHomeURL, "v7.0", "2021-01-01", false},
		{messenger.FeatureTagsOf2020, "v22.0", "2026-04-26", true},
		{messenger.FeatureTagsOf2020, "v22.0", "2026-04-27", false},
		{messenger.FeatureTagHumanAgent, "v26.0", "2026-11-22", true},
		{messenger.FeatureIceBreakers, "v4.0", "2018-01-01", false},
		{messenger.FeatureNotificationMessages, "v22.0", "2026-02-10", false},
		{messenger.FeatureCustomerMatching, "v3.0", "2019-01-01", true},
		{"carrier_pigeon", "v26.0", "2026-01-01", false},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.DateOnly, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		got := messenger.Support(tt.feature, tt.version, at)
		if got.OK != tt.ok || got.Known != (tt.feature != "carrier_pigeon") {
			t.Errorf("%s, %s, %s: %+v", tt.feature, tt.version, tt.day, got)
		}
	}
	code := messenger.Support(messenger.FeatureMessengerCode, "v26.0", time.Now())
	if code.Removed != "v4.0" || code.Until.Format(time.DateOnly) != "2019-10-29" || !strings.Contains(code.Successor, "m.me") {
		t.Errorf("codes: %+v", code)
	}
}
