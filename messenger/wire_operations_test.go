package messenger_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// drivers make each operation of the npm package with this one.
func drivers() map[string]driver {
	out := map[string]driver{
		"getMessageTags": func(ctx context.Context, c *messenger.Client, _ arguments) error { return result(c.MessageTags(ctx)) },
		"getMessagingFeatureReview": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.FeatureReviews(ctx))
		},
		"getSecondaryReceivers": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.SecondaryReceivers(ctx))
		},
		"getPageInfo": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Page(ctx, a.options(0).Fields...))
		},
		"debugToken": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.DebugToken(ctx, testToken))
		},
		"getUserProfile": func(ctx context.Context, c *messenger.Client, a arguments) error {
			fields := a.options(1).Fields
			if len(fields) == 0 && !inBatch(ctx) {
				fields = strings.Split("id,name,first_name,last_name,profile_pic", ",")
			}
			return result(c.UserProfile(ctx, a.person(0), fields...))
		},
		"createSubscription": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				AppID         messenger.AppID `json:"app_id"`
				Object        string
				CallbackURL   string `json:"callback_url"`
				VerifyToken   string `json:"verify_token"`
				Fields        []string
				IncludeValues bool `json:"include_values"`
			}](a, 0)
			return c.SubscribeApp(ctx, messenger.AppSubscriptionRequest{
				AppID: orApp(string(o.AppID)), Object: o.Object, CallbackURL: o.CallbackURL, VerifyToken: o.VerifyToken, Fields: o.Fields, IncludeValues: o.IncludeValues,
			})
		},
		"getSubscriptions": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.AppSubscriptions(ctx, appOf(a)))
		},
		"getPageSubscription": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.AppSubscription(ctx, appOf(a), "page"))
		},
		"sendRawBody": func(ctx context.Context, c *messenger.Client, a arguments) error { return result(c.SendRaw(ctx, a[0])) },
		"sendRequest": func(ctx context.Context, c *messenger.Client, a arguments) error { return result(c.SendRaw(ctx, a[0])) },
		"sendMessage": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Send(ctx, a.send(argument[messenger.Message](a, 1), 2)))
		},
		"sendText": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Send(ctx, a.send(messenger.TextMessage(argument[string](a, 1)), 2)))
		},
		"sendAttachment": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Send(ctx, a.send(messenger.Message{Attachment: argument[*messenger.Attachment](a, 1)}, 2)))
		},
		"sendMessageFormData": func(ctx context.Context, c *messenger.Client, a arguments) error {
			message := messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeImage}}
			return result(c.SendFile(ctx, a.send(message, 2), *a.file(1, 2)))
		},
		"sendAudio":        sendMedia(messenger.TypeAudio),
		"sendImage":        sendMedia(messenger.TypeImage),
		"sendVideo":        sendMedia(messenger.TypeVideo),
		"sendFile":         sendMedia(messenger.TypeFile),
		"sendSenderAction": action(""),
		"typingOn":         action(messenger.TypingOn),
		"typingOff":        action(messenger.TypingOff),
		"markSeen":         action(messenger.MarkSeen),
		"uploadAttachment": upload("", 1),
		"uploadAudio":      upload(messenger.TypeAudio, 0),
		"uploadImage":      upload(messenger.TypeImage, 0),
		"uploadVideo":      upload(messenger.TypeVideo, 0),
		"uploadFile":       upload(messenger.TypeFile, 0),

		"getInsights":                  insight(""),
		"getBlockedConversations":      insight(messenger.MetricBlockedConversations),
		"getReportedConversations":     insight(messenger.MetricReportedConversations),
		"getOpenConversations":         insight(messenger.MetricTotalMessagingConnections),
		"getTotalMessagingConnections": insight(messenger.MetricTotalMessagingConnections),
		"getNewConversations":          insight(messenger.MetricNewConversations),
	}
	for name, template := range templates() {
		out["send"+name] = sendTemplate(template, optionsOf(name))
	}
	for _, more := range []map[string]driver{profileDrivers(), peopleDrivers(), broadcastDrivers()} {
		for name, d := range more {
			out[name] = d
		}
	}
	return out
}

func orApp(id string) string {
	if id == "" {
		return "987654321"
	}
	return id
}

func appOf(a arguments) string {
	return orApp(string(argument[struct {
		AppID messenger.AppID `json:"app_id"`
	}](a, 0).AppID))
}

