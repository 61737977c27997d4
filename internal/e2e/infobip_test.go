package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// infobip calls the Infobip face with the gateway's key.
type infobip struct {
	*world
	auth string
}

func startInfobip(t *testing.T) *infobip {
	t.Helper()
	w := startWorld(t)
	return &infobip{w, "App " + w.key}
}

// call makes a request as it stands and returns status and body.
func (f *infobip) call(method, path, body string) (int, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", f.auth)
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// want makes a request and compares the answer with a golden one. Pairs of old and new put names in
// the place of what differs from run to run.
func (f *infobip) want(method, path, body string, status int, golden string, replace ...string) string {
	f.t.Helper()
	got, answer := f.call(method, path, body)
	shown := strings.NewReplacer(replace...).Replace(answer)
	shown = moving.ReplaceAllStringFunc(shown, func(s string) string {
		if strings.HasPrefix(s, "20") {
			return "{time}"
		}
		return "{" + s[:3] + "}"
	})
	if got != status {
		f.t.Fatalf("%s %s: status %d, wanted %d: %s", method, path, got, status, answer)
	}
	if diff := cmp.Diff(indented(golden), indented(shown)); diff != "" {
		f.t.Errorf("%s %s (-want +got):\n%s", method, path, diff)
	}
	return answer
}

// moving are the ids and times of answers.
var moving = regexp.MustCompile(`(?:msg|sub|blk|evt)_[0-9A-Za-z]+|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000`)

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", " ") != nil {
		return text
	}
	return b.String()
}

// field reads one member of an answer by its path.
func field(t *testing.T, body string, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no %v in %s", path, body)
			}
			v = object[s]
		case int:
			list, ok := v.([]any)
			if !ok || s >= len(list) {
				t.Fatalf("no %v in %s", path, body)
			}
			v = list[s]
		}
	}
	return v
}

func TestInfobipApplications(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	page := f.platform.AddPage(graphemu.Page{AppID: f.platform.app.ID})
	app := f.platform.app
	names := []string{page.AccessToken, "{token}", app.Secret, "{secret}", app.ID, "{app}"}
	request := `{"facebook":{"page":{"accessToken":"` + page.AccessToken + `"},"application":{"id":` + app.ID + `,"secret":"` + app.Secret + `"}}}`

	f.want("GET", "/facebook/1/applications", "", 200, `{"applications":[]}`)
	created, answer := f.call("POST", "/facebook/1/applications", request)
	if created != 200 {
		t.Fatalf("create: %d %s", created, answer)
	}
	key, _ := field(t, answer, "key").(string)
	if !regexp.MustCompile(`^[0-9A-F]{32}$`).MatchString(key) {
		t.Fatalf("key %q", key)
	}
	names = append(names, key, "{key}")
	image, _ := field(t, answer, "facebook", "application", "imageUrl").(string)
	if image != "" {
		names = append(names, `"`+image+`"`, `null`)
	}
	wantCreated := `{"key":"{key}","facebook":{"page":{"accessToken":"{token}"},"application":{"id":{app},"secret":"{secret}","name":"Demo App","imageUrl":null}}}`
	if diff := cmp.Diff(wantCreated, strings.NewReplacer(names...).Replace(answer)); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	// The webhook is there already, and what the person writes comes in through it.
	if a, err := f.client.GetApplication(t.Context(), key); err != nil || !a.Door || !strings.HasSuffix(a.CallbackURL, "/facebook/1/applications/"+key+"/webhook") {
		t.Errorf("application %+v, %v", a, err)
	}
	stored := `{"key":"{key}","facebook":{"page":{"accessToken":null},"application":{"id":{app},"secret":null,"name":"Demo App","imageUrl":null}}}`
	f.want("GET", "/facebook/1/applications", "", 200, `{"applications":[`+stored+`]}`, names...)
	f.want("GET", "/facebook/1/applications/"+key, "", 200, stored, names...)
	f.want("PUT", "/facebook/1/applications/"+key, request, 200, wantCreated, names...)
	f.want("PUT", "/facebook/1/applications/"+key, `{"facebook":{"page":{"accessToken":"EAAwrong"},"application":null}}`, 400,
		`{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad request","validationErrors":{"facebook.page.accessToken":["the platform says that the token is not valid: Invalid OAuth access token - Cannot parse access token"]}}}}`)
	f.want("DELETE", "/facebook/1/applications/"+key, "", 204, ``)
	for _, method := range []string{"GET", "DELETE"} {
		f.want(method, "/facebook/1/applications/"+key, "", 404, `{"requestError":{"serviceException":{"messageId":"1","text":"Application does not exist"}}}`)
	}
}

func TestInfobipCredentials(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	_, reader, err := service.CreateKey(t.Context(), f.app.Store, "reader", []gateway.Scope{gateway.ScopeMessagesRead}, nil)
	if err != nil {
		t.Fatal(err)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+f.key))
	const refused = `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Invalid login details"}}}`
	for _, c := range []struct {
		auth, path, golden string
		status             int
	}{
		{basic, "/facebook/1/applications", `{"applications":[]}`, 200},
		{"App " + f.key, "/facebook/1/applications", `{"applications":[]}`, 200},
		{"IBSSO " + f.key, "/facebook/1/applications", `{"applications":[]}`, 200},
		{"Bearer " + f.key, "/facebook/1/applications", refused, 401},
		{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "/facebook/1/applications", refused, 401},
		{"", "/facebook/1/applications", refused, 401},
		{"", "/facebook/1/nothing", refused, 401},
		{"App " + reader.Reveal(), "/facebook/1/applications",
			`{"requestError":{"serviceException":{"messageId":"FORBIDDEN","text":"this key lacks the scope applications:read"}}}`, 403},
		{"App " + f.key, "/facebook/1/nothing", `{"requestError":{"serviceException":{"messageId":"NOT_FOUND","text":"there is nothing at GET /facebook/1/nothing"}}}`, 404},
	} {
		with := &infobip{f.world, c.auth}
		with.want("GET", c.path, "", c.status, c.golden)
	}
	// An address inside the platform's webhook belongs to it.
	if status, body := f.call("GET", "/facebook/1/applications/0F3C3F29829FAB88714BA205BEC6D28F/webhook", ""); strings.Contains(body, "requestError") || status < 400 {
		t.Errorf("webhook of an unknown application: %d %s", status, body)
	}
}
