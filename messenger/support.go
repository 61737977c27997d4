package messenger

import (
	"fmt"
	"time"
)

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
	FeatureTagsOf2020           Feature = "tags_of_2020"
	FeatureTagsBefore2020       Feature = "tags_before_2020"
	FeatureHomeURL              Feature = "home_url"
	FeatureTargetAudience       Feature = "target_audience"
	FeaturePaymentSettings      Feature = "payment_settings"
	FeaturePlainPrivateReplies  Feature = "plain_private_replies"
)

// Availability says whether the real platform takes a feature.
type Availability struct {
	Known     bool      // whether the feature is known here at all
	OK        bool      // whether the platform takes it, with that version on that day
	Since     time.Time // when it came; zero when it was there from the beginning
	Until     time.Time // the day from which no version takes it; zero while there is none
	Removed   string    // the first version that does not take it, "" when there is none
	Successor string    // what to use now, "" when there is nothing
}

// availability is one row of the table of features.
type availability struct {
	feature      Feature
	since, until string // days, "" for none
	first        [2]int // the first version that has it
	removed      [2]int // the first version without it, zero for none
	successor    string
}

// features is what is known of the platform's past; it is only read.
var features = [...]availability{
	{feature: FeatureSend},
	{feature: FeaturePersonas, since: "2018-09-27"},
	{feature: FeatureIceBreakers, since: "2019-10-29"},
	{feature: FeatureUserMenu, since: "2019-09-30"},
	{feature: FeatureNestedMenu, until: "2022-08-04", removed: [2]int{8, 0}, successor: "a flat menu of up to 20 entries"},
	{feature: FeatureProductTemplate, since: "2020-08-04", first: [2]int{8, 0}},
	{feature: FeaturePrivateReplies, since: "2019-09-30"},
	{feature: FeatureOneTimeNotif, since: "2020-03-04"},
	{feature: FeatureNotificationMessages, until: "2026-02-10", successor: "utility messages (TypeUtility)"},
	{feature: FeatureCustomerMatching, until: "2020-01-15", removed: [2]int{6, 0}},
	{feature: FeatureMessengerCode, until: "2019-10-29", removed: [2]int{4, 0}, successor: "a QR code of an m.me link with a ref"},
	{feature: FeatureBroadcast, until: "2020-03-04", successor: "Client.Send with an opt-in or TypeUtility"},
	{feature: FeatureSponsored, until: "2020-03-04", successor: "the Marketing API"},
	{feature: FeatureListTemplate, until: "2021-08-03", removed: [2]int{4, 0}, successor: "GenericTemplate"},
	{feature: FeatureOpenGraphTemplate, until: "2021-08-03", removed: [2]int{4, 0}, successor: "GenericTemplate"},
	{feature: FeatureMessageTags, until: "2020-03-04", successor: "TagHumanAgent"},
	{feature: FeatureTagHumanAgent, since: "2020-03-04"},
	{feature: FeatureTagsOf2020, since: "2020-03-04", until: "2026-04-27", successor: "TypeUtility, or TagHumanAgent"},
	{feature: FeatureTagsBefore2020, until: "2020-03-04", successor: "TypeUtility, or TagHumanAgent"},
	{feature: FeatureHomeURL, until: "2022-05-05", removed: [2]int{7, 0}, successor: "a button that opens a page"},
	// Of these two no end was announced: on this day the documentation did not have them any more.
	{feature: FeatureTargetAudience, until: "2019-12-19"},
	{feature: FeaturePaymentSettings, until: "2019-12-19", successor: "a button that opens a page"},
	{feature: FeaturePlainPrivateReplies, until: "2022-02-03", removed: [2]int{5, 0}, successor: "Client.Send with Recipient.CommentID or PostID"},
}

// Support answers whether the real platform takes a feature with a version of
// the API, such as "v26.0", on a day. It is about the platform alone: emulators
// and private servers may take more, and the calls stay here for them.
func Support(feature Feature, version string, at time.Time) Availability {
	for _, row := range features {
		if row.feature != feature {
			continue
		}
		a := Availability{Known: true, Since: day(row.since), Until: day(row.until), Successor: row.successor}
		if row.removed != [2]int{} {
			a.Removed = fmt.Sprintf("v%d.%d", row.removed[0], row.removed[1])
		}
		a.OK = !at.Before(a.Since) && (a.Until.IsZero() || at.Before(a.Until)) &&
			versionSince(version, row.first[0], row.first[1]) &&
			(row.removed == [2]int{} || !versionSince(version, row.removed[0], row.removed[1]))
		return a
	}
	return Availability{}
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
