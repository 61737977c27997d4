package bot

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/rivescript"
)

func TestFetcher(t *testing.T) {
	t.Parallel()
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.RequestURI()+" "+string(body)+" "+r.Header.Get("Idempotency-Key"))
		switch r.URL.Path {
		case "/html":
			io.WriteString(w, "<html>")
		case "/away":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case "/long":
			io.WriteString(w, `"`+strings.Repeat("x", maxAnswer)+`"`)
		default:
			io.WriteString(w, `{"n":12345678901234567890}`)
		}
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	f := NewFetcher([]string{host, "*.example.com", "localhost"})
	ctx := withTurn(context.Background(), "evt_1")
	ask := func(method, url, options string) (rivescript.Response, error) {
		return f.Fetch(ctx, nil, rivescript.Request{Method: method, URL: url, Options: options})
	}
	if r, err := ask("POST", server.URL+`/a?q=ñ "x" <y>`, `{"headers":{"X":1},"body":{"a":[1]}}`); err != nil || r.Status != 200 {
		t.Error(r, err)
	}
	if r, err := ask("GET", server.URL+"/b", ""); err != nil || r.JSON.(map[string]any)["n"].(interface{ String() string }).String() != "12345678901234567890" {
		t.Error(r, err)
	}
	want := []string{`POST /a?q=%C3%B1%20%22x%22%20%3Cy%3E {"a":[1]} evt_1.1`, "GET /b  evt_1.2"}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", seen, want)
	}
	for url, words := range map[string]string{
		server.URL + "/html": "not JSON", server.URL + "/away": "not JSON", server.URL + "/long": "more than", "ftp://" + host: "not an http", "https://other.com/": "host other.com is not among",
		"http://localhost:9/": "", "http://127.0.0.1:9/": "is not among", "http://x.example.com.evil.com/": "is not among",
	} {
		if r, err := ask("GET", url, ""); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v %v, want %q", url, r, err, words)
		}
	}
	if _, err := ask("GET", server.URL, "{"); err == nil {
		t.Error("options that are not JSON are taken")
	}
	if _, err := ask("GET", "http://localhost:"+host[strings.LastIndexByte(host, ':')+1:], ""); err == nil {
		t.Error("a host without port reaches this machine")
	}
}
