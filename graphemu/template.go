package graphemu

import (
	"encoding/json"
	"fmt"

	"github.com/chasqui/chasqui/messenger"
)

// check checks a template against the rules of the day.
func (t outTemplate) check(raw json.RawMessage, takes func(messenger.Feature) bool) *messenger.Error {
	switch t.Type {
	case "":
		return refuse(100, 0, "(#100) Param template_type is required")
	case "button":
		if t.Text == "" {
			return refuse(100, 0, "(#100) Param text must be a non-empty string")
		}
		if e := tooLong("name_placeholder[text]", t.Text, 640); e != nil {
			return e
		}
		if e := checkCount("name_placeholder[buttons]", len(t.Buttons), 1, 3); e != nil {
			return e
		}
		return checkButtons("name_placeholder", t.Buttons, takes)
	case "generic":
		return t.checkGeneric(takes)
	case "media":
		if e := checkCount("name_placeholder[elements]", len(t.Elements), 1, 1); e != nil {
			return e
		}
		return checkButtons("name_placeholder[elements][0]", t.Elements[0].Buttons, takes)
	case "list", "open_graph":
		// Clients of version 4.0 still send them, and are served longer than by the platform.
		if takes(messenger.FeatureHomeURL) {
			return t.checkRetired(takes)
		}
	case "receipt":
		if e := required(raw, "recipient_name", "order_number", "currency", "payment_method", "summary"); e != nil {
			return e
		}
		return checkCount("name_placeholder[elements]", len(t.Elements), 0, 100)
	case "airline_boardingpass":
		return required(raw, "intro_message", "locale", "boarding_pass")
	case "airline_checkin":
		return required(raw, "intro_message", "locale", "flight_info", "checkin_url")
	case "airline_itinerary":
		return required(raw, "intro_message", "locale", "pnr_number", "passenger_info", "flight_info", "passenger_segment_info", "total_price", "currency")
	case "airline_update":
		return required(raw, "locale", "update_type", "update_flight_info")
	case "one_time_notif_req":
		if e := required(raw, "title", "payload"); e != nil {
			return e
		}
		return tooLong("name_placeholder[title]", t.Title, 65)
	case "notification_messages":
		return required(raw, "payload")
	case "coupon":
		return required(raw, "title")
	case "product":
		return checkCount("name_placeholder[elements]", len(t.Elements), 1, 10)
	case "customer_feedback":
		return required(raw, "title", "feedback_screens", "business_privacy")
	}
	return refuse(100, 0, "(#100) Param template_type must be one of {GENERIC, BUTTON, MEDIA, RECEIPT, AIRLINE_BOARDINGPASS, AIRLINE_CHECKIN, AIRLINE_ITINERARY, AIRLINE_UPDATE, "+
		"ONE_TIME_NOTIF_REQ, NOTIFICATION_MESSAGES, COUPON, PRODUCT, CUSTOMER_FEEDBACK}")
}

// checkRetired checks the templates that were withdrawn later.
func (t outTemplate) checkRetired(takes func(messenger.Feature) bool) *messenger.Error {
	if t.Type == "open_graph" {
		if e := checkCount("name_placeholder[elements]", len(t.Elements), 1, 1); e != nil {
			return e
		}
		if !isWebURL(t.Elements[0].URL) {
			return refuse(100, 0, "(#100) Param name_placeholder[elements][0][url] must be a valid URL")
		}
		return checkButtons("name_placeholder[elements][0]", t.Elements[0].Buttons, takes)
	}
	if e := checkCount("name_placeholder[elements]", len(t.Elements), 2, 4); e != nil {
		return e
	}
	if e := checkCount("name_placeholder[buttons]", len(t.Buttons), 0, 1); e != nil {
		return e
	}
	for i, el := range t.Elements {
		where := fmt.Sprintf("name_placeholder[elements][%d]", i)
		if el.Title == "" {
			return refuse(100, 0, "(#100) Param "+where+"[title] must be a non-empty string")
		}
		if e := checkCount(where+"[buttons]", len(el.Buttons), 0, 1); e != nil {
			return e
		}
		if e := checkButtons(where, el.Buttons, takes); e != nil {
			return e
		}
	}
	return checkButtons("name_placeholder", t.Buttons, takes)
}

func (t outTemplate) checkGeneric(takes func(messenger.Feature) bool) *messenger.Error {
	if e := checkCount("name_placeholder[elements]", len(t.Elements), 1, 10); e != nil {
		return e
	}
	for i, el := range t.Elements {
		where := fmt.Sprintf("name_placeholder[elements][%d]", i)
		if el.Title == "" {
			return refuse(100, 0, "(#100) Param "+where+"[title] must be a non-empty string")
		}
		if el.Subtitle == "" && el.ImageURL == "" && len(el.Buttons) == 0 && el.DefaultAction == nil {
			return refuse(100, 0, "(#100) Param "+where+" must have at least one property beside title")
		}
		if e := tooLong(where+"[title]", el.Title, 80); e != nil {
			return e
		}
		if e := tooLong(where+"[subtitle]", el.Subtitle, 80); e != nil {
			return e
		}
		if e := checkButtons(where, el.Buttons, takes); e != nil {
			return e
		}
	}
	return nil
}

func checkButtons(where string, buttons []outButton, takes func(messenger.Feature) bool) *messenger.Error {
	if e := checkCount(where+"[buttons]", len(buttons), 0, 3); e != nil {
		return e
	}
	for i, b := range buttons {
		here := fmt.Sprintf("%s[buttons][%d]", where, i)
		if b.Type == "" {
			return refuse(100, 0, "(#100) Param "+here+"[type] is required")
		}
		if b.Type == "element_share" {
			if takes(messenger.FeatureShareButton) {
				continue // it has only its type, or the contents to share
			}
			return refuse(100, 0, "(#100) Param "+here+"[type] must be one of {WEB_URL, POSTBACK, PHONE_NUMBER, ACCOUNT_LINK, ACCOUNT_UNLINK, GAME_PLAY}: element_share ended on November 3, 2019")
		}
		if b.Title == "" && b.Type != "account_link" && b.Type != "account_unlink" {
			return refuse(100, 0, "(#100) Param "+here+"[title] must be a non-empty string")
		}
		if e := tooLong(here+"[title]", b.Title, 20); e != nil {
			return e
		}
		if e := tooLong(here+"[payload]", b.Payload, 1000); e != nil {
			return e
		}
		if b.Type == "postback" && b.Payload == "" || b.Type == "web_url" && b.URL == "" {
			return refuse(100, 0, "(#100) Param "+here+" lacks its payload or url")
		}
	}
	return nil
}
