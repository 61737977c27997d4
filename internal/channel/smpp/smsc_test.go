package smpp

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel/channeltest"
	"github.com/chasqui/chasqui/internal/gateway"
)

const smppPassword = "s3cretpw"

// smsc is an SMS centre, on the PDUs of the library.
type smsc struct {
	t        *testing.T
	listener net.Listener
	work     sync.WaitGroup

	mu          sync.Mutex
	conns       map[*smscConn]bool // bound
	accepted    []net.Conn         // all there ever were
	submits     []*pdu.SubmitSM
	enquired    int
	binds       int
	outstanding int
	most        int // outstanding at once
	bindStatus  data.CommandStatusType
	deaf        bool // answers no enquire_link
	// onSubmit says how a submit_sm is answered, with which identifier; the last is false for no answer at all. It runs on a goroutine of its own.
	onSubmit func(n int, p *pdu.SubmitSM) (string, data.CommandStatusType, bool)
	changed  chan struct{}
}

type smscConn struct {
	s       *smsc
	conn    net.Conn
	writing sync.Mutex

	mu      sync.Mutex
	seq     int32
	waiting map[int32]chan data.CommandStatusType
}

func newSMSC(t *testing.T, config *tls.Config) *smsc {
	t.Helper()
	s := &smsc{t: t, conns: map[*smscConn]bool{}, changed: make(chan struct{})}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.onSubmit = func(n int, _ *pdu.SubmitSM) (string, data.CommandStatusType, bool) {
		return fmt.Sprintf("id%d", n), data.ESME_ROK, true
	}
	accepting := make(chan struct{})
	s.work.Go(func() {
		defer close(accepting)
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.set(func() { s.accepted = append(s.accepted, conn) })
			if config != nil {
				conn = tls.Server(conn, config)
			}
			c := &smscConn{s: s, conn: conn, waiting: map[int32]chan data.CommandStatusType{}}
			s.work.Go(c.serve)
		}
	})
	t.Cleanup(func() { s.listener.Close(); <-accepting; s.drop(); s.work.Wait() })
	return s
}

func (s *smsc) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

// drop breaks every connection.
func (s *smsc) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.accepted {
		conn.Close()
	}
}

// wait waits until so says that it is so, with the centre locked.
func (s *smsc) wait(so func() bool) {
	s.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		s.mu.Lock()
		done, changed := so(), s.changed
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			s.t.Fatal("the SMS centre waited in vain")
		}
	}
}

// took returns the submit_sm that have come, once there are as many.
func (s *smsc) took(n int) []*pdu.SubmitSM {
	s.t.Helper()
	s.wait(func() bool { return len(s.submits) >= n })
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*pdu.SubmitSM(nil), s.submits...)
}

func (c *smscConn) write(p pdu.PDU) {
	buf := pdu.NewBuffer(nil)
	p.Marshal(buf)
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.Write(buf.Bytes())
}

func (c *smscConn) serve() {
	defer func() {
		c.conn.Close()
		c.s.set(func() { delete(c.s.conns, c) })
	}()
	for {
		p, err := pdu.Parse(c.conn)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *pdu.BindRequest:
			answer := p.GetResponse().(*pdu.BindResp)
			c.s.mu.Lock()
			answer.CommandStatus = c.s.bindStatus
			c.s.mu.Unlock()
			if p.SystemID != "shop" || p.Password != smppPassword || p.BindingType != pdu.Transceiver {
				answer.CommandStatus = data.ESME_RINVPASWD
			}
			c.write(answer)
			if answer.CommandStatus != data.ESME_ROK {
				return
			}
			c.s.set(func() { c.s.conns[c] = true; c.s.binds++ })
		case *pdu.SubmitSM:
			c.s.work.Go(func() { c.submit(p) })
		case *pdu.EnquireLink:
			deaf := false
			c.s.set(func() { c.s.enquired++; deaf = c.s.deaf })
			if !deaf {
				c.write(p.GetResponse())
			}
		case *pdu.Unbind:
			c.write(p.GetResponse())
			return
		case *pdu.DeliverSMResp:
			c.mu.Lock()
			if waiting := c.waiting[p.SequenceNumber]; waiting != nil {
				waiting <- p.CommandStatus
			}
			c.mu.Unlock()
		}
	}
}

func (c *smscConn) submit(p *pdu.SubmitSM) {
	var n int
	var how func(int, *pdu.SubmitSM) (string, data.CommandStatusType, bool)
	c.s.set(func() {
		c.s.submits = append(c.s.submits, p)
		c.s.outstanding++
		c.s.most = max(c.s.most, c.s.outstanding)
		n, how = len(c.s.submits), c.s.onSubmit
	})
	id, status, answered := how(n, p)
	c.s.set(func() { c.s.outstanding-- })
	if !answered {
		return
	}
	answer := p.GetResponse().(*pdu.SubmitSMResp)
	answer.MessageID, answer.CommandStatus = id, status
	c.write(answer)
}

// deliver sends a deliver_sm over one of the connections and answers how it was answered.
func (s *smsc) deliver(p *pdu.DeliverSM) data.CommandStatusType {
	s.t.Helper()
	var c *smscConn
	s.wait(func() bool {
		for c = range s.conns {
			return true
		}
		return false
	})
	answer := make(chan data.CommandStatusType, 1)
	c.mu.Lock()
	c.seq++
	p.SetSequenceNumber(c.seq)
	c.waiting[c.seq] = answer
	c.mu.Unlock()
	c.write(p)
	select {
	case status := <-answer:
		return status
	case <-time.After(15 * time.Second):
		s.t.Fatal("a deliver_sm was not answered")
		return 0
	}
}

func deliverSM(from, to string) *pdu.DeliverSM {
	p := pdu.NewDeliverSM().(*pdu.DeliverSM)
	p.SourceAddr, _ = pdu.NewAddressWithTonNpiAddr(1, 1, from)
	p.DestAddr, _ = pdu.NewAddressWithTonNpiAddr(1, 1, to)
	return p
}

// receiptOf is a receipt in the usual text form.
func receiptOf(id, stat, network string) *pdu.DeliverSM {
	p := deliverSM("4479460001", "4470000")
	p.EsmClass = esmReceipt
	text := fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:2605011200 done date:2605011201 stat:%s err:%s text:Hello", id, stat, network)
	p.Message.SetMessageDataWithEncoding([]byte(text), data.GSM7BIT)
	return p
}

// incomingSM is a message from a person.
func incomingSM(text string, enc data.Encoding) *pdu.DeliverSM {
	p := deliverSM("4479460001", "4470000")
	octets, _ := enc.Encode(text)
	p.Message.SetMessageDataWithEncoding(octets, enc)
	return p
}

func smppAccount(s *smsc) *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: gatewayapi.ProviderSMPP, Application: "APP", Secrets: map[string]gateway.Secret{secretPassword: smppPassword},
		Settings: channeltest.Settings(&gatewayapi.SMPPSettings{Host: "127.0.0.1", Port: s.listener.Addr().(*net.TCPAddr).Port, SystemID: "shop", Source: "Shop", ResponseSeconds: 5})}
}
