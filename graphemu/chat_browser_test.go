package graphemu_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// poorContrast lists texts that can be seen and have less contrast with what is
// behind them than 4.5:1, large ones 3:1.
const poorContrast = `(() => {
	const rgb = (text) => { const c = document.createElement("canvas").getContext("2d"); c.fillStyle = text; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255]; };
	const out = new Set();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walk.nextNode()); ) {
		const e = n.parentElement;
		if (!n.textContent.trim() || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest(":disabled, .visually-hidden, .skip, script, style")) continue;
		const style = getComputedStyle(e), a = light(rgb(style.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && parseInt(style.fontWeight) >= 700;
		if (ratio < (large ? 3 : 4.5)) out.add(e.className + " " + n.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
	}
	return [...out].join("; ");
})()`

// landmarks lists what somebody who hears the page needs and does not find.
const landmarks = `(() => {
	const seen = (e) => e.checkVisibility();
	const out = [], one = (name) => [...document.querySelectorAll(name)].filter(seen).length;
	if (one("h1") !== 1) out.push(one("h1") + " h1");
	if (document.querySelectorAll("main").length !== 1) out.push("no main");
	const main = document.querySelector("main");
	for (const e of document.querySelectorAll("h1, h2, #thread, #composer, #records, #people")) if (!main.contains(e) && !e.closest("dialog")) out.push("outside main: " + e.id + e.tagName);
	for (const e of document.querySelectorAll("button, input, select, textarea, a[href]")) {
		if (!seen(e) || e.closest("[aria-hidden=true]")) continue;
		const name = e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.[0]?.textContent || e.placeholder || e.title;
		if (!name) out.push("no name: " + e.outerHTML.slice(0, 80));
	}
	const panes = [...document.querySelectorAll("#people-pane, #chat-pane, #inspector-pane")].filter(seen).length;
	if (panes !== (innerWidth < 800 ? 1 : 3)) out.push(panes + " panes at once");
	return out.join("; ");
})()`

// TestChatPageCanBeRead looks at contrast and structure, light and dark, on a
// desktop and in each view of a phone.
func TestChatPageCanBeRead(t *testing.T) {
	t.Parallel()
	for _, screen := range []struct {
		width, height int
		scheme        string
	}{{1280, 800, "light"}, {1280, 800, "dark"}, {390, 844, "light"}, {390, 844, "dark"}} {
		t.Run(fmt.Sprint(screen.width, screen.scheme), func(t *testing.T) {
			t.Parallel()
			ctx := browser(t, screen.width, screen.height)
			w := newWorld(t, nil)
			w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Lucía", Open: true})
			w.act(w.ana, graphemu.Action{Text: "a word of mine https://example.com/"})
			w.send(w.ana, messenger.Message{Text: "Which?", QuickReplies: []messenger.QuickReply{messenger.TextReply("This", "A"), messenger.TextReply("That", "B")}})
			err := chromedp.Do(ctx, emulateScheme(screen.scheme), chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
				until(`document.querySelectorAll(".row").length === 2 && document.querySelectorAll(".chip").length === 2`))
			if err != nil {
				t.Fatal(err)
			}
			views := []string{""}
			if screen.width < 800 {
				views = []string{"chat", "people", "inspector"}
			}
			for _, view := range views {
				for _, tool := range []string{"records", "links", "faults", "clock"} {
					if view != "" && view != "inspector" && tool != "records" {
						continue
					}
					actions := []chromedp.Action[chromedp.Void]{}
					if view != "" {
						actions = append(actions, tap("#tabs [data-view="+view+"]"))
					}
					if view != "chat" && view != "people" {
						actions = append(actions, tap("#tab-"+tool))
					}
					if err := chromedp.Do(ctx, actions...); err != nil {
						t.Fatal(err)
					}
					for name, look := range map[string]string{"contrast": poorContrast, "structure": landmarks} {
						wrong, err := chromedp.Run(ctx, chromedp.Evaluate[string](look))
						if err != nil || wrong != "" {
							t.Errorf("%s of %s %s: %s %v", name, view, tool, wrong, err)
						}
					}
				}
			}
		})
	}
}

