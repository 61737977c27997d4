package smpp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/internal/channel"
)

const (
	// deliverLanes is how many senders' messages and receipts are stored at once; those of one sender stay in order.
	deliverLanes = 16
	deliverQueue = 8 // waiting in one lane, before the connection is read no further
)

// Errors of a request to an SMS centre. Nothing of a request that was not sent has reached the centre; one that is lost may have.
var (
	errNotSent = errors.New("the connection to the SMS centre is gone")
	errLost    = errors.New("the connection to the SMS centre was lost before its answer")
	errNoReply = errors.New("the SMS centre did not answer in time")
)

// bindError is a centre's refusal of a bind.
type bindError struct{ status data.CommandStatusType }

// Error names the status.
func (e *bindError) Error() string {
	return fmt.Sprintf("the SMS centre refused the bind with status 0x%02X", int32(e.status))
}

// bind is one bound connection to an SMS centre. The PDUs are the library's; the session is ours, because a deliver_sm is answered only once it is committed, while answers
// to our own requests go on being read.
type bind struct {
	conn    net.Conn
	timeout time.Duration // of an answer
	window  chan struct{}
	handle  func(*brought) data.CommandStatusType

	writing sync.Mutex

	mu      sync.Mutex
	seq     int32
	pending map[int32]chan pdu.PDU
	over    bool
	done    chan struct{} // closed when the connection is over

	lanes [deliverLanes]chan *brought
	work  sync.WaitGroup
}

// dialBind connects and binds as transceiver.
//
// Docs: https://smpp.org/SMPP_v3_4_Issue1_2.pdf
func (s *smpp) dialBind(ctx context.Context) (*bind, error) {
	set := s.set
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	conn, err := s.host.Reach.DialContext(channel.DialTimeout)(ctx, "tcp", net.JoinHostPort(set.Host, strconv.Itoa(set.Port)))
	if err != nil {
		return nil, err
	}
	if set.TLS {
		wrapped := tls.Client(conn, channel.TLSConfig(set.Host, set.CACertificates))
		if err := wrapped.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = wrapped
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	b, err := s.bindOn(conn)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return b, nil
}

func (s *smpp) bindOn(conn net.Conn) (*bind, error) {
	set := s.set
	b := &bind{conn: conn, timeout: s.timeout(), window: make(chan struct{}, set.Window), handle: s.deliver, seq: 1, pending: map[int32]chan pdu.PDU{}, done: make(chan struct{})}
	request := pdu.NewBindRequest(pdu.Transceiver)
	request.SystemID, request.Password, request.SystemType = set.SystemID, s.secret(), set.SystemType
	request.SetSequenceNumber(1)
	if _, err := b.write(request); err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(conn, 16<<10)
	f, err := readFrame(reader)
	if err != nil {
		return nil, err
	}
	answer, err := parse(f)
	if err != nil {
		return nil, err
	}
	if status := answer.GetHeader().CommandStatus; status != data.ESME_ROK {
		return nil, &bindError{status}
	}
	if _, ok := answer.(*pdu.BindResp); !ok {
		return nil, errors.New("the SMS centre answered the bind with something else")
	}
	for i := range b.lanes {
		b.lanes[i] = make(chan *brought, deliverQueue)
		b.work.Go(func() { b.serve(b.lanes[i]) })
	}
	b.work.Go(func() { b.read(reader) })
	return b, nil
}

// write sends a PDU and reports whether all of it may have arrived.
func (b *bind) write(p pdu.PDU) (complete bool, err error) {
	buf := pdu.NewBuffer(nil)
	p.Marshal(buf)
	b.writing.Lock()
	defer b.writing.Unlock()
	b.conn.SetWriteDeadline(time.Now().Add(b.timeout))
	n, err := b.conn.Write(buf.Bytes())
	return n == buf.Len(), err
}

// end closes the connection, once.
func (b *bind) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	b.over = true
	close(b.done)
	b.conn.Close()
}

// wait waits for everything that belongs to an ended connection.
func (b *bind) wait() { b.work.Wait() }

