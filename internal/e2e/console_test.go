package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// browser starts a Chromium of its own and closes it with the test. Where none is installed the
// test is skipped, unless CHASQUI_REQUIRE_BROWSER=1.
func browser(t *testing.T, width, height int) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CHASQUI_REQUIRE_BROWSER") == "1" {
			t.Fatal("CHASQUI_REQUIRE_BROWSER=1, but no Chromium is installed")
		}
		t.Skip("no Chromium is installed; set CHASQUI_REQUIRE_BROWSER=1 to make this a failure")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height), chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// until waits until an expression in the page is true, also over the change to another page.
func until(expression string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, 20*time.Second, fmt.Errorf("waited in vain for %s", expression))
		defer cancel()
		evaluate := chromedp.Evaluate[bool]("Boolean(" + expression + ")")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if ok, err := evaluate(ctx, tab); err == nil && ok { // an error is that of a page that is just being left
				return chromedp.Void{}, nil
			}
			select {
			case <-ctx.Done():
				return chromedp.Void{}, context.Cause(ctx)
			case <-tick.C:
			}
		}
	}
}

// signIn signs in to the console with the world's key.
func (w *world) signIn() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		return chromedp.Do(ctx, chromedp.Navigate(w.url+"/console"), until(`document.querySelector("#key")`), chromedp.SendKeys("#key", w.key), chromedp.Click("#sign-in"),
			until(`document.querySelector("#report-form")`))
	})
}

