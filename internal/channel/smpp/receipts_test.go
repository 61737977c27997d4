package smpp

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

func TestSMPPReceiptsOfSegments(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	f.Add(smppAccount(s))
	send := func(id string) {
		m := channeltest.SMS(strings.Repeat("a", 400))
		m.ID = id
		if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil {
			t.Fatal(err)
		}
	}
	statuses := func(reports []gateway.ChannelReport) (all []gateway.Status) {
		for _, r := range reports {
			all = append(all, r.Status)
		}
		return all
	}
	send("msg_good")
	for _, r := range []*pdu.DeliverSM{receiptOf("id2", "DELIVRD", "000"), receiptOf("id1", "ACCEPTD", "000"), receiptOf("id3", "ENROUTE", "000"), receiptOf("id1", "DELIVRD", "000"), receiptOf("id3", "DELIVRD", "000")} {
		if status := s.deliver(r); status != data.ESME_ROK {
			t.Errorf("status %x", status)
		}
	}
	reports, _ := f.Got.Wait(t, 3, 0)
	if diff := cmp.Diff([]gateway.Status{gateway.StatusSent, gateway.StatusSent, gateway.StatusDelivered}, statuses(reports)); diff != "" {
		t.Error(diff)
	}
	send("msg_bad")
	s.deliver(receiptOf("id4", "DELIVRD", "000"))
	s.deliver(receiptOf("id5", "UNDELIV", "27"))
	reports, _ = f.Got.Wait(t, 4, 0)
	if r := reports[3]; r.MessageID != "msg_bad" || r.Status != gateway.StatusFailed || r.Failure.Code != gateway.FailureUnreachable || r.Failure.PlatformCode != 27 {
		t.Errorf("%+v %+v", r, r.Failure)
	}
}

