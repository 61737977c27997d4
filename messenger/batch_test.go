package messenger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// sentItem is an item of a batch as a server gets it.
type sentItem struct {
	Method      string   `json:"method"`
	RelativeURL string   `json:"relative_url"`
	Body        string   `json:"body"`
	Name        string   `json:"name"`
	DependsOn   []string `json:"depends_on"`
	Omit        *bool    `json:"omit_response_on_success"`
}

// batches answers each item with what answer says: the JSON of one element.
func batches(t *testing.T, answer func(sentItem) string) (string, chan []sentItem) {
	t.Helper()
	seen := make(chan []sentItem, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Batch []sentItem }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !strings.HasSuffix(r.URL.Path, "/"+messenger.DefaultVersion+"/") {
			t.Errorf("path %s, error %v", r.URL.Path, err)
		}
		seen <- in.Batch
		answers := make([]string, len(in.Batch))
		for i, item := range in.Batch {
			answers[i] = answer(item)
		}
		io.WriteString(w, "["+strings.Join(answers, ",")+"]")
	}))
	t.Cleanup(srv.Close)
	return srv.URL, seen
}

// answered is the answer to an item.
func answered(code int, body string) string {
	text, _ := json.Marshal(body)
	return fmt.Sprintf(`{"code":%d,"headers":[{"name":"Content-Type","value":"text/javascript"}],"body":%s}`, code, text)
}

func TestBatchSplits(t *testing.T) {
	t.Parallel()
	base, seen := batches(t, func(item sentItem) string {
		form, err := url.ParseQuery(item.Body)
		if err != nil {
			t.Error(err)
		}
		var to struct{ ID string }
		if err := json.Unmarshal([]byte(form.Get("recipient")), &to); err != nil {
			t.Error(err)
		}
		if to.ID == "7" {
			return answered(400, `{"error":{"message":"(#551) This person isn't available right now.","type":"OAuthException","code":551,"error_subcode":1545041}}`)
		}
		return answered(200, `{"recipient_id":"`+to.ID+`","message_id":"m_`+to.ID+`"}`)
	})
	batch := newClient(t, base).NewBatch()
	var items []*messenger.BatchItem[messenger.SendResult]
	for i := range 120 {
		text := "hello"
		if i == 60 {
			text = strings.Repeat("x", 2001)
		}
		items = append(items, batch.Send(messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(fmt.Sprint(i))}, Message: messenger.TextMessage(text)}))
	}
	if _, err := items[0].Result(); err == nil {
		t.Error("a result before the batch ran")
	}
	if err := batch.Do(t.Context()); err != nil || batch.Len() != 120 {
		t.Fatal(err)
	}
	for i, item := range items {
		result, err := item.Result()
		switch i {
		case 7:
			if !errors.Is(err, messenger.ErrUnreachable) {
				t.Errorf("item 7: %v", err)
			}
		case 60:
			var field *messenger.FieldError
			if !errors.As(err, &field) || field.Field != "message.text" || !messenger.Unsent(err) {
				t.Errorf("item 60: %v", err)
			}
		default:
			if err != nil || result.MessageID != messenger.MessageID(fmt.Sprint("m_", i)) {
				t.Errorf("item %d: %+v, %v", i, result, err)
			}
		}
	}
	if a, b, c := len(<-seen), len(<-seen), len(<-seen); a != 50 || b != 50 || c != 19 {
		t.Errorf("requests of %d, %d and %d items", a, b, c)
	}
	if err := batch.Do(t.Context()); err != nil || len(seen) != 0 {
		t.Errorf("ran again: %v", err)
	}
}

