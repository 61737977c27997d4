package messenger

// ProductTemplate shows products of a catalog that is connected to the page. It
// needs v8.0 and the permission catalog_management.
type ProductTemplate struct {
	Elements []ProductElement `json:"elements"` // up to 10
}

// ProductElement names one product of a catalog.
type ProductElement struct {
	ID string `json:"id"`
}

// CouponTemplate offers a discount, by code or by link.
type CouponTemplate struct {
	Title            string `json:"title"` // up to 80 characters
	Subtitle         string `json:"subtitle,omitempty"`
	CouponCode       string `json:"coupon_code,omitempty"`
	CouponURL        string `json:"coupon_url,omitempty"`
	CouponURLTitle   string `json:"coupon_url_button_title,omitempty"`
	CouponPreMessage string `json:"coupon_pre_message,omitempty"`
	ImageURL         string `json:"image_url,omitempty"`
	Payload          string `json:"payload,omitempty"`
}

// CustomerFeedbackTemplate asks a person to judge the business. The answer is
// an event of [KindMessagingFeedback].
type CustomerFeedbackTemplate struct {
	Title           string           `json:"title"`
	Subtitle        string           `json:"subtitle,omitempty"`
	ButtonTitle     string           `json:"button_title,omitempty"`
	FeedbackScreens []FeedbackScreen `json:"feedback_screens"` // exactly one
	BusinessPrivacy FeedbackPrivacy  `json:"business_privacy"`
	ExpiresInDays   int              `json:"expires_in_days,omitempty"` // 1 to 7, 1 when left out
}

// FeedbackScreen is one screen of questions.
type FeedbackScreen struct {
	Questions []FeedbackQuestion `json:"questions"`
}

// FeedbackQuestion is one question with a scale, and perhaps a free answer to
// follow.
type FeedbackQuestion struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"` // csat, nps, ces
	Title       string            `json:"title,omitempty"`
	ScoreLabel  string            `json:"score_label,omitempty"`  // neg_pos or as the score type asks
	ScoreOption string            `json:"score_option,omitempty"` // csat: one_to_five, five_stars, five_emojis; nps: zero_to_ten; ces: one_to_seven
	FollowUp    *FeedbackFollowUp `json:"follow_up,omitempty"`
}

// FeedbackFollowUp lets a person explain a score in their own words.
type FeedbackFollowUp struct {
	Type        string `json:"type"` // free_form
	Placeholder string `json:"placeholder,omitempty"`
}

// FeedbackPrivacy links the privacy policy of the business.
type FeedbackPrivacy struct {
	URL string `json:"url"`
}

// OneTimeNotifTemplate asks for the right to send one message outside the
// window. The answer is an opt-in whose token goes into
// [Recipient].OneTimeNotifToken.
type OneTimeNotifTemplate struct {
	Title   string `json:"title"`   // up to 65 characters
	Payload string `json:"payload"` // up to 1,000 characters; comes back in the opt-in
}

// NotificationMessagesTemplate asks for the right to send marketing messages.
// The answer is an opt-in whose token goes into
// [Recipient].NotificationMessagesToken.
//
// Deprecated: the platform ended marketing messages of this kind on February
// 10, 2026. Use message templates with [TypeUtility].
type NotificationMessagesTemplate struct {
	Title     string `json:"title,omitempty"` // up to 65 characters
	ImageURL  string `json:"image_url,omitempty"`
	Payload   string `json:"payload,omitempty"`                         // up to 1,000 characters; comes back in the opt-in
	Frequency string `json:"notification_messages_frequency,omitempty"` // DAILY, WEEKLY, MONTHLY; until v15.0
	Reoptin   string `json:"notification_messages_reoptin,omitempty"`   // ENABLED, DISABLED
	Timezone  string `json:"notification_messages_timezone,omitempty"`
	CTAText   string `json:"notification_messages_cta_text,omitempty"` // ALLOW, FREQUENCY, GET, OPT_IN, SIGN_UP, ...
}
