package messenger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// wireCall is one line of testdata/calls.jsonl: an operation of the npm package
// messaging-api-messenger (0.8.5 and what 1.1.0 added), its arguments, and what
// it puts on the wire. Of verb, item and json one is set.
type wireCall struct {
	Op    string
	Args  []json.RawMessage
	Token string // "" the page's, "other", "app"
	Proof bool

	Verb  string
	Path  string
	Query map[string]string
	Body  any
	Form  []formPart

	Item *struct {
		Method      string
		RelativeURL string `json:"relative_url"`
		Body        any
	}
	JSON any
}

type formPart struct {
	Name, Value, Filename string
	ContentType           string `json:"contentType"`
}

// wire is a request in the form that is compared.
type wire struct {
	Verb, Path string
	Query      map[string]string
	Body       any // scalars are strings
	Token      string
	Proof      bool
	Refused    bool // nothing is sent
}

func wireCalls(t *testing.T) []wireCall {
	t.Helper()
	file, err := os.Open("testdata/calls.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var calls []wireCall
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call wireCall
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			t.Fatalf("line %d: %v", len(calls)+1, err)
		}
		calls = append(calls, call)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return calls
}

// difference is something that this package does otherwise, on purpose.
type difference struct {
	name, reason string
	ops          []string // every operation when empty
	apply        func(call wireCall, want *wire)
}

