package apisrv_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

var opensAll = gateway.Everything()

// desks makes so many codes of a page.
func (b *bundle) desks(app string, n int) {
	b.t.Helper()
	if _, err := b.entryPoints.CreateMany(b.t.Context(), opensAll, gateway.EntryPoint{Application: app, Kind: "code", Ref: "desk-{n}"}, 1, n); err != nil {
		b.t.Fatal(err)
	}
}

// slowReader takes an answer when it is told to.
type slowReader struct {
	ctx     context.Context
	header  http.Header
	status  int
	began   chan struct{} // closed at the first bytes
	read    chan struct{} // closed when it begins to take them
	size    int
	largest int
	writes  int
}

func newSlowReader(ctx context.Context) *slowReader {
	return &slowReader{ctx: ctx, header: http.Header{}, began: make(chan struct{}), read: make(chan struct{})}
}

func (r *slowReader) Header() http.Header    { return r.header }
func (r *slowReader) WriteHeader(status int) { r.status = status }

func (r *slowReader) Write(p []byte) (int, error) {
	if r.writes++; r.writes == 1 {
		close(r.began)
	}
	select {
	case <-r.read:
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
	r.size, r.largest = r.size+len(p), max(r.largest, len(p))
	return len(p), nil
}

// download asks for something with a reader that takes nothing yet, and waits until its first bytes
// are there. Done is closed when the handler has ended.
func (b *bundle) download(ctx context.Context, path string) (r *slowReader, done chan any) {
	r, done = newSlowReader(ctx), make(chan any, 1)
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	req.Header.Set("Authorization", "Bearer "+b.key)
	go func() {
		defer func() { done <- recover() }()
		b.handler.ServeHTTP(r, req)
	}()
	select {
	case <-r.began:
	case <-done:
		b.t.Errorf("%s: %d", path, r.status)
	}
	return r, done
}

// Sheets and zip files come as they are drawn, hold up nobody while they are taken, and end when
// their reader goes.
func TestSheetsComePageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.connect(b.platform.AddPage(graphemu.Page{AppID: b.app.ID})).Key
	b.desks(app, 100)
	const large = 16 // at once
	paths := []string{"/v1/entry-point-sheet?style=dots&ring=true", "/v1/entry-point-images?size=1000"}
	var readers []*slowReader
	var ends []chan any
	gone, leave := context.WithCancel(t.Context())
	defer leave()
	for i := range large {
		ctx := gone
		if i < len(paths) {
			ctx = t.Context()
		}
		r, done := b.download(ctx, paths[i%len(paths)])
		readers, ends = append(readers, r), append(ends, done)
	}
	// All of them wait for their readers; no more are let in, and a single picture is drawn none
	// the less.
	for _, path := range append(paths, "/v1/entry-points/"+b.firstPoint(app)+"/image.png?logo=page") {
		if r := b.call(http.MethodGet, path, b.key, ""); r.apiError(t).Code != gateway.CodeOverloaded || r.header.Get("Retry-After") != "5" || r.header.Get("ETag") != "" {
			t.Errorf("%s: %d %v %s", path, r.status, r.header, r.body)
		}
	}
	if r := b.call(http.MethodGet, "/v1/entry-points/"+b.firstPoint(app)+"/image.png", b.key, ""); r.status != http.StatusOK {
		t.Errorf("a picture: %d %s", r.status, r.body)
	}
	for i, r := range readers[:len(paths)] {
		close(r.read)
		if trouble := <-ends[i]; trouble != nil || r.writes < 8 || r.largest > 1<<20 || r.header.Get("Content-Length") != "" {
			t.Errorf("%s: %d writes, the largest of %d bytes, %v", paths[i], r.writes, r.largest, trouble)
		}
	}
	leave()
	for i, done := range ends[len(paths):] {
		if trouble := <-done; trouble != nil && trouble != http.ErrAbortHandler {
			t.Errorf("reader %d: %v", i, trouble)
		}
		if r := readers[len(paths)+i]; r.writes > 2 {
			t.Errorf("%d writes to a reader who is gone", r.writes)
		}
	}
	if r := b.call(http.MethodGet, paths[0], b.key, ""); r.status != http.StatusOK || !strings.HasSuffix(r.body, "%%EOF\n") {
		t.Errorf("afterwards: %d, %d bytes", r.status, len(r.body))
	}
}

func (b *bundle) firstPoint(app string) string {
	b.t.Helper()
	all, err := b.entryPoints.List(b.t.Context(), opensAll, store.EntryPointFilter{Applications: []string{app}, Limit: 1})
	if err != nil || len(all) == 0 {
		b.t.Fatal(err)
	}
	return all[0].ID
}

