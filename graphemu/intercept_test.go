package graphemu_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// intercepted is a platform behind an interceptor, and a client that trusts its
// authority alone.
type intercepted struct {
	*graphemu.Interceptor
	server *httptest.Server
	page   graphemu.Page
	tls    *tls.Config
}

func newIntercepted(t *testing.T) *intercepted {
	t.Helper()
	emu := &graphemu.Server{Quiet: true}
	interceptor, err := graphemu.NewInterceptor(emu)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(interceptor)
	t.Cleanup(func() {
		if err := interceptor.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		emu.Close()
	})
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(interceptor.CACertificate()) {
		t.Fatal("the authority's certificate cannot be read")
	}
	return &intercepted{interceptor, server, emu.AddPage(graphemu.Page{Name: "Inca Coffee"}), &tls.Config{RootCAs: roots}}
}

// client uses the interceptor as its proxy.
func (i *intercepted) client(t *testing.T) *http.Client {
	proxy, err := url.Parse(i.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: i.tls}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestIntercept calls the platform by its own names, through a proxy.
func TestIntercept(t *testing.T) {
	t.Parallel()
	i := newIntercepted(t)
	client := i.client(t)
	for _, base := range []string{"https://graph.facebook.com", "https://graph.instagram.com", "http://graph.facebook.com", i.server.URL} {
		for range 2 { // the second time over the same connection
			resp, err := client.Get(base + "/v26.0/me?access_token=" + i.page.AccessToken)
			if err != nil {
				t.Fatalf("%s: %v", base, err)
			}
			var got struct{ Name string }
			err = json.NewDecoder(resp.Body).Decode(&got)
			resp.Body.Close()
			if err != nil || got.Name != "Inca Coffee" {
				t.Errorf("%s: %d %+v %v", base, resp.StatusCode, got, err)
			}
		}
	}
}

// TestInterceptOnlyItsNames refuses every other name, by CONNECT and with the
// whole address, and does not vouch for it.
func TestInterceptOnlyItsNames(t *testing.T) {
	t.Parallel()
	i := newIntercepted(t)
	client := i.client(t)
	for _, address := range []string{"https://example.com/", "https://graph.facebook.com:8443/", "https://graph.facebook.com.example.com/", "https://127.0.0.1:1/"} {
		resp, err := client.Get(address)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: status %d", address, resp.StatusCode)
		}
	}
	resp, err := client.Get("http://example.com/v26.0/me")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusForbidden || !strings.Contains(string(b), "NO_PROXY") {
		t.Errorf("status %d, %q, %v", resp.StatusCode, b, err)
	}
	block, _ := pem.Decode(i.CACertificate())
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !ca.PermittedDNSDomainsCritical || strings.Join(ca.PermittedDNSDomains, " ") != "graph.facebook.com graph.instagram.com" || strings.Contains(string(i.CACertificate()), "PRIVATE") {
		t.Errorf("the authority may vouch for %v", ca.PermittedDNSDomains)
	}
	// A caller who is not on this machine gets nothing.
	for _, method := range []string{http.MethodConnect, http.MethodGet} {
		r := httptest.NewRequest(method, "http://graph.facebook.com:443/v26.0/me", http.NoBody)
		r.RemoteAddr = "192.0.2.7:4000"
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s from another machine: %d", method, w.Code)
		}
	}
}

// TestInterceptTLS serves the names over TLS, for who needs no proxy.
func TestInterceptTLS(t *testing.T) {
	t.Parallel()
	i := newIntercepted(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- i.ServeTLS(l) }()
	transport := &http.Transport{TLSClientConfig: i.tls, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}}
	resp, err := (&http.Client{Transport: transport}).Get("https://graph.facebook.com/v26.0/me?access_token=" + i.page.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