// fits fails the test when something of the page reaches beyond the screen, but for what scrolls by
// itself, or when a field has no label.
func fits(t *testing.T, ctx context.Context, page string, width int) {
	t.Helper()
	right, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`Math.max(...[...document.querySelectorAll("body *")]
		.filter((e) => e.checkVisibility() && !e.closest(".scroll, .skip") && !e.closest("svg"))
		.map((e) => e.getBoundingClientRect().right))`))
	if err != nil {
		t.Fatal(err)
	}
	if right > float64(width) {
		t.Errorf("%s: something reaches to %.0f pixels on a screen of %d", page, right, width)
	}
	bare, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((e) => !e.labels.length).map((e) => e.name).join()`))
	if err != nil {
		t.Fatal(err)
	}
	if bare != "" {
		t.Errorf("%s: fields without a label: %s", page, bare)
	}
}

// Somebody signs in, makes a code for table 7, looks at it, dresses it up, and retires it: at a
// desk and on a phone.
func TestConsole(t *testing.T) {
	t.Parallel()
	for name, size := range map[string][2]int{"desktop": {1280, 900}, "phone": {390, 844}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t, size[0], size[1])
			w := startWorld(t)
			p := w.connect(graphemu.Page{Name: "Café Chasqui"})
			steps := func(page string, actions ...chromedp.Action[chromedp.Void]) {
				t.Helper()
				if err := chromedp.Do(ctx, actions...); err != nil {
					t.Fatalf("%s: %v", page, err)
				}
				fits(t, ctx, page, size[0])
			}
			steps("sign-in", chromedp.Navigate(w.url+"/console"), until(`document.querySelector("#key")`), chromedp.SendKeys("#key", "chq_wrong"), chromedp.Click("#sign-in"),
				until(`document.querySelector("#key-problem")?.textContent.includes("not known")`))
			steps("list", w.signIn(), until(`document.querySelector("#list .empty")`), chromedp.Click("#new"), until(`document.querySelector("#new-form")`))
			steps("new, refused", chromedp.SendKeys("#ref", "table 7"), chromedp.SendKeys("[name=name]", "Table seven"), chromedp.Click("#make"),
				until(`document.querySelector("#new-form .problem")?.textContent.includes("a-z") && document.querySelector("[name=name]").value === "Table seven"`))
			steps("new", chromedp.Evaluate[chromedp.Void](`document.querySelector("#ref").value = ""`), chromedp.SendKeys("#ref", "table-7"), chromedp.SendKeys("[name=tags]", "inside, window"), chromedp.Click("#make"),
				until(`document.querySelector(".notice.good") && document.querySelector("#preview")?.naturalWidth === 1000`),
				until(`document.querySelector("#link").value.endsWith("/`+p.id+`?ref=table-7")`))
			steps("look", chromedp.Evaluate[chromedp.Void](`(() => { const f = document.querySelector("#look-form"); f.elements.style.value = "dots"; f.elements.ring.checked = true; f.elements.size.value = "600";
				f.elements.size.dispatchEvent(new Event("change", {bubbles: true})); })()`),
				until(`document.querySelector("#preview").naturalWidth === 600 && document.querySelector("[data-format=pdf]").href.includes("ring=true")`))
			steps("look, refused", chromedp.Evaluate[chromedp.Void](`(() => { const f = document.querySelector("#look-form"); f.elements.foreground.value = "#eeeeee"; f.elements.foreground.dispatchEvent(new Event("change", {bubbles: true})); })()`),
				until(`document.querySelector("#look-form .problem")?.textContent.includes("contrast") && document.querySelector("#look-form").elements.size.value === "600"`))
			steps("retire", chromedp.Click("#ask-retire"), until(`document.querySelector("#retire")`), chromedp.Click("#retire"), until(`document.querySelector(".state.off")?.textContent === "Retired"`))
			page, err := w.client.ListEntryPoints(t.Context(), gatewayapi.ListEntryPointsRequest{Ref: "table-7"})
			if err != nil || len(page.EntryPoints) != 1 || page.EntryPoints[0].RetiredAt.IsZero() || len(page.EntryPoints[0].Tags) != 2 {
				t.Errorf("%+v %v", page, err)
			}
			steps("restore", chromedp.Click("#restore"), until(`document.querySelector(".state.on")`))
			steps("sheet", chromedp.Navigate(w.url+"/console/entry-points/sheet"), until(`document.querySelector("#count")?.textContent === "1" && !document.querySelector("#download-sheet").disabled`),
				chromedp.Evaluate[chromedp.Void](`(() => { const f = document.querySelector("#sheet-form"); f.elements.tag.value = "nowhere"; f.elements.tag.dispatchEvent(new Event("change", {bubbles: true})); })()`),
				until(`document.querySelector("#count")?.textContent === "0" && document.querySelector("#download-sheet").disabled && document.querySelector("#nothing")`))
			steps("a time zone that is none", chromedp.Navigate(w.url+"/console/entry-points?tz=Mars"),
				until(`document.querySelector("#tz-problem") && document.querySelector("[name=tz]").getBoundingClientRect().top === document.querySelector("[name=tz]").closest("form").querySelector("button").getBoundingClientRect().top || innerWidth < 500`))
			steps("the gateway's own address", chromedp.Navigate(w.url), until(`document.querySelector("a[href='/console']")`))
			steps("docs", chromedp.Navigate(w.url+"/docs"), chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`),
				until(`document.querySelector("#schema-Message") && ![...document.querySelectorAll("*")].some((e) => e.scrollWidth > e.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0)`))
			steps("sign-out", chromedp.Navigate(w.url+"/console/entry-points"), until(`document.querySelector("#sign-out")`), chromedp.Click("#sign-out"), until(`document.querySelector("#key")`), chromedp.Navigate(w.url+"/console/entry-points/sheet"), until(`document.querySelector("#key")`))
		})
	}
}

