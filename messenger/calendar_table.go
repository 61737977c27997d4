package messenger

import "time"

const (
	standardWindow = 24 * time.Hour
	weekWindow     = 7 * 24 * time.Hour
)

// calendar is what is known of the platform's past; it is only read.
var calendar = []Rule{
	{Feature: FeatureSend, Source: sendPage},
	{Feature: FeaturePersonas, Since: day("2018-09-27"), Source: changelog},
	{Feature: FeatureIceBreakers, Since: day("2019-10-29"), Source: changelog},
	{Feature: FeatureUserMenu, Since: day("2019-09-30"), Source: changelog},
	{Feature: FeatureNestedMenu, Until: day("2022-08-04"), Removed: "v8.0", Successor: "a flat menu of up to 20 entries", Source: changelog},
	{Feature: FeatureProductTemplate, Templates: []string{"product"}, Since: day("2020-08-04"), First: "v8.0", Source: changelog},
	{Feature: FeaturePrivateReplies, Window: weekWindow, Since: day("2019-09-30"), Source: changelog},
	{Feature: FeatureOneTimeNotif, Since: day("2020-03-04"), Source: changelog},
	{Feature: FeatureNotificationMessages, Until: day("2026-02-10"), Successor: "utility messages (TypeUtility)", Source: changelog + ": everywhere but in Australia, the EU, Japan, Korea and the UK"},
	{Feature: FeatureCustomerMatching, Until: day("2020-01-15"), Removed: "v6.0", Source: changelog},
	{Feature: FeatureMessengerCode, Until: day("2019-10-29"), Removed: "v4.0", Successor: "a QR code of an m.me link with a ref", Source: changelog},
	{Feature: FeatureBroadcast, Until: day("2020-03-04"), Successor: "Client.Send with an opt-in or TypeUtility", Source: changelog},
	{Feature: FeatureSponsored, Until: day("2020-03-04"), Successor: "the Marketing API", Source: changelog},
	{Feature: FeatureListTemplate, Templates: []string{"list"}, Until: day("2021-08-03"), Removed: "v4.0", Successor: "GenericTemplate", Source: changelog},
	{Feature: FeatureOpenGraphTemplate, Templates: []string{"open_graph"}, Until: day("2021-08-03"), Removed: "v4.0", Successor: "GenericTemplate", Source: changelog},
	{Feature: FeatureMessageTags, Until: day("2020-03-04"), Successor: "TagHumanAgent", Source: tagsPage},
	// The new tags could be used from the day on which they were announced; the old ones until
	// March 4, 2020, to which their end of January 15 was moved.
	{Feature: FeatureTagHumanAgent, Tags: []Tag{TagHumanAgent}, Window: weekWindow, Since: day("2019-08-29"), Source: tagsPage + ": for some in the beginning, for all by App Review since June 2, 2021"},
	{Feature: FeatureTagCustomerFeedback, Tags: []Tag{TagCustomerFeedback}, Templates: []string{"customer_feedback"}, Window: weekWindow, Since: day("2023-01-01"), Source: sendPage + ": no day was announced; the page of 2023 is the first that has it"},
	{Feature: FeatureTagsOf2020, Tags: []Tag{TagAccountUpdate, TagConfirmedEventUpdate, TagPostPurchaseUpdate}, Since: day("2019-08-29"), Until: day("2026-04-27"), Successor: "TypeUtility, or TagHumanAgent", Source: changelog + " of March 27, 2026; an end on January 12 was an earlier plan"},
	{Feature: FeatureTagsOf2016, Tags: tagsOf2016, Until: day("2020-03-04"), Successor: "TypeUtility, or TagHumanAgent", Source: tagsPage},
	{Feature: FeatureTagsBefore2020, Tags: tagsOf2018, News: []Tag{TagNonPromotionalSubscription}, Since: day("2018-01-01"), Until: day("2020-03-04"), Successor: "TypeUtility, or TagHumanAgent", Source: tagsPage},
	{Feature: FeatureHomeURL, Until: day("2022-05-05"), Removed: "v7.0", Successor: "a button that opens a page", Source: changelog},
	// Of these two no end was announced: on this day the documentation did not have them any more.
	{Feature: FeatureTargetAudience, Until: day("2019-12-19"), Source: "https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api"},
	{Feature: FeaturePaymentSettings, Until: day("2019-12-19"), Successor: "a button that opens a page", Source: "https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api"},
	{Feature: FeaturePlainPrivateReplies, Window: weekWindow, Until: day("2022-02-03"), Removed: "v5.0", Successor: "Client.Send with Recipient.CommentID or PostID", Source: changelog},
	{Feature: FeatureStandardMessages, Types: []MessagingType{TypeResponse, TypeUpdate}, Window: standardWindow, Source: sendPage},
	{Feature: FeatureTaggedMessages, Types: []MessagingType{TypeMessageTag}, Source: tagsPage},
	{Feature: FeatureUtilityMessages, Types: []MessagingType{TypeUtility}, Since: day("2025-07-29"), First: "v18.0", Source: "https://developers.facebook.com/docs/messenger-platform/send-messages/utility-messages: older versions do not know their templates"},
	{Feature: FeatureSubscriptionMessages, Types: []MessagingType{TypeNonPromotionalSubscription}, Until: day("2020-03-04"), Successor: "TypeUtility", Source: changelog},
	{Feature: FeatureSecondChance, Until: day("2018-07-01"), Source: changelog + ": one more message after the window, 24+1"},
	{Feature: FeatureLongText, Since: day("2018-01-01"), Source: sendPage + ": 2,000 characters rather than 640"},
	{Feature: FeatureElevenQuickReplies, Since: day("2017-01-01"), Source: sendPage + ": 11 rather than 10"},
	{Feature: FeatureThirteenQuickReplies, Since: day("2020-04-01"), Source: sendPage + ": 13 rather than 11"},
	{Feature: FeatureLocationReply, Until: day("2020-03-01"), Source: changelog},
	{Feature: FeatureShareButton, Until: day("2019-11-03"), Source: "https://github.com/rehabstudio/fbmessenger/issues/66"},
	{Feature: FeatureThreadSettings, Removed: "v8.0", Successor: "Client.SetMessengerProfile", Source: "https://github.com/rapidpro/rapidpro/issues/1333"},
	{Feature: FeatureWideUserProfile, Until: day("2018-07-01"), Source: changelog + " of July 26, 2018: only names and picture unless more is asked for"},
	{Feature: FeatureFieldsOfPages, First: "v3.2", Source: changelog},
	{Feature: FeatureLinkOpensWindow, Since: day("2020-01-01"), Source: linksPage},
	{Feature: FeatureMessageEdits, Since: day("2024-04-09"), Source: changelog},
	{Feature: FeatureOptinFrequency, Until: day("2023-05-23"), Source: changelog},
	{Feature: FeatureStickerType, Since: day("2026-06-01"), Source: changelog},
	{Feature: FeatureStickerImage, Until: day("2026-08-30"), Source: changelog},
	{Feature: FeatureUsageOfPage, Until: day("2020-01-01"), Source: ratesPage},
	{Feature: FeatureDisableAfterHours, Until: day("2022-01-01"), Source: webhookPage + ": eight hours of failures rather than one"},
	{Feature: FeatureHiddenRecipient, Since: day("2018-02-19"), Source: "https://developers.facebook.com/docs/messenger-platform/identity/customer-matching"},
	{Feature: FeatureRestrictedPages, Since: day("2026-06-25"), Source: errorsPage},
	{Feature: FeatureMIDsWithTime, Until: day("2017-06-01"), Source: seen},
	{Feature: FeatureMIDsWithDollar, Since: day("2017-06-01"), Until: day("2018-11-01"), Source: seen},
	{Feature: FeatureMIDsWithoutPrefix, Since: day("2018-11-01"), Until: day("2019-02-01"), Source: seen},
}

