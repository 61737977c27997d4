package vonage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// reference is what goes along with a message as client-ref, which its receipts bring back: they
// may come before the answer, or in its place.
type reference struct {
	message string
	step    int
	parts   int // as many as the text should make
}

// String writes the reference.
func (r reference) String() string { return fmt.Sprintf("%s.%d.%d", r.message, r.step, r.parts) }

func readReference(text string) (r reference, ok bool) {
	pieces := strings.Split(text, ".")
	if len(pieces) != 3 || pieces[0] == "" {
		return r, false
	}
	step, err := strconv.Atoi(pieces[1])
	parts, err2 := strconv.Atoi(pieces[2])
	return reference{pieces[0], step, parts}, err == nil && err2 == nil && step >= 0 && parts >= 1
}

// signed reads a callback and checks its signature; false when it was answered already. Its
// parameters come in the address, in a form, or as a flat JSON object.
func signed(q *channel.Request, set *VonageSettings) (params map[string]string, ok bool) {
	var err error
	if q.Method == http.MethodPost {
		body, ok := q.Body()
		switch {
		case !ok:
			return nil, false
		case strings.HasPrefix(q.Header.Get("Content-Type"), "application/json"):
			params, err = readObject(body)
		default:
			params, err = readForm(string(body))
		}
	} else {
		params, err = readForm(q.URL.RawQuery)
	}
	if err != nil {
		q.Forbid(channel.BadForm)
		return nil, false
	}
	if !genuine(set.SignatureMethod, q.Account.Secrets[secretSignature], params, q.Host.Now()) {
		q.Forbid(channel.BadSignature)
		return nil, false
	}
	return params, true
}

// readForm reads parameters, each of which may be there once: of several nobody could tell which is
// signed.
func readForm(text string) (map[string]string, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, err
	}
	params := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return nil, fmt.Errorf("parameter %q is there %d times", name, len(values))
		}
		params[name] = values[0]
	}
	return params, nil
}

// readObject reads the members of a JSON object as the texts that are signed: numbers and truth
// values as they are written, and none for null.
func readObject(body []byte) (map[string]string, error) {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	params := make(map[string]string, len(members))
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case string, json.Number, bool:
			params[name] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("member %q is a list or an object", name)
		}
	}
	return params, nil
}

// status takes a delivery receipt, of which there is one for each part of a message.
//
// Docs: https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
func status(q *channel.Request, set *VonageSettings) {
	params, ok := signed(q, set)
	if !ok {
		return
	}
	about, ok := readReference(params["client-ref"])
	if !ok || params["messageId"] == "" {
		http.Error(q.W, "client-ref names no step of a message, or messageId is missing", http.StatusBadRequest)
		return
	}
	report := gateway.ChannelReport{Account: q.Account.ID, By: q.Account, Ref: params["messageId"], MessageID: about.message, Step: about.step}
	switch params["status"] {
	case "delivered":
		report.Status = gateway.StatusDelivered
	case "accepted", "buffered":
		report.Status = gateway.StatusSent
	case "failed", "rejected", "expired":
		report.Status, report.Failure = gateway.StatusFailed, failureOf(params["status"], params["err-code"])
	default: // unknown: nothing new
		q.W.WriteHeader(http.StatusNoContent)
		return
	}
	if err := receive(q.Context(), q.Host, report, about.parts); err != nil {
		q.Failed(err)
		return
	}
	q.W.WriteHeader(http.StatusNoContent)
}

// receive takes what a receipt says. That of a message in one part says it of the message; those of
// several are put together. When the answer about the parts is not there yet, a receipt says at
// least that the provider has the message.
func receive(ctx context.Context, h *channel.Host, r gateway.ChannelReport, parts int) error {
	known, err := h.Store.Segments(ctx, r.Account, r.MessageID, r.Step)
	if err != nil {
		return err
	}
	if len(known) == 0 && parts == 1 {
		return h.Report(ctx, r)
	}
	var g store.Segment
	err = h.Store.Write(ctx, func(tx *store.Tx) (err error) {
		g, err = tx.SegmentReceipt(r.Account, r.Ref, nil, r.Status, r.Failure, tx.Now())
		return err
	})
	if err != nil {
		return err
	}
	if g.Message == "" {
		r.Status, r.Failure = gateway.StatusSent, nil
		return h.Report(ctx, r)
	}
	return h.Settle(ctx, r.By, g.Message, g.Step)
}

