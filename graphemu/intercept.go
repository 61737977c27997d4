package graphemu

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Interceptor is a platform that clients reach under the platform's own names, so that they
// need no setting for its address: as their HTTP proxy, or over TLS if the names resolve to
// this machine. It serves graph.facebook.com and graph.instagram.com either way, refuses every
// other name, and accepts connections from this machine only.
//
// Its certificates are issued by an authority that is generated each time, whose key never leaves
// memory and whose certificate is limited to those names.
type Interceptor struct {
	platform *Server
	ca       []byte // certificate, PEM
	leaf     tls.Certificate

	inner *http.Server
	queue *connQueue
}

// interceptedHosts are the names that an [Interceptor] serves.
func interceptedHosts() []string { return []string{"graph.facebook.com", "graph.instagram.com"} }

// NewInterceptor returns an interceptor in front of a platform that has not served anything
// yet: the names are added to its AllowedHosts. Close it after use.
func NewInterceptor(platform *Server) (*Interceptor, error) {
	i := &Interceptor{platform: platform}
	if err := i.certify(); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	platform.AllowedHosts = append(slices.Clone(platform.AllowedHosts), interceptedHosts()...)
	i.queue = &connQueue{conns: make(chan net.Conn), done: make(chan struct{})}
	i.inner = &http.Server{
		Handler: i.guard(platform), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(platform.log().Handler(), slog.LevelDebug),
	}
	go i.inner.Serve(i.queue) //nolint:errcheck // it ends with Close
	return i, nil
}

// certify generates the authority and the certificate that it signs.
func (i *Interceptor) certify() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Chasqui emulator, for tests on this machine only"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign, PermittedDNSDomainsCritical: true, PermittedDNSDomains: interceptedHosts(),
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: new(big.Int).Add(serial, big.NewInt(1)), Subject: pkix.Name{CommonName: interceptedHosts()[0]}, DNSNames: interceptedHosts(),
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return err
	}
	i.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	i.leaf = tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key}
	return nil
}

// CACertificate returns the certificate of the authority as PEM. Clients have to trust it, for
// example by NODE_EXTRA_CA_CERTS or SSL_CERT_FILE.
func (i *Interceptor) CACertificate() []byte { return slices.Clone(i.ca) }

// TLSConfig returns the configuration of a TLS listener that serves the names.
func (i *Interceptor) TLSConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{i.leaf}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
}

// ServeHTTP serves proxy requests, either CONNECT or with an absolute URL, and plain requests
// as the platform does.
func (i *Interceptor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !fromThisMachine(r.RemoteAddr):
		http.Error(w, "the emulator serves this machine only", http.StatusForbidden)
	case r.Method == http.MethodConnect:
		i.connect(w, r)
	case r.URL.Host != "" && !intercepted(r.URL.Host) && !i.platform.hostAllowed(r.URL.Host):
		refuseHost(w, r.URL.Host)
	default:
		i.platform.ServeHTTP(w, r)
	}
}

// guard refuses requests over TLS from other machines.
func (i *Interceptor) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromThisMachine(r.RemoteAddr) {
			http.Error(w, "the emulator serves this machine only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeTLS serves the platform over TLS, for clients on machines where the names resolve to
// this one. It returns when the listener or the interceptor is closed.
func (i *Interceptor) ServeTLS(l net.Listener) error {
	err := i.inner.Serve(tls.NewListener(l, i.TLSConfig()))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close closes all connections through the interceptor.
func (i *Interceptor) Close() error {
	return errors.Join(i.queue.Close(), i.inner.Close())
}

// connect answers CONNECT and serves TLS on the connection.
func (i *Interceptor) connect(w http.ResponseWriter, r *http.Request) {
	if !intercepted(r.Host) || !strings.HasSuffix(r.Host, ":443") && strings.Contains(r.Host, ":") {
		refuseHost(w, r.Host)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "this connection cannot be taken over", http.StatusInternalServerError)
		return
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		conn.Close()
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		conn.Close()
		return
	}
	i.queue.add(tls.Server(readAhead{conn, buffered.Reader}, i.TLSConfig()))
}

func intercepted(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return slices.Contains(interceptedHosts(), strings.ToLower(strings.TrimSuffix(host, ".")))
}

func refuseHost(w http.ResponseWriter, host string) {
	http.Error(w, fmt.Sprintf("the emulator stands in for %s only, and not for %.80q: name the others in NO_PROXY", strings.Join(interceptedHosts(), " and "), host), http.StatusForbidden)
}

func fromThisMachine(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// readAhead is a connection whose first bytes have already been read.
type readAhead struct {
	net.Conn
	r *bufio.Reader
}

func (c readAhead) Read(b []byte) (int, error) { return c.r.Read(b) }

// connQueue is a listener for connections that another listener has accepted.
type connQueue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (q *connQueue) add(conn net.Conn) {
	select {
	case q.conns <- conn:
	case <-q.done:
		conn.Close()
	}
}

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *connQueue) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