// differences is every difference to the npm package; docs/sdk.md lists them too.
var differences = []difference{
	{"a client speaks v26.0 unless told otherwise", "theirs speaks 4.0 or 6.0, which are gone; the calls here are made with v4.0", nil, func(wireCall, *wire) {}},
	{"the token goes in the Authorization header", "a URL ends up in logs of proxies and servers", nil, func(call wireCall, want *wire) {
		want.Token = map[string]string{"": testToken, "other": "othertoken123", "app": messenger.AppToken("987654321", testSecret)}[call.Token]
	}},
	{"the proof is that of the token that is sent", "theirs proves the page's token for debugToken, batches and NLP settings with another token, and the platform refuses that", nil, func(call wireCall, want *wire) {
		want.Proof = call.Proof
	}},
	{"ids are strings", "some are larger than a JavaScript number holds; the platform takes both", nil, func(_ wireCall, want *wire) {
		want.Body = scalars(want.Body)
	}},
	{"optional members without a value are left out", "the platform reads a missing one the same", nil, func(_ wireCall, want *wire) {
		want.Body = withoutEmpty(want.Body)
	}},
	{"settings of NLP go in the body", "one of them is a token", []string{"setNLPConfigs", "enableNLP", "disableNLP"}, func(_ wireCall, want *wire) {
		body := map[string]any{}
		for name, value := range want.Query {
			body[name] = value
		}
		want.Query, want.Body = nil, body
	}},
	{"a token to look at goes in the body", "a URL ends up in logs of proxies and servers", []string{"debugToken"}, func(_ wireCall, want *wire) {
		want.Verb, want.Query, want.Body = http.MethodPost, nil, map[string]any{"input_token": testToken, "method": "get"}
	}},
	{"the metrics of a broadcast are read with GET", "the platform's documentation has GET", []string{"getBroadcastMessagesSent"}, func(_ wireCall, want *wire) {
		want.Verb = http.MethodGet
	}},
	{"no slash at the end of the path of insights", "the platform has none", []string{
		"getInsights", "getBlockedConversations", "getReportedConversations", "getOpenConversations", "getTotalMessagingConnections", "getNewConversations",
	}, func(_ wireCall, want *wire) { want.Path = strings.TrimSuffix(want.Path, "/") }},
	{"a page is asked for its picture too", "that is what a page is shown with", []string{"getPageInfo"}, func(_ wireCall, want *wire) {
		if want.Query == nil {
			want.Query = map[string]string{"fields": "id,name,picture"}
		}
	}},
	{"a file without a name is refused", "the platform refuses it, with 100/2018005", nil, func(call wireCall, want *wire) {
		for _, part := range call.Form {
			want.Refused = want.Refused || part.Name == "filedata" && part.Filename == ""
		}
	}},
	{"tag and persona go with files too", "theirs forgets them", []string{"sendImage"}, func(call wireCall, want *wire) {
		var options map[string]any
		if len(call.Form) == 0 || len(call.Args) < 3 || json.Unmarshal(call.Args[2], &options) != nil {
			return
		}
		for _, name := range []string{"tag", "persona_id"} {
			if options[name] != nil {
				want.Body.(map[string]any)[name] = options[name]
			}
		}
		if options["tag"] != nil {
			want.Body.(map[string]any)["messaging_type"] = "MESSAGE_TAG"
		}
	}},
	{"cursors are escaped", "theirs breaks the query", []string{"getPersonas"}, func(call wireCall, want *wire) {
		if len(call.Args) > 0 {
			want.Query = map[string]string{"after": argument[string](call.Args, 0)}
		}
	}},
	{"a menu without a default locale is refused", "theirs wraps it into a menu that the platform refuses", []string{"setPersistentMenu"}, func(call wireCall, want *wire) {
		menus := argument[[]messenger.PersistentMenu](call.Args, 0)
		want.Refused = len(menus) > 0 && menus[0].Locale != "" && !slices.ContainsFunc(menus, func(m messenger.PersistentMenu) bool { return m.Locale == "default" })
	}},
	{"a title is measured as it is sent", "theirs trims it to measure it and sends it untrimmed; the platform cuts it", []string{"sendText"}, func(call wireCall, want *wire) {
		for _, q := range arguments(call.Args).options(2).QuickReplies {
			want.Refused = want.Refused || q.ContentType == "text" && len([]rune(q.Title)) > 20
		}
	}},
	{"a card with nothing but a title is refused", "the platform refuses it", []string{"sendGenericTemplate"}, func(call wireCall, want *wire) {
		for _, e := range argument[[]messenger.Element](call.Args, 1) {
			want.Refused = want.Refused || e.Subtitle == "" && e.ImageURL == "" && len(e.Buttons) == 0 && e.DefaultAction == nil
		}
	}},
	{"an item asks for the name of labels", "the method does so too", []string{"MessengerBatch.getAssociatedLabels"}, func(_ wireCall, want *wire) {
		want.Query = map[string]string{"fields": "name"}
	}},
	{"quick replies stand in the message alone", "theirs repeats them beside it in a batch", nil, func(call wireCall, want *wire) {
		if body, ok := want.Body.(map[string]any); ok && call.Item != nil {
			delete(body, "quick_replies")
		}
	}},
	{"no slash at the beginning of the address of an item", "the platform takes both", nil, func(call wireCall, want *wire) {
		want.Path = strings.TrimPrefix(want.Path, "/")
	}},
	{"the secret of the client proves calls for ids", "theirs takes another secret with the call", []string{"getIdsForApps", "getIdsForPages", "getUserField"}, func(_ wireCall, want *wire) {
		want.Proof = true
	}},
}

// TestWire makes every call through this package and compares what goes out with
// what the npm package sends for the same arguments.
func TestWire(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i, call := range wireCalls(t) {
		seen[call.Op] = true
		t.Run(fmt.Sprintf("%s_%d", call.Op, i+1), func(t *testing.T) {
			t.Parallel()
			switch {
			case call.JSON != nil:
				compareJSON(t, call)
				return
			case strings.HasPrefix(call.Op, "Messenger.create"):
				compareForm(t, call)
				return
			}
			got := drive(t, call)
			if diff := cmp.Diff(expected(call), got); diff != "" {
				t.Errorf("request (-npm +ours):\n%s", diff)
			}
		})
	}
	for _, op := range operations {
		if !seen[op] && op != "sendBatch" { // sendBatch is what carries the items
			t.Errorf("no call of %s in testdata/calls.jsonl", op)
		}
		if drivers()[strings.TrimPrefix(op, "MessengerBatch.")] == nil && !strings.HasPrefix(op, "Messenger.") && !strings.HasPrefix(op, "MessengerBroadcast.") && op != "sendBatch" {
			t.Errorf("nothing drives %s", op)
		}
	}
	for op := range seen {
		if !slices.Contains(operations, op) {
			t.Errorf("%s is not in the list of operations", op)
		}
	}
	if n := len(operationsOf085); n != 107+32+18+3 { // methods, items of batches, messages, conditions
		t.Errorf("%d operations of 0.8.5", n)
	}
}

