package smpp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// submission is what goes to the centre for a message: one request for each segment.
type submission struct {
	parts   []string
	enc     data.Encoding
	source  pdu.Address
	dest    pdu.Address
	ref     byte // that joins the segments; the same at each try
	payload bool // all in one request, in message_payload
	reports bool
	expires time.Time
}

func (s *smpp) submission(m *gateway.ChannelMessage, reports bool) (*submission, *gateway.ChannelError) {
	set := s.set
	o, refusal := channel.ReadSMSOptions(m.Options)
	if refusal != nil {
		return nil, refusal
	}
	text, refusal := customText(m)
	if refusal != nil {
		return nil, refusal
	}
	if text, refusal = channel.SettledText(text, o); refusal != nil {
		return nil, refusal
	}
	sub := &submission{reports: reports && *set.Receipts, expires: m.ExpiresAt}
	parts, unicode := channel.Segments(text, set.MaxSegments)
	if sub.parts, sub.enc = parts, data.GSM7BIT; unicode {
		sub.enc = data.UCS2
	}
	if set.LongMessages == "payload" && len(sub.parts) > 1 {
		sub.parts, sub.payload = []string{strings.Join(sub.parts, "")}, true
	}
	var err error
	if sub.source, err = sourceAddress(set, o.From); err != nil {
		return nil, channel.Refused(gateway.FailureInvalidContent, "channelOptions.sms.from is not a sender")
	}
	if sub.dest, err = pdu.NewAddressWithTonNpiAddr(byteOr(set.DestTON, 1), byteOr(set.DestNPI, 1), m.Address); err != nil {
		return nil, channel.Refused(gateway.FailureAddressInvalid, "the number is too long")
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s.%d", m.ID, m.Step)
	sub.ref = byte(h.Sum32())
	return sub, nil
}

// customText is the text of customBody.sms, a text or an object with a member body, or else that of the message.
func customText(m *gateway.ChannelMessage) (string, *gateway.ChannelError) {
	if len(m.Custom) == 0 || string(m.Custom) == "null" {
		return channel.SMSText(m, channel.NoMedia), nil
	}
	var text string
	var object struct {
		Body string `json:"body"`
	}
	if json.Unmarshal(m.Custom, &text) == nil {
		return text, nil
	}
	if json.Unmarshal(m.Custom, &object) != nil || object.Body == "" {
		return "", channel.Refused(gateway.FailureInvalidContent, "customBody.sms must be a text, or an object with a member body")
	}
	return object.Body, nil
}

func byteOr(given *int, otherwise byte) byte {
	if given == nil {
		return otherwise
	}
	return byte(*given)
}

// sourceAddress is the sender: that of the message before the account's. Type of number and numbering plan follow from its form unless the account says them: letters are
// a name, up to six digits a short code, more a number.
func sourceAddress(set *gatewayapi.SMPPSettings, from string) (pdu.Address, error) {
	ton, npi := set.SourceTON, set.SourceNPI
	if from == "" {
		from = set.Source
	} else if from != set.Source {
		ton, npi = nil, nil
	}
	digits := strings.TrimPrefix(from, "+")
	number := digits != "" && !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	var usualTON, usualNPI byte = 5, 0
	switch {
	case from == "":
		usualTON, usualNPI = 0, 0
	case number && len(digits) <= 6:
		usualTON, usualNPI, from = 3, 0, digits
	case number:
		usualTON, usualNPI, from = 1, 1, digits
	}
	if len(from) > 20 || strings.ContainsFunc(from, func(r rune) bool { return r < ' ' || r > '~' }) {
		return pdu.Address{}, errors.New("the sender is too long or not ASCII")
	}
	return pdu.NewAddressWithTonNpiAddr(byteOr(ton, usualTON), byteOr(npi, usualNPI), from)
}

// request is the submit_sm of one part.
func (s *smpp) request(sub *submission, part int) (*pdu.SubmitSM, *gateway.ChannelError) {
	encoded, err := sub.enc.Encode(sub.parts[part])
	if err != nil {
		return nil, channel.Refused(gateway.FailureInvalidContent, "the text cannot be encoded")
	}
	p := pdu.NewSubmitSM().(*pdu.SubmitSM)
	p.ServiceType, p.SourceAddr, p.DestAddr = s.set.ServiceType, sub.source, sub.dest
	p.ValidityPeriod = validity(sub.expires, s.host.Now())
	p.RegisteredDelivery = 0
	if sub.reports {
		p.RegisteredDelivery = 1
	}
	if sub.payload {
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: encoded})
		encoded = nil
	}
	if err := p.Message.SetMessageDataWithEncoding(encoded, sub.enc); err != nil {
		return nil, channel.Refused(gateway.FailureInvalidContent, "the text is too long")
	}
	if len(sub.parts) > 1 {
		p.EsmClass |= data.SM_UDH_GSM
		p.Message.SetUDH(pdu.UDH{pdu.NewIEConcatMessage(byte(len(sub.parts)), byte(part+1), sub.ref)})
	}
	return p, nil
}

// validity is the relative validity period until a moment, of at most a week; empty leaves it to the centre.
func validity(expires, now time.Time) string {
	if expires.IsZero() {
		return ""
	}
	left := expires.Sub(now)
	if left > 7*24*time.Hour {
		return ""
	}
	seconds := max(1, int(left.Seconds()))
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", seconds/86400, seconds/3600%24, seconds/60%60, seconds%60)
}