// TestConsoleScreenshots draws the console for the documentation into the folder that
// CHASQUI_SCREENSHOTS names.
func TestConsoleScreenshots(t *testing.T) {
	dir := os.Getenv("CHASQUI_SCREENSHOTS")
	if dir == "" {
		t.Skip("CHASQUI_SCREENSHOTS names no folder to draw into")
	}
	w := startWorld(t)
	id := w.furnish()
	for _, shot := range []struct{ name, path, scheme string }{ // first is as the screen shows it, the others at full length
		{"sign-in", "/console/sign-in", "light"}, {"first", "/console/entry-points", "light"}, {"list", "/console/entry-points", "light"}, {"list-dark", "/console/entry-points?by=campaign&days=90", "dark"},
		{"new", "/console/entry-points/new", "light"}, {"many", "/console/entry-points/many", "light"}, {"sheet", "/console/entry-points/sheet", "light"},
		{"point", "/console/entry-points/" + id + "?style=rounded&ring=true&caption={name}&foreground=%230a2f6b", "light"}, {"point-dark", "/console/entry-points/" + id + "?style=dots&transparent=true", "dark"},
		{"point-wrong", "/console/entry-points/" + id + "?foreground=%23eeeeee", "light"}, {"retire", "/console/entry-points/" + id + "/retire", "light"}, {"missing", "/console/nowhere", "light"},
	} {
		for _, size := range [][2]int{{1280, 900}, {390, 844}} {
			t.Run(fmt.Sprint(shot.name, "-", size[0]), func(t *testing.T) {
				ctx := browser(t, size[0], size[1])
				media := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
					_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}})
					return err
				})
				if err := chromedp.Do(ctx, media); err != nil {
					t.Fatal(err)
				}
				if shot.name != "sign-in" {
					if err := chromedp.Do(ctx, w.signIn()); err != nil {
						t.Fatal(err)
					}
				}
				if err := chromedp.Do(ctx, chromedp.Navigate(w.url+shot.path), until(`document.readyState === "complete" && [...document.images].every((i) => i.complete || i.loading === "lazy")`)); err != nil {
					t.Fatal(err)
				}
				fits(t, ctx, shot.name, size[0])
				capture := chromedp.FullScreenshot(100)
				if shot.name == "first" {
					capture = chromedp.CaptureScreenshot()
				}
				png, err := chromedp.Run(ctx, capture)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("console-%s-%d.png", shot.name, size[0])), png, 0o644); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// furnish makes entry points and what came of them, and returns the id of one.
func (w *world) furnish() (id string) {
	w.t.Helper()
	p := w.connect(graphemu.Page{Name: "Café Chasqui"})
	for i := 1; i <= 7; i++ {
		id = p.entry("code", fmt.Sprintf("table-%d", i), func(e *gatewayapi.EntryPoint) {
			e.Name, e.Campaign, e.Tags = fmt.Sprintf("Table %d", i), "tables", []string{"inside"}
		}).ID
	}
	p.entry("link", "spring", func(e *gatewayapi.EntryPoint) {
		e.Name, e.Campaign, e.Text = "Spring newsletter", "spring", "I saw your newsletter"
	})
	p.entry("ad", "billboard-market-square", func(e *gatewayapi.EntryPoint) {
		e.Name, e.Campaign, e.Tags = "Billboard, market square", "spring", []string{"outside", "print"}
	})
	page, err := w.client.ListEntryPoints(w.t.Context(), gatewayapi.ListEntryPointsRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	var counts []store.Count
	for i, e := range page.EntryPoints {
		for d := range 90 {
			n := int64((i*7+d*5)%11+i*3) * int64(90+40*(d%7/5)-d/2) / 60
			at := time.Now().Add(-time.Duration(d) * 24 * time.Hour)
			count := func(metric string, n int64, value float64) {
				if n > 0 {
					counts = append(counts, store.Count{Application: p.key, Point: e.ID, Ref: e.Ref, Source: "MESSENGER_CODE", Metric: metric, At: at, N: n, Value: value})
				}
			}
			count(gateway.MetricVisits, n, 0)
			count(gateway.MetricOpens, n*3/4, 0)
			count(gateway.MetricScans, n*2/3, 0)
			count(gateway.MetricFirst, n/2, 0)
			count(gateway.MetricReturning, n/5, 0)
			count(gateway.MetricFirstMessages, n*2/5, 0)
			count(gateway.MetricAnswered, n*2/5, 0)
			count(gateway.MetricGoals+"/order", n/6, float64(n/6)*12.4)
		}
	}
	if err := w.app.Store.Write(w.t.Context(), func(tx *store.Tx) error { return tx.AddCounts(counts...) }); err != nil {
		w.t.Fatal(err)
	}
	old := p.entry("code", "fair-2025", func(e *gatewayapi.EntryPoint) { e.Name = "Trade fair 2025" })
	if err := w.client.RetireEntryPoint(w.t.Context(), old.ID); err != nil {
		w.t.Fatal(err)
	}
	return id
}
