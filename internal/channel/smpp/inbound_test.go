package smpp

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/internal/channel/channeltest"
)

func TestSMPPInbound(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	a := f.Add(smppAccount(s))
	n := 0
	for _, test := range []struct {
		text string
		enc  data.Encoding
	}{{"Hello {5 €}", data.GSM7BIT}, {"Привет 👍", data.UCS2}, {"Grüße", data.LATIN1}, {"ascii", data.ASCII}} {
		if status := s.deliver(incomingSM(test.text, test.enc)); status != data.ESME_ROK {
			t.Errorf("%s: status %x", test.text, status)
		}
		n++
		_, inbound := f.Got.Wait(t, 0, n)
		in := inbound[n-1]
		if in.Text != test.text || in.From != "4479460001" || in.To != "4470000" || in.Account != a.ID || in.Application != "APP" || in.Channel != "sms" || in.Ref == "" || in.At.IsZero() || !json.Valid(in.Raw) {
			t.Errorf("%+v", in)
		}
	}
	// What could not be stored comes again.
	f.Got.SetRefuse(errors.New("the disk is full"))
	if status := s.deliver(incomingSM("again", data.ASCII)); status != data.ESME_RX_T_APPN {
		t.Errorf("status %x", status)
	}
	f.Got.SetRefuse(nil)
	if status := s.deliver(incomingSM("again", data.ASCII)); status != data.ESME_ROK {
		t.Errorf("status %x", status)
	}
	f.Got.Wait(t, 0, n+1)
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
			f := channeltest.Setup(t, Provider())
			s := newSMSC(t, nil)
			f.Add(smppAccount(s))
			all := pieces(text, kind)
			for _, i := range []int{2, 0, 0, 1} { // out of order, and one of them twice
				if status := s.deliver(all[i]); status != data.ESME_ROK {
					t.Errorf("status %x", status)
				}
			}
			_, inbound := f.Got.Wait(t, 0, 1)
			if inbound[0].Text != text || len(inbound) != 1 {
				t.Errorf("%+v", inbound)
			}
			// One whose last segment does not come is taken without it.
			s.deliver(all[0])
			s.deliver(all[1])
			f.Close()
			f.Open()
			f.SetNow(time.Now().Add(5*time.Minute + time.Minute))
			f.SweepOnce(t.Context())
			_, inbound = f.Got.Wait(t, 0, 2)
			if !strings.HasPrefix(text, strings.TrimRight(inbound[1].Text, "\ufffd")) || len(inbound[1].Text) < 20 || inbound[1].Ref == inbound[0].Ref {
				t.Errorf("%+v", inbound[1])
			}
			f.SweepOnce(t.Context())
			if _, inbound = f.Got.Wait(t, 0, 2); len(inbound) != 2 {
				t.Errorf("%+v", inbound)
			}
		})
	}
}

// raw makes a deliver_sm with a data_coding that the library has no name for, and with what else it cannot make.
func raw(coding, esm byte, octets, payload []byte) frame {
	p := deliverSM("4479460001", "4470000")
	p.EsmClass = esm
	p.Message.SetMessageDataWithEncoding(octets, data.LATIN1)
	if payload != nil {
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: payload})
	}
	buf := pdu.NewBuffer(nil)
	p.Marshal(buf)
	b := buf.Bytes()
	b[16+len("\x00\x01\x014479460001\x00\x01\x014470000\x00\x00\x00\x00\x00\x00\x00\x00")] = coding
	return frame{b}
}

