package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/comapi"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// pair is a request in Comapi's shapes and the answer to it, kept in a file of testdata/comapi:
// comment lines, the request, a line of dashes, the answer. Identifiers and times stand as {names},
// numbered as they come up. A line `# until TEXT` asks again until the answer has the text.
type pair struct {
	comment, until string
	method, path   string
	header         []string
	body           string
	answer         string
}

const pairRule = "----------"

func readPair(t *testing.T, name string) pair {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	request, answer, _ := strings.Cut(string(content), "\n"+pairRule+"\n")
	p := pair{answer: answer}
	head, body, _ := strings.Cut(request, "\n\n")
	p.body = strings.TrimSuffix(body, "\n")
	for line := range strings.SplitSeq(head, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			p.comment += line + "\n"
			if text, ok := strings.CutPrefix(line, "# until "); ok {
				p.until = text
			}
		case line == "":
		case p.method == "":
			p.method, p.path, _ = strings.Cut(line, " ")
		default:
			p.header = append(p.header, line)
		}
	}
	return p
}

// names stands for what differs from run to run.
type names struct {
	value map[string]string // by name
	order []string
	count map[string]int
	nonce string
}

func (n *names) set(name, value string) {
	if _, known := n.value[name]; !known {
		n.order = append(n.order, name)
	}
	n.value[name] = value
}

