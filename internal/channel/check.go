package channel

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

const maxURL = 2000

// CheckAddress says what is wrong with the URL of a provider, or returns nil.
func CheckAddress(field, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
		return gateway.Invalid(field, "must be an https or http address")
	case u.User != nil:
		return gateway.Invalid(field, "must not hold a user or password")
	case u.Fragment != "":
		return gateway.Invalid(field, "must not hold a fragment")
	case len(address) > maxURL:
		return gateway.Invalid(field, "must have at most %d bytes", maxURL)
	}
	return nil
}

// CheckHost says what is wrong with a server's host and port, the fields host and port below at, or
// returns nil.
func CheckHost(at, host string, port int) error {
	if host == "" || len(host) > 253 || strings.ContainsAny(host, " /@\\") {
		return gateway.Invalid(at+"host", "must be a host's name or address")
	}
	if port < 1 || port > 65535 {
		return gateway.Invalid(at+"port", "must be from 1 to 65535")
	}
	return nil
}

// CheckCertificates says what is wrong with the field caCertificates below at, or returns nil.
func CheckCertificates(at, pem string) error {
	if pem == "" {
		return nil
	}
	if len(pem) > 64<<10 || !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return gateway.Invalid(at+"caCertificates", "must hold certificates in PEM, of 64 KB at most")
	}
	return nil
}

// TLSConfig is how an account's server proves itself: with a certificate of the system's
// authorities or of those that the account names, which were checked.
func TLSConfig(host, certificates string) *tls.Config {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if certificates != "" {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM([]byte(certificates))
	}
	return c
}

// OrDefault sets a setting that was left out.
func OrDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
