package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// TestAPIExamples runs every curl command of docs/api.md, one after the other, against a gateway
// and a platform, and compares status and members of each answer with the one printed below it. It
// fails when a route of the API is not among them. With -update it prints the answers anew.
func TestAPIExamples(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	const path = "../../docs/api.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x := newExamples(t)
	var out strings.Builder
	for _, part := range splitExamples(string(page)) {
		switch {
		case part.command != "":
			out.WriteString("```sh\n" + part.command + "```\n\n")
			answers := x.run(part.command)
			if len(answers) == 0 {
				out.WriteString(part.answer)
				continue
			}
			out.WriteString("```http\n" + strings.Join(answers, "\n\n") + "\n```\n")
			if !*update {
				x.compare(part, answers)
			}
		default:
			out.WriteString(part.text)
			for _, m := range regexp.MustCompile(`<!-- test: (.+?) -->`).FindAllStringSubmatch(part.text, -1) {
				x.direct(m[1])
			}
		}
		if t.Failed() {
			t.Fatalf("after %q", part.command)
		}
	}
	x.wantAll()
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// example is a stretch of the page: text, or a command with the answer below it.
type example struct {
	text    string
	command string
	answer  string // the fence, or what stands there instead
}

var sh = regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:\n(```http\n.*?```\n))?")

func splitExamples(page string) []example {
	var parts []example
	at := 0
	for _, m := range sh.FindAllStringSubmatchIndex(page, -1) {
		if command := page[m[2]:m[3]]; strings.Contains(command, "$GATEWAY/") {
			parts = append(parts, example{text: page[at:m[0]]})
			answer := ""
			if m[4] >= 0 {
				answer = page[m[4]:m[5]]
			}
			parts = append(parts, example{command: command, answer: answer})
			at = m[1]
		}
	}
	return append(parts, example{text: page[at:]})
}

// examples is where the commands run.
type examples struct {
	t        *testing.T
	w        *world
	folder   string
	person   string
	receiver *receiver
	page     graphemu.Page
	vars     map[string]string
	last     []byte // body of the newest answer
	routes   *http.ServeMux
	missing  map[string]bool
	// described is what each answer is held against.
	described *description
	refused   bool // the next command is an example of an error
}

func newExamples(t *testing.T) *examples {
	t.Helper()
	w := startWorld(t)
	x := &examples{t: t, w: w, folder: t.TempDir(), receiver: startReceiver(t, nil), routes: http.NewServeMux(), missing: map[string]bool{}}
	x.page = w.platform.AddPage(graphemu.Page{ID: samplePage, Name: "Inca Coffee", AppID: w.platform.app.ID})
	x.person = w.platform.AddPerson(samplePage, graphemu.Person{ID: "1504003133884466", FirstName: "Ana", LastName: "Quispe", Open: true}).ID
	x.vars = map[string]string{"GATEWAY": w.url, "KEY": w.key, "PAGE_TOKEN": x.page.AccessToken, "APP_ID": w.platform.app.ID, "APP_SECRET": w.platform.app.Secret, "PSID": x.person}
	_, body := w.get("/openapi.json")
	x.described = readDescription(t, []byte(body))
	for path, methods := range x.described.Paths {
		for method := range methods {
			pattern := strings.ToUpper(method) + " " + path
			x.routes.HandleFunc(pattern, http.NotFound)
			x.missing[pattern] = true
		}
	}
	return x
}

// prelude makes curl write down what it asks for and gets.
const prelude = `set -euo pipefail
n=0
curl() {
	n=$((n+1))
	command curl -o "$OUT/$n.body" -D "$OUT/$n.head" -w '%{method} %{url_effective}\n' "$@" >>"$OUT/log" 2>>"$OUT/err"
}
`

// run runs the curl commands of a block and returns what they got, fit to be printed.
func (x *examples) run(command string) []string {
	x.t.Helper()
	folder, err := os.MkdirTemp(x.folder, "run")
	if err != nil {
		x.t.Fatal(err)
	}
	// The page's own addresses elsewhere are those of a receiver here.
	command = strings.ReplaceAll(command, "https://example.com", x.receiver.server.URL)
	cmd := exec.CommandContext(x.t.Context(), "bash", "-c", prelude+command)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "OUT="+folder)
	for name, value := range x.vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		x.t.Fatalf("%s\n%v: %s", command, err, text)
	}
	log, err := os.ReadFile(filepath.Join(folder, "log"))
	if err != nil {
		x.t.Fatalf("%s\nasked nothing: %v", command, err)
	}
	var answers []string
	for line := range strings.Lines(string(log)) {
		method, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		answers = append(answers, x.answer(filepath.Join(folder, strconv.Itoa(len(answers)+1)), method, address))
	}
	return answers
}

