package messenger

// TagCustomerFeedback lets a customer feedback template ask for feedback within
// 7 days of the person's message.
const TagCustomerFeedback Tag = "CUSTOMER_FEEDBACK"

// Tags of August 29, 2019; from March 4, 2020 on the only ones.
//
// Deprecated: refused since April 27, 2026. Use [TypeUtility], or [TagHumanAgent]
// when a person answers.
const (
	TagConfirmedEventUpdate Tag = "CONFIRMED_EVENT_UPDATE"
	TagPostPurchaseUpdate   Tag = "POST_PURCHASE_UPDATE"
	TagAccountUpdate        Tag = "ACCOUNT_UPDATE" // before 2020 with another meaning
)

// Tags until 2020.
//
// Deprecated: refused since March 4, 2020. Use [TypeUtility], or [TagHumanAgent]
// when a person answers.
const (
	TagBusinessProductivity       Tag = "BUSINESS_PRODUCTIVITY"
	TagCommunityAlert             Tag = "COMMUNITY_ALERT"
	TagConfirmedEventReminder     Tag = "CONFIRMED_EVENT_REMINDER"
	TagNonPromotionalSubscription Tag = "NON_PROMOTIONAL_SUBSCRIPTION"
	TagPairingUpdate              Tag = "PAIRING_UPDATE"
	TagApplicationUpdate          Tag = "APPLICATION_UPDATE"
	TagPaymentUpdate              Tag = "PAYMENT_UPDATE"
	TagPersonalFinanceUpdate      Tag = "PERSONAL_FINANCE_UPDATE"
	TagShippingUpdate             Tag = "SHIPPING_UPDATE"
	TagReservationUpdate          Tag = "RESERVATION_UPDATE"
	TagIssueResolution            Tag = "ISSUE_RESOLUTION"
	TagAppointmentUpdate          Tag = "APPOINTMENT_UPDATE"
	TagGameEvent                  Tag = "GAME_EVENT"
	TagTransportationUpdate       Tag = "TRANSPORTATION_UPDATE"
	TagFeatureFunctionalityUpdate Tag = "FEATURE_FUNCTIONALITY_UPDATE"
	TagTicketUpdate               Tag = "TICKET_UPDATE"
)