func profileDrivers() map[string]driver {
	menus := func(a arguments, i int) []messenger.PersistentMenu {
		menus := argument[[]messenger.PersistentMenu](a, i)
		if len(menus) > 0 && menus[0].Locale != "" {
			return menus
		}
		return []messenger.PersistentMenu{{
			Locale: "default", ComposerInputDisabled: a.options(i + 1).ComposerDisabled, CallToActions: argument[[]messenger.Button](a, i),
		}}
	}
	return map[string]driver{
		"getMessengerProfile": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.MessengerProfile(ctx, argument[[]string](a, 0)...))
		},
		"setMessengerProfile": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetMessengerProfile(ctx, argument[messenger.MessengerProfile](a, 0))
		},
		"deleteMessengerProfile": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.DeleteMessengerProfile(ctx, argument[[]string](a, 0)...)
		},
		"getGetStarted": func(ctx context.Context, c *messenger.Client, _ arguments) error { return result(c.GetStarted(ctx)) },
		"setGetStarted": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetGetStarted(ctx, a.scalar(0))
		},
		"deleteGetStarted": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeleteGetStarted(ctx) },
		"getPersistentMenu": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.PersistentMenu(ctx))
		},
		"setPersistentMenu": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetPersistentMenu(ctx, menus(a, 0)...)
		},
		"deletePersistentMenu": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeletePersistentMenu(ctx) },
		"getGreeting":          func(ctx context.Context, c *messenger.Client, _ arguments) error { return result(c.Greeting(ctx)) },
		"setGreeting": func(ctx context.Context, c *messenger.Client, a arguments) error {
			if text := argument[string](a, 0); text != "" {
				return c.SetGreeting(ctx, messenger.Greeting{Locale: "default", Text: text})
			}
			return c.SetGreeting(ctx, argument[[]messenger.Greeting](a, 0)...)
		},
		"deleteGreeting": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeleteGreeting(ctx) },
		"getWhitelistedDomains": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.WhitelistedDomains(ctx))
		},
		"setWhitelistedDomains": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetWhitelistedDomains(ctx, argument[[]string](a, 0)...)
		},
		"deleteWhitelistedDomains": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return c.DeleteWhitelistedDomains(ctx)
		},
		"getAccountLinkingURL": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.AccountLinkingURL(ctx))
		},
		"setAccountLinkingURL": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetAccountLinkingURL(ctx, a.scalar(0))
		},
		"deleteAccountLinkingURL": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return c.DeleteAccountLinkingURL(ctx)
		},
		"getPaymentSettings": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.PaymentSettings(ctx))
		},
		"setPaymentPrivacyPolicyURL": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetPaymentSettings(ctx, messenger.PaymentSettings{PrivacyURL: a.scalar(0)})
		},
		"setPaymentPublicKey": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetPaymentSettings(ctx, messenger.PaymentSettings{PublicKey: a.scalar(0)})
		},
		"setPaymentTestUsers": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetPaymentSettings(ctx, messenger.PaymentSettings{TestUsers: argument[[]string](a, 0)})
		},
		"deletePaymentSettings": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeletePaymentSettings(ctx) },
		"getTargetAudience": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			return result(c.TargetAudience(ctx))
		},
		"setTargetAudience": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetTargetAudience(ctx, messenger.TargetAudience{AudienceType: a.scalar(0), Countries: &messenger.AudienceCountries{
				Whitelist: argument[[]string](a, 1), Blacklist: argument[[]string](a, 2),
			}})
		},
		"deleteTargetAudience": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeleteTargetAudience(ctx) },
		"getHomeURL":           func(ctx context.Context, c *messenger.Client, _ arguments) error { return result(c.HomeURL(ctx)) },
		"setHomeURL": func(ctx context.Context, c *messenger.Client, a arguments) error {
			home := argument[messenger.HomeURL](a, 1)
			home.URL, home.WebviewHeightRatio = a.scalar(0), "tall"
			return c.SetHomeURL(ctx, home)
		},
		"deleteHomeURL":  func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeleteHomeURL(ctx) },
		"getIceBreakers": func(ctx context.Context, c *messenger.Client, _ arguments) error { return result(c.IceBreakers(ctx)) },
		"setIceBreakers": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetIceBreakers(ctx, argument[[]messenger.IceBreakers](a, 0)...)
		},
		"deleteIceBreakers": func(ctx context.Context, c *messenger.Client, _ arguments) error { return c.DeleteIceBreakers(ctx) },
		"getUserPersistentMenu": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.UserMenu(ctx, a.person(0)))
		},
		"setUserPersistentMenu": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.SetUserMenu(ctx, a.person(0), menus(a, 1)...)
		},
		"deleteUserPersistentMenu": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.DeleteUserMenu(ctx, a.person(0))
		},
	}
}

