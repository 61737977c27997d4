package messenger

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

// ReceiptTemplate is a confirmation of an order.
type ReceiptTemplate struct {
	RecipientName string              `json:"recipient_name"`
	OrderNumber   string              `json:"order_number"` // unique
	Currency      string              `json:"currency"`
	PaymentMethod string              `json:"payment_method"`
	OrderURL      string              `json:"order_url,omitempty"`
	MerchantName  string              `json:"merchant_name,omitempty"`
	Timestamp     string              `json:"timestamp,omitempty"` // seconds since 1970
	Address       *ReceiptAddress     `json:"address,omitempty"`
	Summary       ReceiptSummary      `json:"summary"`
	Adjustments   []ReceiptAdjustment `json:"adjustments,omitempty"`
	Elements      []ReceiptElement    `json:"elements,omitempty"` // up to 100
	Sharable      bool                `json:"sharable,omitempty"`
}

// ReceiptAddress is where an order goes.
type ReceiptAddress struct {
	Street1    string `json:"street_1"`
	Street2    string `json:"street_2,omitempty"`
	City       string `json:"city"`
	PostalCode string `json:"postal_code"`
	State      string `json:"state"`
	Country    string `json:"country"`
}

// ReceiptSummary is the sum of an order, in the receipt's currency.
type ReceiptSummary struct {
	Subtotal     float64 `json:"subtotal,omitempty"`
	ShippingCost float64 `json:"shipping_cost,omitempty"`
	TotalTax     float64 `json:"total_tax,omitempty"`
	TotalCost    float64 `json:"total_cost"`
}

// ReceiptAdjustment is a discount.
type ReceiptAdjustment struct {
	Name   string  `json:"name"`
	Amount float64 `json:"amount"`
}

// ReceiptElement is one line of an order.
type ReceiptElement struct {
	Title    string  `json:"title"`
	Subtitle string  `json:"subtitle,omitempty"`
	Quantity int     `json:"quantity,omitempty"`
	Price    float64 `json:"price"`
	Currency string  `json:"currency,omitempty"`
	ImageURL string  `json:"image_url,omitempty"`
}

// Button is a button of a template or an entry of the persistent menu.
type Button struct {
	Type                string `json:"type"`            // web_url, postback, phone_number, account_link, account_unlink, game_play
	Title               string `json:"title,omitempty"` // up to 20 characters
	URL                 string `json:"url,omitempty"`
	Payload             string `json:"payload,omitempty"` // up to 1,000 characters
	WebviewHeightRatio  string `json:"webview_height_ratio,omitempty"`
	MessengerExtensions bool   `json:"messenger_extensions,omitempty"`
	FallbackURL         string `json:"fallback_url,omitempty"`
	WebviewShareButton  string `json:"webview_share_button,omitempty"`
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
