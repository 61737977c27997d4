package smpp

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
	"pgregory.net/rapid"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

func TestSMPPShortMessage(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	a := f.Add(smppAccount(s))
	now := time.Now()
	f.SetNow(now)
	m := channeltest.SMS("Hello {5 €}")
	m.ExpiresAt = now.Add(26*time.Hour + 3*time.Minute + 4*time.Second)
	account, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m)
	if err != nil || account != a.ID || sent != (gateway.ChannelSent{Ref: "id1", Accepted: true}) {
		t.Fatal(account, sent, err)
	}
	p := s.took(1)[0]
	octets, _ := p.Message.GetMessageData()
	text, err := data.GSM7BIT.Decode(octets)
	if err != nil || text != "Hello {5 €}" || p.EsmClass != 0 || p.RegisteredDelivery != 1 || p.ValidityPeriod != "000001020304000R" {
		t.Errorf("%q %v esm %x registered %d validity %q", text, err, p.EsmClass, p.RegisteredDelivery, p.ValidityPeriod)
	}
	if p.SourceAddr.Address() != "Shop" || p.SourceAddr.Ton() != 5 || p.SourceAddr.Npi() != 0 || p.DestAddr.Address() != "4479460001" || p.DestAddr.Ton() != 1 || p.DestAddr.Npi() != 1 {
		t.Errorf("from %+v to %+v", p.SourceAddr, p.DestAddr)
	}
	// The receipt is acknowledged once it is committed, and not before.
	f.Got.SetRefuse(errors.New("the disk is full"))
	if status := s.deliver(receiptOf("id1", "DELIVRD", "000")); status != data.ESME_RX_T_APPN {
		t.Errorf("status %x", status)
	}
	f.Got.SetRefuse(nil)
	if status := s.deliver(receiptOf("id1", "DELIVRD", "000")); status != data.ESME_ROK {
		t.Errorf("status %x", status)
	}
	reports, _ := f.Got.Wait(t, 1, 0)
	if r := reports[0]; r.Account != a.ID || r.Ref != "id1" || r.MessageID != "msg_1" || r.Step != 1 || r.Status != gateway.StatusDelivered || r.Failure != nil {
		t.Errorf("%+v", r)
	}
}

// textsOf are the texts of submissions, decoded, and the headers that join them.
func textsOf(t *testing.T, submits []*pdu.SubmitSM) (texts, headers []string) {
	t.Helper()
	for _, p := range submits {
		octets, _ := p.Message.GetMessageData()
		text, err := p.Message.Encoding().Decode(octets)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
		header, err := p.Message.UDH().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, hex.EncodeToString(header))
	}
	return texts, headers
}

func TestSMPPLongMessages(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.MaxSegments = 3 })
	f.Add(account)
	n := 0
	for _, test := range []struct {
		name, text string
		coding     byte
		lengths    []int // in characters
	}{
		{"160 of the default alphabet", strings.Repeat("a", 160), 0, []int{160}},
		{"161 of it", strings.Repeat("a", 161), 0, []int{153, 8}},
		{"a sign of two septets at the edge", strings.Repeat("a", 152) + "€" + strings.Repeat("b", 10), 0, []int{152, 11}},
		{"70 of Unicode", strings.Repeat("ж", 70), 8, []int{70}},
		{"71 of it", strings.Repeat("ж", 71), 8, []int{67, 4}},
		{"a pair of surrogates at the edge", strings.Repeat("ж", 66) + "👍" + strings.Repeat("ж", 5), 8, []int{66, 6}},
		{"more than there may be", strings.Repeat("a", 1000), 0, []int{153, 153, 153}},
	} {
		m := channeltest.SMS(test.text)
		m.ID = "msg_" + strings.ReplaceAll(test.name, " ", "")
		_, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		if err != nil || len(strings.Split(sent.Ref, ",")) != len(test.lengths) {
			t.Fatalf("%s: %+v %v", test.name, sent, err)
		}
		submits := s.took(n + len(test.lengths))[n:]
		n += len(test.lengths)
		texts, headers := textsOf(t, submits)
		var lengths []int
		for i, text := range texts {
			lengths = append(lengths, utf8.RuneCountInString(text))
			octets, _ := submits[i].Message.GetMessageData()
			if len(octets) > 160 || submits[i].Message.Encoding().DataCoding() != test.coding {
				t.Errorf("%s: %d octets in coding %d", test.name, len(octets), submits[i].Message.Encoding().DataCoding())
			}
			if len(texts) == 1 {
				continue
			}
			want := fmt.Sprintf("050003%s%02x%02x", headers[0][6:8], len(texts), i+1)
			if headers[i] != want || submits[i].EsmClass&0x40 == 0 {
				t.Errorf("%s: header %s, want %s", test.name, headers[i], want)
			}
		}
		if diff := cmp.Diff(test.lengths, lengths); diff != "" || !strings.HasPrefix(test.text, strings.Join(texts, "")) {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestSMPPMessagePayload(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.LongMessages = "payload" })
	f.Add(account)
	long := strings.Repeat("ä", 300)
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS(long)); err != nil || sent.Ref != "id1" {
		t.Fatal(sent, err)
	}
	p := s.took(1)[0]
	payload := p.OptionalParameters[pdu.TagMessagePayload]
	octets, _ := p.Message.GetMessageData()
	if text, err := data.GSM7BIT.Decode(payload.Data); err != nil || text != long || len(octets) != 0 || p.EsmClass != 0 {
		t.Errorf("%q %v %d octets beside", text, err, len(octets))
	}
	s.deliver(receiptOf("id1", "DELIVRD", "000"))
	f.Got.Wait(t, 1, 0)
}

