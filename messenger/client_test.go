package messenger_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

const (
	testToken  = "EAAtesttoken"
	testSecret = "testsecret0123456789"
)

// hello is a request that breaks no rule.
var hello = messenger.SendRequest{Recipient: messenger.Recipient{ID: "42"}, Message: messenger.TextMessage("hello")}

// call is what a recorder saw of one request.
type call struct {
	Method, Path, Query, Auth, Type, Body string
}

// recorder answers every call with answer and keeps what it saw.
func recorder(t *testing.T, answer string) (string, chan call) {
	t.Helper()
	calls := make(chan call, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
		io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/graph", calls
}

func newClient(t *testing.T, base string, opts ...messenger.Option) *messenger.Client {
	t.Helper()
	c, err := messenger.New(testToken, append([]messenger.Option{messenger.WithBaseURL(base)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCalls(t *testing.T) {
	t.Parallel()
	const form, js = "application/x-www-form-urlencoded", "application/json"
	me := messenger.Recipient{ID: "42"}
	tests := []struct {
		name   string
		do     func(context.Context, *messenger.Client) error
		answer string
		want   call
	}{
		{"send text", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.Send(ctx, messenger.SendRequest{Recipient: me, MessagingType: messenger.TypeResponse, Message: messenger.TextMessage("hé \"you\"")})
			return err
		}, `{"recipient_id":"42","message_id":"m"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"id":"42"},"messaging_type":"RESPONSE","message":{"text":"hé \"you\""}}`}},
		{"send raw", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.Send(ctx, messenger.SendRequest{PageID: "7", Recipient: me, Tag: messenger.TagHumanAgent, MessagingType: messenger.TypeMessageTag, NotificationType: messenger.NotifyNoPush, PersonaID: "9", Message: messenger.Message{Text: "ignored", Raw: json.RawMessage(`{ "text" : "\u00e4" }`)}})
			return err
		}, `{"message_id":"m"}`, call{"POST", "/7/messages", "", "", js, `{"recipient":{"id":"42"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","notification_type":"NO_PUSH","persona_id":"9","message":{ "text" : "\u00e4" }}`}},
		{"send template", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.Send(ctx, messenger.SendRequest{Recipient: messenger.Recipient{UserRef: "u"}, Message: messenger.Message{Attachment: &messenger.Attachment{Template: &messenger.Template{Button: &messenger.ButtonTemplate{Text: "t", Buttons: []messenger.Button{messenger.PostbackButton("a", "b")}}}}}})
			return err
		}, `{"message_id":"m"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"user_ref":"u"},"message":{"attachment":{"type":"template","payload":{"template_type":"button","text":"t","buttons":[{"type":"postback","title":"a","payload":"b"}]}}}}`}},
		{"send image", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.Send(ctx, messenger.SendRequest{Recipient: me, Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeImage, URL: "https://example.com/a.png", Reusable: true}, QuickReplies: []messenger.QuickReply{messenger.TextReply("A", "a")}, Metadata: "m"}})
			return err
		}, `{"message_id":"m"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"id":"42"},"message":{"attachment":{"type":"image","payload":{"url":"https://example.com/a.png","is_reusable":true}},"quick_replies":[{"content_type":"text","title":"A","payload":"a"}],"metadata":"m"}}`}},
		{"send grid in answer", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.Send(ctx, messenger.SendRequest{Recipient: me, ReplyTo: "m_1", Message: messenger.Message{Attachments: []messenger.Attachment{{Type: messenger.TypeImage, URL: "https://example.com/a.png"}, {Type: messenger.TypeImage, AttachmentID: "5"}}}})
			return err
		}, `{"message_id":"m"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"id":"42"},"reply_to":{"mid":"m_1"},"message":{"attachments":[{"type":"image","payload":{"url":"https://example.com/a.png"}},{"type":"image","payload":{"attachment_id":"5"}}]}}`}},
		{"typing", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.SenderAction(ctx, messenger.SenderActionRequest{Recipient: me, Action: messenger.TypingOn})
			return err
		}, `{"recipient_id":"42"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"id":"42"},"sender_action":"typing_on"}`}},
		{"react", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.SenderAction(ctx, messenger.SenderActionRequest{Recipient: me, Action: messenger.React, MessageID: "m", Reaction: "love"})
			return err
		}, `{"recipient_id":"42"}`, call{"POST", "/me/messages", "", "", js, `{"recipient":{"id":"42"},"sender_action":"react","payload":{"message_id":"m","reaction":"love"}}`}},
		{"profile", func(ctx context.Context, c *messenger.Client) error {
			_, err := c.UserProfile(ctx, "42", "first_name", "locale")
			return err
		}, `{"id":"42"}`, call{"GET", "/42", "fields=first_name%2Clocale", "", "", ""}},
		{"page", func(ctx context.Context, c *messenger.Client) error { _, err := c.Page(ctx); return err }, `{"id":"1"}`, call{"GET", "/me", "fields=id%2Cname%2Cpicture", "", "", ""}},
		{"debug token", func(ctx context.Context, c *messenger.Client) error { _, err := c.DebugToken(ctx, "x|y"); return err }, `{"data":{"is_valid":true}}`, call{"POST", "/debug_token", "", "", form, "input_token=x%7Cy&method=get"}},
		{"subscribe app", func(ctx context.Context, c *messenger.Client) error {
			return c.SubscribeApp(ctx, messenger.AppSubscriptionRequest{AppID: "5", CallbackURL: "https://h/w", VerifyToken: "v", Fields: []string{"messages", "messaging_postbacks"}})
		}, `{"success":true}`, call{"POST", "/5/subscriptions", "", "", form, "callback_url=https%3A%2F%2Fh%2Fw&fields=messages%2Cmessaging_postbacks&object=page&verify_token=v"}},
		{"unsubscribe app", func(ctx context.Context, c *messenger.Client) error { return c.UnsubscribeApp(ctx, "5", "") }, `{"success":true}`, call{"DELETE", "/5/subscriptions", "object=page", "", "", ""}},
		{"subscribe page", func(ctx context.Context, c *messenger.Client) error {
			return c.SubscribePage(ctx, "messages", "standby")
		}, `{"success":true}`, call{"POST", "/me/subscribed_apps", "", "", form, "subscribed_fields=messages%2Cstandby"}},
		{"unsubscribe page", func(ctx context.Context, c *messenger.Client) error { return c.UnsubscribePage(ctx) }, `{"success":true}`, call{"DELETE", "/me/subscribed_apps", "", "", "", ""}},
		{"set profile", func(ctx context.Context, c *messenger.Client) error {
			return c.SetMessengerProfile(ctx, messenger.MessengerProfile{GetStarted: &messenger.GetStarted{Payload: "go"}})
		}, `{"result":"success"}`, call{"POST", "/me/messenger_profile", "", "", js, `{"get_started":{"payload":"go"}}`}},
		{"set raw profile", func(ctx context.Context, c *messenger.Client) error {
			return c.SetMessengerProfile(ctx, messenger.MessengerProfile{Raw: json.RawMessage(`{"commands":[]}`)})
		}, `{"result":"success"}`, call{"POST", "/me/messenger_profile", "", "", js, `{"commands":[]}`}},
		{"delete profile", func(ctx context.Context, c *messenger.Client) error { return c.DeleteMessengerProfile(ctx, "greeting") }, `{"result":"success"}`, call{"DELETE", "/me/messenger_profile", "", "", js, `{"fields":["greeting"]}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base, calls := recorder(t, tt.answer)
			c := newClient(t, base+"/", messenger.WithAppSecret(testSecret))
			for _, tt2 := range []struct {
				client       *messenger.Client
				token, proof string
			}{
				{c, testToken, messenger.Proof(testSecret, testToken)},
				{c.As("other"), "other", messenger.Proof(testSecret, "other")},
				{newClient(t, base, messenger.WithAppSecret(testSecret), messenger.WithoutAppSecretProof()), testToken, ""},
			} {
				if err := tt.do(t.Context(), tt2.client); err != nil {
					t.Fatal(err)
				}
				want := tt.want
				want.Path = "/graph/" + messenger.DefaultVersion + want.Path
				want.Auth = "Bearer " + tt2.token
				if tt2.proof != "" {
					want.Query = strings.TrimPrefix(want.Query+"&appsecret_proof="+tt2.proof, "&")
				}
				if diff := cmp.Diff(want, <-calls); diff != "" {
					t.Errorf("request (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	base, _ := recorder(t, `{"recipient_id":42,"message_id":"m_\u0041","attachment_id":"77"}`)
	got, err := newClient(t, base).Send(t.Context(), hello)
	if diff := cmp.Diff(messenger.SendResult{RecipientID: "42", MessageID: "m_A", AttachmentID: "77"}, got); diff != "" || err != nil {
		t.Errorf("send result, error %v:\n%s", err, diff)
	}

	base, _ = recorder(t, `{"id":"7","name":"Café","picture":{"data":{"url":"https://p"}}}`)
	page, err := newClient(t, base).Page(t.Context())
	if err != nil || page.ID != "7" || page.Name != "Café" || page.PictureURL != "https://p" || len(page.Raw) == 0 {
		t.Errorf("page %+v, error %v", page, err)
	}

	base, _ = recorder(t, `{"data":[{"greeting":[{"locale":"default","text":"Hi"}]},{"get_started":{"payload":"go"}}]}`)
	profile, err := newClient(t, base).MessengerProfile(t.Context())
	if err != nil || profile.GetStarted == nil || len(profile.Greeting) != 1 {
		t.Errorf("profile %+v, error %v", profile, err)
	}

	base, _ = recorder(t, `{"data":{"app_id":5,"is_valid":false,"error":{"code":190,"message":"expired","subcode":463}}}`)
	info, err := newClient(t, base).DebugToken(t.Context(), "x")
	if err != nil || info.IsValid || info.AppID != "5" || info.Error.Subcode != 463 {
		t.Errorf("token %+v, error %v", info, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]messenger.Option{
		"scheme":  {messenger.WithBaseURL("ftp://x")},
		"no host": {messenger.WithBaseURL("https://")},
		"query":   {messenger.WithBaseURL("https://x?a=b")},
		"version": {messenger.WithVersion("26")},
		"client":  {messenger.WithHTTPClient(nil)},
	} {
		if _, err := messenger.New(testToken, opts...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := messenger.New("a\r\nb"); err == nil || strings.Contains(err.Error(), "a\r") {
		t.Errorf("token with a line break: %v", err)
	}
}

// TestErrorsKeepSecrets makes every sort of failure and looks for the token,
// the secret and the proof in its text.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	proof := messenger.Proof(testSecret, testToken)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		io.WriteString(w, `{"error":{"code":190,"message":"Malformed access token `+testToken+` with `+proof+` and `+testSecret+`"}}`)
	}))
	defer echo.Close()
	hangup := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangup.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer slow.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	tests := []struct {
		name, base      string
		cancel          time.Duration
		path            string
		unsent, unknown bool
	}{
		{"refused by the platform", echo.URL, 0, "me", false, false},
		{"connection closed", hangup.URL, 0, "me", false, true},
		{"no answer", slow.URL, 50 * time.Millisecond, "me", false, true},
		{"connection refused", gone.URL, 0, "me", true, false},
		{"name unknown", "http://name.invalid", 0, "me", true, false},
		{"over before it began", slow.URL, time.Nanosecond, "me", true, false},
		{"handshake never answered", "https://" + plain.Addr().String(), 50 * time.Millisecond, "me", true, false},
		{"path with a query", echo.URL, 0, "me?access_token=" + testToken, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx := t.Context()
			if tt.cancel > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.cancel)
				defer cancel()
			}
			c := newClient(t, tt.base, messenger.WithAppSecret(testSecret))
			if tt.path != "me" {
				tt.path = "me?x=1"
			}
			err := c.Do(ctx, http.MethodPost, tt.path, url.Values{"a": {"b"}}, map[string]string{"x": "y"}, nil)
			if err == nil {
				t.Fatal("no error")
			}
			text := err.Error()
			var refused *messenger.Error
			if errors.As(err, &refused) {
				text += string(refused.Body) + refused.Message
			}
			for _, secret := range []string{testToken, testSecret, proof, "appsecret_proof"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q stands in %q", secret, text)
				}
			}
			if messenger.Unsent(err) != tt.unsent || messenger.OutcomeUnknown(err) != tt.unknown {
				t.Errorf("unsent %v, outcome unknown %v: %v", messenger.Unsent(err), messenger.OutcomeUnknown(err), err)
			}
		})
	}
}

func TestOutcomeUnknownOfAnswers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{`{"ok":1}`: true, `<html>`: true, ``: true, `{"message_id":"m"`: true, `{"error":{"code":2}}`: false} {
		base, _ := recorder(t, body)
		_, err := newClient(t, base).Send(t.Context(), hello)
		if err == nil || messenger.OutcomeUnknown(err) != want || messenger.Unsent(err) {
			t.Errorf("answer %q: outcome unknown %v, error %v", body, messenger.OutcomeUnknown(err), err)
		}
	}
}

func TestNoRedirects(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{}, 1)
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	_, err := newClient(t, srv.URL).Page(t.Context())
	var refused *messenger.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusTemporaryRedirect || len(reached) != 0 {
		t.Errorf("error %v, followed: %v", err, len(reached) != 0)
	}
}

func TestUsageHook(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App-Usage", `{"call_count":3,"total_cputime":4,"total_time":5}`)
		w.Header().Set("X-Page-Usage", `not json`)
		w.Header().Set("X-Business-Use-Case-Usage", `{"7":[{"type":"messenger","call_count":95,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":2}]}`)
		io.WriteString(w, `{}`)
	}))
	defer srv.Close()
	var got messenger.Usage
	c := newClient(t, srv.URL, messenger.WithUsageHook(func(u messenger.Usage) { got = u }))
	if err := c.Do(t.Context(), "GET", "me", nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	want := messenger.Usage{
		App:          messenger.UsagePercent{CallCount: 3, TotalCPUTime: 4, TotalTime: 5},
		Business:     []messenger.BusinessUsage{{PageID: "7", Type: "messenger", RegainAccess: 2 * time.Minute, UsagePercent: messenger.UsagePercent{CallCount: 95, TotalCPUTime: 1, TotalTime: 1}}},
		PageID:       "7",
		RegainAccess: 2 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Highest() != 95 {
		t.Errorf("usage, highest %d (-want +got):\n%s", got.Highest(), diff)
	}
}

// stubTransport answers at once, so that the benchmark shows the client alone.
type stubTransport struct{}

func (stubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	const answer = `{"recipient_id":"5275811702471834","message_id":"m_qr6GPBlzTU4jqP0PBqaIoIAcfn2p3T7uiO5jm0L_PMTKMJhEIUGFkEKQBhGkpCnPXVZNsYdkN7A2Sel0dOz_Iw"}`
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)), Request: r}, nil
}

func BenchmarkSend(b *testing.B) {
	c, err := messenger.New(testToken, messenger.WithAppSecret(testSecret), messenger.WithHTTPClient(&http.Client{Transport: stubTransport{}}))
	if err != nil {
		b.Fatal(err)
	}
	req := messenger.SendRequest{
		PageID: "1717527131834678", Recipient: messenger.Recipient{ID: "5275811702471834"}, MessagingType: messenger.TypeResponse,
		Message: messenger.Message{Raw: json.RawMessage(`{"text":"hello there, this is a message","metadata":"chq1:01J0000000000000000000.0|"}`)},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}
