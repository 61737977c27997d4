package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	face "github.com/chasqui/chasqui/internal/infobip"
)

var updateGolden = flag.Bool("update-infobip", false, "write the answers into testdata/infobip")

// TestInfobipGolden makes the requests of testdata/infobip and compares every answer, and what
// receivers are posted. Each file is a gateway of its own, and is gone through twice: as it is
// written, and with null for every member that a request leaves out. Every call of the face must be
// there.
//
// A file holds blocks, with an empty line between. Names in braces stand for what differs from run
// to run.
//
//	POST /path              a request, perhaps with an Authorization of its own and a body
//	-> 200                  status and answer; "~>" asks again until they are there
//	= name path.to.member   gives a member of the answer a name
//	>> /path                what a receiver was posted
//	! word …                makes something happen; see happen
func TestInfobipGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/infobip/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	t.Cleanup(func() {
		for _, p := range face.Patterns() {
			if !seen[p] {
				t.Errorf("testdata/infobip has no pair for %s", p)
			}
		}
	})
	mux := http.NewServeMux()
	for _, p := range face.Patterns() {
		mux.Handle(p, http.NotFoundHandler())
	}
	for _, file := range files {
		for _, nulls := range []bool{false, true} {
			if nulls && *updateGolden {
				continue
			}
			t.Run(fmt.Sprintf("%s nulls %t", strings.TrimSuffix(filepath.Base(file), ".txt"), nulls), func(t *testing.T) {
				t.Parallel()
				g := newGolden(t, nulls)
				g.seen = func(r *http.Request) {
					_, pattern := mux.Handler(r)
					mu.Lock()
					defer mu.Unlock()
					seen[pattern] = true
				}
				g.run(file)
			})
		}
	}
}

// golden goes through a file.
type golden struct {
	*infobip
	nulls bool
	seen  func(*http.Request)
	page  *page
	sms   *texter
	names []string // pairs of value and {name}
	hooks *hooks
	last  string // answer
}

func newGolden(t *testing.T, nulls bool) *golden {
	f := startInfobip(t)
	g := &golden{infobip: f, nulls: nulls, hooks: startHooks(t)}
	g.page = f.connect(graphemu.Page{Name: "Corner Shop"})
	g.sms = f.texter(g.page.key)
	g.name("page", g.page.key)
	g.name("ada", g.page.person("Ada"))
	g.name("bob", f.platform.AddPerson(g.page.id, graphemu.Person{FirstName: "Bob", Open: true, Blocks: true}).ID)
	g.name("eve", g.page.person("Eve"))
	g.name("off", f.platform.AddPerson(g.page.id, graphemu.Person{FirstName: "Off", Open: true, Offline: true}).ID)
	spare := f.platform.AddPage(graphemu.Page{Name: "Spare", AppID: f.platform.app.ID})
	g.name("accessToken", spare.AccessToken)
	g.name("appId", f.platform.app.ID)
	g.name("secret", f.platform.app.Secret)
	g.name("apiKey", f.key)
	g.name("hook", g.hooks.server.URL)
	const old = "37512FECA0AC2C5D3A1B0C7A1E1B7D3E37512FECA0AC2C5D3A1B0C7A1E1B7D3E"
	g.name("old", old)
	if _, err := f.client.CreateProfile(t.Context(), gatewayapi.Profile{"id": json.RawMessage(`"` + old + `"`), "fbMessengerIds": json.RawMessage(`{"` + g.page.key + `":"` + g.value("ada") + `"}`)}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *golden) name(name, value string) { g.names = append(g.names, value, "{"+name+"}") }

func (g *golden) value(name string) string {
	for i := len(g.names) - 1; i > 0; i -= 2 {
		if g.names[i] == "{"+name+"}" {
			return g.names[i-1]
		}
	}
	g.t.Fatalf("nothing is called %s", name)
	return ""
}

// fill puts values in the place of names.
func (g *golden) fill(text string) string {
	for i := len(g.names) - 1; i > 0; i -= 2 {
		text = strings.ReplaceAll(text, g.names[i], g.names[i-1])
	}
	return text
}

var (
	goldenID   = regexp.MustCompile(`\b(msg|sub|blk|evt|ibs)_[0-9A-Za-z]+`)
	goldenTime = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\+0000|Z)`)
	goldenKey  = regexp.MustCompile(`\b[0-9A-F]{32}\b`)
	goldenName = regexp.MustCompile(`Scenario [0-9A-F]{8}`)
	imageURL   = regexp.MustCompile(`"imageUrl":"[^"]*"`)
)

// masked puts names in the place of what differs from run to run.
func (g *golden) masked(text string) string {
	text = strings.NewReplacer(g.names...).Replace(text)
	text = imageURL.ReplaceAllString(text, `"imageUrl":null`)
	text = goldenID.ReplaceAllString(text, "{$1}")
	text = goldenTime.ReplaceAllString(text, "{time}")
	text = goldenName.ReplaceAllString(text, "Scenario {number}")
	return goldenKey.ReplaceAllString(text, "{key}")
}

