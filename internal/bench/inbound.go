package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/messenger"
)

// peoplePerConnection is how many people write over one connection: enough that most events touch
// another conversation than the one before.
const peoplePerConnection = 16

// Inbound measures how fast webhooks are taken durably, beside the baseline, while a pull
// subscription reads everything.
func Inbound(ctx context.Context, o Options) (Report, error) {
	r := Report{Bench: "inbound", Machine: Machine(), Store: storeName(o)}
	o.say("baseline: %d connections for %s", o.Connections, o.Duration)
	base, err := inboundBaseline(ctx, o)
	if err != nil {
		return r, err
	}
	o.say("gateway: %d connections for %s", o.Connections, o.Duration)
	got, lag, err := inboundGateway(ctx, o)
	if err != nil {
		return r, err
	}
	r.Runs = []Run{base, got}
	r.Ratio = got.Rate / base.Rate
	r.figure("inbound ratio to baseline", r.Ratio, "", ">= 0.4", r.Ratio >= 0.4)
	r.figure("inbound p99", got.P99, "ms", "<= 50", got.P99 <= 50)
	r.figure("cursors caught up after the load", lag.Seconds()*1000, "ms", "<= 1000", lag <= time.Second)
	wrong := got.Lost + got.Duplicated + got.Inverted + got.Errors
	r.figure("lost, doubled, inverted or refused", float64(wrong), "", "0", wrong == 0)
	return r, nil
}

func storeName(o Options) string {
	if o.Store == "" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// webhook is the body of a delivery with one message, about 480 bytes, as the platform writes it.
func webhook(page string, person, n int) []byte {
	id := strconv.Itoa(person)
	psid := "7" + strings.Repeat("0", 15-len(id)) + id
	mid := fmt.Sprintf("m_%042d%042d", person, n)
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	return []byte(`{"object":"page","entry":[{"id":"` + page + `","time":` + now + `,"messaging":[{"sender":{"id":"` + psid + `"},"recipient":{"id":"` + page +
		`"},"timestamp":` + now + `,"message":{"mid":"` + mid + `","text":"` + Text(person, n) + `"}}]}]}`)
}

// inboundRequests makes the requests of a load: each connection writes for people of its own, in
// turn.
func inboundRequests(url, page, secret string) func(connection, n int) *http.Request {
	t := template(url)
	return func(connection, n int) *http.Request {
		body := webhook(page, connection*peoplePerConnection+n%peoplePerConnection, n/peoplePerConnection)
		return post(t, body, http.Header{"Content-Type": {"application/json"}, "X-Hub-Signature-256": {messenger.Sign(secret, body)}})
	}
}

func inboundBaseline(ctx context.Context, o Options) (Run, error) {
	folder, remove, err := scratch()
	if err != nil {
		return Run{}, err
	}
	defer remove()
	server, err := start(ctx, o.Program, "bench", "baseline", "--database", filepath.Join(folder, "baseline.db"))
	if err != nil {
		return Run{}, err
	}
	defer server.stop()
	before, _ := server.usage()
	took, failed, total := closedLoop(ctx, o.Connections, o.Duration, http.StatusOK, inboundRequests(server.url, "1", "secret"))
	after, peak := server.usage()
	run := Run{Name: "bare handler, one insert", Errors: failed}
	run.finish(took, total, after-before, peak)
	return run, nil
}

func inboundGateway(ctx context.Context, o Options) (Run, time.Duration, error) {
	s, err := open(ctx, o, 1)
	if err != nil {
		return Run{}, 0, err
	}
	defer s.close()
	sub, err := s.api.CreateSubscription(ctx, gatewayapi.CreateSubscriptionRequest{Kind: gatewayapi.KindPull, EventTypes: []gatewayapi.EventType{gatewayapi.EventMessageInbound}})
	if err != nil {
		return Run{}, 0, err
	}
	reader := &puller{s: s, subscription: sub.ID, ledger: NewLedger()}
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	ended := make(chan error, 1)
	go func() { ended <- reader.run(reading) }()

	page := s.pages[0]
	before, _ := s.gateway.usage()
	took, failed, total := closedLoop(ctx, o.Connections, o.Duration, http.StatusOK, inboundRequests(page.callback, page.PageID, page.AppSecret))
	after, peak := s.gateway.usage()
	over := time.Now()
	for int(reader.received.Load()) < len(took) && time.Since(over) < 20*time.Second {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return Run{}, 0, err
		}
	}
	lag := time.Since(over)
	stopReading()
	<-ended
	counts := reader.ledger.Counts()
	run := Run{Name: "gateway", Errors: failed, Duplicated: counts.Duplicated, Inverted: counts.Inverted}
	run.Lost = max(0, len(took)-(counts.Received-counts.Duplicated))
	run.finish(took, total, after-before, peak)
	return run, lag, nil
}

// puller reads a pull subscription as a system of the business would, and acknowledges what it has
// read.
type puller struct {
	s            *session
	subscription string
	ledger       *Ledger
	received     atomic.Int64
}

func (p *puller) run(ctx context.Context) error {
	client := newHTTPClient(1)
	cursor := ""
	for ctx.Err() == nil {
		q := url.Values{"limit": {"1000"}, "wait": {"1"}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.s.gateway.url+"/v1/subscriptions/"+p.subscription+"/events?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+p.s.key)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("pull events: %d %s", resp.StatusCode, body)
		}
		p.note(body)
		// The cursor is the last member of the answer.
		i := bytes.LastIndex(body, []byte(`"cursor":"`))
		if i < 0 {
			return fmt.Errorf("pull events: no cursor in the answer")
		}
		next, _, _ := strings.Cut(string(body[i+len(`"cursor":"`):]), `"`)
		if next == cursor {
			continue
		}
		cursor = next
		if _, err := p.s.api.Ack(ctx, p.subscription, gatewayapi.AckRequest{Cursor: cursor}); err != nil {
			return err
		}
	}
	return nil
}

// note reads the text of each event once: it stands in data and in raw, of which data comes first.
func (p *puller) note(body []byte) {
	for {
		i := bytes.Index(body, []byte(`"data":`))
		if i < 0 {
			return
		}
		body = body[i:]
		end := bytes.Index(body, []byte(`"raw":`))
		if end < 0 {
			end = len(body)
		}
		p.ledger.Note(body[:end])
		p.received.Add(1)
		body = body[end:]
	}
}
