package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/chasqui/chasqui/graphemu"
)

// intercept makes the platform stand in for the real one's names, if it is to. It returns what
// serves the main address, and what ends the rest.
func (cmd emulateCmd) intercept(platform *graphemu.Server, shown *emulated, failed chan<- error) (http.Handler, func(), error) {
	nothing := func() {}
	if !cmd.Proxy {
		if cmd.TLSAddr != "" || cmd.CAFile != "" {
			return nil, nil, usageError{errors.New("--tls-addr and --ca-file belong to --intercept")}
		}
		return platform, nothing, nil
	}
	for _, flag := range []struct{ name, addr string }{{"--addr", cmd.Addr}, {"--tls-addr", cmd.TLSAddr}} {
		if flag.addr != "" && !loopback(flag.addr) {
			return nil, nil, usageError{fmt.Errorf("%s: with --intercept it has to be an address of this machine alone, such as 127.0.0.1:8081, and not %q", flag.name, flag.addr)}
		}
	}
	interceptor, err := graphemu.NewInterceptor(platform)
	if err != nil {
		return nil, nil, err
	}
	end := func() { interceptor.Close() }
	shown.CACertificate = string(interceptor.CACertificate())
	if cmd.CAFile != "" {
		if err := os.WriteFile(cmd.CAFile, interceptor.CACertificate(), 0o644); err != nil {
			end()
			return nil, nil, fmt.Errorf("--ca-file: %w", err)
		}
	}
	if cmd.TLSAddr == "" {
		return interceptor, end, nil
	}
	l, err := net.Listen("tcp", cmd.TLSAddr)
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("listen on %s, which --tls-addr changes: %w", cmd.TLSAddr, err)
	}
	shown.TLS = l.Addr().String()
	go func() {
		if err := interceptor.ServeTLS(l); err != nil {
			failed <- err
		}
	}()
	return interceptor, end, nil
}

// loopback tells an address of this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// announceIntercept prints what a program has to be told.
func (cmd emulateCmd) announceIntercept(c console, shown emulated) error {
	if !cmd.Proxy {
		return nil
	}
	trust := cmd.CAFile
	if trust == "" {
		trust = "the certificate below, in a file"
	}
	_, err := fmt.Fprintf(c.stdout, `
It stands in for graph.facebook.com and graph.instagram.com. Start the program with
  HTTPS_PROXY=%s HTTP_PROXY=%s NO_PROXY=localhost,127.0.0.1
and let it trust %s:
  NODE_EXTRA_CA_CERTS (Node), SSL_CERT_FILE (Go, Ruby, PHP), REQUESTS_CA_BUNDLE (Python), curl --cacert
`, shown.Platform, shown.Platform, trust)
	if err == nil && shown.TLS != "" {
		_, err = fmt.Fprintf(c.stdout, "Without a proxy: the names in /etc/hosts lead to %s over TLS.\n", shown.TLS)
	}
	if err == nil && cmd.CAFile == "" {
		_, err = fmt.Fprintf(c.stdout, "\n%s", shown.CACertificate)
	}
	return err
}