func TestAlphabets(t *testing.T) {
	t.Parallel()
	ucs2 := func(text string) []byte { b, _ := data.UCS2.Encode(text); return b }
	for _, c := range []struct {
		coding byte
		octets []byte
		want   string
	}{
		{0x00, []byte("hola {"[:5]), "hola "},
		{0x08, ucs2("año"), "año"},
		{0x18, ucs2("clase"), "clase"}, // with a class
		{0x19, ucs2("clase"), "clase"},
		{0x10, []byte{0x00, 'a'}, "@a"},
		{0x14, []byte{0xf1}, "ñ"}, // of 8 bits
		{0xE0, ucs2("espera"), "espera"},
		{0xC8, []byte{0x00}, "@"},
		{0xF0, []byte{0x00}, "@"},
		{0xF1, []byte{0x00}, "@"},
		{0xF5, []byte{0xf1}, "ñ"},
		{0x03, []byte{0xf1}, "ñ"},
	} {
		f := raw(c.coding, 0, c.octets, nil)
		p, err := parse(f)
		if err != nil {
			t.Fatalf("%#x: %v", c.coding, err)
		}
		in := broughtBy(f, p)
		octets, header := in.content()
		if got := decoded(in.coding, octets); got != c.want || header != nil || in.coding != c.coding {
			t.Errorf("coding %#x read as %#x: %q, want %q", c.coding, in.coding, got, c.want)
		}
	}
}

// The header of a long message may stand in message_payload.
func TestSMPPHeaderInThePayload(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	f.Add(smppAccount(s))
	for i, letter := range []string{"я", "ж"} {
		p := deliverSM("4479460001", "4470000")
		p.EsmClass = udhi
		octets, _ := data.UCS2.Encode(letter)
		p.Message.SetMessageDataWithEncoding(nil, data.UCS2)
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: append([]byte{5, 0, 3, 0x78, 2, byte(i + 1)}, octets...)})
		if status := s.deliver(p); status != data.ESME_ROK {
			t.Errorf("status %x", status)
		}
	}
	if _, inbound := f.Got.Wait(t, 0, 1); inbound[0].Text != "яж" || len(inbound) != 1 {
		t.Errorf("%+v", inbound)
	}
}

// A centre gets an answer to whatever it asks, and may bring receipts by data_sm.
func TestSMPPWhatACentreAsks(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	b := &bind{conn: near, timeout: time.Minute, handle: func(p *brought) data.CommandStatusType {
		if r, ok := readReceipt(p); !ok || r.id != "id1" || r.state != "DELIVRD" {
			return data.ESME_RX_R_APPN
		}
		return data.ESME_ROK
	}, pending: map[int32]chan pdu.PDU{}, done: make(chan struct{})}
	for i := range b.lanes {
		b.lanes[i] = make(chan *brought, 1)
		b.work.Go(func() { b.serve(b.lanes[i]) })
	}
	b.work.Go(func() { b.read(bufio.NewReader(near)) })
	ask := func(request []byte) pdu.PDU {
		t.Helper()
		if _, err := far.Write(request); err != nil {
			t.Fatal(err)
		}
		f, err := readFrame(far)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse(f)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	unknown := []byte{0, 0, 0, 16, 0, 0, 0x09, 0x99, 0, 0, 0, 0, 0, 0, 0, 77}
	if p := ask(unknown); !p.IsGNack() || p.GetHeader().CommandStatus != data.ESME_RINVCMDID || p.GetSequenceNumber() != 77 {
		t.Errorf("to a command that is not known: %+v", p.GetHeader())
	}
	query := pdu.NewBuffer(nil)
	pdu.NewSubmitSM().Marshal(query) // a command, but not one of a centre
	if p := ask(query.Bytes()); !p.IsGNack() {
		t.Errorf("to a submit_sm: %+v", p.GetHeader())
	}
	receipt := pdu.NewDataSM().(*pdu.DataSM)
	receipt.EsmClass = esmReceipt
	receipt.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte("id:id1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:")})
	buf := pdu.NewBuffer(nil)
	receipt.Marshal(buf)
	if p, ok := ask(buf.Bytes()).(*pdu.DataSMResp); !ok || p.CommandStatus != data.ESME_ROK {
		t.Errorf("to a receipt by data_sm: %+v", p)
	}
	if p := ask([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9}); !p.IsGNack() || p.GetHeader().CommandStatus != data.ESME_RINVCMDLEN {
		t.Errorf("to an impossible length: %+v", p.GetHeader())
	}
	b.wait() // after which the connection is over
}