// expected is what the npm package sends, with the differences applied.
func expected(call wireCall) wire {
	want := wire{Verb: call.Verb, Path: call.Path, Query: call.Query, Body: call.Body}
	if call.Item != nil {
		want.Verb, want.Body = call.Item.Method, call.Item.Body
		path, query, _ := strings.Cut(call.Item.RelativeURL, "?")
		want.Path, want.Query = path, flatQuery(query)
	}
	if len(call.Form) > 0 {
		want.Body = flatForm(call.Form)
	}
	for _, d := range differences {
		if len(d.ops) == 0 || slices.Contains(d.ops, call.Op) {
			d.apply(call, &want)
		}
	}
	want.Body = comparableBody(want.Body)
	if want.Refused {
		return wire{Refused: true}
	}
	return want
}

// compareForm compares the two parts that a factory of forms makes with those of
// a send.
func compareForm(t *testing.T, call wireCall) {
	t.Helper()
	send := call
	send.Op = "send" + strings.TrimSuffix(strings.TrimPrefix(call.Op, "Messenger.create"), "FormData")
	send.Args = append([]json.RawMessage{json.RawMessage(`"5275811702471834"`)}, call.Args...)
	got, ok := drive(t, send).Body.(map[string]any)
	if !ok {
		t.Fatal("nothing was sent")
	}
	ours := map[string]any{"message": got["message"], "filedata": got["filedata"]}
	if diff := cmp.Diff(comparableBody(flatForm(call.Form)), any(ours)); diff != "" {
		t.Errorf("form (-npm +ours):\n%s", diff)
	}
}

// drive makes the call and returns what a server saw of it.
func drive(t *testing.T, call wireCall) wire {
	t.Helper()
	requests := make(chan wire, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- readWire(t, r)
		io.WriteString(w, `{"recipient_id":"1","message_id":"m","id":"1"}`)
	}))
	defer srv.Close()
	opts := []messenger.Option{messenger.WithVersion("v4.0")}
	if call.Proof || strings.HasPrefix(call.Op, "getIds") || call.Op == "getUserField" {
		opts = append(opts, messenger.WithAppSecret(testSecret))
	}
	c := newClient(t, srv.URL, opts...)
	run := drivers()[strings.TrimPrefix(call.Op, "MessengerBatch.")]
	if run == nil {
		t.Fatalf("nothing drives %s", call.Op)
	}
	do := func(ctx context.Context, c *messenger.Client) error {
		switch call.Token {
		case "other":
			c = c.As("othertoken123")
		case "app":
			c = c.As(messenger.AppToken("987654321", testSecret))
		}
		return run(ctx, c, arguments(call.Args))
	}
	var err error
	if call.Item != nil {
		batch := c.NewBatch()
		item := batch.Call(do)
		if err = batch.Do(context.WithValue(t.Context(), batchKey{}, true)); err == nil {
			_, err = item.Result()
		}
	} else {
		err = do(t.Context(), c)
	}
	select {
	case got := <-requests:
		if call.Item != nil {
			return itemOf(t, got)
		}
		return got
	default:
		if !messenger.Unsent(err) {
			t.Errorf("nothing was sent, error %v", err)
		}
		return wire{Refused: true}
	}
}

type batchKey struct{}

// inBatch tells the drivers that the npm package's item is wanted: it has no
// default fields.
func inBatch(ctx context.Context) bool { return ctx.Value(batchKey{}) != nil }

