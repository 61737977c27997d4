package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// outboundPages is over how many pages the closed loop spreads.
const outboundPages = 8

// Outbound measures how fast messages go from the API to the platform, beside the baseline; how
// steadily a page keeps its rate; and what a long queue costs.
func Outbound(ctx context.Context, o Options) (Report, error) {
	r := Report{Bench: "outbound", Machine: Machine(), Store: storeName(o)}
	o.say("baseline: %d connections for %s", o.Connections, o.Duration)
	base, err := outboundBaseline(ctx, o)
	if err != nil {
		return r, err
	}
	o.say("gateway: %d connections for %s", o.Connections, o.Duration)
	got, err := outboundGateway(ctx, o)
	if err != nil {
		return r, err
	}
	o.say("one page at 50 ms for %s", o.Duration)
	paced, err := outboundPaced(ctx, o)
	if err != nil {
		return r, err
	}
	o.say("100,000 messages queued")
	queued, err := outboundQueued(ctx, o)
	if err != nil {
		return r, err
	}
	r.Runs = []Run{base, got, paced, queued}
	r.Ratio = got.Rate / base.Rate
	r.figure("outbound ratio to baseline", r.Ratio, "", ">= 0.6", r.Ratio >= 0.6)
	r.figure("gateway CPU a message", got.CPUMicros, "µs", "<= 120", got.CPUMicros <= 120)
	r.figure("one page at 50 ms latency, ratio to 300/s", paced.Rate/300, "", "0.98..1.02", paced.Rate >= 294 && paced.Rate <= 306)
	r.figure("peak memory with 100,000 queued", queued.PeakMiB, "MiB", "<= 143", queued.PeakMiB <= 143)
	wrong := got.Lost + got.Duplicated + got.Inverted + got.Errors + paced.Duplicated + paced.Inverted
	r.figure("lost, doubled, inverted or refused", float64(wrong), "", "0", wrong == 0)
	return r, nil
}

func psid(person int) string {
	id := strconv.Itoa(person)
	return "7" + strings.Repeat("0", 15-len(id)) + id
}

func outboundBaseline(ctx context.Context, o Options) (Run, error) {
	folder, remove, err := scratch()
	if err != nil {
		return Run{}, err
	}
	defer remove()
	platform, err := start(ctx, o.Program, "bench", "platform", "--pages", "1")
	if err != nil {
		return Run{}, err
	}
	defer platform.stop()
	server, err := start(ctx, o.Program, "bench", "baseline", "--database", filepath.Join(folder, "baseline.db"), "--forward", platform.url+"/v26.0/me/messages")
	if err != nil {
		return Run{}, err
	}
	defer server.stop()
	t := template(server.url)
	header := http.Header{"Content-Type": {"application/json"}}
	before, _ := server.usage()
	took, failed, _ := closedLoop(ctx, o.Connections, o.Duration, http.StatusAccepted, func(connection, n int) *http.Request {
		person := connection*peoplePerConnection + n%peoplePerConnection
		return post(t, []byte(`{"recipient":{"id":"`+psid(person)+`"},"message":{"text":"`+Text(person, n/peoplePerConnection)+`"}}`), header)
	})
	s := &session{o: o, platform: platform}
	report, err := s.arrived(ctx, len(took))
	if err != nil {
		return Run{}, err
	}
	after, peak := server.usage()
	run := Run{Name: "bare handler, insert and POST", Errors: failed}
	run.finish(took, time.Duration(report.LastMS-report.FirstMS)*time.Millisecond, after-before, peak)
	return run, nil
}

// arrived waits until the platform has so many messages, or no more come.
func (s *session) arrived(ctx context.Context, want int) (PlatformReport, error) {
	var report PlatformReport
	still := time.Now()
	for {
		before := report.Received
		if err := s.get(ctx, s.platform.url+"/_bench/report", &report); err != nil {
			return report, err
		}
		if report.Received != before {
			still = time.Now()
		}
		if report.Received >= want || time.Since(still) > 10*time.Second {
			return report, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return report, err
		}
	}
}