func (g *golden) run(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		g.t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	for i, block := range blocks {
		blocks[i] = g.block(block)
		if g.t.Failed() && !*updateGolden {
			g.t.Fatalf("in this block:\n%s", block)
		}
	}
	if *updateGolden {
		if err := os.WriteFile(file, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// block goes through a block and answers it as it should be.
func (g *golden) block(block string) string {
	lines := strings.Split(block, "\n")
	var out []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "#":
			out = append(out, line)
		case "!":
			g.happen(g.fill(rest))
			out = append(out, line)
		case "=":
			name, path, _ := strings.Cut(rest, " ")
			g.name(name, member(g.t, g.last, path))
			out = append(out, line)
		case ">>":
			end := following(lines, i+1)
			got := g.masked(g.hooks.next(g.t, rest))
			g.same(line, strings.Join(lines[i+1:end], "\n"), got)
			out = append(out, line, compacted(got))
			i = end - 1
		default:
			answer := i + 1
			for ; answer < len(lines) && !strings.HasPrefix(lines[answer], "-> ") && !strings.HasPrefix(lines[answer], "~> "); answer++ {
			}
			if answer == len(lines) {
				g.t.Fatalf("no answer in\n%s", block)
			}
			end := following(lines, answer+1)
			out = append(out, lines[i:answer]...)
			out = append(out, g.exchange(lines[i:answer], lines[answer], strings.Join(lines[answer+1:end], "\n"))...)
			i = end - 1
		}
	}
	return strings.Join(out, "\n")
}

// following returns where the next thing begins.
func following(lines []string, i int) int {
	for i < len(lines) && !slices.ContainsFunc([]string{"#", "! ", "= ", ">> ", "GET ", "POST ", "PUT ", "DELETE "}, func(s string) bool { return strings.HasPrefix(lines[i], s) }) {
		i++
	}
	return i
}

// exchange makes a request and compares the answer.
func (g *golden) exchange(request []string, status, want string) []string {
	method, path, _ := strings.Cut(g.fill(request[0]), " ")
	with := &infobip{g.world, g.auth}
	body := request[1:]
	if len(body) > 0 {
		if auth, ok := strings.CutPrefix(body[0], "Authorization:"); ok {
			with.auth, body = strings.TrimSpace(g.fill(auth)), body[1:]
		}
	}
	sent := g.fill(strings.Join(body, "\n"))
	if g.nulls {
		sent = stuffed(sent)
	}
	r := httptest.NewRequest(method, path, nil)
	g.seen(r)
	again, wanted, _ := strings.Cut(status, " ")
	var code int
	var answer string
	fits := func() bool {
		return strconv.Itoa(code) == wanted && (*updateGolden && !strings.Contains(answer, `"results":[]`) || indented(compacted(g.masked(answer))) == indented(want))
	}
	ask := func() (bool, string) {
		code, answer = with.call(method, path, sent)
		return fits(), answer
	}
	if again == "~>" {
		await(g.t, request[0], ask)
	} else {
		ask()
	}
	g.last = answer
	got := g.masked(answer)
	if strconv.Itoa(code) != wanted && !*updateGolden {
		g.t.Errorf("%s: status %d, wanted %s: %s", request[0], code, wanted, answer)
	}
	g.same(request[0], want, got)
	lines := []string{again + " " + strconv.Itoa(code)}
	if got != "" {
		lines = append(lines, compacted(got))
	}
	return lines
}

func (g *golden) same(what, want, got string) {
	if diff := cmp.Diff(indented(want), indented(compacted(got))); diff != "" && !*updateGolden {
		g.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// compacted is an answer as a file holds it: on one line.
func compacted(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// happen makes something happen.
func (g *golden) happen(words string) {
	what, rest, _ := strings.Cut(words, " ")
	who, text, _ := strings.Cut(rest, " ")
	switch what {
	case "says": // somebody writes on Messenger
		g.page.says(who, text)
		g.awaitEvent(text)
	case "taps":
		g.page.act(who, graphemu.Action{Postback: &graphemu.TapAction{Title: text, Payload: strings.ToUpper(text)}})
	case "shows":
		g.page.act(who, graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: "image", URL: text}})
	case "texts": // or by SMS
		g.sms.says(who, "SM-"+text, text)
		g.awaitEvent(text)
	case "becomes": // a message comes to a state, or further
		g.awaitStatus(who, gatewayapi.MessageStatus(text), "read")
	case "gets": // somebody has a text on Messenger, or on a telephone
		await(g.t, words, func() (bool, string) {
			all := g.sms.bodies(who)
			if !strings.HasPrefix(who, "+") {
				all = g.page.thread(who)
			}
			return slices.Contains(all, text), strings.Join(all, ", ")
		})
	case "arrives": // the last text message to a telephone
		g.sms.arrives(g.t, who)
	case "passes": // time does
		d, err := time.ParseDuration(who)
		if err != nil {
			g.t.Fatal(err)
		}
		g.clock.advance(d)
	default:
		g.t.Fatalf("nothing can %s", what)
	}
}
