package smpp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

const deliverTimeout = 20 * time.Second

// deliver deals with a receipt or a message from a person, and returns the status for the centre: a temporary error makes it come again.
func (s *smpp) deliver(p *brought) data.CommandStatusType {
	ctx, cancel := context.WithTimeout(context.Background(), deliverTimeout)
	defer cancel()
	var err error
	if r, ok := readReceipt(p); ok {
		err = s.receipt(ctx, r)
	} else {
		err = s.incoming(ctx, p)
	}
	if err != nil {
		s.log.Error("store what the SMS centre brought", "err", err)
		return data.ESME_RX_T_APPN
	}
	return data.ESME_ROK
}

// receipt is what a delivery receipt says.
type receipt struct {
	id      string
	state   string // as the text form spells it
	network string // error of the network
}

var (
	receiptField = regexp.MustCompile(`(?i)(?:^|\s)(id|stat|err):\s*(\S+)`)
	receiptText  = regexp.MustCompile(`(?i)(?:^|\s)text:`) // behind it stand the message's own words
)

const (
	esmType         = 0x3c // bits of esm_class that tell the type of a deliver_sm
	esmReceipt      = 0x04
	esmIntermediate = 0x20
)

// readReceipt reads a delivery receipt, from its parameters or else from its text; false for a message from a person.
//
// Docs: https://smpp.org/SMPP_v3_4_Issue1_2.pdf (appendix B)
func readReceipt(p *brought) (receipt, bool) {
	var r receipt
	id, named := p.OptionalParameters[pdu.TagReceiptedMessageID]
	if kind := p.EsmClass & esmType; kind != esmReceipt && kind != esmIntermediate && !named {
		return r, false
	}
	text, _ := p.content()
	if at := receiptText.FindIndex(text); at != nil {
		text = text[:at[0]]
	}
	for _, m := range receiptField.FindAllSubmatch(text, -1) {
		field := map[string]*string{"id": &r.id, "stat": &r.state, "err": &r.network}[strings.ToLower(string(m[1]))]
		if *field == "" {
			*field = string(m[2])
		}
	}
	r.state = strings.ToUpper(r.state)
	if named {
		r.id = strings.TrimRight(string(id.Data), "\x00")
	}
	if state, ok := p.OptionalParameters[pdu.TagMessageStateOption]; ok && len(state.Data) == 1 {
		spelled := []string{"ENROUTE", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"}
		if n := int(state.Data[0]); n < len(spelled) {
			r.state = spelled[n]
		}
	}
	if e, ok := p.OptionalParameters[pdu.TagNetworkErrorCode]; ok && len(e.Data) == 3 && (r.network == "" || strings.Trim(r.network, "0") == "") {
		r.network = strconv.Itoa(int(e.Data[1])<<8 | int(e.Data[2]))
	}
	return r, true
}

// outcome is what a receipt's state means; empty for one that says nothing.
func (r receipt) outcome() (gateway.Status, *gateway.Failure) {
	fail := func(code gateway.FailureCode, words string) (gateway.Status, *gateway.Failure) {
		n, _ := strconv.Atoi(r.network) // letters are no code
		return gateway.StatusFailed, &gateway.Failure{Code: code, Message: fmt.Sprintf("%s (%s, network error %q)", words, r.state, r.network), PlatformCode: n}
	}
	switch {
	case strings.HasPrefix(r.state, "DELIV"):
		return gateway.StatusDelivered, nil
	case r.state == "ENROUTE" || strings.HasPrefix(r.state, "ACCEPT") || r.state == "BUFFERED":
		return gateway.StatusSent, nil
	case r.state == "EXPIRED":
		return fail(gateway.FailureUnreachable, "the phone was not reached in time")
	case strings.HasPrefix(r.state, "UNDEL"):
		return fail(gateway.FailureUnreachable, "the message could not be delivered")
	case r.state == "DELETED":
		return fail(gateway.FailureProviderRefused, "the message was deleted at the provider")
	case strings.HasPrefix(r.state, "REJ"):
		return fail(gateway.FailureProviderRefused, "the network rejected the message")
	case r.state == "UNKNOWN":
		return fail(gateway.FailureUnknownOutcome, "the provider does not know what became of the message")
	}
	return "", nil
}

// canons are what an identifier may be compared by when a centre writes it now so, now so: in small letters without zeros before it, as it is, and read as decimal in
// hexadecimal and the other way round. The first is the one that a segment is kept under. None for an account that wants identifiers exact.
func (s *smpp) canons(id string) []string {
	if s.set.ReceiptIDs == "exact" {
		return nil
	}
	return canons(id)
}

func canons(id string) []string {
	plain := strings.TrimLeft(strings.ToLower(id), "0")
	if plain == "" {
		plain = "0"
	}
	all := []string{plain}
	if len(plain) > 40 {
		return all
	}
	if n, ok := new(big.Int).SetString(plain, 10); ok && n.Sign() > 0 {
		all = append(all, n.Text(16))
	}
	if n, ok := new(big.Int).SetString(plain, 16); ok && n.Sign() > 0 {
		all = append(all, n.Text(10))
	}
	return all
}

func (s *smpp) receipt(ctx context.Context, r receipt) error {
	status, failure := r.outcome()
	if r.id == "" || status == "" {
		s.log.Warn("a receipt that says nothing", "id", channel.Clipped(r.id), "state", channel.Clipped(r.state))
		return nil
	}
	var g store.Segment
	err := s.host.Store.Write(ctx, func(tx *store.Tx) (err error) {
		g, err = tx.SegmentReceipt(s.account.ID, r.id, s.canons(r.id), status, failure, tx.Now())
		return err
	})
	if err != nil || g.Message == "" { // one without message waits for the centre's answer
		return err
	}
	return s.host.Settle(ctx, s.account, g.Message, g.Step)
}

// piece is where a segment stands in an inbound message; parts is 1 for a message of one segment.
type piece struct{ ref, part, parts int }

// incoming takes a message that a person sent, or a segment of one.
func (s *smpp) incoming(ctx context.Context, p *brought) error {
	octets, header := p.content()
	from, ok := gateway.NormalAddress(gateway.ChannelSMS, p.SourceAddr.Address())
	if !ok { // a sender by name cannot be answered, and is kept as it is
		from = p.SourceAddr.Address()
	}
	to := strings.TrimPrefix(p.DestAddr.Address(), "+")
	at := p.piece(header)
	if at.parts <= 1 || at.part < 1 || at.part > at.parts {
		ref := s.host.Store.NewID("mo") // SMPP gives messages from people no identifier
		return s.hand(ctx, from, to, ref, decoded(p.coding, octets))
	}
	f := store.Fragment{Account: s.account.ID, Sender: from, Recipient: to, Ref: at.ref, Part: at.part, Parts: at.parts, Body: fmt.Sprintf("%02x", p.coding) + hex.EncodeToString(octets)}
	have, err := s.host.Gather(ctx, f)
	if err != nil || have == nil {
		return err
	}
	return s.join(ctx, have)
}

// join hands on the message that fragments make, and forgets them.
func (s *smpp) join(ctx context.Context, fragments []store.Fragment) error {
	h := sha256.New()
	var text strings.Builder
	var coding byte
	var octets []byte
	flush := func() { text.WriteString(decoded(coding, octets)); octets = nil }
	for _, f := range fragments {
		fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d\x00%s\x00%d\x00", f.Sender, f.Recipient, f.Ref, f.Part, f.Body, f.At.UnixMilli())
		raw, err := hex.DecodeString(f.Body)
		if err != nil || len(raw) < 1 {
			continue
		}
		if raw[0] != coding {
			flush()
			coding = raw[0]
		}
		octets = append(octets, raw[1:]...) // together, for a character may be cut in two
	}
	flush()
	one := fragments[0]
	if err := s.hand(ctx, one.Sender, one.Recipient, "mo_"+hex.EncodeToString(h.Sum(nil)[:16]), text.String()); err != nil {
		return err
	}
	return s.host.Store.DropFragments(ctx, one)
}

// hand hands an inbound message on.
func (s *smpp) hand(ctx context.Context, from, to, ref, text string) error {
	raw, err := json.Marshal(map[string]string{"source_addr": from, "destination_addr": to, "short_message": text})
	if err != nil {
		return err
	}
	return s.host.Inbound(ctx, gateway.ChannelInbound{
		Account: s.account.ID, Channel: gateway.ChannelSMS, Application: s.account.Application, From: from, To: to, Text: text, Ref: ref, At: s.host.Now().UTC(), Raw: raw,
	})
}
