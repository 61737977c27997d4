package messenger

import "encoding/json"

// Postback reports that the person tapped a postback button, Get Started, an entry of the menu or
// an ice breaker.
type Postback struct {
	MID      MessageID `json:"mid,omitempty"` // from v11.0 on
	Title    string    `json:"title,omitempty"`
	Payload  string    `json:"payload,omitempty"`  // absent in standby
	Referral *Referral `json:"referral,omitempty"` // where a new thread came from
}

// The sources of referrals.
const (
	SourceShortlink          = "SHORTLINK"
	SourceAds                = "ADS"
	SourceMessengerCode      = "MESSENGER_CODE"
	SourceDiscoverTab        = "DISCOVER_TAB"
	SourceCustomerChatPlugin = "CUSTOMER_CHAT_PLUGIN"
)

// Referral says where a person came from.
type Referral struct {
	Ref            string           `json:"ref,omitempty"`
	Source         string           `json:"source,omitempty"`
	Type           string           `json:"type,omitempty"` // OPEN_THREAD
	AdID           string           `json:"ad_id,omitempty"`
	AdsContextData *AdsContextData  `json:"ads_context_data,omitempty"`
	RefererURI     string           `json:"referer_uri,omitempty"`
	IsGuestUser    *Flag            `json:"is_guest_user,omitempty"`
	Product        *ReferralProduct `json:"product,omitempty"`
}

// AdsContextData describes the ad that a person came from.
type AdsContextData struct {
	AdTitle   string `json:"ad_title,omitempty"`
	PhotoURL  string `json:"photo_url,omitempty"`
	VideoURL  string `json:"video_url,omitempty"`
	PostID    string `json:"post_id,omitempty"`
	ProductID string `json:"product_id,omitempty"`
	FlowID    string `json:"flow_id,omitempty"`
}

// ReferralProduct is the product whose page the person wrote from.
type ReferralProduct struct {
	ID string `json:"id"`
}

// Optin reports that a person agreed to be written to: through a plugin, a notification request or
// customer matching.
type Optin struct {
	Type           string `json:"type,omitempty"` // one_time_notif_req, notification_messages, "" for plugins
	Ref            string `json:"ref,omitempty"`
	UserRef        string `json:"user_ref,omitempty"`
	MessageRequest string `json:"message_request,omitempty"` // accept
	Payload        string `json:"payload,omitempty"`

	OneTimeNotifToken string `json:"one_time_notif_token,omitempty"`

	Title                         string `json:"title,omitempty"`
	NotificationMessagesToken     string `json:"notification_messages_token,omitempty"`
	NotificationMessagesFrequency string `json:"notification_messages_frequency,omitempty"`
	NotificationMessagesTimezone  string `json:"notification_messages_timezone,omitempty"`
	NotificationMessagesStatus    string `json:"notification_messages_status,omitempty"`
	TokenExpiryTimestamp          Millis `json:"token_expiry_timestamp,omitempty"`
	UserTokenStatus               string `json:"user_token_status,omitempty"`
}

// AccountLinking reports that a person linked or unlinked an account of the business.
type AccountLinking struct {
	Status            string `json:"status"` // linked, unlinked
	AuthorizationCode string `json:"authorization_code,omitempty"`
}

// GamePlay reports that a person played an instant game.
type GamePlay struct {
	GameID      string          `json:"game_id"`
	PlayerID    string          `json:"player_id"`
	ContextType string          `json:"context_type"` // SOLO, THREAD, GROUP
	ContextID   string          `json:"context_id,omitempty"`
	Score       json.RawMessage `json:"score,omitempty"`
	Payload     string          `json:"payload,omitempty"`
}

// Payment is an event of the payments beta, withdrawn by the platform. The
// parts whose keys differ between sources stay as received.
type Payment struct {
	Payload           string          `json:"payload"`
	RequestedUserInfo json.RawMessage `json:"requested_user_info,omitempty"`
	PaymentCredential json.RawMessage `json:"payment_credential,omitempty"`
	Amount            json.RawMessage `json:"amount,omitempty"`
	ShippingOptionID  string          `json:"shipping_option_id,omitempty"`
}

// PreCheckout is an event of the payments beta, withdrawn by the platform.
type PreCheckout struct {
	Payload           string          `json:"payload"`
	RequestedUserInfo json.RawMessage `json:"requested_user_info,omitempty"`
	Amount            json.RawMessage `json:"amount,omitempty"`
}

// CheckoutUpdate is an event of the payments beta, withdrawn by the platform.
type CheckoutUpdate struct {
	Payload         string          `json:"payload"`
	ShippingAddress json.RawMessage `json:"shipping_address,omitempty"`
}

// ResponseFeedback is a person's judgement of an automated answer.
type ResponseFeedback struct {
	Feedback string    `json:"feedback"` // Good response, Bad response
	MID      MessageID `json:"mid"`
}

// MessagingFeedback is the answer to a customer feedback template.
type MessagingFeedback struct {
	FeedbackScreens []FeedbackAnswers `json:"feedback_screens,omitempty"`
}

// FeedbackAnswers are the answers of one screen, by the id of their question.
type FeedbackAnswers struct {
	ScreenID  Count                     `json:"screen_id"`
	Questions map[string]FeedbackAnswer `json:"questions,omitempty"`
}

// FeedbackAnswer is one answer.
type FeedbackAnswer struct {
	Type     string          `json:"type"`                // csat, nps, ces
	Payload  string          `json:"payload"`             // the score
	FollowUp *FeedbackAnswer `json:"follow_up,omitempty"` // of type free_form: the person's own words
}
