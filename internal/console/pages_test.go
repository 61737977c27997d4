package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// count lets n visits happen at an entry point, half as many first contacts, and a goal worth 2.5
// for every fifth.
func (w *world) count(e *gateway.EntryPoint, at time.Time, n int64) {
	w.t.Helper()
	one := func(metric string, n int64, value float64) store.Count {
		return store.Count{Application: e.Application, Point: e.ID, Ref: e.Ref, Source: "MESSENGER_CODE", Metric: metric, At: at, N: n, Value: value}
	}
	err := w.store.Write(w.t.Context(), func(tx *store.Tx) error {
		return tx.AddCounts(one(gateway.MetricVisits, n, 0), one(gateway.MetricFirst, n/2, 0), one(gateway.MetricGoals+"/order", n/5, 2.5*float64(n/5)), one(gateway.MetricGoalsFirst+"/order", n, 99))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestMakeOne(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café <b>Chasqui</b>")
	v := w.signedIn(nil, gateway.ScopeAll)
	v.get(list+"/new").wants(t, http.StatusOK, "Café &lt;b&gt;Chasqui", "!<b>Chasqui")
	for field, fields := range map[string][]string{
		"a-z A-Z": {"ref", "table 7"}, "not one of code": {"kind", "poster"}, "there is no application": {"application", "x"}, "not a time such as": {"expiresAt", "tomorrow"},
		"in the future": {"expiresAt", "2020-01-01T00:00"}, "1 to 50 bytes": {"tags", strings.Repeat("t", 51)}, "at most 200 bytes": {"campaign", strings.Repeat("c", 201)},
	} {
		in := map[string]string{"application": app, "kind": "code", "name": `Table "7"`}
		in[fields[0]] = fields[1]
		var form []string
		for k, value := range in {
			form = append(form, k, value)
		}
		p := v.post(list, form...).wants(t, http.StatusUnprocessableEntity, `value="Table &#34;7&#34;"`)
		if at := regexp.MustCompile(`name="` + fields[0] + `"[^>]*>(?s:.*?)<span class="problem" role="alert">([^<]*)`).FindStringSubmatch(p.body); at == nil || !strings.Contains(strings.ToLower(at[1]), strings.ToLower(field)) {
			t.Errorf("%s: the problem is not at the field: %q", fields[0], at)
		}
	}
	p := v.post(list, "application", app, "kind", "code", "ref", "table-7", "name", "Table 7", "tags", " inside, ,window ", "campaign", "tables", "text", "Hello", "expiresAt", "2099-01-31T12:30").wants(t, http.StatusSeeOther)
	v.get(p.header.Get("Location")).wants(t, http.StatusOK, "The entry point is made.", "Table 7", "?ref=table-7&amp;text=Hello", w.url+"/m/", `value="inside, window"`, `value="2099-01-31T12:30"`)
	v.get(list).wants(t, http.StatusOK, "Table 7", "table-7", "until 31 Jan 2099", "In use")
	v.post(list, "application", app, "kind", "link", "ref", "table-7").wants(t, http.StatusUnprocessableEntity, "There is an entry point with the ref")
}

func TestMakeMany(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	v := w.signedIn(nil, gateway.ScopeAll)
	v.get(list+"/many").wants(t, http.StatusOK, `value="table-{n}"`)
	v.post(list+"/many", "application", app, "kind", "code", "ref", "table", "from", "1", "to", "60").wants(t, http.StatusUnprocessableEntity, "holds {n}", `value="60"`)
	v.post(list+"/many", "application", app, "kind", "code", "ref", "table-{n}", "from", "one", "to", "60").wants(t, http.StatusUnprocessableEntity, "Give a whole number.")
	v.post(list+"/many", "application", app, "kind", "code", "ref", "table-{n}", "from", "1", "to", "10001").wants(t, http.StatusUnprocessableEntity, "at most 10,000")
	p := v.post(list+"/many", "application", app, "kind", "code", "ref", "table-{n}", "name", "Table {n}", "tags", "inside", "from", "1", "to", "60").wants(t, http.StatusSeeOther)
	first := v.get(p.header.Get("Location")).wants(t, http.StatusOK, "60 entry points are made.", "Table 60", "Table 36", "!Table 35<")
	var seen []string
	page, name := first, regexp.MustCompile(`<a class="name" href="[^"]*">([^<]+)`)
	for range 5 {
		for _, m := range name.FindAllStringSubmatch(page.body, -1) {
			seen = append(seen, m[1])
		}
		older := regexp.MustCompile(`id="older" href="([^"#]+)`).FindStringSubmatch(page.body)
		if older == nil {
			break
		}
		page = v.get(strings.ReplaceAll(older[1], "&amp;", "&")).wants(t, http.StatusOK)
	}
	if len(seen) != 60 || seen[0] != "Table 60" || seen[59] != "Table 1" {
		t.Errorf("the pages of the list hold %d: %v", len(seen), seen)
	}
	v.get(list+"?tag=inside&kind=code").wants(t, http.StatusOK, "Table 60")
	v.get(list+"?tag=outside").wants(t, http.StatusOK, "No entry point fits these filters.")
	v.get(list+"?ref=table-9").wants(t, http.StatusOK, "Table 9", "!Table 8<")
	v.get(list+"/sheet?tag=inside").wants(t, http.StatusOK, `<b id="count">60</b>`)
}

func TestChangeAndRetire(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	e := w.point(gateway.EntryPoint{Application: w.connect("Café"), Ref: "table-7", Name: "Old", ExpiresAt: time.Now().Add(time.Hour)})
	v := w.signedIn(nil, gateway.ScopeAll)
	at := list + "/" + e.ID
	w.ahead.Add(int64(2 * time.Hour))
	v.get(at).wants(t, http.StatusOK, "Expired")
	expires := e.ExpiresAt.UTC().Format("2006-01-02T15:04")
	p := v.post(at, "name", "New name", "campaign", "spring", "tags", "a, b", "text", "one\r\ntwo", "expiresAt", expires).wants(t, http.StatusSeeOther)
	v.get(p.header.Get("Location")).wants(t, http.StatusOK, "The changes are kept.", "New name", `value="spring"`, "Expired")
	got, err := w.points.Get(t.Context(), everyone, e.ID)
	if err != nil || got.Prefill != "one\ntwo" || len(got.Tags) != 2 || !got.ExpiresAt.Equal(e.ExpiresAt.Truncate(time.Millisecond)) {
		t.Errorf("%+v %v", got, err)
	}
	v.post(at, "name", strings.Repeat("n", 201)).wants(t, http.StatusUnprocessableEntity, "at most 200 bytes", strings.Repeat("n", 201))
	v.post(at, "name", "New name", "expiresAt", "").wants(t, http.StatusSeeOther)
	v.get(at).wants(t, http.StatusOK, "In use", "!Expired")

	v.get(at+"/retire").wants(t, http.StatusOK, "Retire New name?", `method="post"`)
	v.get(at).wants(t, http.StatusOK, "In use")
	p = v.post(at+"/retire").wants(t, http.StatusSeeOther)
	v.get(p.header.Get("Location")).wants(t, http.StatusOK, "still recognised", "Retired", "Bring back into use")
	v.get(list+"/sheet").wants(t, http.StatusOK, `<b id="count">0</b>`)
	v.get(list+"/sheet?retired=true").wants(t, http.StatusOK, `<b id="count">1</b>`)
	v.post(at+"/restore").wants(t, http.StatusSeeOther)
	v.get(at).wants(t, http.StatusOK, "In use")
}

func TestPictures(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	e := w.point(gateway.EntryPoint{Application: app, Ref: "table-7", Name: "Table 7"})
	long := w.point(gateway.EntryPoint{Application: app, Ref: strings.Repeat("z", 250)})
	v := w.signedIn(nil, gateway.ScopeAll)
	at := list + "/" + e.ID
	for path, want := range map[string]string{
		at + "/image?size=400": w.points.Link(e), at + "/image?size=400&link=short&style=rounded": w.points.ShortLink(e), at + "/thumbnail": w.points.Link(e), list + "/" + long.ID + "/thumbnail": w.points.Link(long),
	} {
		p := v.get(path).wants(t, http.StatusOK)
		if text, err := qr.Decode(bytes.NewReader([]byte(p.body))); err != nil || text != want {
			t.Errorf("%s holds %q %v, want %q", path, text, err, want)
		}
		if again := v.get(path, "If-None-Match", p.header.Get("ETag")); again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s again: %d", path, again.status)
		}
	}
	for format, begin := range map[string]string{"png": "\x89PNG", "svg": "<svg", "pdf": "%PDF"} {
		p := v.get(at + "/image?download=1&ring=true&style=dots&caption={name}&format=" + format)
		if name := p.header.Get("Content-Disposition"); p.status != http.StatusOK || !strings.Contains(p.body[:min(len(p.body), 200)], begin) || name != `attachment; filename="code-table-7.`+format+`"` {
			t.Errorf("%s: %d %s %.40q", format, p.status, name, p.body)
		}
	}
	v.get(at+"/image?format=bmp").wants(t, http.StatusNotFound)

	styled := v.get(at+"?style=dots&ring=true&foreground=%230a2f6b&size=600").wants(t, http.StatusOK, `value="600"`, `<option value="dots" selected>`)
	src := regexp.MustCompile(`id="preview" src="([^"]+)"`).FindStringSubmatch(styled.body)
	if src == nil {
		t.Fatal("no preview")
	}
	preview := v.get(strings.ReplaceAll(src[1], "&amp;", "&")).wants(t, http.StatusOK)
	if plain := v.get(at + "/image?size=600"); plain.body == preview.body {
		t.Errorf("the preview %s is the plain code", src[1])
	}
	for _, m := range regexp.MustCompile(`data-format="(\w+)" href="([^"]+)"`).FindAllStringSubmatch(styled.body, -1) {
		if q, err := url.Parse(strings.ReplaceAll(m[2], "&amp;", "&")); err != nil || q.Query().Get("format") != m[1] || q.Query().Get("style") != "dots" || q.Query().Get("foreground") != "#0a2f6b" {
			t.Errorf("%s leads to %s", m[1], m[2])
		}
	}
	for query, problem := range map[string]string{
		"foreground=%23eeeeee": "contrast", "size=99": "between 100 and 2000", "size=big": "is not a number", "style=stars": "is not one of", "quiet=50": "between 1 and 20", "caption=" + strings.Repeat("x", 61): "more than 60",
		"logo=address": "Give the picture", "logo=address&logoAddress=ftp://x": "http or https", "mm=5": "between 10 and 1000",
	} {
		v.get(at+"?"+query).wants(t, http.StatusOK, problem, "!id=\"preview\"")
		if p := v.get(at + "/image?" + query); p.status != http.StatusBadRequest {
			t.Errorf("the picture with %s: %d", query, p.status)
		}
	}
	v.get(list+"/"+long.ID+"?size=100").wants(t, http.StatusOK, "smallest")
}

func TestSheet(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	v := w.signedIn(nil, gateway.ScopeAll)
	v.get(list+"/sheet.pdf").wants(t, http.StatusUnprocessableEntity, "No entry point in use fits")
	for i := range 25 {
		w.point(gateway.EntryPoint{Application: app, Ref: fmt.Sprintf("table-%d", i), Tags: []string{fmt.Sprint("t", i%2)}, Name: strings.Repeat("A name too long to print ", i%2*4)})
	}
	w.point(gateway.EntryPoint{Application: app})
	pages := func(query string) int {
		p := v.get(list+"/sheet.pdf?"+query).wants(t, http.StatusOK)
		if !strings.HasPrefix(p.body, "%PDF") || p.header.Get("Content-Disposition") != `attachment; filename="codes.pdf"` {
			t.Errorf("%s: %v %.30q", query, p.header, p.body)
		}
		return strings.Count(p.body, "/Type /Page\n")
	}
	all, half := pages("caption={name}&mm=50&perRow=3"), pages("caption={name}&mm=50&perRow=3&tag=t1")
	if all < 2 || half < 1 || half >= all {
		t.Errorf("%d pages for all, %d for half of them", all, half)
	}
	for query, problem := range map[string]string{"perRow=0": "1 to 10", "perRow=many": "1 to 10", "perRow=3&mm=100": "mm", "foreground=%23ffffff": "contrast"} {
		v.get(list+"/sheet.pdf?"+query).wants(t, http.StatusUnprocessableEntity, `<span class="problem" role="alert">`, problem)
	}
}

// What many draw at once has its bounds in the console as in the API.
func TestDrawingHasBounds(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	e := w.point(gateway.EntryPoint{Application: app, Ref: "table-7"})
	v := w.signedIn(nil, gateway.ScopeAll)
	var under []*service.CodeDrawer
	for {
		d, err := w.points.Drawer(t.Context(), app, nil, true)
		if err != nil {
			break
		}
		under = append(under, d)
	}
	for _, path := range []string{"/sheet.pdf?mm=50", "/" + e.ID + "/image?logo=page"} {
		if p := v.get(list+path).wants(t, http.StatusServiceUnavailable, "under way"); p.header.Get("Retry-After") != "5" {
			t.Errorf("%s: %v", path, p.header)
		}
	}
	v.get(list+"/"+e.ID+"/thumbnail").wants(t, http.StatusOK)
	for _, d := range under {
		d.Close()
	}
	v.get(list+"/sheet.pdf?mm=50").wants(t, http.StatusOK, "%%EOF")
}

func TestReport(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app, other := w.connect("Café"), w.connect("Shop")
	e := w.point(gateway.EntryPoint{Application: app, Ref: "table-7", Name: "Table seven", Campaign: "tables", Tags: []string{"inside"}})
	plain := w.point(gateway.EntryPoint{Application: app})
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	w.ahead.Store(int64(time.Until(noon.Add(time.Hour)))) // so that today is the same day in all the zones below
	w.count(e, noon, 1200)
	w.count(e, noon.AddDate(0, 0, -20), 300)
	w.count(plain, noon, 40)
	w.count(w.point(gateway.EntryPoint{Application: other, Ref: "window"}), noon.AddDate(0, 0, -80), 7)
	v := w.signedIn(nil, gateway.ScopeAll)
	tile := func(p page, name string) string {
		if m := regexp.MustCompile(`<dt>` + name + `</dt><dd>([\d,]+)`).FindStringSubmatch(p.body); m != nil {
			return m[1]
		}
		return "none"
	}
	for query, want := range map[string]string{"": "1,540 770 308", "?days=7": "1,240 620 248", "?days=90": "1,547 773 309", "?days=90&application=" + other: "7 3 1", "?days=5": "1,540 770 308"} {
		p := v.get(list+query).wants(t, http.StatusOK)
		if got := tile(p, "Visits") + " " + tile(p, "First contacts") + " " + tile(p, "Goals"); got != want {
			t.Errorf("%q shows %s, want %s", query, got, want)
		}
	}
	day := noon.Format("Mon 2 Jan")
	v.get(list+"?days=7").wants(t, http.StatusOK, "value 620", "<title>"+day+": 1,240 visits, 620 first contacts, 248 goals</title>", `aria-label="Visits, first contacts and goals by day`, "table-7", "Table seven", list+"/"+e.ID)
	if n := strings.Count(v.get(list+"?days=90").body, `<rect class="column"`); n != 2*90 {
		t.Errorf("%d columns for 90 days in two charts", n)
	}
	v.get(list+"?days=7&tz=Asia/Tokyo").wants(t, http.StatusOK, "<title>"+noon.Format("Mon 2 Jan")+": 1,240 visits", `value="Asia/Tokyo"`)
	v.get(list+"?days=7").wants(t, http.StatusOK, `class="visits" y="0" width="100.00"`, `class="contacts" y="7" width="50.00"`, `class="goals" y="14" width="20.00"`, `class="visits" y="0" width="3.33"`)
	v.get(list+"/"+e.ID+"?days=7&tz=Asia/Tokyo").wants(t, http.StatusOK, "days begin in Asia/Tokyo", "days=90&amp;tz=Asia%2FTokyo")
	v.get(list+"?tz=Mars").wants(t, http.StatusOK, "is not a time zone", `value="Mars"`)
	v.get(list+"?by=campaign").wants(t, http.StatusOK, ">tables</a>", "campaign=tables#list")
	v.get(list+"?by=tag").wants(t, http.StatusOK, ">inside</a>")
	v.get(list+"?by=source").wants(t, http.StatusOK, "MESSENGER_CODE")
	point := v.get(list+"/"+e.ID+"?days=30").wants(t, http.StatusOK, "value of goals 750", "1,500", "750", "300", `class="bar" width="50.00"`)
	if strings.Contains(point.text(), "1,540") {
		t.Error("the figures of one entry point hold another's")
	}
	v.get(list+"/"+plain.ID).wants(t, http.StatusOK, "without a ref", "Visits 40", "Goals 8")
}

// Whatever comes as a ref is shown as text.
func TestStrangeRefs(t *testing.T) {
	t.Parallel()
	w := setup(t, "")
	app := w.connect("Café")
	ref := `<script>alert("1")</script> Ünknown ` + strings.Repeat("x", 2000)
	w.count(&gateway.EntryPoint{Application: app, Ref: ref}, time.Now(), 10)
	w.signedIn(nil, gateway.ScopeAll).get(list).wants(t, http.StatusOK, "&lt;script&gt;alert(&#34;1&#34;)", "!<script>alert", "Ünknown")
}