// A centre that has not noticed yet that the last connection is gone refuses the bind: what is to be sent waits, and an account that was never bound is refused.
func TestSMPPBindAfterACut(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	f.Add(smppAccount(s))
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.bindStatus = data.ESME_RBINDFAIL })
	s.drop()
	s.wait(func() bool { return len(s.conns) == 0 })
	m := channeltest.SMS("Hello")
	m.ID = "msg_2"
	channeltest.WaitFor(t, func() bool {
		_, _, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		e := channeltest.RefusalOf(t, err)
		if e.Kind == gateway.ChannelRefused {
			t.Fatalf("%+v", e)
		}
		return strings.Contains(e.Failure.Message, "0x0D")
	})
	f.SetNow(time.Now().Add(rebindPatience + time.Minute)) // it is no moment any more
	channeltest.WaitFor(t, func() bool {
		_, _, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		return channeltest.RefusalOf(t, err).Failure.Code == gateway.FailureAccountRefused
	})
}

func TestSMPPRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(n int, _ *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		if n == 2 {
			return "", data.ESME_RTHROTTLED, true
		}
		return fmt.Sprintf("id%d", n), data.ESME_ROK, true
	}
	f.Add(smppAccount(s))
	long := channeltest.SMS(strings.Repeat("a", 200))
	_, _, err := f.Send(t.Context(), gateway.ChannelSMS, long)
	if e := channeltest.RefusalOf(t, err); e.Kind != gateway.ChannelRetry || e.After != time.Second || e.Failure.Code != gateway.FailureRateLimited {
		t.Fatalf("%+v", e)
	}
	f.Close()
	f.Open()
	// The first segment is not sent again, and both have the same number.
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, long); err != nil || sent.Ref != "id1,id3" {
		t.Fatal(sent, err)
	}
	texts, headers := textsOf(t, s.took(3))
	if texts[1] != texts[2] || headers[1] != headers[2] || headers[0][6:8] != headers[2][6:8] {
		t.Errorf("%q %q", texts, headers)
	}
	f.Close()
	f.Open()
	s.deliver(receiptOf("id1", "DELIVRD", "000"))
	s.deliver(receiptOf("id3", "DELIVRD", "000"))
	if reports, _ := f.Got.Wait(t, 1, 0); reports[0].Status != gateway.StatusDelivered || reports[0].MessageID != "msg_1" {
		t.Errorf("%+v", reports)
	}
	// A message that was taken whole is not sent again.
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, long); err != nil || sent.Ref != "id1,id3" || len(s.took(3)) != 3 {
		t.Fatal(sent, err)
	}
}