// answer reads what one command got, and notes the route.
func (x *examples) answer(file, method, address string) string {
	x.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		x.t.Fatal(err)
	}
	_, pattern := x.routes.Handler(&http.Request{Method: method, URL: u, Host: u.Host})
	delete(x.missing, pattern)
	head, err := os.ReadFile(file + ".head")
	if err != nil {
		x.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(append(bytes.TrimSpace(head), "\r\n\r\n"...))), nil)
	if err != nil {
		x.t.Fatalf("%s: %v", head, err)
	}
	res.Body.Close()
	if x.last, err = os.ReadFile(file + ".body"); err != nil {
		x.last = nil // there was none
	}
	if refused := res.StatusCode >= 400; refused != x.refused {
		x.t.Errorf("%s %s answered %d %s", method, address, res.StatusCode, x.last)
	}
	x.refused = false
	text := fmt.Sprintf("HTTP/1.1 %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	for _, name := range []string{"Content-Type", "ETag", "Location"} {
		if v := res.Header.Get(name); v != "" {
			text += "\n" + name + ": " + v
		}
	}
	if strings.HasPrefix(pattern, method+" /v1/") {
		if err := x.described.judge(pattern, res.StatusCode, kind, x.last); err != nil {
			x.t.Errorf("the description is not true: %v", err)
		}
	}
	switch {
	case len(x.last) == 0:
	case kind == "application/json" && len(x.last) < 20_000:
		text += "\n\n" + x.pretty(x.last)
	case strings.HasPrefix(kind, "text/plain") && len(x.last) < 200:
		text += "\n\n" + strings.TrimSpace(string(x.last))
	}
	return x.fixed(text)
}

// pretty is JSON in print: of long lists two items are enough.
func (x *examples) pretty(body []byte) string {
	x.t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		x.t.Fatalf("%v: %s", err, body)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(pruned(v)); err != nil {
		x.t.Fatal(err)
	}
	// Lists of texts go on one line.
	return texts.ReplaceAllStringFunc(strings.TrimSpace(out.String()), func(list string) string {
		return "[" + breaks.ReplaceAllString(texts.FindStringSubmatch(list)[1], ", ") + "]"
	})
}

func pruned(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for i, item := range v {
			if _, plain := item.(string); i < 2 || plain || len(v) <= 5 {
				out = append(out, pruned(item))
			}
		}
		return out
	case map[string]any:
		for name := range v {
			v[name] = pruned(v[name])
		}
	}
	return v
}

var (
	anyTime = regexp.MustCompile(`\b20[2-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9:]{8}\.[0-9]{3}Z`)
	texts   = regexp.MustCompile(`\[\s+("[^"\n]*"(?:,\s+"[^"\n]*")*)\s+\]`)
	breaks  = regexp.MustCompile(`,\s+`)
)

// fixed replaces what differs from run to run.
func (x *examples) fixed(text string) string {
	replace := []string{x.receiver.server.URL, "https://example.com", x.w.url, "https://gateway.example.com", x.w.platform.url, "https://graph.facebook.com",
		x.page.AccessToken, "EAAB…", x.w.platform.app.Secret, "…", x.w.platform.app.ID, "123456789012345"}
	if app := x.vars["APP"]; app != "" {
		replace = append(replace, app, "7B7631AB9F971006A4E5969FFF0A9E0C")
	}
	text = strings.NewReplacer(replace...).Replace(text)
	text = anyTime.ReplaceAllString(text, "2026-11-22T10:00:05.000Z")
	for _, c := range changing {
		text = c.found.ReplaceAllString(text, c.stands)
	}
	for found, stands := range map[string]string{
		`whsec_[A-Za-z0-9+/=]+`: "whsec_…", `era_[0-9a-f]{32}`: "era_5f1d7a84c0de4b6f9a2e8c3b7d610f42", `erased_[0-9a-f]{32}`: "erased_0c6f7ad29be1453f8d27b1a6e94c53d8",
		`cqs_[A-Za-z0-9_-]+`: "cqs_…", `"durationMs": \d+`: `"durationMs": 12`,
		`\b[0-9A-F]{32}\b`: "7B7631AB9F971006A4E5969FFF0A9E0C", `_[0-9A-HJKMNP-TV-Z]{26}\b`: "_06DEQ8B2KJ5W4ZC7T1XGQ0V3MN",
		`("expiresOn": )"[^"]*"`: `$1"2026-11-23T10:00:00.000Z"`, `\bEAA[A-Za-z0-9]{20,}`: "EAAB…",
	} {
		text = regexp.MustCompile(found).ReplaceAllString(text, stands)
	}
	return text
}

