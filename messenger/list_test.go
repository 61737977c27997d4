package messenger_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// pages answers /me/personas page by page: each of them is a format with the
// server's address. It tells the cursors that it was asked with.
func pages(t *testing.T, answers map[string]string) (*messenger.Client, *[]string) {
	t.Helper()
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		asked = append(asked, after)
		answer, known := answers[after]
		if !known {
			answer = answers["*"]
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL), &asked
}

func TestAll(t *testing.T) {
	t.Parallel()
	const page = `{"data":[{"id":"%s"}],"paging":{"cursors":{"before":"x","after":"%s"},"next":"https://graph.facebook.com/v26.0/me/personas?access_token=hidden&after=%s"}}`
	last := `{"data":[{"id":"3"}],"paging":{"cursors":{"before":"x","after":"c"}}}`
	tests := []struct {
		name    string
		answers map[string]string
		ids     string
		asked   []string
		err     error
	}{
		{"cursors on the last page too", map[string]string{
			"": fmt.Sprintf(page, "1", "a&b=c", "a%26b%3Dc"), "a&b=c": fmt.Sprintf(page, "2", "b", "b"), "b": last,
		}, "123", []string{"", "a&b=c", "b"}, nil},
		{"no paging at all", map[string]string{"": `{"data":[{"id":1}]}`}, "1", []string{""}, nil},
		{"an empty list", map[string]string{"": `{"data":[]}`}, "", []string{""}, nil},
		{"a cursor in the address alone", map[string]string{
			"": `{"data":[{"id":"1"}],"paging":{"next":"https://graph.facebook.com/me/personas?after=q%3D"}}`, "q=": last,
		}, "13", []string{"", "q="}, nil},
		{"a page that was empty goes on", map[string]string{"": `{"data":[],"paging":{"cursors":{"after":"b"},"next":"https://x/?after=b"}}`, "b": last}, "3", []string{"", "b"}, nil},
		{"the same page for ever", map[string]string{"*": fmt.Sprintf(page, "1", "a", "a"), "": fmt.Sprintf(page, "1", "a", "a")}, "11", []string{"", "a"}, messenger.ErrUnreadable},
		{"an error in the middle", map[string]string{"": fmt.Sprintf(page, "1", "a", "a"), "a": `{"error":{"code":4,"message":"(#4) limit"}}`}, "1", []string{"", "a"}, messenger.ErrRateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, asked := pages(t, tt.answers)
			ids, err := "", error(nil)
			for persona, failed := range c.AllPersonas(t.Context(), messenger.ListOptions{}) {
				if failed != nil {
					err = failed
					continue
				}
				ids += persona.ID
			}
			if ids != tt.ids || !errors.Is(err, tt.err) {
				t.Errorf("ids %q, error %v", ids, err)
			}
			if diff := cmp.Diff(tt.asked, *asked); diff != "" {
				t.Errorf("cursors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllEndsOnEndlessEmptyPages(t *testing.T) {
	t.Parallel()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `{"data":[],"paging":{"cursors":{"after":"c%d"},"next":"https://x/?after=c%d"}}`, n, n)
	}))
	defer srv.Close()
	for _, err := range newClient(t, srv.URL).AllLabels(t.Context(), messenger.ListOptions{}) {
		if !errors.Is(err, messenger.ErrUnreadable) {
			t.Errorf("error %v", err)
		}
	}
	if n > 50 {
		t.Errorf("%d pages were asked for", n)
	}
}

func TestAllStopsWhenTheCallerDoes(t *testing.T) {
	t.Parallel()
	c, asked := pages(t, map[string]string{"*": `{"data":[{"id":"1"},{"id":"2"}],"paging":{"next":"https://x/?after=n"}}`})
	for range c.AllPersonas(t.Context(), messenger.ListOptions{}) {
		break
	}
	if len(*asked) != 1 {
		t.Errorf("%d pages were asked for", len(*asked))
	}
}

func TestListOptions(t *testing.T) {
	t.Parallel()
	base, calls := recorder(t, `{"data":[{"id":5,"page_label_name":"vip"}],"paging":{"cursors":{"after":"z"},"next":"https://x"}}`)
	labels, err := newClient(t, base).ListPersonLabels(t.Context(), "42", messenger.ListOptions{Fields: []string{"id", "page_label_name"}, Limit: 5, After: "a=b", Before: "&"})
	if err != nil || labels.Next() != "z" || len(labels.Data) != 1 || labels.Data[0] != (messenger.Label{ID: "5", Name: "vip"}) {
		t.Errorf("labels %+v, error %v", labels, err)
	}
	got := <-calls
	query, err := url.ParseQuery(got.Query)
	want := url.Values{"fields": {"id,page_label_name"}, "limit": {"5"}, "after": {"a=b"}, "before": {"&"}}
	if diff := cmp.Diff(want, query); diff != "" || err != nil || got.Path != "/graph/"+messenger.DefaultVersion+"/42/custom_labels" {
		t.Errorf("path %s, error %v, query (-want +got):\n%s", got.Path, err, diff)
	}
}

// TestIDsAreNoPaths holds that an id cannot make another call of it.
func TestIDsAreNoPaths(t *testing.T) {
	t.Parallel()
	base, calls := recorder(t, `{}`)
	c := newClient(t, base)
	for _, id := range []string{"", "1/label", "1?x=y", "1#x", "a%2Fb", ".."} {
		for name, err := range map[string]error{
			"delete label":   c.DeleteLabel(t.Context(), id),
			"delete persona": c.DeletePersona(t.Context(), id),
			"associate":      c.AssociateLabel(t.Context(), id, "1"),
		} {
			if !messenger.Unsent(err) {
				t.Errorf("%s %q: error %v", name, id, err)
			}
		}
	}
	select {
	case got := <-calls:
		t.Errorf("sent: %+v", got)
	default:
	}
}
