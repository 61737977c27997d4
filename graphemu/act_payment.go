package graphemu

import (
	"errors"
	"strconv"
)

// pay sends the event of one step of a payment.
func (t turn) pay(a PaymentAction) (ActionResult, error) {
	address := map[string]string{"street_1": "1 Hacker Way", "street_2": "", "city": "MENLO PARK", "state": "CA", "country": "US", "postal_code": "94025"}
	amount := map[string]any{"currency": a.Currency, "amount": strconv.FormatFloat(a.Amount, 'f', 2, 64)}
	info := map[string]any{"shipping_address": address, "contact_name": t.p.Name()}
	field := map[string]string{"payment": "messaging_payments", "checkout_update": "messaging_checkout_updates", "pre_checkout": "messaging_pre_checkouts"}[a.Step]
	if field == "" {
		return ActionResult{}, errors.New("the step of a payment is one of payment, checkout_update, pre_checkout")
	}
	return t.tell(field, func(w *wireEvent) {
		switch a.Step {
		case "payment":
			w.Payment = mustJSON(map[string]any{"payload": a.Payload, "requested_user_info": info, "amount": amount,
				"payment_credential": map[string]string{"provider_type": "stripe", "charge_id": "ch_emulated", "fb_payment_id": "123456789"}})
		case "pre_checkout":
			w.Before = mustJSON(map[string]any{"payload": a.Payload, "requested_user_info": info, "amount": amount})
		default:
			w.Checkout = mustJSON(map[string]any{"payload": a.Payload, "shipping_address": address})
		}
	}), nil
}