// TestThreadOpensAtItsEnd shows the last line of a thread above its quick
// replies, at once and when more comes.
func TestThreadOpensAtItsEnd(t *testing.T) {
	t.Parallel()
	const atEnd = `(() => { const b = document.querySelector("#thread"); return b.scrollHeight > b.clientHeight && b.scrollHeight - b.scrollTop - b.clientHeight <= 1; })()`
	for _, screen := range [][2]int{{1280, 800}, {390, 844}} {
		t.Run(fmt.Sprint(screen[0]), func(t *testing.T) {
			t.Parallel()
			ctx := browser(t, screen[0], screen[1])
			w := newWorld(t, nil)
			for i := range 30 {
				w.send(w.ana, messenger.TextMessage(fmt.Sprint("line ", i)))
			}
			chips := messenger.Message{Text: "Coffee or tea?", QuickReplies: []messenger.QuickReply{messenger.TextReply("Coffee", "C"), messenger.TextReply("Tea", "T")}}
			w.send(w.ana, chips)
			err := chromedp.Do(ctx, chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
				until(`document.querySelectorAll(".chip").length === 2 && document.querySelectorAll(".row").length === 31`), until(atEnd))
			if err != nil {
				t.Fatal(err)
			}
			w.send(w.ana, messenger.TextMessage("and cake?"))
			w.send(w.ana, chips)
			if err := chromedp.Do(ctx, until(`document.querySelectorAll(".row").length === 33 && document.querySelectorAll(".chip").length === 2`), until(atEnd)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestChatPageAsksFirst empties threads only after a second word, sorts people by
// what came last, shows when in full, counts cards, and says in words what is
// wrong.
func TestChatPageAsksFirst(t *testing.T) {
	t.Parallel()
	ctx := browser(t, 1280, 800)
	w := newWorld(t, nil)
	w.act(w.ana, graphemu.Action{Text: "first " + strings.Repeat("and a long story ", 20)})
	w.emu.Advance(time.Minute)
	w.act(w.ben, graphemu.Action{Text: "later"})
	element := messenger.Element{Title: "a", Subtitle: "b"}
	w.send(w.ana, messenger.Message{Attachment: &messenger.Attachment{Template: &messenger.Template{Generic: &messenger.GenericTemplate{Elements: []messenger.Element{element, element, element}}}}})
	w.emu.Advance(time.Minute)
	w.act(w.ben, graphemu.Action{Text: "and last"})
	err := chromedp.Do(ctx,
		chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
		until(`document.querySelector("#people .person .name")?.textContent === "Ben"`),
		until(`[...document.querySelectorAll(".preview time")].length === 2 && [...document.querySelectorAll(".preview time")].every((e) => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= e.closest(".person").getBoundingClientRect().right)`),
		until(`document.querySelector(".cards-place")?.textContent.includes("1 of 3")`),
		until(`(document.querySelector(".carousel").scrollLeft = 10000) && document.querySelector(".cards-place").textContent.startsWith("3 of 3")`),
		tap("#tab-faults"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#tool-faults textarea").value = '{"code":'`),
		tap("#tool-faults .primary"),
		until(`document.querySelector("#toast").textContent.startsWith("The rule is not JSON yet")`),
		tap("#tab-clock"),
		tap("#tool-clock .row-buttons:last-child button"),
		until(`document.querySelector("#reset-dialog").open`),
		tap("#reset-dialog [data-close]"),
		until(`!document.querySelector("#reset-dialog").open && document.querySelectorAll("#thread .row").length === 2`),
	)
	if err != nil {
		t.Fatal(err)
	}
	if thread, err := w.emu.Thread(w.page.ID, w.ana.ID); err != nil || len(thread) != 2 {
		t.Fatalf("the thread went without a second word: %v, %v", thread, err)
	}
	if err := chromedp.Do(ctx, tap("#tool-clock .row-buttons:last-child button"), tap("#reset-dialog .primary"), until(`document.querySelectorAll("#thread .row").length === 0`)); err != nil {
		t.Fatal(err)
	}
	if thread, err := w.emu.Thread(w.page.ID, w.ana.ID); err != nil || len(thread) != 0 {
		t.Errorf("the thread is still there: %v, %v", thread, err)
	}
}
