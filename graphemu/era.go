package graphemu

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A version of the Graph API as a number that compares: v2.6 is 206.
type graphVersion int

func parseVersion(s string) graphVersion {
	major, minor, ok := strings.Cut(strings.TrimPrefix(s, "v"), ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if !ok || errA != nil || errB != nil || a > 999 || b > 99 {
		return 0
	}
	return graphVersion(a*100 + b)
}

type release struct {
	version graphVersion
	day     time.Time
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// releases are the versions since Messenger is part of the Graph API, oldest
// first.
//
// Docs: https://developers.facebook.com/docs/graph-api/changelog/versions
func releases() []release {
	return []release{
		{206, day(2016, 4, 12)}, {207, day(2016, 7, 13)}, {208, day(2016, 10, 5)}, {209, day(2017, 4, 18)}, {210, day(2017, 7, 18)},
		{211, day(2017, 11, 7)}, {212, day(2018, 1, 30)}, {300, day(2018, 5, 1)}, {301, day(2018, 7, 26)}, {302, day(2018, 10, 23)},
		{303, day(2019, 4, 30)}, {400, day(2019, 7, 29)}, {500, day(2019, 10, 29)}, {600, day(2020, 2, 3)}, {700, day(2020, 5, 5)},
		{800, day(2020, 8, 4)}, {900, day(2020, 11, 10)}, {1000, day(2021, 2, 23)}, {1100, day(2021, 6, 8)}, {1200, day(2021, 9, 14)},
		{1300, day(2022, 2, 8)}, {1400, day(2022, 5, 25)}, {1500, day(2022, 9, 15)}, {1600, day(2023, 2, 2)}, {1700, day(2023, 5, 23)},
		{1800, day(2023, 9, 12)}, {1900, day(2024, 1, 23)}, {2000, day(2024, 5, 21)}, {2100, day(2024, 10, 2)}, {2200, day(2025, 1, 21)},
		{2300, day(2025, 5, 29)}, {2400, day(2025, 10, 8)}, {2500, day(2026, 2, 18)}, {2600, day(2026, 7, 29)},
	}
}

// settled is how long after its release a version is taken to be in use: what
// was announced with it holds by then.
const settled = 31 * 24 * time.Hour

// era is the day whose rules hold for a call: the clock's when a date is set,
// else one in the life of the version that the call names.
func (s *Server) era(version string) time.Time {
	if s.clock.isDated() {
		return s.now()
	}
	v := parseVersion(version)
	all := s.releases
	i, exact := slices.BinarySearchFunc(all, v, func(r release, v graphVersion) int { return int(r.version - v) })
	switch {
	case v == 0 || i == len(all):
		return all[len(all)-1].day.Add(settled)
	case !exact && i > 0:
		i--
	}
	return all[i].day.Add(settled)
}

// Days on which the platform's rules changed.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/changelog
type ruleDays struct {
	fieldsOfPages    time.Time // pages are subscribed with a choice of fields
	longText         time.Time // texts of 2,000 characters rather than 640
	shortProfile     time.Time // of a person only the names and the picture unless more is asked for
	noSecondChance   time.Time // no further message after the window (24+1)
	codesGone        time.Time
	matchingGone     time.Time // sending to phone numbers
	broadcastsGone   time.Time // and the 17 tags, and their list
	newTags          time.Time
	flatMenu         time.Time // 20 buttons and no nesting
	noHomeURL        time.Time
	policyKey        time.Time // policy_enforcement with an underscore
	hourToDisable    time.Time // webhooks are disabled after one hour rather than eight
	threeTagsGone    time.Time
	onlyStickers     time.Time // stickers are no longer images, too
	marketingGone    time.Time
	noTextReplies    time.Time // /{comment}/private_replies
	noThreadSettings time.Time
	noShareButtons   time.Time // buttons of type element_share
	restrictedPages  time.Time
}

func ruleCalendar() ruleDays {
	return ruleDays{
		shortProfile:  day(2018, 7, 1),
		fieldsOfPages: day(2018, 10, 23),
		longText:      day(2018, 1, 1), noSecondChance: day(2018, 7, 1), codesGone: day(2019, 10, 29), matchingGone: day(2020, 1, 15),
		broadcastsGone: day(2020, 3, 4), newTags: day(2019, 8, 29), flatMenu: day(2020, 8, 4), noHomeURL: day(2020, 5, 5),
		policyKey: day(2022, 1, 7), hourToDisable: day(2022, 1, 1), threeTagsGone: day(2026, 4, 27), onlyStickers: day(2026, 8, 30),
		marketingGone: day(2026, 2, 10), noTextReplies: day(2019, 10, 29), noThreadSettings: day(2020, 8, 4), noShareButtons: day(2019, 11, 3), restrictedPages: day(2026, 6, 25),
	}
}

// tagRule is a message tag with the days between which it may be used, and how
// long after the person's last message; 0 is for ever.
type tagRule struct {
	name        string
	from, until time.Time
	window      time.Duration
	about       string
}

// tagRules are all tags there ever were.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/message-tags
func tagRules() []tagRule {
	begin, many, rename, end := day(2016, 4, 12), day(2018, 1, 1), day(2019, 8, 29), day(2020, 3, 4)
	third, never := day(2026, 4, 27), time.Time{}
	const week = 7 * 24 * time.Hour
	rules := []tagRule{
		{"SHIPPING_UPDATE", begin, end, 0, "The status of a shipment changed."},
		{"RESERVATION_UPDATE", begin, end, 0, "An existing reservation changed."},
		{"ISSUE_RESOLUTION", begin, end, 0, "An answer to a question of a person."},
		{"ACCOUNT_UPDATE", many, third, 0, "Something about a person's account or application changed."},
		{"CONFIRMED_EVENT_UPDATE", rename, third, 0, "An event that a person registered for is near or changed."},
		{"POST_PURCHASE_UPDATE", rename, third, 0, "Something about a purchase changed."},
		{"HUMAN_AGENT", rename, never, week, "A human agent answers a person."},
		{"CUSTOMER_FEEDBACK", day(2021, 1, 1), never, week, "A question how content a person is."},
	}
	for name, about := range map[string]string{
		"BUSINESS_PRODUCTIVITY": "A matter of a person's work.", "COMMUNITY_ALERT": "An emergency or utility alert in a person's community.",
		"CONFIRMED_EVENT_REMINDER": "An event that a person registered for is near.", "NON_PROMOTIONAL_SUBSCRIPTION": "News, productivity and personal trackers.",
		"PAIRING_UPDATE": "A match was found for a person.", "APPLICATION_UPDATE": "The status of an application changed.", "PAYMENT_UPDATE": "The status of a payment changed.",
		"PERSONAL_FINANCE_UPDATE": "Something about a person's finances changed.", "APPOINTMENT_UPDATE": "An appointment changed.", "GAME_EVENT": "Something happened in a game.",
		"TRANSPORTATION_UPDATE": "A journey changed.", "FEATURE_FUNCTIONALITY_UPDATE": "A feature is new or changed.", "TICKET_UPDATE": "Something about a ticket changed.",
	} {
		rules = append(rules, tagRule{name, many, end, 0, about})
	}
	slices.SortFunc(rules[8:], func(a, b tagRule) int { return strings.Compare(a.name, b.name) })
	return rules
}

func (r tagRule) holds(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}
