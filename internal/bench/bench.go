// Package bench measures a gateway from outside: as a process of its own, beside a platform and a
// baseline that are processes too, all on this machine's loopback. It counts what was lost, doubled
// or out of order along with how fast it went, and puts every figure beside the baseline of the
// same run, since machines differ and are noisy.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// Options says what is measured.
type Options struct {
	// Program is the chasqui binary whose subcommands are started.
	Program string
	// Duration is how long each load lasts.
	Duration time.Duration
	// Connections carry the load.
	Connections int
	// Store is the database of the gateway; empty for SQLite in a temporary folder.
	Store string
	// Progress receives a line now and then.
	Progress io.Writer
}

// Run is the outcome of one load against one server.
type Run struct {
	Name       string  `json:"name"`
	Messages   int     `json:"messages"`
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"rate"`                // messages a second
	P50        float64 `json:"p50Ms"`               // milliseconds until the answer
	P99        float64 `json:"p99Ms"`               //
	CPUMicros  float64 `json:"cpuMicrosPerMessage"` // of the server's process
	PeakMiB    float64 `json:"peakMemoryMiB"`       // of the server's process
	Lost       int     `json:"lost"`
	Duplicated int     `json:"duplicated"`
	Inverted   int     `json:"inverted"`
	Errors     int     `json:"errors"`
}

// Figure is a number that stands against a target.
type Figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Target string  `json:"target"`
	OK     bool    `json:"ok"`
}

// Report is the outcome of a benchmark.
type Report struct {
	Bench   string   `json:"bench"`
	Machine string   `json:"machine"`
	Store   string   `json:"store"`
	Runs    []Run    `json:"runs"`
	Ratio   float64  `json:"ratio"` // of the gateway's rate to the baseline's
	Figures []Figure `json:"figures"`
}

// Machine describes where the figures come from.
func Machine() string {
	return fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

func (o Options) say(format string, args ...any) {
	if o.Progress != nil {
		fmt.Fprintf(o.Progress, format+"\n", args...)
	}
}

// latencies collects how long requests took.
type latencies []time.Duration

func (l latencies) percentile(p float64) float64 {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	i := min(len(l)-1, int(float64(len(l))*p))
	return float64(l[i].Microseconds()) / 1000
}

// finish fills in what follows from a load and what its server used for it.
func (r *Run) finish(l latencies, took time.Duration, cpu time.Duration, peak int64) {
	r.Messages, r.Seconds = len(l), took.Seconds()
	r.Rate = float64(len(l)) / took.Seconds()
	r.P50, r.P99 = l.percentile(0.50), l.percentile(0.99)
	if len(l) > 0 {
		r.CPUMicros = float64(cpu.Microseconds()) / float64(len(l))
	}
	r.PeakMiB = float64(peak) / (1 << 20)
}

// Write prints the report: a table, and last the figures, one a line.
func (r Report) Write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s on %s, store %s\n\n", r.Bench, r.Machine, r.Store)
	fmt.Fprintf(w, "%-28s %9s %9s %8s %8s %8s %8s %6s %6s %6s %6s\n", "run", "messages", "rate/s", "p50 ms", "p99 ms", "cpu µs", "mem MiB", "lost", "twice", "order", "errors")
	for _, v := range r.Runs {
		fmt.Fprintf(w, "%-28s %9d %9.0f %8.2f %8.2f %8.1f %8.1f %6d %6d %6d %6d\n", v.Name, v.Messages, v.Rate, v.P50, v.P99, v.CPUMicros, v.PeakMiB,
			v.Lost, v.Duplicated, v.Inverted, v.Errors)
	}
	fmt.Fprintln(w)
	for _, f := range r.Figures {
		verdict := "reached"
		if !f.OK {
			verdict = "missed"
		}
		fmt.Fprintf(w, "%-46s %10s %-8s target %-12s %s\n", f.Name, strconv.FormatFloat(f.Value, 'f', 2, 64), f.Unit, f.Target, verdict)
	}
	return nil
}

func (r *Report) figure(name string, value float64, unit, target string, ok bool) {
	r.Figures = append(r.Figures, Figure{name, value, unit, target, ok})
}

// scratch makes a folder that is removed when the benchmark ends.
func scratch() (string, func(), error) {
	folder, err := os.MkdirTemp("", "chasqui-bench-")
	return folder, func() { os.RemoveAll(folder) }, err
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
