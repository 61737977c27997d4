//go:build unix

package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// The random faults of machine, network and database. CHASQUI_CHAOS says how many, CHASQUI_SEED
// which: the test logs the seed it took.

// chaosPace is slower than a conversation can be sent on a busy machine: what waits is to wait for
// a fault, and not for its turn.
const chaosPace = 500 * time.Millisecond

// chaos is a gateway of several nodes under load, with a ledger of what it has acknowledged.
type chaos struct {
	t        *testing.T
	chance   *rand.Rand
	cluster  *storetest.Cluster
	nodes    []*chaosNode
	front    *world    // whose address is the balancer's
	balancer *balancer // nil before a gateway alone
	page     *page
	persons  []string
	ledger   *ledger
	pulled   *follower
}

// chaosNode is a gateway in a process of its own, with a wire of its own to the database.
type chaosNode struct {
	w    *world
	wire *storetest.Wire
	args []string
	g    *process
}

func (n *chaosNode) start() { n.g = n.w.serve(n.args...) }

// balancer hands requests to whichever node answers. One that did not, or said that it could not,
// is asked last for a while, as by any balancer that looks at /readyz.
type balancer struct {
	nodes []string
	http  http.Client

	hurried atomic.Bool // a node that does not answer within nodePatience is left for another

	mu  sync.Mutex
	bad map[string]time.Time // until when a node is asked last
}

// nodePatience is for how long a node is waited for once faults are made. Before, on a machine that
// does much else, connecting a page may take longer.
const nodePatience = 4 * time.Second

// ask passes a request on to a node and reads its answer.
func (b *balancer) ask(node string, r *http.Request, body []byte) (*http.Response, []byte, error) {
	ctx := r.Context()
	if b.hurried.Load() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, nodePatience)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, node+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = r.Header.Clone()
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, answer, err
}

// order is the nodes as they are to be tried.
func (b *balancer) order() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	nodes := slices.Clone(b.nodes)
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	slices.SortStableFunc(nodes, func(x, y string) int { return b.bad[x].Compare(b.bad[y]) })
	return nodes
}

func (b *balancer) judge(node string, well bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !well:
		b.bad[node] = time.Now().Add(2 * time.Second)
	case time.Now().After(b.bad[node]):
		delete(b.bad, node)
	}
}

// ServeHTTP tries the nodes in a random order.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	for _, node := range b.order() {
		resp, answer, err := b.ask(node, r, body)
		if err != nil {
			b.judge(node, r.Context().Err() != nil)
			continue
		}
		well := resp.StatusCode != http.StatusServiceUnavailable
		b.judge(node, well)
		if !well {
			continue
		}
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		w.Write(answer)
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