// Send submits a message, a request for each segment.
func (s *smpp) Send(ctx context.Context, m *gateway.ChannelMessage, reports bool) (gateway.ChannelSent, *gateway.ChannelError) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.over {
		return gateway.ChannelSent{}, channel.Later(gateway.FailureProviderUnavailable, "the account is changing")
	}
	sub, refusal := s.submission(m, reports)
	if refusal != nil {
		return gateway.ChannelSent{}, refusal
	}
	taken, err := s.host.Store.Segments(ctx, s.account.ID, m.ID, m.Step)
	if err != nil {
		return gateway.ChannelSent{}, channel.Later(gateway.FailureProviderUnavailable, "the segments could not be read")
	}
	refs := make([]string, len(sub.parts))
	for _, g := range taken {
		if g.Parts == len(refs) && g.Part < len(refs) {
			refs[g.Part] = g.Ref // went out at an earlier try
		}
	}
	keep := reports && (sub.reports || len(refs) > 1)
	for part, ref := range refs {
		if ref != "" {
			continue
		}
		if refs[part], refusal = s.submit(ctx, sub, part); refusal != nil {
			return gateway.ChannelSent{}, refusal
		}
		if !keep {
			continue
		}
		if err := s.take(ctx, store.Segment{Account: s.account.ID, Ref: refs[part], Message: m.ID, Step: m.Step, Part: part, Parts: len(refs)}); err != nil {
			s.log.Error("store a segment", "message", m.ID, "err", err)
			return gateway.ChannelSent{}, channel.Unknown("the SMS centre took the message, and its identifier could not be stored")
		}
	}
	if sub.reports {
		s.settleEarly(ctx, m)
	}
	return gateway.ChannelSent{Ref: strings.Join(refs, ","), Accepted: sub.reports}, nil
}

// settleEarly reports receipts that were quicker than the answers to their submissions. It does not wait for that: whoever takes the report may wait for this message to be
// recorded as sent. What it does not come to is done by the sweep.
func (s *smpp) settleEarly(ctx context.Context, m *gateway.ChannelMessage) {
	segments, err := s.host.Store.Segments(ctx, s.account.ID, m.ID, m.Step)
	if err != nil || !slices.ContainsFunc(segments, func(g store.Segment) bool { return g.State != "" }) {
		return
	}
	select {
	case s.early <- struct{}{}:
	default:
		return
	}
	id, step := m.ID, m.Step
	s.work.Go(func() {
		defer func() { <-s.early }()
		ctx, cancel := context.WithTimeout(s.ctx, deliverTimeout)
		defer cancel()
		if err := s.host.Settle(ctx, s.account, id, step); err != nil && ctx.Err() == nil {
			s.log.Warn("report what receipts said before", "message", id, "err", err)
		}
	})
}

// take records a segment that the centre took; what is lost here is lost for receipts, so the caller's context does not end it.
func (s *smpp) take(ctx context.Context, g store.Segment) error {
	return s.host.Store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.TakeSegment(g, s.canons(g.Ref)) })
}

// submit sends one part and returns the centre's identifier.
func (s *smpp) submit(ctx context.Context, sub *submission, part int) (string, *gateway.ChannelError) {
	request, refusal := s.request(sub, part)
	if refusal != nil {
		return "", refusal
	}
	b, refusal := s.bound(ctx)
	if refusal != nil {
		return "", refusal
	}
	answer, err := b.request(ctx, request)
	switch {
	case errors.Is(err, errNotSent):
		return "", channel.Later(gateway.FailureProviderUnavailable, "%s", err)
	case err != nil:
		return "", channel.Unknown("%s", err)
	}
	if status := answer.GetHeader().CommandStatus; status != data.ESME_ROK {
		if status == data.ESME_RINVBNDSTS {
			b.end() // the centre no longer knows the bind; a new one will do
		}
		return "", submitRefusal(status)
	}
	taken, ok := answer.(*pdu.SubmitSMResp)
	if !ok || taken.MessageID == "" {
		return "", channel.Unknown("the SMS centre's answer has no identifier")
	}
	return taken.MessageID, nil
}

// submitRefusal is what follows from the status of a submit_sm_resp.
//
// Docs: https://smpp.org/SMPP_v3_4_Issue1_2.pdf (5.1.3, command_status)
func submitRefusal(status data.CommandStatusType) *gateway.ChannelError {
	kind, code := gateway.ChannelRefused, gateway.FailureProviderRefused
	after := time.Duration(0)
	switch status {
	case data.ESME_RTHROTTLED:
		kind, code, after = gateway.ChannelRetry, gateway.FailureRateLimited, time.Second
	case data.ESME_RMSGQFUL:
		kind, code, after = gateway.ChannelRetry, gateway.FailureRateLimited, 5*time.Second
	case data.ESME_RSYSERR, data.ESME_RSUBMITFAIL, data.ESME_RX_T_APPN, data.ESME_RINVBNDSTS, data.ESME_RUNKNOWNERR:
		kind, code = gateway.ChannelRetry, gateway.FailureProviderUnavailable
	case data.ESME_RINVDSTADR, data.ESME_RINVDSTTON, data.ESME_RINVDSTNPI, data.ESME_RINVADR:
		code = gateway.FailureAddressInvalid
	case data.ESME_RINVSRCADR, data.ESME_RINVSRCTON, data.ESME_RINVSRCNPI, data.ESME_RPROVNOTALLWD, data.ESME_RINVSERTYP, data.ESME_RINVSYSTYP, data.ESME_RINVCUSTID:
		code = gateway.FailureAccountRefused
	case data.ESME_RINVMSGLEN, data.ESME_RINVESMCLASS, data.ESME_RINVPARLEN, data.ESME_RINVOPTPARAMVAL, data.ESME_ROPTPARNOTALLWD:
		code = gateway.FailureInvalidContent
	}
	return &gateway.ChannelError{Kind: kind, After: after, Failure: gateway.Failure{
		Code: code, Message: fmt.Sprintf("the SMS centre answered status 0x%02X", int32(status)), PlatformCode: int(status)}}
}
