// Package reach decides which addresses the gateway's own requests may go to: every public one, and
// of the others those that the operator allows. Each connection is judged by the address that it is
// about to be made to, after names were resolved, so that neither a redirect nor a name that
// changes its address leads around it.
package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// ErrRefused is in every error of a connection that was not made because its address is private or
// reserved.
var ErrRefused = errors.New("the address is private or reserved, and not allowed")

// Allowed is what may be reached beside public addresses. It is made once and not changed; the zero
// value and nil allow nothing.
type Allowed struct {
	prefixes []netip.Prefix
	hosts    map[string]bool // names, with or without a port
}

// private are the networks that the word true stands for: this machine, and private networks.
var private = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}

// never are addresses that nothing may open: those of one link, and those at which clouds hand out
// a machine's credentials.
var never = prefixes("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
	"::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(:[0-9]{1,5})?$`)

// Parse reads a list with commas between: networks such as 10.0.0.0/8, addresses, and names of
// hosts, which may have a port. The word true stands for this machine and all private networks,
// false and an empty text for nothing.
func Parse(text string) (*Allowed, error) {
	a := &Allowed{hosts: map[string]bool{}}
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if entry == "" || entry == "false" {
			continue
		}
		if entry == "true" {
			a.prefixes = append(a.prefixes, prefixes(private...)...)
			continue
		}
		if p, err := netip.ParsePrefix(entry); err == nil {
			a.prefixes = append(a.prefixes, p.Masked())
			continue
		}
		if ip, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
			a.prefixes = append(a.prefixes, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			continue
		}
		if !hostName.MatchString(entry) || numeric(entry) {
			return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8, nor an address, nor the name of a host, nor true or false", entry)
		}
		a.hosts[entry] = true
	}
	return a, nil
}

// Named allows whatever address the given hosts have, each written with its port as in
// localhost:8080.
func Named(hosts ...string) *Allowed {
	a := &Allowed{hosts: map[string]bool{}}
	for _, h := range hosts {
		a.hosts[strings.ToLower(h)] = true
	}
	return a
}

// WithLoopback allows this machine too.
func (a *Allowed) WithLoopback() *Allowed {
	if a == nil {
		a = new(Allowed)
	}
	return &Allowed{prefixes: append(prefixes("127.0.0.0/8", "::1/128"), a.prefixes...), hosts: a.hosts}
}

// DialContext makes a connection as a net.Dialer does, within timeout, unless its address is
// refused: then ErrRefused is in the error.
func (a *Allowed) DialContext(timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	if a == nil {
		a = new(Allowed)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		named := a.hosts[strings.ToLower(strings.TrimSuffix(host, "."))] || a.hosts[strings.ToLower(address)]
		dialer := net.Dialer{Timeout: timeout, Control: func(_, resolved string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fmt.Errorf("%w: %s", ErrRefused, err)
			}
			return a.judge(to.Addr(), named)
		}}
		return dialer.DialContext(ctx, network, address)
	}
}

var public = ssrf.New(ssrf.WithAnyPort())

// judge reports whether an address may be reached; named tells that the operator has allowed the
// name it was found by.
func (a *Allowed) judge(ip netip.Addr, named bool) error {
	plain := ip.WithZone("").Unmap()
	for _, inner := range append(within(plain), plain) {
		for _, p := range never {
			if p.Contains(inner) {
				return fmt.Errorf("%w: %s never is", ErrRefused, ip)
			}
		}
	}
	if named {
		return nil
	}
	for _, p := range a.prefixes {
		if p.Contains(plain) {
			return nil
		}
	}
	if err := public.SafeAddr(ip); err != nil {
		return fmt.Errorf("%w: %s", ErrRefused, ip)
	}
	return nil
}

// within returns the IPv4 address that an IPv6 address stands for on its way through a translator,
// if any.
func within(ip netip.Addr) []netip.Addr {
	if !ip.Is6() {
		return nil
	}
	b := ip.As16()
	last, sixToFour := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[2:6]))
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip), netip.MustParsePrefix("64:ff9b:1::/48").Contains(ip), netip.MustParsePrefix("::/96").Contains(ip) && !ip.IsLoopback():
		return []netip.Addr{last}
	case netip.MustParsePrefix("2002::/16").Contains(ip):
		return []netip.Addr{sixToFour}
	}
	return nil
}

// Check reports whether a URL, or a host, names an address that cannot be reached; a name that has
// to be resolved is judged when it is. It spares callers the wait for a first try.
func (a *Allowed) Check(address string) error {
	if a == nil {
		a = new(Allowed)
	}
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Hostname()
		if a.hosts[strings.ToLower(u.Host)] {
			return nil
		}
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if a.hosts[host] {
		return nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return a.judge(ip, false)
	case numeric(host):
		return fmt.Errorf("%w: %s is not a plain form of an address", ErrRefused, host)
	}
	return nil
}

// numeric reports whether a host is an IPv4 address in one of the forms that some resolvers take
// beside four decimal numbers.
func numeric(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
