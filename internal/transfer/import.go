package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Format is how a file holds its records.
type Format string

// The formats of files.
const (
	FormatCSV       Format = "csv"
	FormatJSONLines Format = "jsonl"
)

// FormatOf returns the format that a file's name says; false when it says none.
func FormatOf(name string) (Format, bool) {
	for ending, format := range map[string]Format{".csv": FormatCSV, ".tsv": FormatCSV, ".jsonl": FormatJSONLines, ".ndjson": FormatJSONLines} {
		if strings.HasSuffix(strings.ToLower(name), ending) {
			return format, true
		}
	}
	return "", false
}

// How many records share a commit, and with Gentle.
const (
	Batch       = 1000
	gentleBatch = 200
)

// Import is an import of profiles. Its fields are set by the caller; Run runs it once.
type Import struct {
	Store       *store.Store
	File        string // to read
	Format      Format
	Application string // of people whose record names none
	KeysFile    string // the table of old user keys; empty for none
	Report      string // CSV file for the refused records; empty for none
	OnConflict  store.OnConflict
	Events      bool // append profile.created and profile.updated to the log
	Fetch       bool // have the platform asked for the names of new people
	DryRun      bool
	// Gentle leaves the database free for half of the time, in short turns, so that a gateway on
	// the same SQLite file need not wait.
	Gentle   bool
	Progress func(Progress) // called after each batch

	keys   *OldKeys
	report *os.File
	place  string // the setting that says how far it has come
	seen   *store.ImportSeen
}

// Counts is what became of records.
type Counts struct {
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Skipped   int64 `json:"skipped"`
	Refused   int64 `json:"refused"`
	Merged    int64 `json:"merged"` // profiles that came about by themselves and went into others
}

// Records is how many records were dealt with.
func (c Counts) Records() int64 { return c.Created + c.Updated + c.Unchanged + c.Skipped + c.Refused }

// Progress is how far an import has come.
type Progress struct {
	Counts
	Bytes, Size int64
	Resumed     int64 // records that an earlier run had dealt with
	Refusals    []Refusal
}

// Refusal says why a record was refused.
type Refusal struct {
	Line          int64
	Field, Reason string
}

// position is what is stored with each batch.
type position struct {
	Offset int64  `json:"offset"`
	Lines  int64  `json:"lines"`
	Report int64  `json:"report"` // bytes of the report
	Counts Counts `json:"counts"`
}

// ErrConflict is returned by Run when OnConflict is ConflictFail and a profile is there already.
var ErrConflict = errors.New("a profile is there already")

// Run imports the file from where an earlier run with the same file and options stopped, and
// returns how far it came. Refused records are no error.
func (im *Import) Run(ctx context.Context) (Progress, error) {
	p := Progress{}
	file, err := os.Open(im.File)
	if err != nil {
		return p, err
	}
	defer file.Close()
	if p.Size, err = im.prepare(file); err != nil {
		return p, err
	}
	at, err := im.resume(ctx)
	if err != nil {
		return p, err
	}
	p.Counts, p.Resumed, p.Bytes = at.Counts, at.Counts.Records(), at.Offset
	if err := im.openReport(&at); err != nil {
		return p, err
	}
	if im.report != nil {
		defer im.report.Close()
	}
	var source reader
	if im.Format == FormatCSV {
		source, err = newCSV(file, at.Offset, at.Lines)
	} else {
		source, err = newJSONLines(file, at.Offset, at.Lines)
	}
	if err != nil {
		return p, err
	}
	return p, im.batches(ctx, source, at, &p)
}