// read reads PDUs until the connection is over.
func (b *bind) read(r *bufio.Reader) {
	defer func() {
		b.end()
		for _, lane := range b.lanes {
			close(lane)
		}
	}()
	for {
		f, err := readFrame(r)
		if errors.Is(err, errLength) {
			b.nack(f, data.ESME_RINVCMDLEN)
		}
		if err != nil {
			return
		}
		p, err := parse(f)
		if err != nil {
			b.malformed(f, p)
			continue
		}
		if !b.take(f, p) {
			return
		}
	}
}

// take deals with a PDU; false when the connection is over.
func (b *bind) take(f frame, p pdu.PDU) bool {
	if in := broughtBy(f, p); in != nil {
		select {
		case b.lanes[laneOf(in)] <- in:
			return true
		case <-b.done:
			return false
		}
	}
	switch p := p.(type) {
	case *pdu.EnquireLink:
		b.write(p.GetResponse()) // when this fails the next read does too
	case *pdu.Unbind:
		b.write(p.GetResponse())
		return false
	default:
		if !f.isResponse() { // a request that a centre does not make
			b.nack(f, data.ESME_RINVCMDID)
			return true
		}
		b.answered(p)
	}
	return true
}

// malformed answers a PDU whose inside could not be read, or whose command is not known.
func (b *bind) malformed(f frame, p pdu.PDU) {
	if p == nil {
		b.nack(f, data.ESME_RINVCMDID)
		return
	}
	if answer, ok := p.GetResponse().(*pdu.DeliverSMResp); ok && p.CanResponse() {
		answer.CommandStatus = data.ESME_RX_R_APPN
		answer.SetSequenceNumber(f.sequence())
		b.write(answer)
	}
}

func laneOf(p *brought) int {
	h := fnv.New32a()
	h.Write([]byte(p.SourceAddr.Address()))
	return int(h.Sum32() % deliverLanes)
}

// serve answers what comes in one lane, each once it has been dealt with.
func (b *bind) serve(lane chan *brought) {
	for p := range lane {
		select {
		case <-b.done: // it comes again on the next connection
			continue
		default:
		}
		b.write(p.respond(b.handle(p))) // one that is lost comes again
	}
}

// answered hands an answer to whoever waits for it.
func (b *bind) answered(p pdu.PDU) {
	b.mu.Lock()
	waiting := b.pending[p.GetSequenceNumber()]
	delete(b.pending, p.GetSequenceNumber())
	b.mu.Unlock()
	if waiting != nil {
		waiting <- p
	}
}

// request sends a request within the window and waits for its answer.
func (b *bind) request(ctx context.Context, p pdu.PDU) (pdu.PDU, error) {
	select {
	case b.window <- struct{}{}:
		defer func() { <-b.window }()
	case <-b.done:
		return nil, errNotSent
	case <-ctx.Done():
		return nil, errNotSent
	}
	return b.exchange(ctx, p)
}

// exchange sends a request and waits for its answer.
func (b *bind) exchange(ctx context.Context, p pdu.PDU) (pdu.PDU, error) {
	answer := make(chan pdu.PDU, 1)
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		return nil, errNotSent
	}
	b.seq = b.seq&0x7fffffff + 1
	if b.seq <= 0 {
		b.seq = 1
	}
	seq := b.seq
	b.pending[seq] = answer
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.pending, seq)
		b.mu.Unlock()
	}()
	p.SetSequenceNumber(seq)
	if complete, err := b.write(p); err != nil {
		b.end()
		if complete {
			return nil, errLost
		}
		return nil, errNotSent
	}
	timer := time.NewTimer(b.timeout)
	defer timer.Stop()
	select {
	case p := <-answer:
		return p, nil
	case <-timer.C:
		return nil, errNoReply
	case <-ctx.Done():
		return nil, errLost
	case <-b.done:
		select {
		case p := <-answer: // it came with the last bytes
			return p, nil
		default:
			return nil, errLost
		}
	}
}

// unbind parts from the centre, if it answers within a second, and ends the connection.
func (b *bind) unbind() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b.exchange(ctx, pdu.NewUnbind()) // whatever it says, we go
	b.end()
	b.wait()
}

// tend asks now and then whether the centre is still there, until the connection is over.
func (b *bind) tend(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-b.done:
			return
		case <-tick.C:
			if _, err := b.exchange(context.Background(), pdu.NewEnquireLink()); err != nil {
				b.end()
				return
			}
		}
	}
}
