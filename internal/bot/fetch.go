package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/chasqui/chasqui/internal/reach"
	"github.com/chasqui/chasqui/rivescript"
)

// Limits of the requests of scripts.
const (
	fetchTimeout = 10 * time.Second
	maxAnswer    = 1 << 20
	maxAnswers   = 4 << 20          // bytes of all answers of a turn
	maxFetching  = 30 * time.Second // of all requests of a turn
)

// Fetcher makes the requests of scripts: only to hosts that are allowed, never to private
// addresses, without following redirects.
type Fetcher struct {
	hosts []string
	http  *http.Client
}

// NewFetcher makes a fetcher. A host that begins with *. stands for all below it; a host with a
// port stands for that port, and may be on this machine or in a private network, since somebody
// wrote it down.
func NewFetcher(hosts []string) *Fetcher {
	f := &Fetcher{}
	var ported []string
	for _, h := range hosts {
		if h = strings.ToLower(strings.TrimSpace(h)); h != "" {
			f.hosts = append(f.hosts, h)
		}
		if _, _, err := net.SplitHostPort(h); err == nil {
			ported = append(ported, h)
		}
	}
	f.http = reach.Named(ported...).Client(reach.Client{Timeout: fetchTimeout, Dial: 5 * time.Second, PerHost: 8, Idle: 90 * time.Second})
	return f
}

func (f *Fetcher) allows(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	for _, h := range f.hosts {
		if h == host || h == strings.ToLower(u.Host) {
			return true
		}
		if suffix, ok := strings.CutPrefix(h, "*"); ok && strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

type turnKey struct{}

// turnInfo names a turn to the servers that its script asks.
type turnInfo struct {
	id       string
	requests atomic.Int64
	bytes    atomic.Int64 // of answers
	nanos    atomic.Int64 // waited for them
}

func withTurn(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, turnKey{}, &turnInfo{id: id})
}

// Fetch makes one request. Since a turn may be done anew after a crash, each request of it carries
// the same Idempotency-Key as before.
func (f *Fetcher) Fetch(ctx context.Context, _ *rivescript.Call, r rivescript.Request) (rivescript.Response, error) {
	u, err := url.Parse(escaped(r.URL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return rivescript.Response{}, errors.New("the address of a $ line is not an http or https URL")
	}
	if !f.allows(u) {
		return rivescript.Response{}, fmt.Errorf("host %s is not among those that scripts may ask", u.Hostname())
	}
	var options struct {
		Headers map[string]any  `json:"headers"`
		Body    json.RawMessage `json:"body"`
	}
	if r.Options != "" {
		if err := json.Unmarshal([]byte(r.Options), &options); err != nil {
			return rivescript.Response{}, errors.New("what follows the address of a $ line is not a JSON object")
		}
	}
	var body io.Reader
	if len(options.Body) > 0 {
		body = bytes.NewReader(options.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return rivescript.Response{}, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range options.Headers {
		req.Header.Set(name, fmt.Sprint(value))
	}
	info, ok := ctx.Value(turnKey{}).(*turnInfo)
	if !ok {
		answer, err := f.ask(req, maxAnswer)
		return answer.Response, err
	}
	left, room := maxFetching-time.Duration(info.nanos.Load()), min(maxAnswer, maxAnswers-info.bytes.Load())
	if left <= 0 || room <= 0 {
		return rivescript.Response{}, fmt.Errorf("the requests of a turn take at most %s, and their answers %d bytes, together", maxFetching, maxAnswers)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	req.Header.Set("Idempotency-Key", info.id+"."+strconv.FormatInt(info.requests.Add(1), 10))
	back := waiting(ctx)
	began := time.Now()
	answer, err := f.ask(req.WithContext(ctx), room)
	info.nanos.Add(int64(time.Since(began)))
	info.bytes.Add(answer.size)
	back()
	return answer.Response, err
}

// answer is a response and how much it is.
type answer struct {
	rivescript.Response
	size int64
}

func (f *Fetcher) ask(req *http.Request, most int64) (answer, error) {
	resp, err := f.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	out := answer{Response: rivescript.Response{Status: resp.StatusCode}}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	out.size = int64(len(b))
	if err != nil {
		return out, err
	}
	if int64(len(b)) > most {
		return out, fmt.Errorf("the answer has more than %d bytes", most)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&out.JSON); err != nil {
		return out, errors.New("the answer is not JSON")
	}
	return out, nil
}

// escaped makes an address of one in which a person's words stand as they were written.
func escaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '`' || c == '{' || c == '}' || c == '|' || c == '\\' || c == '^' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
