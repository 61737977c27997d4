package channel

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

func TestSMPPInbound(t *testing.T) {
	t.Parallel()
	f := setup(t)
	s := newSMSC(t, nil)
	a := f.account(smppAccount(s))
	n := 0
	for _, test := range []struct {
		text string
		enc  data.Encoding
	}{{"Hello {5 €}", data.GSM7BIT}, {"Привет 👍", data.UCS2}, {"Grüße", data.LATIN1}, {"ascii", data.ASCII}} {
		if status := s.deliver(incomingSM(test.text, test.enc)); status != data.ESME_ROK {
			t.Errorf("%s: status %x", test.text, status)
		}
		n++
		_, inbound := f.got.wait(t, 0, n)
		in := inbound[n-1]
		if in.Text != test.text || in.From != "4479460001" || in.To != "4470000" || in.Account != a.ID || in.Application != "APP" || in.Channel != "sms" || in.Ref == "" || in.At.IsZero() || !json.Valid(in.Raw) {
			t.Errorf("%+v", in)
		}
	}
	// What could not be stored comes again.
	f.got.setRefuse(errors.New("the disk is full"))
	if status := s.deliver(incomingSM("again", data.ASCII)); status != data.ESME_RX_T_APPN {
		t.Errorf("status %x", status)
	}
	f.got.setRefuse(nil)
	if status := s.deliver(incomingSM("again", data.ASCII)); status != data.ESME_ROK {
		t.Errorf("status %x", status)
	}
	f.got.wait(t, 0, n+1)
}

// pieces cuts a text of Unicode in three with no regard to characters, and joins them as three kinds of centres do.
func pieces(text, kind string) []*pdu.DeliverSM {
	octets, _ := data.UCS2.Encode(text)
	third := len(octets) / 6 * 2
	var all []*pdu.DeliverSM
	for i := range 3 {
		p := deliverSM("4479460001", "4470000")
		piece := octets[i*third : min((i+1)*third, len(octets))]
		if i == 2 {
			piece = octets[2*third:]
		}
		p.Message.SetMessageDataWithEncoding(piece, data.UCS2)
		switch kind {
		case "header of 8 bits":
			p.EsmClass = 0x40
			p.Message.SetUDH(pdu.UDH{pdu.NewIEConcatMessage(3, byte(i+1), 9)})
		case "header of 16 bits":
			p.EsmClass = 0x40
			p.Message.SetUDH(pdu.UDH{{ID: 8, Data: []byte{1, 9, 3, byte(i + 1)}}})
		default:
			p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagSarMsgRefNum, Data: []byte{0, 9}})
			p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagSarTotalSegments, Data: []byte{3}})
			p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagSarSegmentSeqnum, Data: []byte{byte(i + 1)}})
		}
		all = append(all, p)
	}
	return all
}

func TestSMPPLongInbound(t *testing.T) {
	t.Parallel()
	const text = "Привет, это длинное сообщение 👍👍👍👍👍👍👍👍👍👍 до конца"
	for _, kind := range []string{"header of 8 bits", "header of 16 bits", "parameters"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			s := newSMSC(t, nil)
			f.account(smppAccount(s))
			all := pieces(text, kind)
			for _, i := range []int{2, 0, 0, 1} { // out of order, and one of them twice
				if status := s.deliver(all[i]); status != data.ESME_ROK {
					t.Errorf("status %x", status)
				}
			}
			_, inbound := f.got.wait(t, 0, 1)
			if inbound[0].Text != text || len(inbound) != 1 {
				t.Errorf("%+v", inbound)
			}
			// One whose last segment does not come is taken without it.
			s.deliver(all[0])
			s.deliver(all[1])
			f.close()
			f.open()
			f.setNow(time.Now().Add(keepFragments + time.Minute))
			f.sweepOnce(t.Context())
			_, inbound = f.got.wait(t, 0, 2)
			if !strings.HasPrefix(text, strings.TrimRight(inbound[1].Text, "\ufffd")) || len(inbound[1].Text) < 20 || inbound[1].Ref == inbound[0].Ref {
				t.Errorf("%+v", inbound[1])
			}
			f.sweepOnce(t.Context())
			if _, inbound = f.got.wait(t, 0, 2); len(inbound) != 2 {
				t.Errorf("%+v", inbound)
			}
		})
	}
}
