package smpp

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	smpperrors "github.com/linxGnu/gosmpp/errors"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/gateway"
)

// errUnknownCommand is the library's error for a command that SMPP 3.4 does not have.
var errUnknownCommand = smpperrors.ErrUnknownCommandID

const (
	longestPause = time.Minute
	// bindPatience is how long a message waits for the first connection that is being made.
	bindPatience = 3 * time.Second
	// stopPatience is how long requests under way may take when an account changes.
	stopPatience = 5 * time.Second
	// earlyReports is how many receipts that were quicker than the answer to their submission are reported at once; more wait for the next sweep.
	earlyReports = 32
)

// smpp is an account at an SMS centre, to which this node keeps one connection bound as transceiver.
type smpp struct {
	host    *channel.Host
	account *gateway.ChannelAccount
	set     *gatewayapi.SMPPSettings
	log     *slog.Logger

	mu      sync.Mutex
	current *bind         // nil while there is none
	trouble error         // why there is none
	changed chan struct{} // closed when either changes
	lost    time.Time     // when the last connection that was bound ended; zero before

	gate sync.RWMutex // held for reading by each message under way
	over bool         // no more messages are taken

	ctx    context.Context // of what goes on beside messages; ends with stop
	cancel context.CancelFunc
	work   sync.WaitGroup
	early  chan struct{} // slots for reports that were quicker than answers
}

func open(h *channel.Host, a *gateway.ChannelAccount, set *gatewayapi.SMPPSettings) channel.Account {
	s := &smpp{host: h, account: a, set: set, log: h.Logger.With("account", a.ID), changed: make(chan struct{}), early: make(chan struct{}, earlyReports)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *smpp) timeout() time.Duration {
	return time.Duration(s.set.ResponseSeconds) * time.Second
}

func (s *smpp) secret() string { return s.account.Secrets[secretPassword].Reveal() }

// Start begins to keep the connection.
func (s *smpp) Start() {
	s.work.Go(func() { s.run(s.ctx) })
}

// Stop lets requests under way end, for a while, and parts from the centre.
func (s *smpp) Stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		s.gate.Lock()
		s.over = true
		s.gate.Unlock()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	s.cancel()
	<-ended // the connection is over, and with it every request
	s.work.Wait()
}

// run keeps the connection bound until ctx ends. A new try after a loss waits longer each time, up to a minute.
func (s *smpp) run(ctx context.Context) {
	pause := s.host.FirstPause
	for ctx.Err() == nil {
		b, err := s.dialBind(ctx)
		if err == nil {
			bound := s.host.Now()
			s.log.Info("bound to the SMS centre")
			s.became(b, nil)
			s.serve(ctx, b)
			if ctx.Err() != nil {
				return
			}
			err = errNotSent
			if s.host.Now().Sub(bound) > longestPause {
				pause = s.host.FirstPause
			}
		}
		s.became(nil, err)
		s.log.Warn("not bound to the SMS centre", "err", channel.Plain(err), "next_try", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
}

// serve tends a bound connection until it is over or ctx ends.
func (s *smpp) serve(ctx context.Context, b *bind) {
	stop := context.AfterFunc(ctx, func() { b.unbind() })
	b.tend(time.Duration(s.set.EnquireLinkSeconds) * time.Second)
	s.mu.Lock()
	s.lost = s.host.Now()
	s.mu.Unlock()
	s.became(nil, errNotSent)
	stop()
	b.end()
	b.wait()
}

func (s *smpp) became(b *bind, trouble error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.trouble = b, trouble
	close(s.changed)
	s.changed = make(chan struct{})
}

// bound returns the connection. While the first one is being made it waits a moment for it.
func (s *smpp) bound(ctx context.Context) (*bind, *gateway.ChannelError) {
	s.mu.Lock()
	b, trouble, changed := s.current, s.trouble, s.changed
	s.mu.Unlock()
	if b == nil && trouble == nil {
		patience := time.NewTimer(bindPatience)
		defer patience.Stop()
		select {
		case <-changed:
		case <-patience.C:
		case <-ctx.Done():
		}
		s.mu.Lock()
		b, trouble = s.current, s.trouble
		s.mu.Unlock()
	}
	switch {
	case b != nil:
		return b, nil
	case trouble == nil:
		trouble = errNotSent
	}
	refusal := bindRefusal(trouble)
	if s.rebinding(trouble) {
		refusal = channel.Later(gateway.FailureProviderUnavailable, "%s; it was bound a moment ago", trouble)
	}
	if refusal.Kind == gateway.ChannelRetry {
		refusal.After = time.Second
	}
	return nil, refusal
}

// rebindPatience is for how long an account that was bound is tried again although the centre says that the bind failed: many do so until they have noticed themselves
// that the last connection is gone.
const rebindPatience = 15 * time.Minute

// rebinding reports whether a refusal to bind says no more than that the centre is not ready for an account that it knew a moment ago.
func (s *smpp) rebinding(err error) bool {
	var refusal *bindError
	if !errors.As(err, &refusal) || refusal.status != data.ESME_RBINDFAIL {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.lost.IsZero() && s.host.Now().Sub(s.lost) < rebindPatience
}

// bindRefusal is what follows from a bind that did not come about; nil for no error.
func bindRefusal(err error) *gateway.ChannelError {
	var refusal *bindError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		switch refusal.status {
		case data.ESME_RBINDFAIL, data.ESME_RINVPASWD, data.ESME_RINVSYSID, data.ESME_RINVSYSTYP, data.ESME_RPROVNOTALLWD:
			e := channel.Refused(gateway.FailureAccountRefused, "%s", refusal)
			e.Failure.PlatformCode = int(refusal.status)
			return e
		}
		e := channel.Later(gateway.FailureProviderUnavailable, "%s", refusal)
		e.Failure.PlatformCode = int(refusal.status)
		return e
	}
	return channel.Unreached(err)
}

// Connected says whether this node has its connection.
func (s *smpp) Connected() (connected, keeps bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current != nil, true
}

// Check binds and unbinds.
func (s *smpp) Check(ctx context.Context) *gateway.ChannelError {
	b, err := s.dialBind(ctx)
	if err != nil {
		return bindRefusal(err)
	}
	b.unbind()
	return nil
}
