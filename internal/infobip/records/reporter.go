package records

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/store"
)

const (
	reportsInFlight = 64 // reports that are posted at once
	reportsPerHost  = 8  // and to one host

	lookAgain = 500 * time.Millisecond // for reports that have become due
)

// Reporter makes the delivery reports that messages have asked for, and posts them, each to the URL
// that its message named. It is made by NewReporter, started once and stopped once.
type Reporter struct {
	db     db
	send   Post
	log    *slog.Logger
	read   store.Consumer
	made   chan struct{} // has an element when there may be new ones
	posts  sync.WaitGroup
	cancel context.CancelFunc
	work   sync.WaitGroup
	ended  chan struct{} // has an element when a post has ended

	mu    sync.Mutex
	under map[int64]*wire.Report // those that are being posted, by position
}

// Post posts a body to an address that a user gave, as far as it may be reached.
type Post func(ctx context.Context, url string, body gateway.Body) (*http.Response, error)

// NewReporter makes a reporter.
func NewReporter(s *store.Store, post Post, log *slog.Logger) *Reporter {
	r := &Reporter{db: db{s}, send: post, log: log, made: make(chan struct{}, 1), ended: make(chan struct{}, 1), under: map[int64]*wire.Report{}}
	r.read = r.consumer()
	return r
}

// Start begins to make and to post reports. The leases must have been started.
func (r *Reporter) Start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() { r.db.Consume(ctx, &r.read) })
	r.work.Go(func() { r.run(ctx) })
}

// Stop begins nothing new and waits for the posts under way.
func (r *Reporter) Stop() {
	r.cancel()
	r.work.Wait()
}

// consumer makes the reports that events call for.
func (r *Reporter) consumer() store.Consumer {
	fresh := false // Handle and After are called in turns
	return store.Consumer{
		Name: reader,
		Handle: func(ctx context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
			reports, err := r.called(ctx, events)
			if err != nil || len(reports) == 0 {
				return nil, err
			}
			fresh = true
			return func(tx *store.Tx) error { return addReports(tx, reports) }, nil
		},
		After: func([]*gateway.Event) {
			if fresh {
				fresh = false
				signal(r.made)
			}
		},
	}
}

// called makes the reports that events call for.
func (r *Reporter) called(ctx context.Context, events []*gateway.Event) ([]*wire.Report, error) {
	var ids []string
	for _, e := range events {
		if id := wire.Reported(e); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	origins, err := r.db.Origins(ctx, ids)
	if err != nil {
		return nil, err
	}
	var reports []*wire.Report
	for _, e := range events {
		if report := wire.NewReport(e, origins[wire.Reported(e)]); report != nil {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run posts reports when they are due, until ctx ends, and waits for those under way.
func (r *Reporter) run(ctx context.Context) {
	defer r.posts.Wait()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for ctx.Err() == nil {
		if !r.some(ctx) {
			select {
			case <-tick.C:
			case <-r.made:
			case <-r.ended:
			case <-ctx.Done():
			}
		}
	}
}

// some begins to post what is due and has room. It reports whether there may be more at once.
func (r *Reporter) some(ctx context.Context) bool {
	hosts, under := r.busy()
	if len(under) >= reportsInFlight {
		return false
	}
	due, err := r.db.dueReports(ctx, r.db.Now(), hosts, under, reportsInFlight)
	if err != nil {
		if ctx.Err() == nil {
			r.log.Warn("read due reports", "err", err)
		}
		return false
	}
	began := false
	for _, report := range due {
		if r.take(report) {
			began = true
			r.posts.Go(func() { r.deliver(ctx, report) })
		}
	}
	return began
}

// busy returns the hosts that have all the posts they may, and the reports that are being posted.
func (r *Reporter) busy() (hosts []string, under []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := map[string]int{}
	for pos, x := range r.under {
		under = append(under, pos)
		if count[x.Host]++; count[x.Host] == reportsPerHost {
			hosts = append(hosts, x.Host)
		}
	}
	return hosts, under
}

// take notes that a report is being posted; false when there is no room for it, or another of its
// message is on the way.
func (r *Reporter) take(report *wire.Report) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, x := range r.under {
		if x.Message == report.Message {
			return false
		}
		if x.Host == report.Host {
			n++
		}
	}
	if n >= reportsPerHost || len(r.under) >= reportsInFlight {
		return false
	}
	r.under[report.Pos] = report
	return true
}

// deliver posts a report and stores what came of it.
func (r *Reporter) deliver(ctx context.Context, report *wire.Report) {
	defer signal(r.ended)
	defer func() {
		r.mu.Lock()
		delete(r.under, report.Pos)
		r.mu.Unlock()
	}()
	if _, held := r.db.Leases().Epoch(report.Partition); !held {
		return
	}
	err := r.post(ctx, report)
	if err != nil && ctx.Err() != nil {
		return // it is posted again after the next start
	}
	var due time.Time
	if report.Tries++; err != nil {
		pause, again := wire.Retry(report.Tries)
		if again {
			due = r.db.Now().Add(pause)
		} else {
			r.log.Warn("a delivery report was given up", "event", gateway.EventID(report.Pos), "host", report.Host, "err", err)
		}
	}
	if err := r.db.settleReport(context.WithoutCancel(ctx), report, due); err != nil {
		r.log.Warn("store what came of a delivery report", "event", gateway.EventID(report.Pos), "err", err)
	}
}

// post makes one POST of a report. One that has nothing to tell any more, after an erasure or by
// its age, counts as posted.
func (r *Reporter) post(ctx context.Context, report *wire.Report) error {
	e, err := r.db.Event(ctx, report.Pos)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	origins, err := r.db.Origins(ctx, []string{report.Message})
	if err != nil {
		return err
	}
	row, note := wire.PublishReport(e, origins[report.Message])
	if row == nil || note.NotifyURL == "" {
		return nil
	}
	body, kind, err := encodeReport(*row, note.XML)
	if err != nil {
		return err
	}
	resp, err := r.send(ctx, note.NotifyURL, gateway.Body{Content: body, Header: map[string]string{"Content-Type": kind}})
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the receiver answered %d", resp.StatusCode)
	}
	return nil
}

// encodeReport makes the body of a report, and says of which type it is.
func encodeReport(row wire.Row, asXML bool) ([]byte, string, error) {
	results := wire.Results{Results: []wire.Row{row}}
	if !asXML {
		body, err := json.Marshal(results)
		return body, "application/json", err
	}
	body, err := xml.Marshal(results)
	return append([]byte(xml.Header), body...), "application/xml", err
}
