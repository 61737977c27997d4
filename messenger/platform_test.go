package messenger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// platform is what the suite runs against: the emulator, or the real platform
// when CHASQUI_GRAPH_TOKEN holds a page's token. Then these are read too:
//
//	CHASQUI_GRAPH_PSID        a person who wrote to the page in the last 24 hours
//	CHASQUI_GRAPH_APP_ID      the app of the token
//	CHASQUI_GRAPH_APP_SECRET  its secret
//	CHASQUI_GRAPH_VERSION     the version, the newest known when it is empty
//	CHASQUI_GRAPH_URL         where the Graph API is, the real one when it is empty
//
// The suite changes the page's profile and sends messages to that person: give
// it a page for tests.
type platform struct {
	client *messenger.Client
	psid   messenger.PSID
	app    messenger.AppID
	appKey string
	pageID messenger.PageID
	day    time.Time
	real   bool
}

// connect gives the platform as it was on a day, and as it is today for the zero
// time. The real one is always of today.
func connect(t *testing.T, day time.Time, version string) platform {
	t.Helper()
	if token := os.Getenv("CHASQUI_GRAPH_TOKEN"); token != "" {
		p := platform{
			psid: messenger.PSID(os.Getenv("CHASQUI_GRAPH_PSID")), app: messenger.AppID(os.Getenv("CHASQUI_GRAPH_APP_ID")),
			appKey: os.Getenv("CHASQUI_GRAPH_APP_SECRET"), day: time.Now(), real: true,
		}
		opts := []messenger.Option{messenger.WithAppSecret(p.appKey)}
		if v := os.Getenv("CHASQUI_GRAPH_VERSION"); v != "" {
			opts = append(opts, messenger.WithVersion(v))
		}
		if u := os.Getenv("CHASQUI_GRAPH_URL"); u != "" {
			opts = append(opts, messenger.WithBaseURL(u))
		}
		c, err := messenger.New(token, opts...)
		if err != nil {
			t.Fatal(err)
		}
		page, err := c.Page(t.Context(), "id")
		if err != nil {
			t.Fatal(err)
		}
		p.client, p.pageID = c, page.ID
		return p
	}
	emu := &graphemu.Server{}
	srv := httptest.NewServer(emu)
	t.Cleanup(func() { emu.Close(); srv.Close() })
	app := emu.AddApp(graphemu.App{Name: "Suite"})
	page := emu.AddPage(graphemu.Page{Name: "Café", AppID: app.ID, AdAccount: "18910417349234"})
	if !day.IsZero() {
		emu.SetTime(day)
	}
	ana := emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana", LastName: "Quispe", Open: true})
	c, err := messenger.New(page.AccessToken, messenger.WithBaseURL(srv.URL), messenger.WithAppSecret(app.Secret), messenger.WithVersion(version))
	if err != nil {
		t.Fatal(err)
	}
	return platform{client: c, psid: messenger.PSID(ana.ID), app: messenger.AppID(app.ID), appKey: app.Secret, pageID: messenger.PageID(page.ID), day: day}
}

// needs skips what the real platform does not take any more.
func (p platform) needs(t *testing.T, feature messenger.Feature) {
	t.Helper()
	if a := messenger.Support(feature, p.client.Version(), p.day); p.real && !a.OK {
		t.Skipf("the platform does not take %s since %s", feature, a.Until.Format(time.DateOnly))
	}
}

func (p platform) send(t *testing.T, m messenger.Message) messenger.SendResult {
	t.Helper()
	sent, err := p.client.Send(t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: p.psid}, MessagingType: messenger.TypeResponse, Message: m})
	if err != nil || sent.RecipientID != p.psid {
		t.Errorf("sent %+v, error %v", sent, err)
	}
	return sent
}

