package messenger

import "fmt"

func (r SendRequest) check(k *checker) {
	r.Recipient.check(k)
	if r.MessagingType == TypeMessageTag && r.Tag == "" {
		k.require("", "tag")
	}
	r.Message.check(k, "message")
}

func (r Recipient) check(k *checker) {
	if r.ID != "" && r == (Recipient{ID: r.ID}) {
		return
	}
	given := 0
	for _, id := range [...]string{
		string(r.ID), r.UserRef, r.PhoneNumber, r.PostID, r.CommentID, r.OneTimeNotifToken, r.NotificationMessagesToken,
	} {
		if id != "" {
			given++
		}
	}
	if given != 1 {
		k.fail(1, given, "must name exactly 1", "recipient")
	}
	if r.Name != nil && r.PhoneNumber == "" {
		k.fail(0, 0, "may stand only beside phone_number", "recipient.name")
	}
}

// check checks a message against its limits. A raw one is the caller's own.
func (m Message) check(k *checker, at string) {
	if m.Raw != nil {
		return
	}
	given := 0
	for _, is := range [...]bool{m.Text != "", m.Attachment != nil, len(m.Attachments) > 0, m.StickerID != "", m.DynamicText != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		k.fail(1, given, "must have exactly 1 of text, attachment, attachments and sticker_id", "%s", at)
	}
	k.chars(m.Text, 2000, "%s.text", at)
	k.chars(m.Metadata, 1000, "%s.metadata", at)
	k.count(len(m.QuickReplies), 0, 13, "%s.quick_replies", at)
	for i, q := range m.QuickReplies {
		if q.ContentType != "text" {
			continue
		}
		k.require(q.Title, "%s.quick_replies[%d].title", at, i)
		k.chars(q.Title, 20, "%s.quick_replies[%d].title", at, i)
		k.chars(q.Payload, 1000, "%s.quick_replies[%d].payload", at, i)
	}
	if m.Attachment != nil {
		m.Attachment.check(k, at+".attachment")
	}
	if len(m.Attachments) > 0 {
		k.count(len(m.Attachments), 2, 6, "%s.attachments", at)
	}
	for i, a := range m.Attachments {
		if a.Type != TypeImage {
			k.fail(0, 0, "must be image in a grid", "%s.attachments[%d].type", at, i)
		}
		a.check(k, fmt.Sprintf("%s.attachments[%d]", at, i))
	}
}

func (a Attachment) check(k *checker, at string) {
	switch {
	case a.Template != nil:
		a.Template.check(k, at+".payload")
	case a.Type == TypeTemplate:
		k.require("", "%s.payload", at)
	case a.Type == "":
		k.require("", "%s.type", at)
	case (a.URL == "") == (a.AttachmentID == ""):
		k.fail(0, 0, "must have one of url and attachment_id", "%s.payload", at)
	}
}

func (t Template) check(k *checker, at string) {
	switch {
	case t.Raw != nil:
	case t.Generic != nil:
		t.Generic.check(k, at)
	case t.Button != nil:
		k.require(t.Button.Text, "%s.text", at)
		k.chars(t.Button.Text, 640, "%s.text", at)
		k.count(len(t.Button.Buttons), 1, 3, "%s.buttons", at)
		checkButtons(k, t.Button.Buttons, at+".buttons")
	case t.Media != nil:
		k.count(len(t.Media.Elements), 1, 1, "%s.elements", at)
		for i, e := range t.Media.Elements {
			k.count(len(e.Buttons), 0, 3, "%s.elements[%d].buttons", at, i)
			checkButtons(k, e.Buttons, fmt.Sprintf("%s.elements[%d].buttons", at, i))
		}
	case t.Receipt != nil:
		k.require(t.Receipt.OrderNumber, "%s.order_number", at)
		k.count(len(t.Receipt.Elements), 0, 100, "%s.elements", at)
	case t.OneTimeNotif != nil:
		k.require(t.OneTimeNotif.Title, "%s.title", at)
		k.chars(t.OneTimeNotif.Title, 65, "%s.title", at)
		k.chars(t.OneTimeNotif.Payload, 1000, "%s.payload", at)
	case t.NotificationMessages != nil:
		k.chars(t.NotificationMessages.Title, 65, "%s.title", at)
		k.chars(t.NotificationMessages.Payload, 1000, "%s.payload", at)
	case t.Product != nil:
		k.count(len(t.Product.Elements), 1, 10, "%s.elements", at)
	case t.CustomerFeedback != nil:
		k.within(t.CustomerFeedback.ExpiresInDays, 1, 7, "%s.expires_in_days", at)
	default:
		t.checkOthers(k, at)
	}
}

func (t Template) checkOthers(k *checker, at string) {
	switch {
	case t.AirlineBoardingPass != nil:
		for i, p := range t.AirlineBoardingPass.BoardingPass {
			k.count(len(p.AuxiliaryFields), 0, 5, "%s.boarding_pass[%d].auxiliary_fields", at, i)
			k.count(len(p.SecondaryFields), 0, 5, "%s.boarding_pass[%d].secondary_fields", at, i)
			if (p.QRCode == "") == (p.BarcodeImageURL == "") {
				k.fail(0, 0, "must have one of qr_code and barcode_image_url", "%s.boarding_pass[%d]", at, i)
			}
		}
	case t.AirlineItinerary != nil:
		k.count(len(t.AirlineItinerary.PriceInfo), 0, 4, "%s.price_info", at)
	case t.AirlineCheckin != nil:
		k.require(t.AirlineCheckin.CheckinURL, "%s.checkin_url", at)
	case t.List != nil:
		// The lower limit of 2 elements held in some years only.
		k.count(len(t.List.Elements), 1, 4, "%s.elements", at)
		k.count(len(t.List.Buttons), 0, 1, "%s.buttons", at)
	case t.OpenGraph != nil:
		k.count(len(t.OpenGraph.Elements), 1, 1, "%s.elements", at)
	case t.Coupon != nil:
		k.require(t.Coupon.Title, "%s.title", at)
	case t.AirlineUpdate != nil:
	default:
		k.require("", "%s.template_type", at)
	}
}

func (t GenericTemplate) check(k *checker, at string) {
	k.count(len(t.Elements), 1, 10, "%s.elements", at)
	for i, e := range t.Elements {
		k.require(e.Title, "%s.elements[%d].title", at, i)
		k.chars(e.Title, 80, "%s.elements[%d].title", at, i)
		k.chars(e.Subtitle, 80, "%s.elements[%d].subtitle", at, i)
		if e.Subtitle == "" && e.ImageURL == "" && e.DefaultAction == nil && len(e.Buttons) == 0 {
			k.fail(0, 0, "must have at least one property beside its title", "%s.elements[%d]", at, i)
		}
		k.count(len(e.Buttons), 0, 3, "%s.elements[%d].buttons", at, i)
		if len(e.Buttons) > 0 {
			checkButtons(k, e.Buttons, fmt.Sprintf("%s.elements[%d].buttons", at, i))
		}
	}
}

func checkButtons(k *checker, buttons []Button, at string) {
	for i, b := range buttons {
		k.chars(b.Title, 20, "%s[%d].title", at, i)
		k.chars(b.Payload, 1000, "%s[%d].payload", at, i)
	}
}
