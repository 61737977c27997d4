package messenger

import "encoding/json"

// GenericTemplate is a card, or a row of up to 10 cards.
type GenericTemplate struct {
	Elements         []Element `json:"elements"`
	ImageAspectRatio string    `json:"image_aspect_ratio,omitempty"` // horizontal, square
	Sharable         bool      `json:"sharable,omitempty"`
}

// Element is one card: a title of up to 80 characters and at least one more
// property.
type Element struct {
	Title         string   `json:"title"`
	Subtitle      string   `json:"subtitle,omitempty"` // up to 80 characters
	ImageURL      string   `json:"image_url,omitempty"`
	DefaultAction *Button  `json:"default_action,omitempty"` // a web_url button without title
	Buttons       []Button `json:"buttons,omitempty"`        // up to 3
}

// ButtonTemplate is a text of up to 640 characters with up to 3 buttons.
type ButtonTemplate struct {
	Text     string   `json:"text"`
	Buttons  []Button `json:"buttons"`
	Sharable bool     `json:"sharable,omitempty"`
}

// MediaTemplate is one image or video with up to 3 buttons.
type MediaTemplate struct {
	Elements []MediaElement `json:"elements"` // exactly one
	Sharable bool           `json:"sharable,omitempty"`
}

// MediaElement is the image or video of a media template: by id, or by the URL
// of a post on Facebook.
type MediaElement struct {
	MediaType    string   `json:"media_type"` // image, video
	AttachmentID string   `json:"attachment_id,omitempty"`
	URL          string   `json:"url,omitempty"`
	Buttons      []Button `json:"buttons,omitempty"`
}

// Button is a button of a template or an entry of the persistent menu.
type Button struct {
	Type                string `json:"type"`            // web_url, postback, phone_number, account_link, account_unlink, game_play, nested
	Title               string `json:"title,omitempty"` // up to 20 characters
	URL                 string `json:"url,omitempty"`
	Payload             string `json:"payload,omitempty"` // up to 1,000 characters
	WebviewHeightRatio  string `json:"webview_height_ratio,omitempty"`
	MessengerExtensions bool   `json:"messenger_extensions,omitempty"`
	FallbackURL         string `json:"fallback_url,omitempty"`
	WebviewShareButton  string `json:"webview_share_button,omitempty"` // "hide" to hide it

	GameMetadata   json.RawMessage `json:"game_metadata,omitempty"`   // game_play: player_id or context_id
	PaymentSummary json.RawMessage `json:"payment_summary,omitempty"` // payment: withdrawn by the platform
	ShareContents  json.RawMessage `json:"share_contents,omitempty"`  // element_share: withdrawn by the platform
	CallToActions  []Button        `json:"call_to_actions,omitempty"` // nested: menus of versions before v8.0, up to 5
}

// URLButton opens a page.
func URLButton(title, url string) Button { return Button{Type: "web_url", Title: title, URL: url} }

// PostbackButton sends its payload to the app.
func PostbackButton(title, payload string) Button {
	return Button{Type: "postback", Title: title, Payload: payload}
}

// CallButton dials a number in international form, such as "+51123456789".
func CallButton(title, number string) Button {
	return Button{Type: "phone_number", Title: title, Payload: number}
}

// AccountLinkButton opens the log-in page of the business, https, to link an
// account.
func AccountLinkButton(url string) Button { return Button{Type: "account_link", URL: url} }

// AccountUnlinkButton ends the linking of an account.
func AccountUnlinkButton() Button { return Button{Type: "account_unlink"} }

// GamePlayButton opens an instant game; the payload, up to 1,000 characters,
// goes to the game.
func GamePlayButton(title, payload string) Button {
	return Button{Type: "game_play", Title: title, Payload: payload}
}