// direct does what stands between the commands in comments that nobody sees.
func (x *examples) direct(text string) {
	x.t.Helper()
	what, rest, _ := strings.Cut(text, " ")
	switch what {
	case "let": // NAME=path.of.member of the newest answer
		name, path, _ := strings.Cut(rest, "=")
		x.vars[name] = x.member(path)
	case "says": // the person writes
		if _, err := x.w.platform.Act(x.t.Context(), samplePage, x.person, graphemu.Action{Text: rest}); err != nil {
			x.t.Fatal(err)
		}
	case "await": // PATH member=value
		path, condition, _ := strings.Cut(rest, " ")
		name, value, _ := strings.Cut(condition, "=")
		path = os.Expand(path, func(v string) string { return x.vars[v] })
		await(x.t, rest, func() (bool, string) {
			var body json.RawMessage
			x.w.api("GET", path, &body)
			x.last = body
			_, pattern := x.routes.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: strings.Split(path, "?")[0]}})
			if err := x.described.judge(pattern, http.StatusOK, "application/json", body); err != nil {
				x.t.Errorf("the description is not true: %v", err)
			}
			return regexp.MustCompile("^(?:" + value + ")$").MatchString(x.member(name)), string(body)
		})
	case "refused": // the next command is an example of an error
		x.refused = true
	case "fails": // the platform answers nothing but errors, and wants no call for ten minutes, so that messages wait
		x.w.platform.SetFaults([]graphemu.Fault{{Endpoint: "messages", Status: 500, Code: 2, Headers: map[string]string{"Retry-After": "600"}}})
	case "works":
		x.w.platform.SetFaults(nil)
	case "hold": // what waits is held, as after chasqui restore
		id := x.w.send(gatewayapi.SendMessageRequest{To: gatewayapi.To{FBMessengerID: x.person}, Body: "One more.", Application: x.vars["APP"]})
		x.w.awaitStatus(id, gatewayapi.StatusQueued)
		await(x.t, "the message to be held", func() (bool, string) {
			if _, err := x.w.app.Store.AfterRestore(x.t.Context()); err != nil {
				x.t.Fatal(err)
			}
			m := x.w.message(id)
			return m.Status == "held", string(m.Status)
		})
		x.vars["HELD"] = id
	default:
		x.t.Fatalf("no such directive: %s", text)
	}
}

// member returns a member of the newest answer as text; empty when it is not there.
func (x *examples) member(path string) string {
	x.t.Helper()
	var v any
	if err := json.Unmarshal(x.last, &v); err != nil {
		x.t.Fatalf("%v: %s", err, x.last)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(at) {
				return ""
			}
			v = at[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// compare holds the printed answers to those that came: status, headers, and which members there
// are.
func (x *examples) compare(e example, answers []string) {
	x.t.Helper()
	printed := strings.TrimSuffix(strings.TrimPrefix(e.answer, "```http\n"), "\n```\n")
	got := strings.Join(answers, "\n\n")
	if diff := cmp.Diff(outline(x.t, printed), outline(x.t, got)); diff != "" {
		x.t.Errorf("the answer of\n%sis not as printed; run `go test ./internal/e2e -run TestAPIExamples -update` (-printed +got):\n%s", e.command, diff)
	}
}

// outline is what must not change in answers: status lines, headers but for their values, and the
// paths of all members.
func outline(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for _, part := range regexp.MustCompile(`(?m)^HTTP/1\.1 `).Split(text, -1) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		head, body, _ := strings.Cut(part, "\n\n")
		for i, line := range strings.Split(head, "\n") {
			if i > 0 {
				line, _, _ = strings.Cut(line, ":")
			}
			lines = append(lines, line)
		}
		var v any
		if json.Unmarshal([]byte(strings.TrimSpace(body)), &v) == nil {
			paths := map[string]bool{}
			walk(v, "", paths)
			lines = append(lines, slices.Sorted(maps.Keys(paths))...)
		}
	}
	return lines
}

func walk(v any, at string, into map[string]bool) {
	into[at] = true
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			walk(item, at+"."+name, into)
		}
	case []any:
		for _, item := range v {
			walk(item, at+"[]", into)
		}
	}
}

// wantAll fails the test for each route without an example.
func (x *examples) wantAll() {
	x.t.Helper()
	for _, route := range slices.Sorted(maps.Keys(x.missing)) {
		x.t.Errorf("docs/api.md has no example of %s", route)
	}
}
