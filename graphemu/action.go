package graphemu

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Action is what a person does. Exactly one of its parts is set, except that Referral may come
// with GetStarted, and ReplyTo with Text.
type Action struct {
	Text       string            `json:"text,omitempty"`
	ReplyTo    string            `json:"reply_to,omitempty"` // the mid that the text answers
	QuickReply *TapAction        `json:"quick_reply,omitempty"`
	Postback   *TapAction        `json:"postback,omitempty"`
	GetStarted bool              `json:"get_started,omitempty"`
	Referral   *Referral         `json:"referral,omitempty"`
	Attachment *AttachmentAction `json:"attachment,omitempty"`
	Read       bool              `json:"read,omitempty"`
	Reaction   *ReactionAction   `json:"reaction,omitempty"`
	Edit       *EditAction       `json:"edit,omitempty"`

	Link     *LinkAction     `json:"link,omitempty"`
	Scan     *ScanAction     `json:"scan,omitempty"`
	OptIn    *OptInAction    `json:"optin,omitempty"`
	Accept   bool            `json:"accept,omitempty"` // lets in a page that wrote to the person's phone number
	Notify   *NotifyAction   `json:"notify,omitempty"`
	Comment  *CommentAction  `json:"comment,omitempty"`
	Account  *AccountAction  `json:"account,omitempty"`
	Feedback *FeedbackAction `json:"feedback,omitempty"`
	Sticker  int64           `json:"sticker,omitempty"`  // a sticker; 369239263222822 is the small thumb
	Location *LocationAction `json:"location,omitempty"` // where the person is
	Share    *ShareAction    `json:"share,omitempty"`    // a link that is shared into the thread
	Product  *ProductAction  `json:"product,omitempty"`  // a product of a shop
	Game     *GameAction     `json:"game,omitempty"`
	Payment  *PaymentAction  `json:"payment,omitempty"`
	Report   string          `json:"report,omitempty"` // reports the conversation: spam, inappropriate, other
	Response *ResponseAction `json:"response,omitempty"`
	Event    *EventAction    `json:"event,omitempty"`
}

// TapAction is a tapped quick reply or button.
type TapAction struct {
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// AttachmentAction is a file that a person sends.
type AttachmentAction struct {
	Type string `json:"type"` // image, audio, video, file
	URL  string `json:"url"`
}

// ReactionAction is a reaction to a message. An empty emoji removes it.
type ReactionAction struct {
	MID   string `json:"mid"`
	Emoji string `json:"emoji"`
}

// EditAction changes the text of a message of the person, at most five times.
type EditAction struct {
	MID  string `json:"mid"`
	Text string `json:"text"`
}

// ActionResult says what became of an action. MID is set for messages and
// postbacks. Pending is true for a link followed by a person who has no thread:
// the referral comes with Get Started, as on the platform.
type ActionResult struct {
	MID     string `json:"mid,omitempty"`
	EventID string `json:"event_id,omitempty"`
	Pending bool   `json:"pending,omitempty"`
	ID      string `json:"id,omitempty"` // of a comment or a post
}

// ErrAction is matched by the errors of [Server.Act] for an action that is not possible.
var ErrAction = errors.New("action is not possible")

func (a Action) check() error {
	n := 0
	for _, set := range []bool{
		a.Text != "", a.QuickReply != nil, a.Postback != nil, a.GetStarted,
		a.Referral != nil && !a.GetStarted, a.Attachment != nil, a.Read, a.Reaction != nil, a.Edit != nil,
		a.Link != nil, a.Scan != nil, a.OptIn != nil, a.Accept, a.Notify != nil, a.Comment != nil, a.Account != nil, a.Feedback != nil,
		a.Sticker != 0, a.Location != nil, a.Share != nil, a.Product != nil, a.Game != nil, a.Payment != nil, a.Report != "", a.Response != nil, a.Event != nil,
	} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("%w: exactly one of text, quick_reply, postback, get_started, referral, attachment, read, reaction, edit, link, scan, optin and their like must be given", ErrAction)
	}
	return nil
}

// AccountAction links or unlinks the person's account with the business.
type AccountAction struct {
	Code   string `json:"code,omitempty"` // authorization_code that the website gave
	Unlink bool   `json:"unlink,omitempty"`
}

// FeedbackAction fills in a feedback template: the answers by question id.
type FeedbackAction struct {
	MID      string            `json:"mid"`
	Answers  map[string]string `json:"answers"`
	FollowUp map[string]string `json:"follow_up,omitempty"`
}

// LocationAction is a place.
type LocationAction struct {
	Lat  float64 `json:"lat"`
	Long float64 `json:"long"`
}

// ShareAction is a link shared into the thread, with or without a text.
type ShareAction struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text,omitempty"`
}

// ProductAction is a question about a product.
type ProductAction struct {
	ID       string `json:"id"`
	Title    string `json:"title,omitempty"`
	Subtitle string `json:"subtitle,omitempty"`
	ImageURL string `json:"image_url,omitempty"`
	Text     string `json:"text,omitempty"`
}

// GameAction is an instant game that was played.
type GameAction struct {
	GameID      string `json:"game_id"`
	PlayerID    string `json:"player_id"`
	ContextType string `json:"context_type"`
	ContextID   string `json:"context_id"`
	Score       int    `json:"score,omitempty"`
	Payload     string `json:"payload,omitempty"`
}

// PaymentAction is a tap on a buy button. Step says which event it causes: payment,
// checkout_update or pre_checkout.
type PaymentAction struct {
	Step     string  `json:"step"`
	Payload  string  `json:"payload"`
	Currency string  `json:"currency,omitempty"`
	Amount   float64 `json:"amount,omitempty"`
}

// ResponseAction is a thumbs up or down for an answer of the page's AI.
type ResponseAction struct {
	MID  string `json:"mid"`
	Good bool   `json:"good"`
}

// EventAction is an arbitrary event, for what no other action causes. For a field of Messenger
// it holds the members of the event; sender, recipient and timestamp are added unless they are
// given. For any other field of the page it holds the value.
type EventAction struct {
	Field     string          `json:"field"`
	Messaging json.RawMessage `json:"messaging,omitempty"` // {"message_context":{…}}
	Value     json.RawMessage `json:"value,omitempty"`     // of leadgen, ratings, mention, ...
}

// LinkAction is a link that the person follows: one of m.me, or one of the emulator's own.
type LinkAction struct {
	URL string `json:"url"`
}

// ScanAction is a QR code that the person scans: the picture, or the address at which the
// emulator shows one. In JSON the image is base64; it is a PNG, JPEG or GIF.
type ScanAction struct {
	Image []byte `json:"image,omitempty"`
	URL   string `json:"url,omitempty"`
}

// OptInAction opts a person in: through the Send to Messenger button when only Ref is given,
// through the checkbox when UserRef is given.
type OptInAction struct {
	Ref     string `json:"ref,omitempty"`      // data-ref of the button or the checkbox
	UserRef string `json:"user_ref,omitempty"` // of the checkbox, made by the website for each time it is drawn
}

// NotifyAction is a tap on the button of a notification request, which is the message with this
// mid. Stop withdraws the consent to marketing messages, and Resume renews it.
type NotifyAction struct {
	MID    string `json:"mid"`
	Stop   bool   `json:"stop,omitempty"`
	Resume bool   `json:"resume,omitempty"`
}

// CommentAction is a comment under a post of the page. Without a Post it is a post of the
// person's own on the page.
type CommentAction struct {
	Text string `json:"text"`
	Post string `json:"post,omitempty"`
}
