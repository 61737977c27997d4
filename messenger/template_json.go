package messenger

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Template is a structured message: one of its fields is set.
type Template struct {
	Generic             *GenericTemplate
	Button              *ButtonTemplate
	Media               *MediaTemplate
	Receipt             *ReceiptTemplate
	Product             *ProductTemplate
	Coupon              *CouponTemplate
	CustomerFeedback    *CustomerFeedbackTemplate
	OneTimeNotif        *OneTimeNotifTemplate
	AirlineBoardingPass *AirlineBoardingPassTemplate
	AirlineCheckin      *AirlineCheckinTemplate
	AirlineItinerary    *AirlineItineraryTemplate
	AirlineUpdate       *AirlineUpdateTemplate

	// NotificationMessages asks for the right to send marketing messages.
	//
	// Deprecated: ended on February 10, 2026; see [NotificationMessagesTemplate].
	NotificationMessages *NotificationMessagesTemplate
	// List is a vertical list.
	//
	// Deprecated: not accepted since July 29, 2019 (v4.0); see [ListTemplate].
	List *ListTemplate
	// OpenGraph is a page of the web.
	//
	// Deprecated: not accepted since July 29, 2019 (v4.0); see [OpenGraphTemplate].
	OpenGraph *OpenGraphTemplate

	// Raw, when set, is the whole payload of the template, template_type
	// included, byte for byte: for any template, also those without a type here.
	Raw json.RawMessage
}

// ErrEmptyTemplate is returned when a template without content is marshalled.
var ErrEmptyTemplate = errors.New("template has no content")

// content returns the name of the template that is set, and the template; nil when none is.
func (t Template) content() (name string, content any) {
	switch {
	case t.Generic != nil:
		return "generic", t.Generic
	case t.Button != nil:
		return "button", t.Button
	case t.Media != nil:
		return "media", t.Media
	case t.Receipt != nil:
		return "receipt", t.Receipt
	case t.Product != nil:
		return "product", t.Product
	case t.Coupon != nil:
		return "coupon", t.Coupon
	case t.CustomerFeedback != nil:
		return "customer_feedback", t.CustomerFeedback
	case t.OneTimeNotif != nil:
		return "one_time_notif_req", t.OneTimeNotif
	case t.AirlineBoardingPass != nil:
		return "airline_boardingpass", t.AirlineBoardingPass
	case t.AirlineCheckin != nil:
		return "airline_checkin", t.AirlineCheckin
	case t.AirlineItinerary != nil:
		return "airline_itinerary", t.AirlineItinerary
	case t.AirlineUpdate != nil:
		return "airline_update", t.AirlineUpdate
	case t.NotificationMessages != nil:
		return "notification_messages", t.NotificationMessages
	case t.List != nil:
		return "list", t.List
	case t.OpenGraph != nil:
		return "open_graph", t.OpenGraph
	}
	return "", nil
}

// Type is the template_type as it goes on the wire, "" for a template without
// content.
func (t Template) Type() string {
	if t.Raw != nil {
		return scalarText(member(t.Raw, "template_type"))
	}
	name, _ := t.content()
	return name
}

// MarshalJSON is the payload of the template as it goes on the wire.
func (t Template) MarshalJSON() ([]byte, error) {
	if t.Raw != nil {
		return t.Raw, nil
	}
	name, content := t.content()
	if content == nil {
		return nil, ErrEmptyTemplate
	}
	members, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"template_type":`), '"')
	out = append(append(out, name...), '"')
	if len(members) > len("{}") {
		out = append(out, ',')
	}
	return append(out, members[1:]...), nil
}

// UnmarshalJSON reads the payload of a template into the field of its type. A
// template of another type stays whole in Raw.
func (t *Template) UnmarshalJSON(b []byte) error {
	*t = Template{}
	dst := t.place(scalarText(member(b, "template_type")))
	if dst == nil {
		t.Raw = append(json.RawMessage(nil), b...)
		return nil
	}
	if err := json.Unmarshal(b, dst); err != nil {
		return fmt.Errorf("template: %w", err)
	}
	return nil
}

// place is the field for templates of a type, nil when there is none.
func (t *Template) place(name string) any {
	switch name {
	case "generic":
		return &t.Generic
	case "button":
		return &t.Button
	case "media":
		return &t.Media
	case "receipt":
		return &t.Receipt
	case "product":
		return &t.Product
	case "coupon":
		return &t.Coupon
	case "customer_feedback":
		return &t.CustomerFeedback
	case "one_time_notif_req":
		return &t.OneTimeNotif
	case "airline_boardingpass":
		return &t.AirlineBoardingPass
	case "airline_checkin":
		return &t.AirlineCheckin
	case "airline_itinerary":
		return &t.AirlineItinerary
	case "airline_update":
		return &t.AirlineUpdate
	case "notification_messages":
		return &t.NotificationMessages
	case "list":
		return &t.List
	case "open_graph":
		return &t.OpenGraph
	}
	return nil
}

// Decimal is an amount of money that goes on the wire as a string, such as
// "12206.50", so that no digit is lost.
type Decimal string

// UnmarshalJSON accepts a JSON string or number.
func (d *Decimal) UnmarshalJSON(b []byte) error { return setID((*string)(d), b) }