// Sources of the calendar.
const (
	changelog   = "https://developers.facebook.com/docs/messenger-platform/changelog"
	sendPage    = "https://developers.facebook.com/docs/messenger-platform/reference/send-api"
	tagsPage    = "https://developers.facebook.com/docs/messenger-platform/send-messages/message-tags"
	errorsPage  = "https://developers.facebook.com/docs/messenger-platform/error-codes"
	webhookPage = "https://developers.facebook.com/docs/messenger-platform/webhooks"
	ratesPage   = "https://developers.facebook.com/docs/messenger-platform/overview/rate-limiting"
	linksPage   = "https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links"
	seen        = "as seen in events of the time; no day was announced"
)

// Tags by the rows of the calendar that they belong to.
var (
	tagsOf2016 = []Tag{TagShippingUpdate, TagReservationUpdate, TagIssueResolution}
	tagsOf2018 = []Tag{
		TagAccountUpdate, TagAppointmentUpdate, TagApplicationUpdate, TagBusinessProductivity, TagCommunityAlert, TagConfirmedEventReminder, TagFeatureFunctionalityUpdate,
		TagGameEvent, TagNonPromotionalSubscription, TagPairingUpdate, TagPaymentUpdate, TagPersonalFinanceUpdate, TagTicketUpdate, TagTransportationUpdate,
	}
)

// day is a day of the calendar.
func day(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic("messenger: the calendar has the day " + text) // they stand in this file
	}
	return t
}

// releases are the versions since Messenger is part of the Graph API, oldest
// first; they are only read.
var releases = []Release{
	{"v2.6", day("2016-04-12")}, {"v2.7", day("2016-07-13")}, {"v2.8", day("2016-10-05")},
	{"v2.9", day("2017-04-18")}, {"v2.10", day("2017-07-18")}, {"v2.11", day("2017-11-07")},
	{"v2.12", day("2018-01-30")}, {"v3.0", day("2018-05-01")}, {"v3.1", day("2018-07-26")},
	{"v3.2", day("2018-10-23")}, {"v3.3", day("2019-04-30")}, {"v4.0", day("2019-07-29")},
	{"v5.0", day("2019-10-29")}, {"v6.0", day("2020-02-03")}, {"v7.0", day("2020-05-05")},
	{"v8.0", day("2020-08-04")}, {"v9.0", day("2020-11-10")}, {"v10.0", day("2021-02-23")},
	{"v11.0", day("2021-06-08")}, {"v12.0", day("2021-09-14")}, {"v13.0", day("2022-02-08")},
	{"v14.0", day("2022-05-25")}, {"v15.0", day("2022-09-15")}, {"v16.0", day("2023-02-02")},
	{"v17.0", day("2023-05-23")}, {"v18.0", day("2023-09-12")}, {"v19.0", day("2024-01-23")},
	{"v20.0", day("2024-05-21")}, {"v21.0", day("2024-10-02")}, {"v22.0", day("2025-01-21")},
	{"v23.0", day("2025-05-29")}, {"v24.0", day("2025-10-08")}, {"v25.0", day("2026-02-18")},
	{"v26.0", day("2026-07-29")},
}