func peopleDrivers() map[string]driver {
	ids := func(a arguments) messenger.IDMatchRequest {
		o := argument[struct {
			UserID messenger.PSID `json:"user_id"`
			App    messenger.AppID
			Page   messenger.PageID
		}](a, 0)
		return messenger.IDMatchRequest{ID: o.UserID, App: o.App, Page: o.Page}
	}
	nlp := func(ctx context.Context, c *messenger.Client, enabled bool) error {
		return c.SetNLP(ctx, messenger.NLPConfig{Enabled: &enabled})
	}
	return map[string]driver{
		"createLabel": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.CreateLabel(ctx, a.scalar(0)))
		},
		"associateLabel": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.AssociateLabel(ctx, a.scalar(1), a.person(0))
		},
		"dissociateLabel": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.DissociateLabel(ctx, a.scalar(1), a.person(0))
		},
		"getAssociatedLabels": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListPersonLabels(ctx, a.person(0), messenger.ListOptions{Fields: a.options(1).Fields}))
		},
		"getLabelDetails": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Label(ctx, a.scalar(0), a.options(1).Fields...))
		},
		"getLabelList": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListLabels(ctx, messenger.ListOptions{Fields: a.options(0).Fields}))
		},
		"deleteLabel": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.DeleteLabel(ctx, a.scalar(0))
		},
		"createPersona": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.CreatePersona(ctx, argument[messenger.Persona](a, 0)))
		},
		"getPersona": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Persona(ctx, a.scalar(0)))
		},
		"getPersonas": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListPersonas(ctx, messenger.ListOptions{After: argument[string](a, 0)}))
		},
		"getAllPersonas": func(ctx context.Context, c *messenger.Client, _ arguments) error {
			for _, err := range c.AllPersonas(ctx, messenger.ListOptions{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"deletePersona": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.DeletePersona(ctx, a.scalar(0))
		},
		"passThreadControl": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.PassThread(ctx, messenger.ThreadRequest{PSID: a.person(0), AppID: messenger.AppID(a.scalar(1)), Metadata: a.scalar(2)})
		},
		"passThreadControlToPageInbox": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.PassThread(ctx, messenger.ThreadRequest{PSID: a.person(0), AppID: messenger.AppIDPageInbox, Metadata: a.scalar(1)})
		},
		"takeThreadControl": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.TakeThread(ctx, messenger.ThreadRequest{PSID: a.person(0), Metadata: a.scalar(1)})
		},
		"requestThreadControl": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.RequestThread(ctx, messenger.ThreadRequest{PSID: a.person(0), Metadata: a.scalar(1)})
		},
		"getThreadOwner": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ThreadOwner(ctx, a.person(0)))
		},
		"enableNLP":  func(ctx context.Context, c *messenger.Client, _ arguments) error { return nlp(ctx, c, true) },
		"disableNLP": func(ctx context.Context, c *messenger.Client, _ arguments) error { return nlp(ctx, c, false) },
		"setNLPConfigs": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				Enabled *bool `json:"nlp_enabled"`
				Model   string
				Token   string `json:"custom_token"`
				Verbose *bool
				NBest   int `json:"n_best"`
			}](a, 0)
			return c.SetNLP(ctx, messenger.NLPConfig{Enabled: o.Enabled, Model: o.Model, CustomToken: o.Token, Verbose: o.Verbose, NBest: o.NBest})
		},
		"logCustomEvents": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				AppID  messenger.AppID  `json:"app_id"`
				PageID messenger.PageID `json:"page_id"`
				PSID   messenger.PSID   `json:"page_scoped_user_id"`
				Events []struct {
					Name     string  `json:"_eventName"`
					Value    float64 `json:"_valueToSum"`
					Currency string  `json:"_fb_currency"`
				}
			}](a, 0)
			events := messenger.CustomEvents{AppID: o.AppID, PageID: o.PageID, PSID: o.PSID}
			for _, e := range o.Events {
				events.Events = append(events.Events, messenger.CustomEvent{Name: e.Name, ValueToSum: &e.Value, Currency: e.Currency})
			}
			return c.LogCustomEvents(ctx, events)
		},
		"getIdsForApps": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListIDsForApps(ctx, ids(a)))
		},
		"getIdsForPages": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListIDsForPages(ctx, ids(a)))
		},
		"getUserField": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ListIDsForPages(ctx, ids(a)))
		},
	}
}

