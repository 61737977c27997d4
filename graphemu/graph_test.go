package graphemu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

func TestSendRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	blocked := w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Cleo", Open: true, Blocks: true})
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	to := `"recipient":{"id":"` + w.ana.ID + `"}`
	const quick, button, element = `{"content_type":"text","title":"a","payload":"b"}`, `{"type":"postback","title":"a","payload":"b"}`, `{"title":"a","subtitle":"b"}`
	template := func(payload string) string {
		return `{` + to + `,"message":{"attachment":{"type":"template","payload":` + payload + `}}}`
	}
	tests := []struct {
		name, body    string
		code, subcode int
		text          string
	}{
		{"no recipient", `{"message":{"text":"a"}}`, 100, 0, "The parameter recipient is required"},
		{"two recipients", `{"recipient":{"id":"1","user_ref":"2"},"message":{"text":"a"}}`, 100, 0, "exactly one"},
		{"unknown recipient", `{"recipient":{"id":"999"},"message":{"text":"a"}}`, 100, 2018001, "No matching user found"},
		{"no thread", `{"recipient":{"id":"` + w.ben.ID + `"},"message":{"text":"a"}}`, 10, 2018278, "outside of allowed window"},
		{"blocked", `{"recipient":{"id":"` + blocked.ID + `"},"message":{"text":"a"}}`, 551, 1545041, "isn't available"},
		{"no message", `{` + to + `}`, 100, 2018034, "Message cannot be empty"},
		{"empty message", `{` + to + `,"message":{"metadata":"x"}}`, 100, 2018034, "Message cannot be empty"},
		{"message and action", `{` + to + `,"message":{"text":"a"},"sender_action":"typing_on"}`, 100, 0, "both message and state"},
		{"unknown action", `{` + to + `,"sender_action":"dance"}`, 100, 0, "sender_action must be one of"},
		{"text and attachment", `{` + to + `,"message":{"text":"a","attachment":{"type":"image","payload":{"url":"x"}}}}`, 100, 0, "not both"},
		{"long text", `{` + to + `,"message":{"text":"` + strings.Repeat("é", 2001) + `"}}`, 100, 0, "less than or equal to 2000"},
		{"long metadata", `{` + to + `,"message":{"text":"a","metadata":"` + strings.Repeat("m", 1001) + `"}}`, 100, 0, "less than or equal to 1000"},
		{"many quick replies", `{` + to + `,"message":{"text":"a","quick_replies":[` + many(14, quick) + `]}}`, 105, 0, "too many elements"},
		{"no quick replies", `{` + to + `,"message":{"text":"a","quick_replies":[]}}`, 194, 0, "too few elements"},
		{"long title", `{` + to + `,"message":{"text":"a","quick_replies":[{"content_type":"text","title":"123456789012345678901","payload":"b"}]}}`, 100, 0, "less than or equal to 20"},
		{"many buttons", template(`{"template_type":"button","text":"a","buttons":[` + many(4, button) + `]}`), 105, 0, "too many elements"},
		{"long button text", template(`{"template_type":"button","text":"` + strings.Repeat("a", 641) + `","buttons":[` + button + `]}`), 100, 0, "640"},
		{"many elements", template(`{"template_type":"generic","elements":[` + many(11, element) + `]}`), 105, 0, "too many elements"},
		{"bare element", template(`{"template_type":"generic","elements":[{"title":"a"}]}`), 100, 0, "at least one property"},
		{"no template type", template(`{}`), 100, 0, "template_type"},
		{"attachment id", `{` + to + `,"message":{"attachment":{"type":"image","payload":{"attachment_id":"5"}}}}`, 100, 2018074, "attachment id"},
		{"old tag", `{` + to + `,"messaging_type":"MESSAGE_TAG","tag":"ACCOUNT_UPDATE","message":{"text":"a"}}`, 100, 1893061, "Invalid parameter"},
		{"tag missing", `{` + to + `,"messaging_type":"MESSAGE_TAG","message":{"text":"a"}}`, 100, 0, "tag is required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := w.client.Do(t.Context(), "POST", "me/messages", nil, json.RawMessage(tt.body), nil)
			var refused *messenger.Error
			if !errors.As(err, &refused) {
				t.Fatalf("error %v", err)
			}
			if refused.Code != tt.code || refused.Subcode != tt.subcode || !strings.Contains(refused.Message, tt.text) || refused.Status != 400 || refused.TraceID == "" {
				t.Errorf("refused with %v (status %d)", refused, refused.Status)
			}
		})
	}
}

func TestSendForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	recipient := `{"id":"` + w.ana.ID + `"}`
	var parts bytes.Buffer
	mp := multipart.NewWriter(&parts)
	for name, value := range map[string]string{"recipient": recipient, "message": `{"text":"multipart"}`, "access_token": w.page.AccessToken} {
		if err := mp.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := mp.Close(); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"recipient": {recipient}, "message": {`{"text":"form"}`}}.Encode()
	tests := []struct{ name, path, kind, auth, body string }{
		{"json, token in query", "/v2.6/me/messages?access_token=" + w.page.AccessToken, "application/json", "", `{"recipient":` + recipient + `,"message":{"text":"json"}}`},
		{"json, page id, slash, no version", "/" + w.page.ID + "/messages/", "application/json", "Bearer " + w.page.AccessToken, `{"recipient":` + recipient + `,"message":{"text":"json"}}`},
		{"form", "/v26.0/me/messages", "application/x-www-form-urlencoded", "OAuth " + w.page.AccessToken, form},
		{"multipart, token in body", "//v26.0/me/messages", mp.FormDataContentType(), "", parts.String()},
		{"token in JSON", "/v3.0/me/messages", "application/json", "", `{"access_token":"` + w.page.AccessToken + `","recipient":` + recipient + `,"message":{"text":"json"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.kind)
			if tt.auth != "" {
				req.Header.Set("Authorization", tt.auth)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(string(body), `{"recipient_id":"`+w.ana.ID+`","message_id":"m_`) {
				t.Errorf("status %d, body %s, error %v", resp.StatusCode, body, err)
			}
		})
	}
	for _, c := range w.emu.Calls(0) {
		if b, err := json.Marshal(c); err != nil || strings.Contains(string(b), w.page.AccessToken) {
			t.Errorf("a record holds the token: %s", b)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	check := func(c *messenger.Client, want error) {
		t.Helper()
		if _, err := c.Page(t.Context()); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	check(w.client, nil)
	check(w.newClient("EAAother"), messenger.ErrTokenInvalid)
	w.emu.SetPageToken(w.page.ID, "EAAnew-token")
	check(w.client, messenger.ErrTokenInvalid)
	check(w.newClient("EAAnew-token"), nil)
	w.emu.SetPageToken(w.page.ID, "")
	check(w.newClient("EAAnew-token"), messenger.ErrTokenInvalid)
	w.emu.SetPageToken(w.page.ID, w.page.AccessToken)
	check(w.client, nil)

	wrong, err := messenger.New(w.page.AccessToken, messenger.WithBaseURL(w.url), messenger.WithAppSecret("not the secret"))
	if err != nil {
		t.Fatal(err)
	}
	check(wrong, messenger.ErrTokenInvalid)
	strict := w.app
	strict.RequireProof = true
	w.emu.AddApp(strict)
	bare, err := messenger.New(w.page.AccessToken, messenger.WithBaseURL(w.url))
	if err != nil {
		t.Fatal(err)
	}
	check(bare, messenger.ErrTokenInvalid)
	check(w.client, nil)
}

func TestNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	page, err := w.client.Page(t.Context())
	if err != nil || string(page.ID) != w.page.ID || page.Name != "Café Chasqui" || !strings.HasPrefix(page.PictureURL, w.url) {
		t.Errorf("page %+v, error %v", page, err)
	}
	resp, err := http.Get(page.PictureURL)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("picture: %v", err)
	}
	resp.Body.Close()
	appClient := w.client.As(messenger.AppToken(w.app.ID, w.app.Secret))
	app, err := appClient.App(t.Context(), w.app.ID)
	if err != nil || app.Name != "Demo App" || app.LogoURL == "" {
		t.Errorf("app %+v, error %v", app, err)
	}
	profile, err := w.client.UserProfile(t.Context(), messenger.PSID(w.ana.ID), "first_name", "last_name", "profile_pic", "locale", "timezone", "gender")
	if err != nil || profile.FirstName != "Ana" || profile.Locale != "en_US" {
		t.Errorf("profile %+v, error %v", profile, err)
	}
	w.page.RefusedFields = []string{"gender"}
	w.emu.AddPage(w.page)
	var refused *messenger.Error
	if _, err := w.client.UserProfile(t.Context(), messenger.PSID(w.ana.ID), "gender"); !errors.As(err, &refused) || refused.Code != 230 {
		t.Errorf("refused field: %v", err)
	}
	if _, err := w.client.UserProfile(t.Context(), messenger.PSID(w.ana.ID)); err != nil {
		t.Errorf("default fields: %v", err)
	}
	if _, err := w.client.UserProfile(t.Context(), "4711"); !errors.Is(err, messenger.ErrUnreachable) {
		t.Errorf("unknown person: %v", err)
	}
	info, err := appClient.DebugToken(t.Context(), w.page.AccessToken)
	if err != nil || !info.IsValid || string(info.ProfileID) != w.page.ID || info.Type != "PAGE" {
		t.Errorf("token %+v, error %v", info, err)
	}
	if info, err = appClient.DebugToken(t.Context(), "EAAnonsense"); err != nil || info.IsValid || info.Error == nil {
		t.Errorf("bad token %+v, error %v", info, err)
	}
	for _, c := range w.emu.Calls(0) {
		if strings.Contains(c.Body+c.Query, w.page.AccessToken) {
			t.Errorf("a record holds the token: %s?%s %s", c.Path, c.Query, c.Body)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.subscribe()
	app := w.client.As(messenger.AppToken(w.app.ID, w.app.Secret))
	bad := messenger.AppSubscriptionRequest{AppID: w.app.ID, CallbackURL: w.hook.URL, VerifyToken: "wrong", Fields: fields()}
	var refused *messenger.Error
	if err := app.SubscribeApp(t.Context(), bad); !errors.As(err, &refused) || refused.Code != 2200 {
		t.Errorf("wrong verify token: %v", err)
	}
	bad.Fields = []string{"nonsense"}
	if err := app.SubscribeApp(t.Context(), bad); !errors.Is(err, messenger.ErrInvalid) {
		t.Errorf("unknown field: %v", err)
	}
	if err := w.client.SubscribeApp(t.Context(), bad); err == nil {
		t.Error("a page token subscribed an app")
	}
	subs, err := app.AppSubscriptions(t.Context(), w.app.ID)
	if err != nil || len(subs) != 1 || subs[0].CallbackURL != w.hook.URL || !subs[0].Active || len(subs[0].Fields) != len(fields()) {
		t.Errorf("subscriptions %+v, error %v", subs, err)
	}
	if err := w.client.UnsubscribePage(t.Context()); err != nil {
		t.Error(err)
	}
	if err := app.UnsubscribeApp(t.Context(), w.app.ID, "page"); err != nil {
		t.Error(err)
	}
	if subs, err := app.AppSubscriptions(t.Context(), w.app.ID); err != nil || len(subs) != 0 {
		t.Errorf("subscriptions %+v, error %v", subs, err)
	}
	for _, a := range w.emu.Webhooks(0) {
		if strings.Contains(a.Request.URL, "verify-me") {
			t.Errorf("a record holds the verify token: %s", a.Request.URL)
		}
	}
}

func TestMessengerProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	want := messenger.MessengerProfile{
		GetStarted:     &messenger.GetStarted{Payload: "go"},
		Greeting:       []messenger.Greeting{{Locale: "default", Text: "Hi"}},
		PersistentMenu: []messenger.PersistentMenu{{Locale: "default", CallToActions: []messenger.Button{messenger.PostbackButton("Help", "HELP")}}},
	}
	if err := w.client.SetMessengerProfile(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.MessengerProfile(t.Context())
	got.Raw = nil
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("profile, error %v (-want +got):\n%s", err, diff)
	}
	if err := w.client.DeleteMessengerProfile(t.Context(), "get_started"); !errors.Is(err, messenger.ErrInvalid) {
		t.Errorf("Get Started removed under a menu: %v", err)
	}
	if err := w.client.DeleteMessengerProfile(t.Context(), "persistent_menu", "get_started"); err != nil {
		t.Error(err)
	}
	for name, raw := range map[string]string{
		"menu without Get Started": `{"persistent_menu":[{"locale":"default","call_to_actions":[]}]}`,
		"long greeting":            `{"greeting":[{"locale":"default","text":"` + strings.Repeat("a", 1001) + `"}]}`,
		"domain":                   `{"whitelisted_domains":["http://example.com"]}`,
		"nothing":                  `{}`,
	} {
		if err := w.client.SetMessengerProfile(t.Context(), messenger.MessengerProfile{Raw: json.RawMessage(raw)}); !errors.Is(err, messenger.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	w := newWorld(t, func(s *graphemu.Server) {
		s.Now = func() time.Time {
			return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load()))
		}
	})
	try := func(tag messenger.Tag) error {
		_, err := w.client.Send(t.Context(), messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Tag: tag, Message: messenger.TextMessage("a")})
		return err
	}
	for _, step := range []struct {
		pass time.Duration
		tag  messenger.Tag
		want error
	}{
		{23 * time.Hour, "", nil},
		{2 * time.Hour, "", messenger.ErrOutsideWindow},
		{0, messenger.TagHumanAgent, nil},
		{6 * 24 * time.Hour, messenger.TagHumanAgent, messenger.ErrOutsideWindow},
	} {
		passed.Add(int64(step.pass))
		if err := try(step.tag); !errors.Is(err, step.want) {
			t.Errorf("after %v with tag %q: %v", step.pass, step.tag, err)
		}
	}
	w.act(w.ana, graphemu.Action{Text: "hello again"})
	if err := try(""); err != nil {
		t.Errorf("after a new message: %v", err)
	}
}
