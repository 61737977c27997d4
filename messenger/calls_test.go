package messenger_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// TestCallsOfNoOtherClient holds the calls that the npm package does not have
// against the platform's documentation.
func TestCallsOfNoOtherClient(t *testing.T) {
	t.Parallel()
	const form, js = "application/x-www-form-urlencoded", "application/json"
	thread := messenger.ThreadRequest{PSID: "42", Metadata: "done"}
	tests := []struct {
		name   string
		answer string
		want   call
		do     func(context.Context, *messenger.Client) (any, error)
		result any
	}{
		{"linked person", `{"id":"7","recipient":"42"}`, call{"POST", "/me", "", "", form, "account_linking_token=t&fields=recipient&method=get"}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return c.LinkedPerson(ctx, "t")
		}, messenger.PSID("42")},
		{"unlink", `{"result":"unlink account success"}`, call{"POST", "/me/unlink_accounts", "", "", js, `{"psid":"42"}`}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return nil, c.UnlinkAccount(ctx, "42")
		}, nil},
		{"release thread", `{"success":true}`, call{"POST", "/me/release_thread_control", "", "", js, `{"recipient":{"id":"42"},"metadata":"done"}`}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return nil, c.ReleaseThread(ctx, thread)
		}, nil},
		{"plain private reply", `{"id":"m"}`, call{"POST", "/1_2/private_replies", "", "", js, `{"message":"Hi"}`}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return nil, c.ReplyPrivately(ctx, "1_2", "Hi")
		}, nil},
		{"conversation", `{"id":"t_1","message_count":3,"participants":{"data":[{"id":"42","name":"Ana"}]}}`, call{"GET", "/t_1", "fields=participants%2Cmessage_count", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return c.Conversation(ctx, "t_1", "participants", "message_count")
		}, messenger.Conversation{ID: "t_1", MessageCount: 3, Participants: messenger.List[messenger.Participant]{Data: []messenger.Participant{{ID: "42", Name: "Ana"}}}}},
		{"conversations", `{"data":[{"id":"t_1"}]}`, call{"GET", "/me/conversations", "folder=inbox&limit=5&platform=messenger&tags=x&user_id=42", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			var ids []messenger.ConversationID
			for conversation, err := range c.AllConversations(ctx, messenger.ConversationsRequest{Platform: "messenger", PSID: "42", Folder: "inbox", Tags: "x", ListOptions: messenger.ListOptions{Limit: 5}}) {
				if err != nil {
					return nil, err
				}
				ids = append(ids, conversation.ID)
			}
			return ids, nil
		}, []messenger.ConversationID{"t_1"}},
		{"messages", `{"data":[{"id":"m_1","message":"Hi","from":{"id":"42"},"attachments":{"data":[{"mime_type":"image/png","image_data":{"width":3}}]}}]}`, call{"GET", "/t_1/messages", "fields=id%2Ccreated_time%2Cfrom%2Cto%2Cmessage", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			list, err := c.ListMessages(ctx, "t_1", messenger.ListOptions{})
			return list.Data, err
		}, []messenger.ChatMessage{{ID: "m_1", Text: "Hi", From: messenger.Participant{ID: "42"}, Attachments: messenger.List[messenger.ChatAttachment]{Data: []messenger.ChatAttachment{{MIMEType: "image/png", ImageData: &messenger.ChatMedia{Width: 3}}}}}}},
		{"message", `{"id":"m_1","message":"Hi"}`, call{"GET", "/m_1", "fields=message", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return c.Message(ctx, "m_1", "message")
		}, messenger.ChatMessage{ID: "m_1", Text: "Hi"}},
		{"insights", `{"data":[{"name":"page_messages_new_conversations_unique","values":[{"value":5,"end_time":"e"},{"value":{"spam":1}}]}]}`, call{"GET", "/me/insights", "metric=page_messages_new_conversations_unique&period=day&since=1520000000", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			list, err := c.Insights(ctx, messenger.InsightsRequest{Metrics: []messenger.Metric{messenger.MetricNewConversations}, Period: "day", Since: time.Unix(1520000000, 0)})
			if err != nil || len(list) != 1 || len(list[0].Values) != 2 {
				return list, err
			}
			return []int64{list[0].Values[0].Count(), list[0].Values[1].Count()}, nil
		}, []int64{5, 0}},
		{"ids for pages", `{"data":[{"id":"5","page":{"id":"7","name":"Café"}}]}`, call{"GET", "/42/ids_for_pages", "page=7", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			var ids []messenger.PSID
			for match, err := range c.AllIDsForPages(ctx, messenger.IDMatchRequest{ID: "42", Page: "7"}) {
				if err != nil || match.Page.Name != "Café" {
					return match, err
				}
				ids = append(ids, match.ID)
			}
			return ids, nil
		}, []messenger.PSID{"5"}},
		{"ids for apps", `{"data":[{"id":"5","app":{"id":"8"}}]}`, call{"GET", "/42/ids_for_apps", "app=8", "", "", ""}, func(ctx context.Context, c *messenger.Client) (any, error) {
			var ids []messenger.PSID
			for match, err := range c.AllIDsForApps(ctx, messenger.IDMatchRequest{ID: "42", App: "8"}) {
				if err != nil || match.App.ID != "8" {
					return match, err
				}
				ids = append(ids, match.ID)
			}
			return ids, nil
		}, []messenger.PSID{"5"}},
		{"broadcast at a Unix time", `{"broadcast_id":9}`, call{"POST", "/me/broadcast_messages", "", "", js, `{"message_creative_id":"1","schedule_time":"1522960753"}`}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return c.SendBroadcast(ctx, messenger.BroadcastRequest{CreativeID: "1", ScheduleTime: messenger.ScheduleUnix(time.Unix(1522960753, 0))})
		}, "9"},
		{"broadcast at an ISO 8601 time", `{"broadcast_id":9}`, call{"POST", "/me/broadcast_messages", "", "", js, `{"message_creative_id":"1","schedule_time":"2018-04-05T20:39:13+00:00"}`}, func(ctx context.Context, c *messenger.Client) (any, error) {
			return c.SendBroadcast(ctx, messenger.BroadcastRequest{CreativeID: "1", ScheduleTime: messenger.ScheduleAt(time.Unix(1522960753, 0).UTC())})
		}, "9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base, calls := recorder(t, tt.answer)
			got, err := tt.do(t.Context(), newClient(t, base))
			if diff := cmp.Diff(tt.result, got); diff != "" || err != nil {
				t.Errorf("error %v, result (-want +got):\n%s", err, diff)
			}
			tt.want.Path, tt.want.Auth = "/graph/"+messenger.DefaultVersion+tt.want.Path, "Bearer "+testToken
			if diff := cmp.Diff(tt.want, <-calls); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTemplatesBothWays writes every template and reads it back.
func TestTemplatesBothWays(t *testing.T) {
	t.Parallel()
	buttons := []messenger.Button{messenger.AccountLinkButton("https://example.com/login"), messenger.AccountUnlinkButton(), messenger.GamePlayButton("Play", "level 3")}
	for name, want := range map[string]messenger.Template{
		"button":                {Button: &messenger.ButtonTemplate{Text: "Well?", Buttons: buttons, Sharable: true}},
		"product":               {Product: &messenger.ProductTemplate{Elements: []messenger.ProductElement{{ID: "1"}}}},
		"coupon":                {Coupon: &messenger.CouponTemplate{Title: "A tenth off", CouponCode: "DIEZ", CouponURLTitle: "Shop"}},
		"notification_messages": {NotificationMessages: &messenger.NotificationMessagesTemplate{Title: "News", Frequency: "DAILY", CTAText: "ALLOW"}},
		"customer_feedback": {CustomerFeedback: &messenger.CustomerFeedbackTemplate{Title: "How?", FeedbackScreens: []messenger.FeedbackScreen{{Questions: []messenger.FeedbackQuestion{
			{ID: "q", Type: "nps", FollowUp: &messenger.FeedbackFollowUp{Type: "free_form", Placeholder: "Tell us"}},
		}}}}},
		"image_grid": {Raw: json.RawMessage(`{"template_type":"image_grid","x":[1,2]}`)},
	} {
		b, err := json.Marshal(messenger.TemplateMessage(want))
		if err != nil || !strings.Contains(string(b), `"template_type":"`+name+`"`) || want.Type() != name {
			t.Errorf("%s: %s, type %q, error %v", name, b, want.Type(), err)
		}
		var got messenger.Message
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(messenger.TemplateMessage(want), got); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
	}
}