// fill puts values in the place of names.
func (n *names) fill(text string) string {
	for name, value := range n.value {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

var volatile = []struct {
	name string
	at   *regexp.Regexp
}{
	{"message", regexp.MustCompile(`\bmsg_\w+`)}, {"event", regexp.MustCompile(`\bevt_\w+`)}, {"webhook", regexp.MustCompile(`\bsub_\w+`)}, {"session", regexp.MustCompile(`\bses_\w+`)},
	{"profile", regexp.MustCompile(`\bprf_\w+`)}, {"token", regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]+`)}, {"state", regexp.MustCompile(`\bcqs_[\w-]+`)}, {"mid", regexp.MustCompile(`\bm_[\w-]{10,}`)},
	{"apikey", regexp.MustCompile(`\bkey_\w+`)},
}

var moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

// hide puts names in the place of values, and names those that are new.
func (n *names) hide(text string) string {
	for _, name := range n.order {
		text = strings.ReplaceAll(text, n.value[name], "{"+name+"}")
	}
	for _, v := range volatile {
		text = v.at.ReplaceAllStringFunc(text, func(value string) string {
			for _, known := range n.order {
				if n.value[known] == value {
					return "{" + known + "}"
				}
			}
			n.count[v.name]++
			name := fmt.Sprint(v.name, n.count[v.name])
			n.set(name, value)
			return "{" + name + "}"
		})
	}
	return moment.ReplaceAllString(text, "{time}")
}

// goldenHeaders are the headers of answers that matter.
var goldenHeaders = []string{"Content-Type", "Location", "ETag", "WWW-Authenticate", "Access-Control-Allow-Origin"}

// exchange makes the request of a pair and returns its answer as it stands in the file.
func (n *names) exchange(t *testing.T, w *world, p pair) string {
	t.Helper()
	if strings.Contains(p.body, "{jwt}") {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "dave@example.com", "nonce": n.nonce, "exp": time.Now().Add(time.Minute).Unix()}).SignedString([]byte(goldenSecret))
		if err != nil {
			t.Fatal(err)
		}
		n.value["jwt"] = token
	}
	req, err := http.NewRequestWithContext(t.Context(), p.method, w.url+n.fill(p.path), strings.NewReader(n.fill(p.body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range p.header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, n.fill(value))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var started struct{ Nonce, AuthenticationID string }
	if json.Unmarshal(body, &started) == nil && started.Nonce != "" {
		n.nonce = started.Nonce
		n.set("nonce", started.Nonce)
		n.set("authentication", started.AuthenticationID)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	for _, name := range goldenHeaders {
		for _, value := range resp.Header.Values(name) {
			if name == "ETag" && strings.Contains(p.path, "/webhooks") {
				n.set("etag", strings.Trim(value, `"`))
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if len(body) > 0 {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("%s %s answered no JSON: %s", p.method, p.path, body)
		}
		var pretty bytes.Buffer
		e := json.NewEncoder(&pretty)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n" + pretty.String())
	}
	return n.hide(b.String())
}

const goldenSecret = "a secret of the shop, at least 32 bytes"

// goldenWorld is a gateway with a page, Ana who has a profile, a provider for SMS, a channel
// whatsApp of the business's own, and a route.
func goldenWorld(t *testing.T) (*world, *names) {
	t.Helper()
	w := startWorld(t, func(c *config.Config) { c.Sessions.Secret = goldenSecret })
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	p.customer(ana, "ana@example.com")
	await(t, "Ana's name from the platform", func() (bool, string) {
		c := w.comapi("GET", "/cpaas/profiles/ana@example.com", "")
		return bytes.Contains(c.body, []byte("first_name")), string(c.body)
	})
	w.texter("")
	c := w.carrier(nil)
	whatsApp := "whatsApp"
	if _, err := w.client.UpdateChannel(t.Context(), c.account.ID, gatewayapi.UpdateChannelRequest{Name: &whatsApp}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.CreateRoute(t.Context(), gatewayapi.SaveRouteRequest{Name: "text first", Rules: rules(`["sms","fbMessenger"]`)}); err != nil {
		t.Fatal(err)
	}
	_, reader, err := service.CreateKey(t.Context(), w.app.Store, "reader", []gateway.Scope{gateway.ScopeMessagesRead}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &names{value: map[string]string{}, count: map[string]int{}}
	n.set("platform", w.platform.url)
	n.set("gateway", w.url)
	n.set("space", p.key)
	n.set("ana", ana)
	n.set("page", p.id)
	n.set("key", w.key)
	n.set("reader", reader.Reveal())
	n.set("basic", base64.StdEncoding.EncodeToString([]byte("api-user:"+w.key)))
	return w, n
}

// TestComapiGolden makes every call of the face and holds the answers equal to those on file.
// -update writes the answers.
func TestComapiGolden(t *testing.T) {
	t.Parallel()
	w, n := goldenWorld(t)
	files, err := filepath.Glob("testdata/comapi/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pairs: %v", err)
	}
	slices.Sort(files)
	seen := map[string]bool{}
	for _, name := range files {
		p := readPair(t, name)
		got := n.exchange(t, w, p)
		if p.until != "" {
			await(t, name+" to have "+p.until, func() (bool, string) {
				got = n.exchange(t, w, p)
				return strings.Contains(got, p.until), got
			})
		}
		seen[routeOf(p)] = true
		if *update {
			head := p.comment + strings.Join(append([]string{p.method + " " + p.path}, p.header...), "\n")
			if p.body != "" {
				head += "\n\n" + p.body
			}
			if err := os.WriteFile(name, []byte(head+"\n"+pairRule+"\n"+got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(p.answer, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	page, err := os.ReadFile("../../docs/from-comapi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range comapi.Routes() {
		if !seen[route] {
			t.Errorf("no pair for %s", route)
		}
		if method, path, _ := strings.Cut(route, " "); !bytes.Contains(page, []byte("`"+method+" "+path[1:]+"`")) {
			t.Errorf("docs/from-comapi.md does not tell of %s", route)
		}
	}
}

// routeOf is the route that a request of a pair belongs to.
func routeOf(p pair) string {
	path, _, _ := strings.Cut(p.path, "?")
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/cpaas"), "/apispaces/{space}")
	best := ""
	for _, route := range comapi.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if method == p.method && fitsPattern(path, pattern) && (best == "" || strings.Count(route, "{") < strings.Count(best, "{")) {
			best = route
		}
	}
	return best
}

func fitsPattern(path, pattern string) bool {
	a, b := strings.Split(path, "/"), strings.Split(pattern, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(b[i], "{") {
			return false
		}
	}
	return true
}
