package channel

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// A command that the library has no room for is passed over, and what follows it is read.
func TestSMPPQueryWithParameters(t *testing.T) {
	t.Parallel()
	query := pdu.NewBuffer(nil)
	pdu.NewQuerySM().Marshal(query)
	b := append(query.Bytes(), 0x14, 0x00, 0x00, 0x01, 0x07) // a parameter of one octet
	b[3] = byte(len(b))
	link := pdu.NewBuffer(nil)
	pdu.NewEnquireLink().Marshal(link)
	r := bytes.NewReader(append(b, link.Bytes()...))
	p, err := parse(r)
	if !errors.Is(err, errUnknownCommand) || !(&bind{}).malformed(p, err) {
		t.Fatalf("%v %v", p, err)
	}
	if p, err := parse(r); err != nil {
		t.Errorf("what follows: %v %v", p, err)
	}
}

// A centre that sends nonsense must not bring the gateway down: whatever the bytes, reading them ends, with an error or without.
func TestSMPPNonsense(t *testing.T) {
	t.Parallel()
	var seeds [][]byte
	for _, p := range []pdu.PDU{
		receiptOf("id1", "DELIVRD", "000"), incomingSM("Hello", data.UCS2), incomingSM("Hello", data.GSM7BIT), pieces("Привет, мир и все", "header of 16 bits")[0],
		pieces("Привет, мир и все", "parameters")[0], pdu.NewSubmitSMResp(), pdu.NewEnquireLink(), pdu.NewUnbind(), pdu.NewDataSM(),
	} {
		buf := pdu.NewBuffer(nil)
		p.Marshal(buf)
		seeds = append(seeds, buf.Bytes())
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		b := bytes.Clone(seeds[r.IntN(len(seeds))])
		for range 1 + r.IntN(4) {
			b[4+r.IntN(len(b)-4)] = byte(r.UintN(256)) // the length, which the first four say, is checked by itself
		}
		p, err := parse(bytes.NewReader(b))
		if err != nil || p == nil {
			continue
		}
		if p.CanResponse() {
			if answer := p.GetResponse(); answer != nil {
				answer.Marshal(pdu.NewBuffer(nil))
			}
		}
		if d, ok := p.(*pdu.DeliverSM); ok {
			if receipt, ok := readReceipt(d); ok {
				receipt.outcome()
			}
			pieceOf(d)
			octets, _ := d.Message.GetMessageData()
			decoded(byte(r.UintN(256)), octets)
		}
	}
}
