package smpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// maxPDU is how large a PDU may be, in bytes: one with a message_payload of the largest size, and all else a PDU can hold.
const maxPDU = 128 << 10

// errLength is a PDU whose length cannot be one: what follows it cannot be found.
var errLength = errors.New("the SMS centre sent a PDU of an impossible length")

// frame is a PDU as it came.
type frame struct {
	raw []byte // with its header of 16 octets
}

func (f frame) command() data.CommandIDType {
	return data.CommandIDType(binary.BigEndian.Uint32(f.raw[4:]))
}
func (f frame) sequence() int32  { return int32(binary.BigEndian.Uint32(f.raw[12:])) }
func (f frame) isResponse() bool { return f.raw[4]&0x80 != 0 }

// readFrame reads the octets of one PDU. With errLength the header is there.
func readFrame(r io.Reader) (frame, error) {
	f := frame{make([]byte, 16)}
	if _, err := io.ReadFull(r, f.raw); err != nil {
		return f, err
	}
	length := binary.BigEndian.Uint32(f.raw)
	if length < 16 || length > maxPDU {
		return f, errLength
	}
	f.raw = append(f.raw, make([]byte, length-16)...)
	_, err := io.ReadFull(r, f.raw[16:])
	return f, err
}

// parse reads one PDU. The library panics on some that it has no room for, such as a query_sm with parameters: they count as commands that are not known, since a
// centre must not bring the gateway down. A PDU of a known command whose inside cannot be read comes with the error.
func parse(f frame) (p pdu.PDU, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			p, err = nil, fmt.Errorf("%w: %v", errUnknownCommand, trouble)
		}
	}()
	if p, err = pdu.CreatePDUFromCmdID(f.command()); err != nil {
		return nil, err
	}
	buf := pdu.NewBuffer(make([]byte, 0, len(f.raw)))
	buf.Write(f.raw)
	return p, p.Unmarshal(buf)
}

// nack tells the centre that one of its requests cannot be taken at all.
func (b *bind) nack(f frame, status data.CommandStatusType) {
	if f.isResponse() {
		return
	}
	answer := pdu.NewGenericNack().(*pdu.GenericNack)
	answer.CommandStatus = status
	answer.SetSequenceNumber(f.sequence())
	b.write(answer) // when this fails the next read does too
}

// brought is what a centre brings: a receipt, or a message from a person, in a deliver_sm or a data_sm.
type brought struct {
	*pdu.DeliverSM
	coding  byte // data_coding as it came; the library forgets those that it has no encoder for
	respond func(data.CommandStatusType) pdu.PDU
}

// broughtBy returns what a PDU brings; nil for one that brings nothing.
func broughtBy(f frame, p pdu.PDU) *brought {
	switch p := p.(type) {
	case *pdu.DeliverSM:
		return &brought{p, codingOf(f.raw), func(status data.CommandStatusType) pdu.PDU {
			answer := p.GetResponse().(*pdu.DeliverSMResp)
			answer.CommandStatus = status
			return answer
		}}
	case *pdu.DataSM:
		same := pdu.NewDeliverSM().(*pdu.DeliverSM)
		same.SourceAddr, same.DestAddr, same.EsmClass, same.OptionalParameters = p.SourceAddr, p.DestAddr, p.EsmClass, p.OptionalParameters
		return &brought{same, p.DataCoding, func(status data.CommandStatusType) pdu.PDU {
			answer := p.GetResponse().(*pdu.DataSMResp)
			answer.CommandStatus = status
			return answer
		}}
	}
	return nil
}