// readWire reads a request into the form that is compared.
func readWire(t *testing.T, r *http.Request) wire {
	t.Helper()
	query := flatQuery(r.URL.RawQuery)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	proof := query["appsecret_proof"]
	if proof != "" && proof != messenger.Proof(testSecret, token) {
		t.Errorf("the proof is not that of the token %q", token)
	}
	delete(query, "appsecret_proof")
	if len(query) == 0 {
		query = nil
	}
	path, found := strings.CutPrefix(r.URL.Path, "/v4.0/")
	if !found {
		t.Errorf("path %q", r.URL.Path)
	}
	got := wire{Verb: r.Method, Path: path, Query: query, Token: token, Proof: proof != ""}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		got.Body = flatForm(readForm(t, multipart.NewReader(r.Body, params["boundary"])))
	case "application/x-www-form-urlencoded":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form := map[string]any{}
		for name, value := range flatQuery(string(body)) {
			form[name] = value
		}
		got.Body = form
	case "application/json":
		if err := json.NewDecoder(r.Body).Decode(&got.Body); err != nil {
			t.Errorf("body: %v", err)
		}
	}
	got.Body = comparableBody(got.Body)
	return got
}

func readForm(t *testing.T, form *multipart.Reader) []formPart {
	t.Helper()
	var parts []formPart
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return parts
		}
		if err != nil {
			t.Error(err)
			return parts
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Error(err)
		}
		p := formPart{Name: part.FormName(), Value: string(content), Filename: part.FileName(), ContentType: part.Header.Get("Content-Type")}
		if p.Filename != "" {
			if p.Value != "buffer-bytes" {
				t.Errorf("content of the file is %q", p.Value)
			}
			p.Value = ""
		}
		parts = append(parts, p)
	}
}

// flatForm makes a member of each part; the order of parts does not matter to
// the platform.
func flatForm(parts []formPart) map[string]any {
	out := map[string]any{}
	for _, p := range parts {
		var object any
		switch {
		case p.Name == "filedata":
			out[p.Name] = map[string]any{"filename": p.Filename, "type": strings.SplitN(p.ContentType, ";", 2)[0]}
		case json.Unmarshal([]byte(p.Value), &object) == nil:
			out[p.Name] = object
		default:
			out[p.Name] = p.Value
		}
	}
	return out
}

// itemOf takes the one item out of a batch.
func itemOf(t *testing.T, batch wire) wire {
	t.Helper()
	items, _ := batch.Body.(map[string]any)["batch"].([]any)
	if batch.Path != "" || batch.Verb != http.MethodPost || len(items) != 1 {
		t.Fatalf("batch %+v", batch)
	}
	item := items[0].(map[string]any)
	path, query, _ := strings.Cut(item["relative_url"].(string), "?")
	got := wire{Verb: item["method"].(string), Path: path, Query: flatQuery(query), Token: batch.Token}
	if own := got.Query["access_token"]; own != "" {
		got.Token = own
		delete(got.Query, "access_token")
	}
	if len(got.Query) == 0 {
		got.Query = nil
	}
	if form, ok := item["body"].(string); ok {
		body := map[string]any{}
		for name, value := range flatQuery(form) {
			var object any
			if json.Unmarshal([]byte(value), &object) == nil {
				body[name] = object
			} else {
				body[name] = value
			}
		}
		got.Body = comparableBody(body)
	}
	return got
}

func flatQuery(raw string) map[string]string {
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) == 0 {
		return nil
	}
	out := map[string]string{}
	for name := range values {
		out[name] = values.Get(name)
	}
	return out
}

// comparableBody is a body whose scalars are strings, whose texts of JSON are taken
// apart, and that is without what says nothing.
func comparableBody(v any) any {
	return withoutEmpty(scalars(apart(v)))
}

func apart(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = apart(member)
		}
	case []any:
		for i, element := range v {
			v[i] = apart(element)
		}
	case string:
		var list []any
		if json.Unmarshal([]byte(v), &list) == nil {
			return list
		}
	}
	return v
}

// withoutEmpty drops members that say nothing: "", false, [] and {}, but for
// those whose presence is the point.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			member = withoutEmpty(member)
			switch m := member.(type) {
			case string:
				if m == "" || m == "false" && name != "is_reusable" && name != "in_test" && name != "nlp_enabled" {
					continue
				}
			case []any:
				if len(m) == 0 && name != "call_to_actions" {
					continue
				}
			case map[string]any:
				if len(m) == 0 && name != "payload" {
					continue
				}
			}
			out[name] = member
		}
		return out
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return v
}
