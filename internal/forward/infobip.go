package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

const (
	reportsInFlight = 64 // reports that are posted at once
	reportsPerHost  = 8  // and to one host
)

// reporter posts the delivery reports that messages through Infobip's APIs have asked for, each to the URL that its message named.
type reporter struct {
	f     *Forwarder
	made  chan struct{} // has an element when there may be new ones
	posts sync.WaitGroup
	ended chan struct{} // has an element when a post has ended

	mu    sync.Mutex
	under map[int64]*gateway.InfobipReport // those that are being posted, by position
}

func newReporter(f *Forwarder) *reporter {
	return &reporter{f: f, made: make(chan struct{}, 1), ended: make(chan struct{}, 1), under: map[int64]*gateway.InfobipReport{}}
}

// consumer makes the reports that events call for.
func (r *reporter) consumer() *store.Consumer {
	fresh := false // Handle and After are called in turns
	return &store.Consumer{
		Name: "reports",
		Handle: func(_ context.Context, events []*gateway.Event) (func(*store.Tx) error, error) {
			var reports []*gateway.InfobipReport
			for _, e := range events {
				if report := gateway.NewInfobipReport(e); report != nil {
					reports = append(reports, report)
				}
			}
			if len(reports) == 0 {
				return nil, nil
			}
			fresh = true
			return func(tx *store.Tx) error { return tx.AddReports(reports) }, nil
		},
		After: func([]*gateway.Event) {
			if fresh {
				fresh = false
				signal(r.made)
			}
		},
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run posts reports when they are due, until ctx ends, and waits for those under way.
func (r *reporter) run(ctx context.Context) {
	defer r.posts.Wait()
	tick := time.NewTicker(retryTick)
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

// some begins to post what is due and has room. It answers whether there may be more at once.
func (r *reporter) some(ctx context.Context) bool {
	hosts, under := r.busy()
	if len(under) >= reportsInFlight {
		return false
	}
	due, err := r.f.o.Store.DueReports(ctx, r.f.o.Store.Now(), hosts, under, reportsInFlight)
	if err != nil {
		if ctx.Err() == nil {
			r.f.o.Logger.Warn("read due reports", "err", err)
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

// busy answers the hosts that have all the posts they may, and the reports that are being posted.
func (r *reporter) busy() (hosts []string, under []int64) {
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

// take notes that a report is being posted; false when there is no room for it, or another of its message is on the way.
func (r *reporter) take(report *gateway.InfobipReport) bool {
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
func (r *reporter) deliver(ctx context.Context, report *gateway.InfobipReport) {
	defer signal(r.ended)
	defer func() {
		r.mu.Lock()
		delete(r.under, report.Pos)
		r.mu.Unlock()
	}()
	if _, held := r.f.o.Store.Leases().Epoch(report.Partition); !held {
		return
	}
	err := r.post(ctx, report)
	if err != nil && ctx.Err() != nil {
		return // it is posted again after the next start
	}
	var due time.Time
	if report.Tries++; err != nil {
		pause, again := gateway.InfobipRetry(report.Tries)
		if again {
			due = r.f.o.Store.Now().Add(pause)
		} else {
			r.f.o.Logger.Warn("a delivery report was given up", "event", gateway.EventID(report.Pos), "host", report.Host, "err", err)
		}
	}
	if err := r.f.o.Store.SettleReport(context.WithoutCancel(ctx), report, due); err != nil {
		r.f.o.Logger.Warn("store what came of a delivery report", "event", gateway.EventID(report.Pos), "err", err)
	}
}

// post makes one POST of a report. One that has nothing to tell any more, after an erasure or by its age, counts as posted.
func (r *reporter) post(ctx context.Context, report *gateway.InfobipReport) error {
	e, err := r.f.o.Store.Event(ctx, report.Pos)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	row, note := gateway.PublishInfobipReport(e)
	if row == nil || note.NotifyURL == "" {
		return nil
	}
	body, kind, err := encodeReport(*row, note.XML)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, note.NotifyURL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", r.f.o.UserAgent)
	resp, err := r.f.http.Do(req)
	if err != nil {
		return plain(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the receiver answered %d", resp.StatusCode)
	}
	return nil
}

// encodeReport makes the body of a report, and says of which type it is.
func encodeReport(row gateway.InfobipRow, asXML bool) ([]byte, string, error) {
	results := gateway.InfobipResults{Results: []gateway.InfobipRow{row}}
	if !asXML {
		body, err := json.Marshal(results)
		return body, "application/json", err
	}
	body, err := xml.Marshal(results)
	return append([]byte(xml.Header), body...), "application/xml", err
}

// infobipBody is what an action of Infobip's API gets: a list of the one event.
func infobipBody(sub *gateway.Subscription, e *gateway.Event) ([]byte, error) {
	return json.Marshal(gateway.InfobipInbox{Results: []gateway.InfobipInbound{gateway.PublishInfobip(e, sub)}, MessageCount: 1})
}