func TestSMPPStatuses(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	f.Add(smppAccount(s))
	for status, want := range map[data.CommandStatusType]struct {
		kind gateway.ChannelErrorKind
		code gateway.FailureCode
	}{
		data.ESME_RTHROTTLED:          {gateway.ChannelRetry, gateway.FailureRateLimited},
		data.ESME_RMSGQFUL:            {gateway.ChannelRetry, gateway.FailureRateLimited},
		data.ESME_RSYSERR:             {gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		data.ESME_RSUBMITFAIL:         {gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		data.ESME_RX_T_APPN:           {gateway.ChannelRetry, gateway.FailureProviderUnavailable},
		data.ESME_RINVDSTADR:          {gateway.ChannelRefused, gateway.FailureAddressInvalid},
		data.ESME_RINVSRCADR:          {gateway.ChannelRefused, gateway.FailureAccountRefused},
		data.ESME_RINVMSGLEN:          {gateway.ChannelRefused, gateway.FailureInvalidContent},
		data.ESME_RX_P_APPN:           {gateway.ChannelRefused, gateway.FailureProviderRefused},
		data.CommandStatusType(0x401): {gateway.ChannelRefused, gateway.FailureProviderRefused},
	} {
		s.set(func() {
			s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) { return "", status, true }
		})
		_, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello"))
		if e := channeltest.RefusalOf(t, err); e.Kind != want.kind || e.Failure.Code != want.code || e.Failure.PlatformCode != int(status) {
			t.Errorf("%x: %+v", status, e)
		}
	}
	// A centre that has lost the bind gets a new one.
	s.set(func() {
		s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) { return "", data.ESME_RINVBNDSTS, true }
	})
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); channeltest.RefusalOf(t, err).Kind != gateway.ChannelRetry {
		t.Error(err)
	}
	s.wait(func() bool { return s.binds >= 2 })
}

func TestSMPPLostConnection(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(n int, _ *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		if n == 1 {
			s.drop()
			return "", 0, false
		}
		return "id2", data.ESME_ROK, true
	}
	f.Add(smppAccount(s))
	_, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello"))
	if e := channeltest.RefusalOf(t, err); e.Kind != gateway.ChannelUnknown || e.Failure.Code != gateway.FailureUnknownOutcome {
		t.Fatalf("%+v", e)
	}
	s.wait(func() bool { return s.binds == 2 })
	channeltest.WaitFor(t, func() bool {
		m := channeltest.SMS("Hello")
		m.ID = "msg_2"
		_, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m)
		return err == nil && sent.Ref == "id2"
	})
}

func TestSMPPNoAnswer(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	s.onSubmit = func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool) { return "", 0, false }
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.ResponseSeconds = 1 })
	f.Add(account)
	_, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello"))
	if e := channeltest.RefusalOf(t, err); e.Kind != gateway.ChannelUnknown {
		t.Fatalf("%+v", e)
	}
	// Nor does a centre that does not answer enquire_link keep the connection.
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.EnquireLinkSeconds = 1 })
	s.set(func() { s.deaf = true })
	if _, err := f.Vault.UpdateChannel(t.Context(), account.ID, func(a *gateway.ChannelAccount) error {
		channeltest.Edit(t, a, func(s *gatewayapi.SMPPSettings) { s.EnquireLinkSeconds = 1 })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.wait(func() bool { return s.binds >= 3 && s.enquired >= 1 })
}

func TestSMPPWindow(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	release := make(chan struct{})
	s.onSubmit = func(n int, _ *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		<-release
		return fmt.Sprintf("id%d", n), data.ESME_ROK, true
	}
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.Window = 5 })
	f.Add(account)
	var work sync.WaitGroup
	for i := range 30 {
		work.Go(func() {
			m := channeltest.SMS("Hello")
			m.ID = fmt.Sprintf("msg_%d", i)
			if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil {
				t.Error(err)
			}
		})
	}
	s.wait(func() bool { return s.outstanding == 5 })
	close(release)
	work.Wait()
	if len(s.took(30)) != 30 || s.most > 5 {
		t.Errorf("%d at once", s.most)
	}
}