func TestPlatformSends(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	const picture, site = "https://www.gstatic.com/webp/gallery/1.jpg", "https://example.com/"
	buttons := []messenger.Button{messenger.URLButton("Open", site), messenger.PostbackButton("Tell me", "TELL"), messenger.CallButton("Call", "+51123456789")}
	replies := []messenger.QuickReply{messenger.TextReply("Yes", "YES"), messenger.PhoneReply(), messenger.EmailReply()}
	flight := messenger.FlightInfo{
		FlightNumber: "LA2045", DepartureAirport: messenger.Airport{AirportCode: "LIM", City: "Lima"}, ArrivalAirport: messenger.Airport{AirportCode: "CUZ", City: "Cusco"},
		FlightSchedule: messenger.FlightSchedule{DepartureTime: "2026-12-01T09:00", ArrivalTime: "2026-12-01T10:20"},
	}
	itinerary := flight
	itinerary.ConnectionID, itinerary.SegmentID, itinerary.TravelClass = "c1", "s1", "economy"
	for name, m := range map[string]messenger.Message{
		"text":    messenger.TextMessage("Hola ☕"),
		"image":   messenger.MediaMessage(messenger.TypeImage, picture),
		"sticker": {StickerID: messenger.StickerLikeSmall},
		"button":  messenger.TemplateMessage(messenger.Template{Button: &messenger.ButtonTemplate{Text: "Well?", Buttons: buttons}}),
		"generic": messenger.TemplateMessage(messenger.Template{Generic: &messenger.GenericTemplate{ImageAspectRatio: "square", Elements: []messenger.Element{
			{Title: "One", Subtitle: "first", ImageURL: picture, DefaultAction: &messenger.Button{Type: "web_url", URL: site}, Buttons: buttons}, {Title: "Two", Subtitle: "second"},
		}}}),
		"receipt": messenger.TemplateMessage(messenger.Template{Receipt: &messenger.ReceiptTemplate{
			RecipientName: "Ana", OrderNumber: time.Now().Format("150405.000000"), Currency: "PEN", PaymentMethod: "Visa 1234",
			Summary: messenger.ReceiptSummary{TotalCost: 12.5}, Elements: []messenger.ReceiptElement{{Title: "Coffee", Price: 12.5, Quantity: 1}},
		}}),
		"boarding pass": messenger.TemplateMessage(messenger.Template{AirlineBoardingPass: &messenger.AirlineBoardingPassTemplate{IntroMessage: "Here you are", Locale: "en_US", BoardingPass: []messenger.BoardingPass{{
			PassengerName: "ANA QUISPE", PNRNumber: "ABC123", LogoImageURL: picture, QRCode: "M1", AboveBarCodeImageURL: picture, FlightInfo: flight,
		}}}}),
		"check-in": messenger.TemplateMessage(messenger.Template{AirlineCheckin: &messenger.AirlineCheckinTemplate{IntroMessage: "Check in", Locale: "en_US", CheckinURL: site, FlightInfo: []messenger.FlightInfo{flight}}}),
		"itinerary": messenger.TemplateMessage(messenger.Template{AirlineItinerary: &messenger.AirlineItineraryTemplate{
			IntroMessage: "Your journey", Locale: "en_US", PNRNumber: "ABC123", TotalPrice: "120.50", Currency: "PEN", FlightInfo: []messenger.FlightInfo{itinerary},
			PassengerInfo:        []messenger.PassengerInfo{{PassengerID: "p1", Name: "Ana Quispe"}},
			PassengerSegmentInfo: []messenger.PassengerSegmentInfo{{SegmentID: "s1", PassengerID: "p1", Seat: "12A", SeatType: "Economy"}},
		}}),
		"flight update":   messenger.TemplateMessage(messenger.Template{AirlineUpdate: &messenger.AirlineUpdateTemplate{IntroMessage: "Delayed", UpdateType: "delay", Locale: "en_US", UpdateFlightInfo: flight}}),
		"coupon":          messenger.TemplateMessage(messenger.Template{Coupon: &messenger.CouponTemplate{Title: "A tenth off", CouponCode: "DIEZ"}}),
		"one-time notice": messenger.TemplateMessage(messenger.Template{OneTimeNotif: &messenger.OneTimeNotifTemplate{Title: "Tell me when it is back", Payload: "BACK"}}),
		"feedback": messenger.TemplateMessage(messenger.Template{CustomerFeedback: &messenger.CustomerFeedbackTemplate{
			Title: "How was it?", ButtonTitle: "Rate", BusinessPrivacy: messenger.FeedbackPrivacy{URL: site}, ExpiresInDays: 3,
			FeedbackScreens: []messenger.FeedbackScreen{{Questions: []messenger.FeedbackQuestion{{ID: "q1", Type: "csat", ScoreOption: "five_stars", FollowUp: &messenger.FeedbackFollowUp{Type: "free_form"}}}}},
		}}),
	} {
		t.Run(name, func(t *testing.T) {
			p.send(t, m)
			if m.StickerID == "" {
				p.send(t, m.WithQuickReplies(replies...))
			}
		})
	}
	saved, err := p.client.UploadAttachment(t.Context(), messenger.UploadRequest{Type: messenger.TypeImage, Reusable: true, File: &messenger.File{Name: "dot.png", Reader: bytes.NewReader(onePixel(t))}})
	if err != nil || saved == "" {
		t.Fatalf("upload %q, error %v", saved, err)
	}
	p.send(t, messenger.SavedMessage(messenger.TypeImage, saved))
	p.send(t, messenger.TemplateMessage(messenger.Template{Media: &messenger.MediaTemplate{Elements: []messenger.MediaElement{{MediaType: "image", AttachmentID: saved, Buttons: buttons[:1]}}}}))
	if _, err := p.client.UploadAttachment(t.Context(), messenger.UploadRequest{Type: messenger.TypeImage, URL: picture, Reusable: true}); err != nil {
		t.Errorf("upload by address: %v", err)
	}
	to := messenger.Recipient{ID: p.psid}
	sent, err := p.client.SendFile(t.Context(), messenger.SendRequest{Recipient: to, MessagingType: messenger.TypeResponse, Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeImage}}}, messenger.File{Name: "dot.png", Data: onePixel(t)})
	if err != nil || sent.MessageID == "" {
		t.Errorf("file: %+v, %v", sent, err)
	}
	if _, err := p.client.SendRaw(t.Context(), json.RawMessage(`{"recipient":{"id":"`+string(p.psid)+`"},"messaging_type":"RESPONSE","message":{"text":"raw"}}`)); err != nil {
		t.Errorf("raw: %v", err)
	}
	for _, action := range []messenger.SenderActionName{messenger.MarkSeen, messenger.TypingOn, messenger.TypingOff} {
		if _, err := p.client.SenderAction(t.Context(), messenger.SenderActionRequest{Recipient: to, Action: action}); err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// onePixel is a PNG of one pixel.
func onePixel(t *testing.T) []byte {
	t.Helper()
	return []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")
}

func TestPlatformThreads(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	ctx, c := t.Context(), p.client
	p.send(t, messenger.TextMessage("Which thread is this?"))
	conversations, err := c.ListConversations(ctx, messenger.ConversationsRequest{PSID: p.psid, Platform: "messenger", ListOptions: messenger.ListOptions{Fields: []string{"id", "participants", "message_count"}}})
	if err != nil || len(conversations.Data) == 0 {
		t.Fatalf("conversations %+v, error %v", conversations, err)
	}
	texts := ""
	for m, err := range c.AllMessages(ctx, conversations.Data[0].ID, messenger.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		texts += m.Text + "\n"
	}
	if !strings.Contains(texts, "Which thread is this?") {
		t.Errorf("messages: %s", texts)
	}
	if owner, err := c.ThreadOwner(ctx, p.psid); err != nil || (!p.real && (owner == nil || owner.AppID != p.app)) {
		t.Errorf("owner %+v, error %v", owner, err)
	}
	if _, err := c.SecondaryReceivers(ctx); err != nil {
		t.Error(err)
	}
	if err := c.PassThread(ctx, messenger.ThreadRequest{PSID: p.psid, AppID: messenger.AppIDPageInbox, Metadata: "over to you"}); err != nil {
		t.Error(err)
	}
	if owner, err := c.ThreadOwner(ctx, p.psid); err != nil || owner == nil || owner.AppID != messenger.AppIDPageInbox {
		t.Errorf("owner %+v, error %v", owner, err)
	}
	if err := c.TakeThread(ctx, messenger.ThreadRequest{PSID: p.psid}); err != nil {
		t.Error(err)
	}
}

func TestPlatformBatch(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	batch := p.client.NewBatch()
	first := batch.Send(messenger.SendRequest{Recipient: messenger.Recipient{ID: p.psid}, MessagingType: messenger.TypeResponse, Message: messenger.TextMessage("one & only = 1")})
	nobody := batch.Send(messenger.SendRequest{Recipient: messenger.Recipient{ID: "4711"}, MessagingType: messenger.TypeResponse, Message: messenger.TextMessage("nobody")})
	profile := messenger.AddToBatch(batch, func(ctx context.Context, c *messenger.Client) (messenger.UserProfile, error) {
		return c.UserProfile(ctx, p.psid, "first_name")
	})
	silent := batch.SenderAction(messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: p.psid}, Action: messenger.MarkSeen}, messenger.OmitOnSuccess())
	if err := batch.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sent, err := first.Result(); err != nil || sent.MessageID == "" {
		t.Errorf("first: %+v, %v", sent, err)
	}
	if _, err := nobody.Result(); !errors.Is(err, messenger.ErrUnreachable) {
		t.Errorf("nobody: %v", err)
	}
	if person, err := profile.Result(); err != nil || person.FirstName == "" {
		t.Errorf("profile: %+v, %v", person, err)
	}
	if _, err := silent.Result(); err != nil {
		t.Errorf("omitted: %v", err)
	}
}

func TestPlatformRefuses(t *testing.T) {
	t.Parallel()
	p := connect(t, time.Time{}, messenger.DefaultVersion)
	stranger := messenger.SendRequest{Recipient: messenger.Recipient{ID: "4711"}, MessagingType: messenger.TypeResponse, Message: messenger.TextMessage("Anybody?")}
	if _, err := p.client.Send(t.Context(), stranger); !errors.Is(err, messenger.ErrUnreachable) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := p.client.As("EAAnobodystoken").Page(t.Context()); !errors.Is(err, messenger.ErrTokenInvalid) {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := p.client.Label(t.Context(), "1"); err == nil || messenger.OutcomeUnknown(err) {
		t.Errorf("no label: %v", err)
	}
}