// A sheet holds 1,000 codes. More are refused by name, not left out.
func TestSheetsHoldAThousand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.connect(b.platform.AddPage(graphemu.Page{AppID: b.app.ID})).Key
	b.desks(app, 1001)
	for path, field := range map[string]string{"": "limit", "?limit=1001": "limit", "?limit=2&perRow=11": "perRow", "?limit=2&perRow=0": "perRow", "?limit=2&mm=100&perRow=3": "mm", "?limit=2&style=stars": "style"} {
		if e := b.call(http.MethodGet, "/v1/entry-point-sheet"+path, b.key, "").apiError(t); e.Field != field {
			t.Errorf("%s: %+v", path, e)
		}
	}
	if r := b.call(http.MethodGet, "/v1/entry-point-sheet?limit=1000&perRow=10&mm=10", b.key, ""); r.status != http.StatusOK || strings.Count(r.body, "/Type /Page\n") < 5 {
		t.Errorf("%d %.200s", r.status, r.body)
	}
	for path, field := range map[string]string{"?size=100&caption=" + strings.Repeat("x", 61): "caption", "?format=gif": "format", "?format=pdf&mm=9": "mm", "?size=100&limit=3&quiet=20": "size"} {
		if e := b.call(http.MethodGet, "/v1/entry-point-images"+path, b.key, "").apiError(t); e.Field != field {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// A logo is fetched once for all codes, and refused by its head when it is too large.
func TestLogosOfCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.connect(b.platform.AddPage(graphemu.Page{AppID: b.app.ID})).Key
	b.desks(app, 30)
	encoded := func(img image.Image) []byte {
		var out bytes.Buffer
		if err := png.Encode(&out, img); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	var asked atomic.Int32
	small, deep := encoded(image.NewNRGBA(image.Rect(0, 0, 100, 50))), encoded(image.NewNRGBA64(image.Rect(0, 0, 1500, 1500)))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/small":
			w.Write(small)
		case "/deep":
			w.Write(deep)
		case "/endless":
			for block := make([]byte, 64<<10); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	r := b.call(http.MethodGet, "/v1/entry-point-images?size=200&logo="+web.URL+"/small", b.key, "")
	z, err := zip.NewReader(bytes.NewReader([]byte(r.body)), int64(len(r.body)))
	if err != nil || len(z.File) != 30 || asked.Load() != 1 {
		t.Errorf("%d %v: %d pictures, the logo was asked for %d times", r.status, err, len(z.File), asked.Load())
	}
	for path, want := range map[string]string{"/deep": "1500 × 1500", "/endless": "more than 4 MB", "/missing": "status 404"} {
		for _, what := range []string{"/v1/entry-points/" + b.firstPoint(app) + "/image.svg?", "/v1/entry-point-images?", "/v1/entry-point-sheet?"} {
			if e := b.call(http.MethodGet, what+"logo="+web.URL+path, b.key, "").apiError(t); e.Field != "logo" || !strings.Contains(e.Message, want) {
				t.Errorf("%s: %+v", path, e)
			}
		}
	}
	// A style that cannot be is refused before anything is fetched.
	before := asked.Load()
	if e := b.call(http.MethodGet, "/v1/entry-point-sheet?size=1&logo="+web.URL+"/small", b.key, "").apiError(t); e.Field != "size" || asked.Load() != before {
		t.Errorf("%+v", e)
	}
}

// All parameters of a picture have bounds, however it is asked for.
func TestBoundsOfPictures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := b.connect(b.platform.AddPage(graphemu.Page{AppID: b.app.ID})).Key
	e := &gateway.EntryPoint{Application: app, Kind: "code", Ref: strings.Repeat("z", 250)}
	if err := b.entryPoints.Create(t.Context(), opensAll, e); err != nil {
		t.Fatal(err)
	}
	huge := strconv.Itoa(1 << 40)
	for _, format := range []string{"png", "svg", "pdf"} {
		for query, field := range map[string]string{"size=" + huge: "size", "mm=" + huge: "mm", "quiet=" + huge: "quiet", "size=-5": "size", "size=1e9": "size", "caption=" + strings.Repeat("x", 5000): "caption", "foreground=" + strings.Repeat("0", 5000): "foreground"} {
			if got := b.call(http.MethodGet, fmt.Sprintf("/v1/entry-points/%s/image.%s?%s", e.ID, format, query), b.key, "").apiError(t); got.Field != field || len(got.Message) > 200 {
				t.Errorf("%s, %.40s: %+v", format, query, got)
			}
		}
		r := b.call(http.MethodGet, fmt.Sprintf("/v1/entry-points/%s/image.%s?size=2000&mm=1000&quiet=20&style=dots&ring=true", e.ID, format), b.key, "")
		if r.status != http.StatusOK || len(r.body) > 4<<20 {
			t.Errorf("the largest %s: %d, %d bytes", format, r.status, len(r.body))
		}
	}
}