func (s *session) sendRequests() func(connection, n int) *http.Request {
	t := template(s.gateway.url + "/v1/messages")
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.key}}
	return func(connection, n int) *http.Request {
		page := s.pages[connection%len(s.pages)]
		person := connection*peoplePerConnection + n%peoplePerConnection
		return post(t, []byte(`{"application":"`+page.application+`","to":{"fbMessengerId":"`+psid(person)+`"},"body":"`+Text(person, n/peoplePerConnection)+`"}`), header)
	}
}

func outboundGateway(ctx context.Context, o Options) (Run, error) {
	s, err := open(ctx, o, outboundPages, "--limits-text-per-second", "1000000")
	if err != nil {
		return Run{}, err
	}
	defer s.close()
	before, _ := s.gateway.usage()
	took, failed, _ := closedLoop(ctx, o.Connections, o.Duration, http.StatusAccepted, s.sendRequests())
	report, err := s.arrived(ctx, len(took))
	if err != nil {
		return Run{}, err
	}
	after, peak := s.gateway.usage()
	run := Run{Name: "gateway", Errors: failed, Lost: max(0, len(took)-(report.Received-report.Duplicated)), Duplicated: report.Duplicated, Inverted: report.Inverted}
	run.finish(took, time.Duration(report.LastMS-report.FirstMS)*time.Millisecond, after-before, peak)
	return run, nil
}

// outboundPaced fills one page's queue and looks how many messages a second arrive.
func outboundPaced(ctx context.Context, o Options) (Run, error) {
	s, err := open(ctx, o, 1)
	if err != nil {
		return Run{}, err
	}
	defer s.close()
	if err := s.set(ctx, PlatformBehaviour{DelayMS: 50}); err != nil {
		return Run{}, err
	}
	want := int(300*o.Duration.Seconds()) + 600
	if err := s.fill(ctx, want, 600); err != nil {
		return Run{}, err
	}
	var first, last PlatformReport
	if err := pause(ctx, 500*time.Millisecond); err != nil {
		return Run{}, err
	}
	if err := s.get(ctx, s.platform.url+"/_bench/report", &first); err != nil {
		return Run{}, err
	}
	began := time.Now()
	if err := pause(ctx, o.Duration); err != nil {
		return Run{}, err
	}
	if err := s.get(ctx, s.platform.url+"/_bench/report", &last); err != nil {
		return Run{}, err
	}
	took := time.Since(began)
	cpu, peak := s.gateway.usage()
	run := Run{Name: "gateway, one page, 50 ms", Duplicated: last.Duplicated, Inverted: last.Inverted}
	run.finish(make(latencies, last.Received-first.Received), took, cpu, peak)
	return run, nil
}

// outboundQueued queues 100,000 messages at a page that may send one a second.
func outboundQueued(ctx context.Context, o Options) (Run, error) {
	s, err := open(ctx, o, 1, "--limits-text-per-second", "1")
	if err != nil {
		return Run{}, err
	}
	defer s.close()
	const count = 100_000
	before, _ := s.gateway.usage()
	began := time.Now()
	if err := s.fill(ctx, count, 5000); err != nil {
		return Run{}, err
	}
	took := time.Since(began)
	after, peak := s.gateway.usage()
	run := Run{Name: "gateway, 100,000 queued"}
	run.finish(make(latencies, count), took, after-before, peak)
	return run, nil
}

// fill queues messages at the first page in batches, for so many people in turn.
func (s *session) fill(ctx context.Context, count, people int) error {
	for sent := 0; sent < count; {
		var batch gatewayapi.SendBatchRequest
		for range min(1000, count-sent) {
			person := sent % people
			batch.Messages = append(batch.Messages, gatewayapi.SendMessageRequest{
				Application: s.pages[0].application, To: gatewayapi.To{FBMessengerID: psid(person)}, Body: Text(person, sent/people),
			})
			sent++
		}
		result, err := s.api.SendBatch(ctx, batch)
		if err != nil {
			return fmt.Errorf("queue messages: %w", err)
		}
		if result.Refused > 0 {
			first, _ := json.Marshal(result.Results[0])
			return fmt.Errorf("queue messages: %d were refused: %.300s", result.Refused, first)
		}
	}
	return nil
}