func broadcastDrivers() map[string]driver {
	return map[string]driver{
		"createMessageCreative": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.CreateMessageCreative(ctx, argument[[]messenger.Message](a, 0)...))
		},
		"sendBroadcastMessage": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				Label     messenger.PSID         `json:"custom_label_id"`
				Time      messenger.ScheduleTime `json:"schedule_time"`
				Targeting struct{ Labels json.RawMessage }
			}](a, 1)
			req := messenger.BroadcastRequest{CreativeID: a.scalar(0), CustomLabelID: string(o.Label), ScheduleTime: o.Time}
			if o.Targeting.Labels != nil {
				req.Targeting = &messenger.Targeting{Labels: predicate(o.Targeting.Labels)}
			}
			return result(c.SendBroadcast(ctx, req))
		},
		"cancelBroadcast": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return c.CancelBroadcast(ctx, a.scalar(0))
		},
		"getBroadcast": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.Broadcast(ctx, a.scalar(0)))
		},
		"getBroadcastMessagesSent": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.BroadcastMetrics(ctx, a.scalar(0)))
		},
		"startReachEstimation": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.StartReachEstimate(ctx, a.scalar(0)))
		},
		"getReachEstimate": func(ctx context.Context, c *messenger.Client, a arguments) error {
			return result(c.ReachEstimate(ctx, a.scalar(0)))
		},
		"sendSponsoredMessage": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				Creative  messenger.PSID `json:"message_creative_id"`
				Budget    int            `json:"daily_budget"`
				Bid       int            `json:"bid_amount"`
				Targeting string
			}](a, 1)
			return result(c.SendSponsored(ctx, messenger.SponsoredMessage{
				AdAccountID: a.scalar(0), CreativeID: string(o.Creative), DailyBudget: o.Budget, BidAmount: o.Bid, Targeting: o.Targeting,
			}))
		},
		"generateMessengerCode": func(ctx context.Context, c *messenger.Client, a arguments) error {
			o := argument[struct {
				Size int `json:"image_size"`
				Data struct{ Ref string }
			}](a, 0)
			return result(c.MessengerCode(ctx, messenger.CodeRequest{ImageSize: o.Size, Ref: o.Data.Ref}))
		},
	}
}

// predicate reads a condition of the npm package.
func predicate(raw json.RawMessage) messenger.Predicate {
	var o struct {
		Operator string
		Values   []json.RawMessage
	}
	if json.Unmarshal(raw, &o) != nil {
		return messenger.HasLabel(argument[string]([]json.RawMessage{raw}, 0))
	}
	values := make([]messenger.Predicate, len(o.Values))
	for i, v := range o.Values {
		values[i] = predicate(v)
	}
	switch o.Operator {
	case "AND":
		return messenger.And(values...)
	case "OR":
		return messenger.Or(values...)
	}
	return messenger.Not(values...)
}

// compareJSON compares what the factories of messages and conditions make.
func compareJSON(t *testing.T, call wireCall) {
	t.Helper()
	var ours any
	a := arguments(call.Args)
	kind, name, _ := strings.Cut(call.Op, ".")
	name = strings.TrimPrefix(name, "create")
	media := map[string]messenger.AttachmentType{"Audio": messenger.TypeAudio, "Image": messenger.TypeImage, "Video": messenger.TypeVideo, "File": messenger.TypeFile}
	switch {
	case kind == "MessengerBroadcast":
		values := make([]messenger.Predicate, len(a))
		for i, v := range a {
			values[i] = predicate(v)
		}
		ours = map[string]func(...messenger.Predicate) messenger.Predicate{"and": messenger.And, "or": messenger.Or, "not": messenger.Not}[name](values...)
	case name == "Message":
		ours = argument[messenger.Message](a, 0)
	case name == "Text":
		ours = messenger.TextMessage(a.scalar(0)).WithQuickReplies(a.options(1).QuickReplies...)
	case name == "Attachment":
		ours = messenger.Message{Attachment: argument[*messenger.Attachment](a, 0)}
	case media[name] != "":
		message, _ := a.media(media[name], 0)
		ours = message
	default:
		template := templates()[name]
		if template == nil {
			t.Fatalf("nothing builds %s", call.Op)
		}
		ours = messenger.TemplateMessage(template(a)).WithQuickReplies(a.options(optionsOf(name) - 1).QuickReplies...)
	}
	b, err := json.Marshal(ours)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutEmpty(scalars(call.JSON)), withoutEmpty(scalars(decodeAny(t, b)))); diff != "" {
		t.Errorf("message (-npm +ours):\n%s", diff)
	}
}