func TestBatchItems(t *testing.T) {
	t.Parallel()
	base, seen := batches(t, func(item sentItem) string {
		switch {
		case item.Name == "owner":
			return answered(200, `{"data":[{"thread_owner":{"app_id":"263902037430900"}}]}`)
		case strings.HasPrefix(item.RelativeURL, "omitted"):
			return "null"
		case strings.HasPrefix(item.RelativeURL, "lost"):
			return "null"
		case strings.HasPrefix(item.RelativeURL, "html"):
			return answered(500, "<html>oops</html>")
		}
		return answered(200, `{"success":true}`)
	})
	c := newClient(t, base, messenger.WithAppSecret(testSecret))
	batch := c.NewBatch()
	owner := messenger.AddToBatch(batch, func(ctx context.Context, c *messenger.Client) (*messenger.ThreadOwner, error) {
		return c.ThreadOwner(ctx, "42")
	}, messenger.ItemName("owner"))
	batch.Call(func(ctx context.Context, c *messenger.Client) error {
		return c.Do(ctx, http.MethodGet, "{result=owner:$.data.0.id}", url.Values{"x": {"{result=owner:$.data.*.id}"}}, nil, nil)
	}, messenger.DependsOn("owner"))
	omitted := batch.Call(func(ctx context.Context, c *messenger.Client) error {
		return c.Do(ctx, http.MethodPost, "omitted", nil, map[string]any{"a": "b c&d", "n": 5, "o": map[string]string{"k": "v"}}, nil)
	}, messenger.OmitOnSuccess())
	lost := batch.Call(func(ctx context.Context, c *messenger.Client) error { return c.DissociateLabel(ctx, "lost", "42") })
	html := batch.Call(func(ctx context.Context, c *messenger.Client) error {
		return c.Do(ctx, http.MethodGet, "html", nil, nil, nil)
	})
	batch.Call(func(ctx context.Context, c *messenger.Client) error {
		return c.As("othertoken").DeletePersona(ctx, "9")
	})
	file := batch.Call(func(ctx context.Context, c *messenger.Client) error {
		_, err := c.SendFile(ctx, messenger.SendRequest{Recipient: messenger.Recipient{ID: "1"}, Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeFile}}}, messenger.File{Name: "a", Data: []byte("x")})
		return err
	})
	if err := batch.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := owner.Result(); err != nil || got == nil || got.AppID != messenger.AppIDPageInbox {
		t.Errorf("owner %+v, %v", got, err)
	}
	if _, err := omitted.Result(); err != nil {
		t.Errorf("omitted: %v", err)
	}
	if _, err := lost.Result(); !errors.Is(err, messenger.ErrUnanswered) || !messenger.OutcomeUnknown(err) {
		t.Errorf("lost: %v", err)
	}
	if _, err := html.Result(); !errors.Is(err, messenger.ErrTemporary) {
		t.Errorf("html: %v", err)
	}
	if _, err := file.Result(); !errors.Is(err, messenger.ErrInvalid) || !messenger.Unsent(err) {
		t.Errorf("file: %v", err)
	}
	proof, other := "appsecret_proof="+messenger.Proof(testSecret, testToken), "appsecret_proof="+messenger.Proof(testSecret, "othertoken")
	no, yes := false, true
	want := []sentItem{
		{Method: "GET", RelativeURL: "me/thread_owner?recipient=42&" + proof, Name: "owner", Omit: &no},
		{Method: "GET", RelativeURL: "{result=owner:$.data.0.id}?x={result=owner:$.data.*.id}&" + proof, DependsOn: []string{"owner"}},
		{Method: "POST", RelativeURL: "omitted?" + proof, Body: "a=b%20c%26d&n=5&o=%7B%22k%22%3A%22v%22%7D", Omit: &yes},
		{Method: "DELETE", RelativeURL: "lost/label?" + proof, Body: "user=42"},
		{Method: "GET", RelativeURL: "html?" + proof},
		{Method: "DELETE", RelativeURL: "9?" + other + "&access_token=othertoken"},
	}
	if diff := cmp.Diff(want, <-seen); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// TestBatchKeepsDependents holds that what belongs together travels together.
func TestBatchKeepsDependents(t *testing.T) {
	t.Parallel()
	base, seen := batches(t, func(sentItem) string { return answered(200, `{"success":true}`) })
	batch := newClient(t, base).NewBatch()
	add := func(id string, opts ...messenger.ItemOption) *messenger.BatchItem[struct{}] {
		return batch.Call(func(ctx context.Context, c *messenger.Client) error { return c.DeleteLabel(ctx, id) }, opts...)
	}
	add("first", messenger.ItemName("first"))
	for i := range 59 {
		add(fmt.Sprint(i))
	}
	add("after", messenger.DependsOn("first"))
	for i := range 51 {
		add(fmt.Sprint("chain", i), messenger.ItemName(fmt.Sprint("c", i)), messenger.DependsOn(fmt.Sprint("c", max(0, i-1))))
	}
	err := batch.Do(t.Context())
	var field *messenger.FieldError
	if !errors.As(err, &field) || field.Limit != 50 || field.Got != 51 {
		t.Errorf("error %v", err)
	}
	first, second := <-seen, <-seen
	if len(first) != 50 || first[0].RelativeURL != "first" || first[49].RelativeURL != "after" || len(second) != 11 || len(seen) != 0 {
		t.Errorf("%d items, first %s, last %s; then %d", len(first), first[0].RelativeURL, first[len(first)-1].RelativeURL, len(second))
	}
}

func TestBatchRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	base, _ := recorder(t, `{"error":{"code":190,"message":"Invalid OAuth access token."}}`)
	batch := newClient(t, base).NewBatch()
	item := batch.SenderAction(messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: "1"}, Action: messenger.TypingOn})
	err := batch.Do(t.Context())
	if _, own := item.Result(); !errors.Is(err, messenger.ErrTokenInvalid) || !errors.Is(own, messenger.ErrTokenInvalid) {
		t.Errorf("batch: %v, item: %v", err, own)
	}
}