// inbound takes a message that a person sent, or a part of one.
//
// Docs: https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
func inbound(q *channel.Request, set *VonageSettings) {
	params, ok := signed(q, set)
	if !ok {
		return
	}
	if q.Account.State != gateway.AccountActive {
		q.Forbid(channel.Disabled)
		return
	}
	from, ok := gateway.NormalAddress(gateway.ChannelSMS, params["msisdn"])
	if !ok || params["messageId"] == "" {
		http.Error(q.W, "msisdn or messageId is missing", http.StatusBadRequest)
		return
	}
	to := strings.TrimPrefix(params["to"], "+")
	total, _ := strconv.Atoi(params["concat-total"]) // of a message in one part there is none
	part, _ := strconv.Atoi(params["concat-part"])
	var err error
	if params["concat"] == "true" && total > 1 && part >= 1 && part <= total {
		err = gather(q.Context(), q.Host, q.Account, store.Fragment{Account: q.Account.ID, Sender: from, Recipient: to, Ref: concatRef(params["concat-ref"]), Part: part, Parts: total,
			Body: params["messageId"] + "\n" + params["text"]})
	} else {
		err = q.Host.Inbound(q.Context(), message(q.Host, q.Account, from, to, params["messageId"], params["text"], params))
	}
	if err != nil {
		q.Failed(err)
		return
	}
	q.W.WriteHeader(http.StatusNoContent)
}

// concatRef is the number that the parts of a message share; the provider gives it in digits or in
// hexadecimal ones.
func concatRef(text string) int {
	if n, err := strconv.ParseInt(text, 10, 31); err == nil {
		return int(n)
	}
	h := fnv.New32a()
	h.Write([]byte(text))
	return int(h.Sum32() >> 1)
}

// gather keeps a part of a message, and hands the message on when all are there.
func gather(ctx context.Context, h *channel.Host, a *gateway.ChannelAccount, part store.Fragment) error {
	parts, err := h.Gather(ctx, part)
	if err != nil || parts == nil {
		return err
	}
	return join(ctx, h, a, parts)
}

// join hands on the message that parts make, and forgets them.
func join(ctx context.Context, h *channel.Host, a *gateway.ChannelAccount, parts []store.Fragment) error {
	sum := sha256.New()
	var text strings.Builder
	for _, p := range parts {
		id, piece, _ := strings.Cut(p.Body, "\n")
		fmt.Fprintf(sum, "%s\x00", id)
		text.WriteString(piece)
	}
	one := parts[0]
	in := message(h, a, one.Sender, one.Recipient, "mo_"+hex.EncodeToString(sum.Sum(nil)[:16]), text.String(), map[string]string{"msisdn": one.Sender, "to": one.Recipient, "text": text.String()})
	if err := h.Inbound(ctx, in); err != nil {
		return err
	}
	return h.Store.DropFragments(ctx, one)
}

// message is a message that a person sent, with the parameters that say no more than that it is
// genuine left out.
func message(h *channel.Host, a *gateway.ChannelAccount, from, to, ref, text string, params map[string]string) gateway.ChannelInbound {
	raw := map[string]string{}
	for name, value := range params {
		switch name {
		case "api-key", "sig", "nonce", "timestamp":
		default:
			raw[name] = value
		}
	}
	encoded, _ := json.Marshal(raw) // texts always are JSON
	return gateway.ChannelInbound{
		Account: a.ID, Channel: gateway.ChannelSMS, Application: a.Application, From: from, To: to, Text: text, Ref: ref, At: h.Now().UTC(), Raw: encoded,
	}
}