// codingOf finds the data_coding of a deliver_sm: it stands behind the service type, two addresses, three octets, two times and two octets.
//
// Docs: https://smpp.org/SMPP_v3_4_Issue1_2.pdf (4.6.1)
func codingOf(raw []byte) byte {
	rest := raw[16:]
	text := func() bool {
		end := bytes.IndexByte(rest, 0)
		if end < 0 {
			return false
		}
		rest = rest[end+1:]
		return true
	}
	skip := func(n int) bool {
		if len(rest) < n {
			return false
		}
		rest = rest[n:]
		return true
	}
	if text() && skip(2) && text() && skip(2) && text() && skip(3) && text() && text() && skip(2) && len(rest) > 0 {
		return rest[0]
	}
	return 0
}

// udhi is the bit of esm_class that says that the text begins with a header.
const udhi = 0x40

// content returns the octets of the text without its header, and the header's elements without its length.
func (p *brought) content() (octets, header []byte) {
	octets, _ = p.Message.GetMessageData() // the library's error is always nil
	payload, ok := p.OptionalParameters[pdu.TagMessagePayload]
	if ok && len(octets) == 0 {
		octets = payload.Data
		if n := int(first8(octets)); p.EsmClass&udhi != 0 && n > 0 && n < len(octets) {
			return octets[n+1:], octets[1 : n+1]
		}
		return octets, nil
	}
	if udh := p.Message.UDH(); len(udh) > 0 {
		if whole, err := udh.MarshalBinary(); err == nil && len(whole) > 1 {
			header = whole[1:]
		}
	}
	return octets, header
}

func first8(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// pieceOf reads where a segment stands, from the header of its text or from parameters.
func (p *brought) piece(header []byte) piece {
	for len(header) >= 2 && len(header) >= 2+int(header[1]) {
		id, element := header[0], header[2:2+int(header[1])]
		header = header[2+len(element):]
		switch {
		case id == 0x00 && len(element) == 3:
			return piece{int(element[0]), int(element[2]), int(element[1])}
		case id == 0x08 && len(element) == 4: // with a number of 16 bits
			return piece{int(element[0])<<8 | int(element[1]), int(element[3]), int(element[2])}
		}
	}
	number := func(tag pdu.Tag) int {
		n := 0
		for _, b := range p.OptionalParameters[tag].Data {
			n = n<<8 | int(b)
		}
		return n
	}
	if total := number(pdu.TagSarTotalSegments); total > 1 {
		return piece{number(pdu.TagSarMsgRefNum), number(pdu.TagSarSegmentSeqnum), total}
	}
	return piece{0, 1, 1}
}

// Alphabets by the data_coding of SMPP.
const (
	alphabetDefault = 0x00 // GSM 03.38
	alphabetLatin1  = 0x03
	alphabetUCS2    = 0x08
)

// alphabet is the alphabet of a data_coding. From 0x10 on it is a data coding scheme of GSM, whose bits say more than the alphabet.
//
// Docs: https://www.etsi.org/deliver/etsi_gts/03/0338/05.00.00_60/gsmts_0338v050000p.pdf
func alphabet(coding byte) byte {
	byBits := [...]byte{alphabetDefault, alphabetLatin1, alphabetUCS2, alphabetDefault}
	switch {
	case coding < 0x10:
		return coding
	case coding < 0x20: // general, with a class
		return byBits[coding>>2&3]
	case coding >= 0xC0 && coding < 0xE0: // a message waits
		return alphabetDefault
	case coding >= 0xE0 && coding < 0xF0:
		return alphabetUCS2
	case coding >= 0xF0: // a class
		return byBits[coding>>2&1]
	}
	return coding // compressed or reserved
}

// decoded reads a text in a data coding. What cannot be read in it is taken as Latin-1, so that nothing is lost.
func decoded(coding byte, octets []byte) string {
	if len(octets) == 0 {
		return ""
	}
	if enc := data.FromDataCoding(alphabet(coding)); enc != nil {
		if text, err := enc.Decode(octets); err == nil {
			return strings.ToValidUTF8(text, "\ufffd")
		}
	}
	text, err := data.LATIN1.Decode(octets)
	if err != nil {
		return strings.ToValidUTF8(string(octets), "\ufffd")
	}
	return text
}
