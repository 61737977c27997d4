package e2e

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/qr"
)

// Pictures of codes are read by a decoder that is not their encoder, whatever their style, and come
// by the hundred.
func TestEntryPointPictures(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	e := p.entry("code", "table-7", func(e *gatewayapi.EntryPoint) { e.Name = "Table 7" })
	fetch := func(path string, headers ...string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.key)
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, b
	}
	for query, want := range map[string]string{
		"": e.Link, "?size=500&logo=page": e.Link, "?size=300&style=rounded&ring=true": e.Link, "?size=600&style=dots&caption={name}&foreground=%230a2540": e.Link, "?link=short&size=200": e.ShortLink,
	} {
		resp, picture := fetch(e.Image + ".png" + query)
		if text, err := qr.Decode(bytes.NewReader(picture)); err != nil || text != want || resp.Header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: %q %v (%d)", query, text, err, resp.StatusCode)
		}
		if again, _ := fetch(e.Image+".png"+query, "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: unchanged answers %d", query, again.StatusCode)
		}
	}
	for query, field := range map[string]string{
		"?size=99": "size", "?size=many": "size", "?style=round": "style", "?foreground=%23ffff00": "foreground", "?logo=file:///etc/passwd": "logo", "?sice=100": "sice", "?quiet=-1": "quiet",
	} {
		if resp, body := fetch(e.Image + ".png" + query); resp.StatusCode != 400 || !strings.Contains(string(body), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, resp.StatusCode, body)
		}
	}
	for ending, start := range map[string]string{".svg": "<svg", ".pdf": "%PDF-"} {
		if resp, b := fetch(e.Image + ending); resp.StatusCode != 200 || !strings.Contains(string(b[:200]), start) {
			t.Errorf("%s: %d %.60q", ending, resp.StatusCode, b)
		}
	}
	if resp, _ := fetch(e.Image + ".gif"); resp.StatusCode != 404 {
		t.Error(resp.StatusCode)
	}
	if _, err := w.client.CreateEntryPoints(t.Context(), gatewayapi.BulkEntryPointsRequest{EntryPoint: gatewayapi.EntryPoint{Application: p.key, Kind: "code", Ref: "desk-{n}", Campaign: "desks"}, From: 1, To: 30}); err != nil {
		t.Fatal(err)
	}
	_, archive := fetch("/v1/entry-point-images?campaign=desks&size=200")
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil || len(z.File) != 30 || z.File[0].Name != "desk-1.png" {
		t.Fatal(err)
	}
	file, err := z.File[29].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if text, err := qr.Decode(file); err != nil || !strings.HasSuffix(text, "ref=desk-30") {
		t.Errorf("%q %v", text, err)
	}
	if resp, sheet := fetch("/v1/entry-point-sheet?campaign=desks&perRow=4"); resp.StatusCode != 200 || !bytes.HasPrefix(sheet, []byte("%PDF-")) {
		t.Errorf("%d %.60q", resp.StatusCode, sheet)
	}
}