func TestSMPPBindRefused(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	good := smppAccount(s)
	bad := smppAccount(s)
	bad.Secrets = map[string]gateway.Secret{secretPassword: "wrong"}
	for a, want := range map[*gateway.ChannelAccount]gateway.FailureCode{good: "", bad: gateway.FailureAccountRefused} {
		err := f.Check(t.Context(), a)
		if want == "" && err != nil || want != "" && channeltest.RefusalOf(t, err).Failure.Code != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	f.Add(bad)
	channeltest.WaitFor(t, func() bool {
		_, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello"))
		e := channeltest.RefusalOf(t, err)
		return e.Kind == gateway.ChannelRefused && e.Failure.Code == gateway.FailureAccountRefused
	})
}

func TestSMPPOverTLS(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	cert, pem := channeltest.Certificate(t)
	s := newSMSC(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	account := smppAccount(s)
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.TLS, s.CACertificates = true, pem })
	f.Add(account)
	if _, _, err := f.Send(t.Context(), gateway.ChannelSMS, channeltest.SMS("Hello")); err != nil {
		t.Fatal(err)
	}
	untrusted := smppAccount(s)
	channeltest.Edit(t, untrusted, func(s *gatewayapi.SMPPSettings) { s.TLS = true })
	if err := f.Check(t.Context(), untrusted); err == nil {
		t.Error("an unknown certificate was trusted")
	}
}

func TestSMPPWithoutReceipts(t *testing.T) {
	t.Parallel()
	f := channeltest.Setup(t, Provider())
	s := newSMSC(t, nil)
	account := smppAccount(s)
	no := false
	channeltest.Edit(t, account, func(s *gatewayapi.SMPPSettings) { s.Receipts = &no })
	f.Add(account)
	m := channeltest.SMS("Hello")
	m.Options = json.RawMessage(`{"from":"+4470000001"}`)
	if _, sent, err := f.Send(t.Context(), gateway.ChannelSMS, m); err != nil || sent != (gateway.ChannelSent{Ref: "id1"}) {
		t.Fatal(sent, err)
	}
	if p := s.took(1)[0]; p.RegisteredDelivery != 0 || p.SourceAddr.Address() != "4470000001" || p.SourceAddr.Ton() != 1 || p.SourceAddr.Npi() != 1 {
		t.Errorf("%+v", p)
	}
}

func TestSegmented(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab €{}^äжé👍\n")), 1, 700, -1).Draw(t, "text")
		parts, unicode := channel.Segments(text, 255)
		enc := data.GSM7BIT
		if unicode {
			enc = data.UCS2
		}
		if strings.Join(parts, "") != text {
			t.Fatalf("%q came apart as %q", text, parts)
		}
		for _, p := range parts {
			octets, err := enc.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			most := map[bool]map[bool]int{true: {true: 160, false: 153}, false: {true: 140, false: 134}}[enc == data.GSM7BIT][len(parts) == 1]
			if len(octets) > most {
				t.Fatalf("%q has %d octets", p, len(octets))
			}
			if back, err := enc.Decode(octets); err != nil || back != p {
				t.Fatalf("%q reads as %q %v", p, back, err)
			}
		}
	})
}

func TestSourceAddresses(t *testing.T) {
	t.Parallel()
	two, zero := 2, 0
	for _, test := range []struct {
		set      gatewayapi.SMPPSettings
		from     string
		address  string
		ton, npi byte
	}{
		{gatewayapi.SMPPSettings{Source: "Shop"}, "", "Shop", 5, 0},
		{gatewayapi.SMPPSettings{Source: "+447946000123"}, "", "447946000123", 1, 1},
		{gatewayapi.SMPPSettings{Source: "12345"}, "", "12345", 3, 0},
		{gatewayapi.SMPPSettings{}, "", "", 0, 0},
		{gatewayapi.SMPPSettings{Source: "12345", SourceTON: &two, SourceNPI: &zero}, "", "12345", 2, 0},
		{gatewayapi.SMPPSettings{Source: "12345", SourceTON: &two}, "Other", "Other", 5, 0},
	} {
		got, err := sourceAddress(&test.set, test.from)
		if err != nil || got.Address() != test.address || got.Ton() != test.ton || got.Npi() != test.npi {
			t.Errorf("%+v %s: %+v %v", test.set, test.from, got, err)
		}
	}
	if _, err := sourceAddress(&gatewayapi.SMPPSettings{}, strings.Repeat("x", 21)); err == nil {
		t.Error("a sender of 21 characters was taken")
	}
}