func startChaos(t *testing.T, nodes int) *chaos {
	t.Helper()
	if slow {
		t.Skip("the nodes are processes of their own, of which the race detector sees nothing")
	}
	seed := number(t, "CHASQUI_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("CHASQUI_SEED=%d", seed)
	x := &chaos{t: t, chance: rand.New(rand.NewPCG(uint64(seed), 1)), cluster: storetest.NewCluster(t), ledger: &ledger{accepted: map[string][]accepted{}, written: map[string][]string{}, every: chaosPace}}
	platform := startPlatform(t, func(s *graphemu.Server) {
		s.Latency = jitter
		s.Latency.Seed = uint64(seed)
	})
	b := &balancer{bad: map[string]time.Time{}, http: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	x.balancer = b
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	settings := func(c *config.Config) {
		c.Store = x.cluster.URL
		c.Uncertain.Wait, c.Uncertain.GiveUp = 500*time.Millisecond, 5*time.Second
	}
	x.front = newWorld(t, platform, settings)
	x.front.url = front.URL
	keys := filepath.Join(x.front.config.Data, "chasqui.key")
	for range nodes {
		n := &chaosNode{w: newWorld(t, platform, settings), args: []string{"--key-file", keys, "--forward-allow-private=127.0.0.0/8", "--public-url", front.URL}}
		n.w.config.Addr = freeAddr(t)
		n.w.url = "http://" + n.w.config.Addr
		n.w.config.Store, n.wire = storetest.NewWire(t, x.cluster.URL)
		b.nodes = append(b.nodes, n.w.url)
		x.nodes = append(x.nodes, n)
	}
	var starting sync.WaitGroup
	for _, n := range x.nodes { // together, on an empty database
		starting.Go(n.start)
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow() // a node could not start
	}
	x.front.use(strings.TrimSpace(x.front.run("key", "create", "--key-file", keys)))
	x.page = x.front.connect(graphemu.Page{})
	x.persons = x.page.people(8)
	return x
}

// run makes faults under load, and holds what comes out to the ledger.
func (x *chaos) run(rounds int, faults map[string]func()) {
	x.t.Helper()
	x.t.Cleanup(x.tell)
	customer := startReceiver(x.t, nil)
	x.front.forward(customer, inboundOnly)
	x.pulled = x.front.follow(x.front.pull("message.inbound").id)
	if x.balancer != nil { // a gateway alone has none before it
		if x.balancer != nil {
			x.balancer.hurried.Store(true)
		}
	}
	x.ledger.behind = x.behind
	load, end := context.WithCancel(x.t.Context())
	defer end()
	var workers sync.WaitGroup
	for i, psid := range x.persons {
		workers.Go(func() { x.ledger.write(load, x.page, psid, i) })
		workers.Go(func() { x.ledger.send(load, x.page, psid, i) })
	}
	names := slices.Sorted(maps.Keys(faults)) // so that the seed alone decides
	for round := range rounds {
		name := names[x.chance.IntN(len(names))]
		if round < len(names) && rounds >= len(names) {
			name = names[round] // each at least once
		}
		x.t.Logf("round %d: %s", round+1, name)
		faults[name]()
		x.getsOn("after " + name)
	}
	end()
	workers.Wait()
	x.ledger.settle(x.t, x.front, x.page)
	out := x.ledger.checkOutbound(x.t, x.front, x.page)
	in := x.ledger.checkInbound(x.t, x.pulled, customer)
	x.t.Logf("out: %s; in: %s; %d calls made again", out, in, x.ledger.again)
}

// behind is how many messages to a person wait to be sent, and how many of theirs to be read.
func (x *chaos) behind(psid string) (out, in int) {
	sent := len(x.page.thread(psid))
	x.pulled.mu.Lock()
	read := 0
	for _, e := range x.pulled.events {
		if e.Person.ID == psid {
			read++
		}
	}
	x.pulled.mu.Unlock()
	x.ledger.mu.Lock()
	defer x.ledger.mu.Unlock()
	return len(x.ledger.accepted[psid]) - sent, len(x.ledger.written[psid]) - read
}

// getsOn waits until every conversation has got on from where it is now, both ways: what is
// accepted from here on is sent, and what is written is read.
func (x *chaos) getsOn(what string) {
	x.t.Helper()
	x.ledger.mu.Lock()
	sent, written := map[string]int{}, map[string]int{}
	for _, psid := range x.persons {
		sent[psid], written[psid] = len(x.ledger.accepted[psid]), len(x.ledger.written[psid])
	}
	x.ledger.mu.Unlock()
	await(x.t, what+" every conversation to get on", func() (bool, string) {
		x.ledger.mu.Lock()
		defer x.ledger.mu.Unlock()
		x.pulled.mu.Lock()
		read := map[string]bool{}
		for _, e := range x.pulled.events {
			read[dataOf[struct{ PlatformMessageID string }](x.t, e).PlatformMessageID] = true
		}
		x.pulled.mu.Unlock()
		for i, psid := range x.persons {
			thread := map[string]bool{}
			for _, text := range x.page.thread(psid) {
				thread[text] = true
			}
			there := false
			for _, m := range x.ledger.accepted[psid][sent[psid]:] {
				there = there || thread[m.text]
			}
			come := false
			for _, mid := range x.ledger.written[psid][written[psid]:] {
				come = come || read[mid]
			}
			if !there || !come {
				return false, fmt.Sprintf("person %d: sent %v, read %v; %d read in all", i, there, come, len(read))
			}
		}
		return true, ""
	})
}

// tell says what there is to look at after a failure: what the nodes logged last, and the messages
// that are not done.
func (x *chaos) tell() {
	if !x.t.Failed() {
		return
	}
	db, err := sql.Open("pgx", x.front.config.Store)
	if err != nil {
		return
	}
	defer db.Close()
	defer func() {
		for i, n := range x.nodes {
			n.g.kill()
			lines := strings.Split(strings.TrimSpace(n.g.log.String()), "\n")
			x.t.Logf("node %d, last of %d lines:\n%s", i, len(lines), strings.Join(lines[max(0, len(lines)-12):], "\n"))
		}
	}()
	if x.cluster == nil {
		return
	}
	for _, query := range []string{
		`SELECT 'message ' || seq || ' to ' || person || ' in partition ' || part || ': ' || status || ', ' || parts_sent || ' sent, echoed ' || echoed || ', epoch ' || epoch FROM messages WHERE open = 1 AND status <> 'queued' ORDER BY person, seq LIMIT 20`,
		`SELECT 'person ' || person || ': ' || COUNT(*) || ' open, from ' || MIN(seq) FROM messages WHERE open = 1 GROUP BY person`,
		`SELECT 'node ' || owner || ' holds ' || COUNT(*) || ' partitions, ' || string_agg(part || '/' || epoch, ' ') || ', for ' || MAX(expires_at) - CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) || ' ms' FROM leases GROUP BY owner`,
		`SELECT 'session ' || pid || ' ' || application_name || ' ' || COALESCE(state, '') || ' ' || COALESCE(wait_event, '') || ' since ' || now() - state_change || ': ' || left(query, 80) FROM pg_stat_activity WHERE backend_type = 'client backend' AND (xact_start IS NOT NULL)`,
	} {
		rows, err := db.Query(query)
		if err != nil {
			x.t.Log(err)
			continue
		}
		for rows.Next() {
			var line sql.NullString
			if rows.Scan(&line) == nil {
				x.t.Log(line.String)
			}
		}
		rows.Close()
	}
}

func (x *chaos) node() *chaosNode { return x.nodes[x.chance.IntN(len(x.nodes))] }

// moment is how long a fault without a natural end lasts.
func (x *chaos) moment() { <-time.After(time.Duration(200+x.chance.IntN(1500)) * time.Millisecond) }

func (x *chaos) kill() {
	n := x.node()
	n.g.kill()
	x.moment()
	n.start()
}

// stop suspends a node until the others have taken over all that it worked.
func (x *chaos) stop() {
	n := x.node()
	x.signal(n, syscall.SIGSTOP)
	x.getsOn("while a node is suspended")
	x.signal(n, syscall.SIGCONT)
}

func (x *chaos) signal(n *chaosNode, s syscall.Signal) {
	x.t.Helper()
	if err := n.g.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

// silence lets nothing pass between a node and the database, without closing anything, until the
// others have taken over.
func (x *chaos) silence() {
	n := x.node()
	n.wire.Silence()
	x.getsOn("while a node hears nothing of the database")
	n.wire.Restore()
}

func (x *chaos) restart() {
	n := x.node()
	x.signal(n, syscall.SIGTERM)
	select {
	case <-n.g.ended:
	case <-time.After(patience):
		x.t.Fatal("a node does not end")
	}
	n.start()
}

func (x *chaos) database() {
	x.cluster.Kill()
	x.moment()
	if err := x.cluster.Start(); err != nil {
		x.t.Fatal(err)
	}
}

// lock holds tables that every commit needs, for longer than a lease.
func (x *chaos) lock() {
	db, err := sql.Open("pgx", x.cluster.URL)
	if err != nil {
		x.t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		x.t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec(`LOCK TABLE ` + []string{"log_head", "messages", "leases", "events"}[x.chance.IntN(4)] + ` IN ACCESS EXCLUSIVE MODE`); err != nil {
		x.t.Fatal(err)
	}
	// Meanwhile nobody says that all is well.
	await(x.t, "the nodes to say that they are not ready", func() (bool, string) {
		ready := 0
		for _, n := range x.nodes {
			if probe(n.w.url+"/readyz") == http.StatusOK {
				ready++
			}
		}
		return ready == 0, fmt.Sprintf("%d say that they are", ready)
	})
}

// Whatever happens to nodes, network and database, what was acknowledged comes out once and in
// order, nothing is stuck, and a node that is stopped or cut off holds up nobody until it comes
// back.
func TestChaosOfNodes(t *testing.T) {
	t.Parallel()
	x := startChaos(t, 3)
	x.run(number(t, "CHASQUI_CHAOS", 3), map[string]func(){"kill": x.kill, "stop": x.stop, "silence": x.silence, "restart": x.restart, "database": x.database, "lock": x.lock})
}

// The same for a gateway alone with its file.
func TestChaosOfAFile(t *testing.T) {
	t.Parallel()
	seed := number(t, "CHASQUI_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("CHASQUI_SEED=%d", seed)
	p := startPlatform(t, func(s *graphemu.Server) {
		s.Latency = jitter
		s.Latency.Seed = uint64(seed)
	})
	flags := []string{"--forward-allow-private=127.0.0.0/8"}
	w, g := startApart(t, p, func(c *config.Config) {
		c.Store = ""
		c.Uncertain.Wait, c.Uncertain.GiveUp = 500*time.Millisecond, 5*time.Second
	}, flags...)
	x := &chaos{t: t, chance: rand.New(rand.NewPCG(uint64(seed), 2)), front: w, ledger: &ledger{accepted: map[string][]accepted{}, written: map[string][]string{}, every: chaosPace}}
	x.page = w.connect(graphemu.Page{})
	x.persons = x.page.people(8)
	n := &chaosNode{w: w, args: flags, g: g}
	x.nodes = []*chaosNode{n}
	x.run(number(t, "CHASQUI_CHAOS", 3), map[string]func(){"kill": x.kill, "restart": x.restart, "stop": func() {
		x.signal(n, syscall.SIGSTOP)
		x.moment()
		x.signal(n, syscall.SIGCONT)
	}, "kill while starting": func() {
		n.g.kill()
		program, err := build()
		if err != nil {
			t.Fatal(err)
		}
		half := command(t.Context(), program, w.serveArgs(flags...)...)
		if err := half.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(x.chance.IntN(400)) * time.Millisecond)
		half.Process.Kill()
		half.Wait() // it was killed
		n.start()
	}})
}