// prepare reads the table of keys and makes the name under which the position is kept: of
// everything that the outcome depends on.
func (im *Import) prepare(file *os.File) (size int64, err error) {
	sum := sha256.New()
	if size, err = io.Copy(sum, file); err != nil {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	fmt.Fprintf(sum, "\x00%s\x00%s\x00%s\x00%t\x00", im.Format, im.Application, im.OnConflict, im.Events)
	if im.KeysFile != "" {
		table, err := os.Open(im.KeysFile)
		if err != nil {
			return 0, err
		}
		defer table.Close()
		if im.keys, err = ReadOldKeys(io.TeeReader(table, sum), im.Application); err != nil {
			return 0, err
		}
	}
	im.place = "import:" + hex.EncodeToString(sum.Sum(nil)[:16])
	if im.DryRun {
		im.place, im.seen = "", store.NewImportSeen()
	}
	return size, nil
}

func (im *Import) resume(ctx context.Context) (at position, err error) {
	if im.place == "" {
		return at, nil
	}
	text, err := im.Store.Setting(ctx, im.place)
	if err != nil || text == "" {
		return at, err
	}
	return at, json.Unmarshal([]byte(text), &at)
}

// openReport opens the report behind what the records up to the position have written.
func (im *Import) openReport(at *position) (err error) {
	if im.Report == "" {
		return nil
	}
	if im.report, err = os.OpenFile(im.Report, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	info, err := im.report.Stat()
	if err != nil {
		return err
	}
	if at.Report > info.Size() {
		at.Report = 0 // another file than the one that was begun
	}
	if err := im.report.Truncate(at.Report); err != nil {
		return err
	}
	if _, err := im.report.Seek(at.Report, io.SeekStart); err != nil || at.Report > 0 {
		return err
	}
	n, err := im.report.WriteString("line,field,reason\n")
	at.Report = int64(n)
	return err
}

func (im *Import) batches(ctx context.Context, source reader, at position, p *Progress) error {
	size := Batch
	if im.Gentle {
		size = gentleBatch
	}
	for ended := false; !ended; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var some []line
		for len(some) < size && !ended {
			l, err := source.next()
			if err == io.EOF {
				ended = true
				break
			}
			if err != nil {
				return fmt.Errorf("read %s after line %d: %w", im.File, at.Lines, err)
			}
			some = append(some, l)
		}
		begun := time.Now()
		stopped, err := im.batch(ctx, some, &at, ended, p)
		if err != nil {
			return err
		}
		if im.Gentle && !ended {
			pause(ctx, max(time.Since(begun), gentlePause))
		}
		if im.Progress != nil {
			im.Progress(*p)
		}
		if stopped {
			return ErrConflict
		}
	}
	return nil
}

// gentlePause is the shortest turn that is left to others: SQLite has those who wait look again
// after 1 to 25 ms.
const gentlePause = 15 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// batch commits some records, with the position behind them.
func (im *Import) batch(ctx context.Context, some []line, at *position, last bool, p *Progress) (stopped bool, err error) {
	convert := rows{application: im.Application, keys: im.keys}
	var good []*store.ImportRow
	var from []line
	var refusals []Refusal
	for _, l := range some {
		row, wrong := convert.row(l)
		if wrong != nil {
			refusals = append(refusals, refusal(l, wrong))
			continue
		}
		good, from = append(good, row), append(from, l)
	}
	next := *at
	if len(some) > 0 {
		next.Offset, next.Lines = some[len(some)-1].end, some[len(some)-1].lines
	}
	next.Counts.Refused += int64(len(refusals))
	begun, all := next, refusals
	decide := func(outcomes []store.ImportOutcome) (string, error) {
		next, all, stopped = begun, refusals, false // a batch that raced is decided anew
		for i, o := range outcomes {
			next.Counts.add(o)
			if o.Err != nil {
				all = append(all[:len(all):len(all)], refusal(from[i], o.Err))
			}
			stopped = stopped || o.Stop
		}
		if err := im.writeReport(at.Report, &next, all); err != nil {
			return "", err
		}
		if last || stopped {
			return "", nil
		}
		text, err := json.Marshal(next)
		return string(text), err
	}
	options := store.ImportOptions{OnConflict: im.OnConflict, Events: im.Events, Fetch: im.Fetch, Seen: im.seen}
	for tries := 0; ; tries++ {
		_, err = im.Store.ImportRows(ctx, good, options, im.place, decide)
		if !errors.Is(err, store.ErrImportRaced) || tries == 10 {
			break
		}
	}
	if err != nil {
		return false, err
	}
	*at = next
	p.Counts, p.Bytes, p.Refusals = at.Counts, at.Offset, all
	return stopped, nil
}

func refusal(l line, e *gateway.Error) Refusal { return Refusal{l.number, e.Field, e.Message} }

func (c *Counts) add(o store.ImportOutcome) {
	c.Merged += int64(o.Merged)
	switch o.Verdict {
	case store.ImportCreated:
		c.Created++
	case store.ImportUpdated:
		c.Updated++
	case store.ImportUnchanged:
		c.Unchanged++
	case store.ImportSkipped:
		c.Skipped++
	case store.ImportRefused:
		c.Refused++
	}
}

// writeReport writes the refusals of a batch behind those before it.
func (im *Import) writeReport(begin int64, next *position, refusals []Refusal) error {
	if im.report == nil || len(refusals) == 0 {
		return nil
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	for _, r := range refusals {
		w.Write([]string{strconv.FormatInt(r.Line, 10), r.Field, r.Reason})
	}
	if w.Flush(); w.Error() != nil {
		return w.Error()
	}
	if err := im.report.Truncate(begin); err != nil {
		return err
	}
	n, err := im.report.WriteAt([]byte(text.String()), begin)
	next.Report = begin + int64(n)
	return err
}

// Rate is how many records a second were dealt with since a moment.
func (p Progress) Rate(since time.Duration) float64 {
	return float64(p.Records()-p.Resumed) / max(since.Seconds(), 0.001)
}
