package messenger

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
