package guard

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// connections are those that are open. When there is one too many, the gateway does not wait for
// somebody to go: it closes one that does nothing, of the address that has the most.
type connections struct {
	max int

	mu   sync.Mutex
	free sync.Cond
	open map[*conn]struct{}
	of   map[netip.Addr]int
}

func (c *connections) init(most int) {
	c.max, c.open, c.of = most, map[*conn]struct{}{}, map[netip.Addr]int{}
	c.free.L = &c.mu
}

// conn is an open connection.
type conn struct {
	net.Conn
	all   *connections
	from  netip.Addr
	busy  bool      // a handler is at work for it
	since time.Time // when it became so, or stopped
	gone  bool
}

// Listener bounds the connections of a listener.
func (g *Guard) Listener(l net.Listener) net.Listener { return &listener{l, &g.conns} }

type listener struct {
	net.Listener
	all *connections
}

// Accept takes the next connection, and closes another where there are too many.
func (l *listener) Accept() (net.Conn, error) {
	l.all.room()
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.all.add(c), nil
}

// room waits until there is room for one more, and makes it where it can.
func (c *connections) room() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) >= c.max {
		if victim := c.victim(); victim != nil {
			c.remove(victim)
			victim.Conn.Close() // its reader sees the end
			return
		}
		c.free.Wait()
	}
}

// looked is how many idle connections are compared, so that a flood of new ones does not cost more
// the more there are. A map begins anywhere: they are another lot each time.
const looked = 256

// victim is the connection that has done nothing for the longest time, of the address that has the
// most of them, among those that are looked at; nil when all are at work.
func (c *connections) victim() *conn {
	var found *conn
	idle := 0
	for x := range c.open {
		if x.busy {
			continue
		}
		if idle++; idle > looked {
			break
		}
		if found == nil || c.of[x.from] > c.of[found.from] || c.of[x.from] == c.of[found.from] && x.since.Before(found.since) {
			found = x
		}
	}
	return found
}

func (c *connections) add(raw net.Conn) *conn {
	x := &conn{Conn: raw, all: c, from: addrOf(raw.RemoteAddr().String()), since: time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[x] = struct{}{}
	c.of[x.from]++
	return x
}

func (c *connections) remove(x *conn) {
	if x.gone {
		return
	}
	x.gone = true
	delete(c.open, x)
	if c.of[x.from]--; c.of[x.from] == 0 {
		delete(c.of, x.from)
	}
	c.free.Signal()
}

// works notes whether a handler is at work for the connection. While it waits for a body it is not.
func (x *conn) works(busy bool) {
	if x == nil {
		return
	}
	x.all.mu.Lock()
	defer x.all.mu.Unlock()
	x.busy, x.since = busy, time.Now()
	if !busy {
		x.all.free.Signal()
	}
}

// Close closes the connection.
func (x *conn) Close() error {
	x.all.mu.Lock()
	x.all.remove(x)
	x.all.mu.Unlock()
	return x.Conn.Close()
}

type connKey struct{}

// Context puts a connection into the context of its requests; it is for http.Server's ConnContext.
func (g *Guard) Context(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	if x, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, x)
	}
	return ctx
}

func connOf(ctx context.Context) *conn {
	x, _ := ctx.Value(connKey{}).(*conn)
	return x
}

// Open is how many connections there are.
func (g *Guard) Open() int {
	g.conns.mu.Lock()
	defer g.conns.mu.Unlock()
	return len(g.conns.open)
}
