package graphemu_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type batchItem struct {
	Code    int
	Headers []struct{ Name, Value string }
	Body    string
}

// batch posts a batch and gives the answers, nil for those left out.
func (w *world) batch(contentType, body string) (items []*batchItem, raw string) {
	w.t.Helper()
	resp, err := http.Post(w.url+"/v26.0/", contentType, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &items); err != nil {
			w.t.Fatalf("%s: %v", b, err)
		}
	}
	return items, string(b)
}

// TestBatchForms posts the same batch as JSON with a list, as JSON with a text,
// and as a form.
func TestBatchForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	message := "recipient=" + url.QueryEscape(`{"id":"`+w.ana.ID+`"}`) + "&message=" + url.QueryEscape(`{"text":"Hóla & more"}`)
	list := fmt.Sprintf(`[{"method":"POST","relative_url":"me/messages","body":%q},{"method":"GET","relative_url":"/v26.0/me?fields=id"},{"method":"GET","relative_url":"me/thread_owner?recipient=%s"}]`, message, w.ana.ID)
	quoted, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, kind, body string }{
		{"list", "application/json", `{"access_token":"` + w.page.AccessToken + `","batch":` + list + `}`},
		{"text", "application/json", `{"access_token":"` + w.page.AccessToken + `","batch":` + string(quoted) + `}`},
		{"form", "application/x-www-form-urlencoded", url.Values{"access_token": {w.page.AccessToken}, "batch": {list}}.Encode()},
	} {
		items, raw := w.batch(tt.kind, tt.body)
		if len(items) != 3 || items[0].Code != 200 || items[1].Body != `{"id":"`+w.page.ID+`"}` || !strings.Contains(items[2].Body, w.app.ID) || len(items[0].Headers) == 0 {
			t.Errorf("%s: %s", tt.name, raw)
		}
	}
	thread, err := w.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) != 3 || thread[0].Text != "Hóla & more" {
		t.Errorf("thread %+v, %v", thread, err)
	}
	if items, raw := w.batch("application/json", `{"access_token":"`+w.page.AccessToken+`","include_headers":false,"batch":`+list+`}`); len(items[1].Headers) != 0 {
		t.Errorf("headers that nobody wanted: %s", raw)
	}
}

// TestBatchRefused holds the errors of batches.
func TestBatchRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	post := func(list string) string {
		_, raw := w.batch("application/json", `{"access_token":"`+w.page.AccessToken+`","batch":`+list+`}`)
		return raw
	}
	item := `{"method":"GET","relative_url":"me"}`
	if raw := post("[" + strings.TrimSuffix(strings.Repeat(item+",", 50), ",") + "]"); !strings.HasPrefix(raw, "[") {
		t.Errorf("50 items: %s", raw)
	}
	for name, list := range map[string]string{"51 items": "[" + strings.TrimSuffix(strings.Repeat(item+",", 51), ",") + "]", "no items": "[]", "no list": `"x"`} {
		if raw := post(list); !strings.Contains(raw, "GraphBatchException") {
			t.Errorf("%s: %s", name, raw)
		}
	}
	if raw := post(`[{"method":"GET"},{"relative_url":"me"},{"method":"GET","relative_url":"nonsense"},` + item + `]`); strings.Count(raw, `"code":400`) != 3 || strings.Count(raw, `"code":200`) != 1 {
		t.Errorf("bad items: %s", raw)
	}
	if _, raw := w.batch("application/json", `{"access_token":"wrong","batch":[`+item+`]}`); !strings.Contains(raw, `"code":190`) {
		t.Errorf("wrong token: %s", raw)
	}
	if items, raw := w.batch("application/json", `{"batch":[`+item+`,{"method":"GET","relative_url":"me?access_token=`+w.page.AccessToken+`"}]}`); len(items) != 2 || items[0].Code != 400 || items[1].Code != 200 {
		t.Errorf("tokens of the items: %s", raw)
	}
}

// TestBatchReferences follows references through lists.
func TestBatchReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, name := range []string{"a", "b"} {
		w.graph("POST", "/v26.0/me/custom_labels", `{"name":"`+name+`"}`)
	}
	items, raw := w.batch("application/json", `{"access_token":"`+w.page.AccessToken+`","batch":[
		{"method":"GET","relative_url":"me/custom_labels?fields=name","name":"all"},
		{"method":"GET","relative_url":"{result=all:$.data[1].id}?fields=name"},
		{"method":"POST","relative_url":"me/custom_labels","body":{"name":"{result=all:$.data.*.name}"},"name":"joined","omit_response_on_success":false},
		{"method":"GET","relative_url":"{result=joined:$..id}?fields=name","depends_on":["joined"]}]}`)
	if len(items) != 4 || items[0] != nil {
		t.Fatalf("an answer that others refer to is left out: %s", raw)
	}
	if !strings.Contains(items[1].Body, `"name":"b"`) || !strings.Contains(items[3].Body, `"name":"a,b"`) {
		t.Errorf("%s", raw)
	}
}

// TestProofs holds proofs, in batches and for debug_token.
func TestProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	code, _, answer := w.graph("GET", "/v26.0/me?appsecret_proof=00", "")
	if refused, ok := answer["error"].(map[string]any); code != 100 || !ok || refused["type"] != "GraphMethodException" || refused["message"] != "Invalid appsecret_proof provided in the API argument" {
		t.Errorf("a wrong proof: %v", answer)
	}
	w.app.RequireProof = true
	w.emu.AddApp(w.app)
	if _, _, answer := w.graph("GET", "/v26.0/me", ""); fmt.Sprint(answer["error"]) == "" || !strings.Contains(fmt.Sprint(answer), "API calls from the server require an appsecret_proof argument") {
		t.Errorf("no proof: %v", answer)
	}
}

// TestBadInput sends what makes no sense: the answer is always the platform's.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	huge := strings.NewReader(strings.Repeat("x", 100<<20))
	for _, tt := range []struct {
		name, method, path, kind string
		body                     io.Reader
	}{
		{"half JSON", "POST", "/v26.0/me/messages", "application/json", strings.NewReader(`{"recipient":{"id"`)},
		{"a list", "POST", "/v26.0/me/messages", "application/json", strings.NewReader(`[1,2]`)},
		{"half a form", "POST", "/v26.0/me/messages", "multipart/form-data; boundary=x", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{")},
		{"no boundary", "POST", "/v26.0/me/messages", "multipart/form-data", strings.NewReader("--x")},
		{"100 MB", "POST", "/v26.0/me/messages", "application/json", huge},
		{"unknown id", "GET", "/v26.0/999", "", nil},
		{"unknown edge", "GET", "/v26.0/me/nonsense", "", nil},
		{"wrong method", "DELETE", "/v26.0/me/messages", "", nil},
		{"wrong method of a page", "PUT", "/v26.0/me", "", nil},
		{"no path", "GET", "/", "", nil},
		{"slashes", "POST", "//v26.0//me//messages//", "", nil},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, w.url+tt.path+"?access_token="+w.page.AccessToken, tt.body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var answer struct {
			Error struct {
				Code          int
				Message, Type string
				TraceID       string `json:"fbtrace_id"`
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil || answer.Error.Code == 0 || answer.Error.Message == "" || answer.Error.Type == "" || answer.Error.TraceID == "" || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d, %+v, %v", tt.name, resp.StatusCode, answer, err)
		}
	}
}
