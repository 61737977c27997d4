package messenger

import "time"

// Feature names something that the platform offers or offered.
type Feature string

// The features that [Support] knows.
const (
	FeatureSend                 Feature = "send"
	FeaturePersonas             Feature = "personas"
	FeatureIceBreakers          Feature = "ice_breakers"
	FeatureUserMenu             Feature = "user_menu"
	FeatureNestedMenu           Feature = "nested_menu"
	FeatureProductTemplate      Feature = "product_template"
	FeaturePrivateReplies       Feature = "private_replies"
	FeatureOneTimeNotif         Feature = "one_time_notif"
	FeatureNotificationMessages Feature = "notification_messages"
	FeatureCustomerMatching     Feature = "customer_matching"
	FeatureMessengerCode        Feature = "messenger_code"
	FeatureBroadcast            Feature = "broadcast"
	FeatureSponsored            Feature = "sponsored"
	FeatureListTemplate         Feature = "list_template"
	FeatureOpenGraphTemplate    Feature = "open_graph_template"
	FeatureMessageTags          Feature = "message_tags"
	FeatureTagHumanAgent        Feature = "tag_human_agent"
	FeatureTagCustomerFeedback  Feature = "tag_customer_feedback"
	FeatureTagsOf2020           Feature = "tags_of_2020"
	FeatureTagsOf2016           Feature = "tags_of_2016"
	FeatureTagsBefore2020       Feature = "tags_before_2020"
	FeatureHomeURL              Feature = "home_url"
	FeatureTargetAudience       Feature = "target_audience"
	FeaturePaymentSettings      Feature = "payment_settings"
	FeaturePlainPrivateReplies  Feature = "plain_private_replies"
	FeatureStandardMessages     Feature = "standard_messages"
	FeatureTaggedMessages       Feature = "tagged_messages"
	FeatureUtilityMessages      Feature = "utility_messages"
	FeatureSubscriptionMessages Feature = "subscription_messages"
	FeatureSecondChance         Feature = "second_chance"
	FeatureLongText             Feature = "long_text"
	FeatureElevenQuickReplies   Feature = "eleven_quick_replies"
	FeatureThirteenQuickReplies Feature = "thirteen_quick_replies"
	FeatureLocationReply        Feature = "location_reply"
	FeatureShareButton          Feature = "share_button"
	FeatureThreadSettings       Feature = "thread_settings"
	FeatureWideUserProfile      Feature = "wide_user_profile"
	FeatureFieldsOfPages        Feature = "fields_of_pages"
	FeatureLinkOpensWindow      Feature = "link_opens_window"
	FeatureMessageEdits         Feature = "message_edits"
	FeatureOptinFrequency       Feature = "optin_frequency"
	FeatureStickerType          Feature = "sticker_type"
	FeatureStickerImage         Feature = "sticker_image"
	FeatureUsageOfPage          Feature = "usage_of_page"
	FeatureDisableAfterHours    Feature = "disable_after_hours"
	FeatureHiddenRecipient      Feature = "hidden_recipient"
	FeatureRestrictedPages      Feature = "restricted_pages"
	FeatureMIDsWithTime         Feature = "mids_with_time"
	FeatureMIDsWithDollar       Feature = "mids_with_dollar"
	FeatureMIDsWithoutPrefix    Feature = "mids_without_prefix"
)

// Availability says whether the real platform accepts a feature.
type Availability struct {
	Known     bool      // whether the feature is known here at all
	OK        bool      // whether the platform takes it, with that version on that day
	Since     time.Time // when it came; zero when it was there from the beginning
	Until     time.Time // the day from which no version takes it; zero while there is none
	Removed   string    // the first version that does not take it, "" when there is none
	Successor string    // what to use now, "" when there is nothing
}

// Support says whether the real platform accepts a feature with a version of the API, such as
// v26.0, on a day. It is about the platform alone: emulators and private servers may take more, and
// the calls stay here for them. [Rules] has the whole calendar, with the source of each row.
func Support(feature Feature, version string, at time.Time) Availability {
	r, ok := RuleOf(feature)
	if !ok {
		return Availability{}
	}
	return Availability{Known: true, OK: r.Takes(version, at), Since: r.Since, Until: r.Until, Removed: r.Removed, Successor: r.Successor}
}