func TestSMPPReceiptForms(t *testing.T) {
	t.Parallel()
	tlv := func(id string, state byte) *pdu.DeliverSM {
		p := deliverSM("4479460001", "4470000")
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagReceiptedMessageID, Data: append([]byte(id), 0)})
		p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessageStateOption, Data: []byte{state}})
		return p
	}
	for _, test := range []struct {
		name, id string
		receipt  *pdu.DeliverSM
		status   gateway.Status
		code     gateway.FailureCode
	}{
		{"text", "a1", receiptOf("a1", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"expired", "a1", receiptOf("a1", "EXPIRED", "000"), gateway.StatusFailed, gateway.FailureUnreachable},
		{"deleted", "a1", receiptOf("a1", "DELETED", "000"), gateway.StatusFailed, gateway.FailureProviderRefused},
		{"rejected", "a1", receiptOf("a1", "REJECTD", "12"), gateway.StatusFailed, gateway.FailureProviderRefused},
		{"unknown", "a1", receiptOf("a1", "UNKNOWN", "000"), gateway.StatusFailed, gateway.FailureUnknownOutcome},
		{"on its way", "a1", receiptOf("a1", "ENROUTE", "000"), gateway.StatusSent, ""},
		{"parameters", "a1", tlv("a1", 2), gateway.StatusDelivered, ""},
		{"parameters, undeliverable", "a1", tlv("a1", 5), gateway.StatusFailed, gateway.FailureUnreachable},
		{"hexadecimal, then decimal", "1a2b3c4d", receiptOf("439041101", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"hexadecimal, then decimal with zeros", "1A2B3C4D", receiptOf("0439041101", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"decimal, then hexadecimal", "439041101", receiptOf("1A2B3C4D", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"zeros before it", "000000a1", receiptOf("A1", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"a long one with a zero before it", "0406258146164499600014", receiptOf("406258146164499600014", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"a long one, the zeros in the receipt", "406258146164499600014", receiptOf("000406258146164499600014", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"hexadecimal of 16 digits", "000000001A2B3C4D", receiptOf("439041101", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"zeros alone", "0000", receiptOf("0", "DELIVRD", "000"), gateway.StatusDelivered, ""},
		{"an id in the text", "N00001", worded("N00001", "DELIVRD", "Your booking id: 4711 is ready"), gateway.StatusDelivered, ""},
		{"a state in the text", "N00001", worded("N00001", "DELIVRD", "stat:UNDELIV err:099 id:N00002"), gateway.StatusDelivered, ""},
		{"a text within the text", "N00001", worded("N00001", "UNDELIV", "text: stat:DELIVRD"), gateway.StatusFailed, gateway.FailureUnreachable},
		{"an id within a word", "N00001", receiptOf("N00001 msgid:7 smsid:8", "DELIVRD", "000"), gateway.StatusDelivered, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := channeltest.Setup(t, Provider())
			s := newSMSC(t, nil)
			s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) { return test.id, data.ESME_ROK, true }
			f.Add(smppAccount(s))
			if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil {
				t.Fatal(err)
			}
			if status := s.deliver(test.receipt); status != data.ESME_ROK {
				t.Errorf("status %x", status)
			}
			reports, _ := f.Got.Wait(t, 1, 0)
			r := reports[0]
			if r.Status != test.status || (r.Failure == nil) != (test.code == "") || r.Failure != nil && r.Failure.Code != test.code {
				t.Errorf("%+v %+v", r, r.Failure)
			}
		})
	}
}

// worded is a receipt that repeats the beginning of the message.
func worded(id, stat, text string) *pdu.DeliverSM {
	p := receiptOf(id, stat, "000")
	octets, _ := p.Message.GetMessageData()
	p.Message.SetMessageDataWithEncoding([]byte(strings.TrimSuffix(string(octets), "Hello")+text), data.GSM7BIT)
	return p
}

func TestSMPPExactReceiptIDs(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) { return "10", data.ESME_ROK, true }
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.ReceiptIDs = "exact" })
	f.Add(account)
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil {
		t.Fatal(err)
	}
	s.deliver(receiptOf("16", "UNDELIV", "000")) // of somebody else's
	s.deliver(receiptOf("10", "DELIVRD", "000"))
	if reports, _ := f.Got.Wait(t, 1, 0); len(reports) != 1 || reports[0].Status != gateway.StatusDelivered {
		t.Errorf("%+v", reports)
	}
}

// A receipt may be quicker than the answer to the submission, and write the identifier in another way.
func TestSMPPReceiptBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		if status := s.deliver(receiptOf("255", "DELIVRD", "000")); status != data.ESME_ROK {
			t.Errorf("status %x", status)
		}
		return "ff", data.ESME_ROK, true
	}
	f.Add(smppAccount(s))
	// Even when it cannot be reported at once it is not forgotten.
	f.Got.SetRefuse(errors.New("the disk is full"))
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil || sent.Ref != "ff" {
		t.Fatal(sent, err)
	}
	channeltest.WaitFor(t, func() bool { return f.Logged("report what receipts said before") })
	f.Got.SetRefuse(nil)
	f.SweepOnce(t.Context())
	if reports, _ := f.Got.Wait(t, 1, 0); reports[0].Status != gateway.StatusDelivered || reports[0].MessageID != "msg_1" {
		t.Errorf("%+v", reports)
	}
	f.SweepOnce(t.Context())
	if reports, _ := f.Got.Wait(t, 1, 0); len(reports) != 1 {
		t.Errorf("reported again: %+v", reports)
	}
}

// Each node has a bind of its own, and a receipt comes to whichever the centre likes.
func TestSMPPReceiptAtAnotherNode(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	f.Add(smppAccount(s))
	m := channeltest.SMS(strings.Repeat("a", 200))
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil || sent.Ref != "id1,id2" {
		t.Fatal(sent, err)
	}
	other := channel.New(f.Options)
	if err := other.Start(t.Context(), f.Got); err != nil {
		t.Fatal(err)
	}
	s.wait(func() bool { return s.binds == 2 })
	f.Stop(t.Context())
	s.wait(func() bool { return len(s.conns) == 1 })
	for _, id := range []string{"id2", "id1"} {
		if status := s.deliver(receiptOf(id, "DELIVRD", "000")); status != data.ESME_ROK {
			t.Errorf("status %x", status)
		}
	}
	if reports, _ := f.Got.Wait(t, 1, 0); reports[0].Status != gateway.StatusDelivered || reports[0].MessageID != "msg_1" || len(reports) != 1 {
		t.Errorf("%+v", reports)
	}
	other.Stop(t.Context())
}

// Whoever takes a report may wait for the message to be recorded as sent: sending does not wait for that.
func TestSMPPSendingDoesNotWaitForReports(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		s.deliver(receiptOf("ff", "DELIVRD", "000"))
		return "ff", data.ESME_ROK, true
	}
	recorded := make(chan struct{})
	f.Got.Hold(recorded)
	f.Add(smppAccount(s))
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil {
		t.Fatal(err)
	}
	close(recorded)
	f.Got.Wait(t, 1, 0)
}
