// Package smpp sends SMS over SMPP 3.4: each account keeps one connection bound to its SMS centre,
// over which receipts and messages from people come back.
package smpp

import (
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

const secretPassword = "password"

// Provider plugs the provider in.
func Provider() channel.Provider {
	return channel.Spec[gatewayapi.SMPPSettings]{
		Name: gatewayapi.ProviderSMPP, Channel: gateway.ChannelSMS, Secrets: []gateway.SecretInfo{{Name: secretPassword}}, Probe: "SMPP binds and unbinds",
		Complete: complete, Check: check, Open: open,
		Targets: func(s *gatewayapi.SMPPSettings) map[string]string { return map[string]string{"smpp.host": s.Host} },
	}.Provider()
}

func complete(s *gatewayapi.SMPPSettings) {
	channel.OrDefault(&s.Port, 2775)
	channel.OrDefault(&s.Window, 10)
	channel.OrDefault(&s.EnquireLinkSeconds, 30)
	channel.OrDefault(&s.ResponseSeconds, 30)
	channel.OrDefault(&s.MaxSegments, 10)
	channel.OrDefault(&s.LongMessages, "udh")
	channel.OrDefault(&s.ReceiptIDs, "tolerant")
	if s.Receipts == nil {
		s.Receipts = new(true)
	}
}

func check(s *gatewayapi.SMPPSettings, secrets map[string]gateway.Secret) error {
	const at = "smpp."
	if err := channel.CheckHost(at, s.Host, s.Port); err != nil {
		return err
	}
	if err := channel.CheckCertificates(at, s.CACertificates); err != nil {
		return err
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"systemId", s.SystemID, 15}, {"systemType", s.SystemType, 12}, {"serviceType", s.ServiceType, 5}, {"source", s.Source, 20}} {
		if len(f.value) > f.most || strings.ContainsFunc(f.value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return gateway.Invalid(at+f.name, "must have at most %d characters of ASCII", f.most)
		}
	}
	for _, f := range []struct {
		name        string
		value       *int
		least, most int
	}{
		{"sourceTon", s.SourceTON, 0, 7}, {"sourceNpi", s.SourceNPI, 0, 18}, {"destTon", s.DestTON, 0, 7}, {"destNpi", s.DestNPI, 0, 18},
		{"window", &s.Window, 1, 1000}, {"enquireLinkSeconds", &s.EnquireLinkSeconds, 1, 3600}, {"responseSeconds", &s.ResponseSeconds, 1, 300}, {"maxSegments", &s.MaxSegments, 1, 255},
	} {
		if f.value != nil && (*f.value < f.least || *f.value > f.most) {
			return gateway.Invalid(at+f.name, "must be from %d to %d", f.least, f.most)
		}
	}
	switch {
	case s.SystemID == "":
		return gateway.Invalid(at+"systemId", "must be given")
	case len(secrets[secretPassword]) > 8:
		return gateway.Invalid("secrets.password", "may have 8 bytes in SMPP 3.4")
	case s.LongMessages != "udh" && s.LongMessages != "payload":
		return gateway.Invalid(at+"longMessages", "must be udh or payload")
	case s.ReceiptIDs != "tolerant" && s.ReceiptIDs != "exact":
		return gateway.Invalid(at+"receiptIds", "must be tolerant or exact")
	}
	return nil
}
