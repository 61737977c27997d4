// Package guard stands between the network and the handlers. It bounds what a stranger can hold of
// the gateway: connections, bytes of bodies, and time; and it says from which address a request
// came.
package guard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Options are the bounds. Zero values are replaced by the defaults of New.
type Options struct {
	// MaxConnections is how many connections are open at once. One more, and a connection that does
	// nothing for us is closed in its place.
	MaxConnections int
	// MaxBodies is how many bytes of bodies are held at once; requests beyond are answered 503.
	// Half of it is for callers who have not shown who they are.
	MaxBodies int64
	// Grace is the time that every body and every answer has, beside the time for its bytes.
	Grace time.Duration
	// ReadRate and WriteRate are the fewest bytes a second that a caller has to send and take.
	ReadRate, WriteRate int
	// TrustedProxies are the networks of proxies whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// StrictTransport sends Strict-Transport-Security.
	StrictTransport bool
}

// Guard is the bounds at work. It is made by New.
type Guard struct {
	o      Options
	conns  connections
	bodies budget
}

// New makes a guard.
func New(o Options) *Guard {
	if o.MaxConnections == 0 {
		o.MaxConnections = DefaultConnections()
	}
	if o.MaxBodies == 0 {
		o.MaxBodies = 256 << 20
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.ReadRate == 0 {
		o.ReadRate = 100_000
	}
	if o.WriteRate == 0 {
		o.WriteRate = 20_000
	}
	g := &Guard{o: o, bodies: budget{max: o.MaxBodies}}
	g.conns.init(o.MaxConnections)
	return g
}

// DefaultConnections is the number of connections for which half of the files that the process may
// open suffice, at most 10,000.
func DefaultConnections() int { return max(16, min(10_000, openFiles()/2)) }

// ParseProxies reads a list of networks and addresses with commas between.
func ParseProxies(text string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		p, err := netip.ParsePrefix(entry)
		if err != nil {
			ip, err := netip.ParseAddr(entry)
			if err != nil {
				return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", entry)
			}
			p = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

type requestKey struct{}

// held is what the guard knows of a request under way.
type held struct {
	g       *Guard
	client  netip.Addr
	bytes   int64 // of its body
	trusted bool
}

// Handler bounds the requests to a handler.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &held{g: g, client: g.client(r)}
		defer h.release()
		control := http.NewResponseController(w)
		answer := &writer{ResponseWriter: w, control: control, g: g}
		answer.extend(0)
		if g.o.StrictTransport {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		c := connOf(r.Context())
		c.works(true)
		defer c.works(false)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = newBody(r.Body, w, control, h, c)
		}
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), requestKey{}, h)))
		answer.extend(0) // for what is still in the buffer
	})
}

// client is the address that a request came from: that of the connection, or the last one that no
// trusted proxy has.
func (g *Guard) client(r *http.Request) netip.Addr {
	peer := addrOf(r.RemoteAddr)
	if !g.trusts(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip := addrOf(strings.TrimSpace(hops[i]))
		if !ip.IsValid() {
			return peer
		}
		if peer = ip; !g.trusts(ip) {
			return ip
		}
	}
	return peer
}

func (g *Guard) trusts(ip netip.Addr) bool {
	for _, p := range g.o.TrustedProxies {
		if ip.IsValid() && p.Contains(ip) {
			return true
		}
	}
	return false
}

// addrOf reads an address, with or without a port.
func addrOf(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// Client is the address that a request came from, as far as the proxies before the gateway are
// trusted; the zero value when it is not known.
func Client(r *http.Request) netip.Addr {
	if h, ok := r.Context().Value(requestKey{}).(*held); ok {
		return h.client
	}
	return addrOf(r.RemoteAddr)
}

// Trust notes that the caller has shown who they are, so that the body of the request counts as
// theirs.
func Trust(r *http.Request) {
	if h, ok := r.Context().Value(requestKey{}).(*held); ok {
		h.trust()
	}
}
