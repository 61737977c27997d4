package channel

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

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
		p, err := pdu.Parse(bytes.NewReader(b))
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
