package smpp

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
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
	f, err := readFrame(r)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := parse(f); !errors.Is(err, errUnknownCommand) {
		t.Fatalf("%v %v", p, err)
	}
	if f, err = readFrame(r); err != nil {
		t.Fatal(err)
	}
	if p, err := parse(f); err != nil {
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
		f, err := readFrame(bytes.NewReader(b))
		if err != nil {
			continue
		}
		p, err := parse(f)
		if err != nil || p == nil {
			continue
		}
		if p.CanResponse() {
			if answer := p.GetResponse(); answer != nil {
				answer.Marshal(pdu.NewBuffer(nil))
			}
		}
		look(f, p)
	}
}

// look reads all that is ever read of what a centre brings.
func look(f frame, p pdu.PDU) {
	in := broughtBy(f, p)
	if in == nil {
		return
	}
	if receipt, ok := readReceipt(in); ok {
		receipt.outcome()
		canons(receipt.id)
	}
	octets, header := in.content()
	in.piece(header)
	decoded(in.coding, octets)
}

func FuzzPDU(f *testing.F) {
	data1 := pdu.NewDataSM().(*pdu.DataSM)
	data1.EsmClass = esmReceipt
	data1.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte("id:1 stat:DELIVRD text:id:2")})
	long := deliverSM("1", "2")
	long.EsmClass = udhi
	long.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte{5, 0, 3, 0x78, 2, 2, 4, 0x36}})
	for _, p := range []pdu.PDU{receiptOf("id1", "DELIVRD", "000"), incomingSM("Hello", data.UCS2), pieces("Привет, мир и все", "header of 16 bits")[0], long, data1, pdu.NewUnbind()} {
		buf := pdu.NewBuffer(nil)
		p.Marshal(buf)
		f.Add(buf.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		if p, err := parse(got); err == nil {
			look(got, p)
		}
	})
}

// FuzzReceipt reads receipts of any text: behind "text:" stand the message's own words, which say nothing of the receipt, and before it the first of each field counts.
func FuzzReceipt(f *testing.F) {
	for _, words := range []string{"", "Hello", "id:2 stat:UNDELIV err:099", "TEXT:id:2", "\x00id:\xff", " text: stat:DELIVRD"} {
		f.Add("1a", "DELIVRD", words)
	}
	f.Add("", "", "")
	f.Add("00000001", "nonsense:stat:x", "x")
	f.Fuzz(func(t *testing.T, id, state, words string) {
		p := receiptOf("placeholder", "DELIVRD", "000")
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte("id:" + id + " sub:001 stat:" + state + " err:000 text:" + words)})
		delete(p.OptionalParameters, pdu.TagReceiptedMessageID)
		delete(p.OptionalParameters, pdu.TagMessageStateOption)
		if err := p.Message.SetMessageDataWithEncoding(nil, data.GSM7BIT); err != nil {
			t.Fatal(err)
		}
		got, ok := readReceipt(&brought{DeliverSM: p})
		if !ok {
			t.Fatal("a receipt is none")
		}
		got.outcome()
		canons(got.id)
		if fieldless.MatchString(id) && got.id != id || fieldless.MatchString(state) && fieldless.MatchString(id) && got.state != strings.ToUpper(state) {
			t.Fatalf("a receipt for %q with state %q and words %q is read as %+v", id, state, words, got)
		}
	})
}

// fieldless is a value that cannot be mistaken for the name of a field.
var fieldless = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
