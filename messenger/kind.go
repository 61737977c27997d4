package messenger

// Kind says what an event is. New kinds may be added; treat one you do not
// know as [KindUnknown].
type Kind string

// The kinds of events. An event in standby keeps its kind; its channel says
// that it is one.
const (
	KindMessage              Kind = "message"
	KindEcho                 Kind = "echo"
	KindPostback             Kind = "postback"
	KindDelivery             Kind = "delivery"
	KindRead                 Kind = "read"
	KindReferral             Kind = "referral"
	KindOptin                Kind = "optin"
	KindReaction             Kind = "reaction"
	KindEdit                 Kind = "edit"
	KindPassThreadControl    Kind = "pass_thread_control"
	KindTakeThreadControl    Kind = "take_thread_control"
	KindRequestThreadControl Kind = "request_thread_control"
	KindAppRoles             Kind = "app_roles"
	KindAccountLinking       Kind = "account_linking"
	KindPolicyEnforcement    Kind = "policy_enforcement"
	KindMessageRequest       Kind = "message_request"
	KindGamePlay             Kind = "game_play"
	KindPayment              Kind = "payment"
	KindPreCheckout          Kind = "pre_checkout"
	KindCheckoutUpdate       Kind = "checkout_update"
	KindResponseFeedback     Kind = "response_feedback"
	KindMessagingFeedback    Kind = "messaging_feedback"
	KindUnknown              Kind = "unknown"
)

// kindOfKey is the kind that a member of an event stands for.
func kindOfKey(key []byte) Kind {
	switch string(key) {
	case "message":
		return KindMessage
	case "postback":
		return KindPostback
	case "delivery":
		return KindDelivery
	case "read":
		return KindRead
	case "referral":
		return KindReferral
	case "optin":
		return KindOptin
	case "reaction":
		return KindReaction
	case "message_edit":
		return KindEdit
	case "pass_thread_control":
		return KindPassThreadControl
	case "take_thread_control":
		return KindTakeThreadControl
	case "request_thread_control":
		return KindRequestThreadControl
	case "app_roles":
		return KindAppRoles
	case "account_linking":
		return KindAccountLinking
	case "policy_enforcement", "policy-enforcement":
		return KindPolicyEnforcement
	case "message_request":
		return KindMessageRequest
	case "game_play":
		return KindGamePlay
	case "payment":
		return KindPayment
	case "pre_checkout":
		return KindPreCheckout
	case "checkout_update":
		return KindCheckoutUpdate
	case "response_feedback":
		return KindResponseFeedback
	case "messaging_feedback":
		return KindMessagingFeedback
	}
	return KindUnknown
}

// kindRank decides when an event carries more than one part: the lower wins,
// whatever the order of the members.
func kindRank(k Kind) int {
	switch k {
	case KindMessage, KindEcho:
		return 0
	case KindPostback:
		return 1
	case KindEdit:
		return 2
	case KindReaction:
		return 3
	case KindOptin:
		return 4
	case KindReferral:
		return 6
	case KindMessageRequest:
		return 7
	}
	return 5
}
