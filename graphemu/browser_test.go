package graphemu_test

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

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// browsers bounds how many run at a time: each wants a processor of its own.
var browsers = make(chan struct{}, 2)

// browser starts a Chromium of its own and closes it with the test. Where none
// is installed the test is skipped, unless CHASQUI_REQUIRE_BROWSER=1.
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
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.NoFirstRun,
	)
	browsers <- struct{}{}
	t.Cleanup(func() { <-browsers })
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
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

// until waits until an expression in the page is true.
func until(expression string) chromedp.Action[chromedp.Void] {
	poll := chromedp.Poll[bool](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(90*time.Second))
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		if _, err := poll(ctx, tab); err != nil {
			return chromedp.Void{}, fmt.Errorf("waiting for %s: %w", expression, err)
		}
		return chromedp.Void{}, nil
	}
}

// TestChatPage writes, receives, taps a quick reply, and sees delivered and
// read.
func TestChatPage(t *testing.T) {
	t.Parallel()
	ctx := browser(t, 1280, 800)
	w := newWorld(t, nil)
	w.subscribe()
	err := chromedp.Do(ctx,
		chromedp.Navigate(w.url+"/chat"),
		until(`document.querySelector("#page-name").textContent === "Café Chasqui"`),
		chromedp.SendKeys("#text", "Hello <b>there</b>"),
		tap("#send"),
		until(`document.querySelector(".row.mine .mark[data-state=delivered]") !== null`),
		until(`document.querySelector(".row.mine .bubble").textContent === "Hello <b>there</b>"`),
	)
	if err != nil {
		t.Fatal(err)
	}
	got := w.hook.waitCount(t, 1)
	if got[0].Message.Text != "Hello <b>there</b>" {
		t.Fatalf("the program got %s", got[0].Raw)
	}
	if _, err := w.client.SenderAction(t.Context(), messenger.SenderActionRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Action: messenger.MarkSeen}); err != nil {
		t.Fatal(err)
	}
	sent := w.send(w.ana, messenger.Message{Text: "Coffee or tea?", QuickReplies: []messenger.QuickReply{messenger.TextReply("Coffee", "COFFEE"), messenger.TextReply("Tea", "TEA")}})
	err = chromedp.Do(ctx,
		until(`document.querySelector(".row.mine .mark[data-state=read]") !== null`),
		until(`document.querySelector('[data-mid="`+string(sent.MessageID)+`"] .mark[data-state=read]') !== null`),
		tap("#quick-replies .chip:nth-child(2)"),
		until(`document.querySelectorAll("#quick-replies .chip").length === 0`),
		until(`document.querySelectorAll(".row.mine").length === 2`),
		until(`document.querySelector(".record.webhook") !== null && document.querySelector(".record.call") !== null`),
		tap(`.record.webhook summary`),
		until(`document.querySelector(".record[open] .details").textContent.includes("sha256=")`),
	)
	if err != nil {
		t.Fatal(err)
	}
	w.hook.waitFor(t, "the tapped quick reply and the read event", func(events []messenger.Event) bool {
		tapped, read := false, false
		for _, e := range events {
			tapped = tapped || e.Message != nil && e.Message.QuickReply != nil && e.Message.QuickReply.Payload == "TEA"
			read = read || e.Read != nil
		}
		return tapped && read
	})
}

// TestChatPageNewcomer enters through a link on a phone: Get Started comes with
// the ref.
func TestChatPageNewcomer(t *testing.T) {
	t.Parallel()
	const phone = 360
	ctx := browser(t, phone, 740)
	w := newWorld(t, nil)
	w.subscribe()
	err := chromedp.Do(ctx,
		chromedp.Navigate(w.url+"/m.me/"+w.page.ID+"?ref=poster-42"),
		until(`document.querySelector("#link-dialog").open`),
		tap("#link-dialog [data-close]"),
		tap(`#tabs [data-view=people]`),
		tap(`.person[data-psid="`+w.ben.ID+`"]`),
		until(`document.querySelector("#get-started") !== null`),
		tap("#follow-link"),
		tap("#link-dialog .primary"),
		until(`document.querySelector(".note") !== null`),
		tap("#get-started"),
		until(`document.querySelector(".row.mine .bubble") !== null && !document.querySelector("#composer").hidden`),
	)
	if err != nil {
		t.Fatal(err)
	}
	// What scrolls sideways by design may be wider than the screen.
	right, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`Math.max(...[...document.querySelectorAll("body *")]
		.filter((e) => e.checkVisibility() && !e.closest(".carousel, #quick-replies, .visually-hidden, .skip"))
		.map((e) => e.getBoundingClientRect().right))`))
	if err != nil {
		t.Fatal(err)
	}
	if right > phone {
		t.Errorf("something reaches to %.0f pixels on a phone of %d", right, phone)
	}
	if p := w.hook.waitCount(t, 1)[0].Postback; p == nil || p.Referral == nil || p.Referral.Ref != "poster-42" {
		t.Errorf("Get Started %+v", p)
	}
}

// emulateScheme makes the page light or dark.
func emulateScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "hover", Value: "hover"}},
		})
		return err
	})
}

// TestScreenshots draws the chat page for the documentation into the folder
// that CHASQUI_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("CHASQUI_SCREENSHOTS")
	if dir == "" {
		t.Skip("CHASQUI_SCREENSHOTS names no folder to draw into")
	}
	w := newWorld(t, nil)
	w.subscribe()
	w.emu.AddPerson(w.page.ID, graphemu.Person{FirstName: "Lucía", LastName: "Paredes", Open: true})
	w.act(w.ana, graphemu.Action{Text: "Hola! Do you have a table for two tonight?"})
	w.act(w.ana, graphemu.Action{Text: "Around eight, please"})
	to := messenger.Recipient{ID: messenger.PSID(w.ana.ID)}
	if _, err := w.client.SenderAction(t.Context(), messenger.SenderActionRequest{Recipient: to, Action: messenger.MarkSeen}); err != nil {
		t.Fatal(err)
	}
	first := w.send(w.ana, messenger.TextMessage("Hola Ana! Yes, two places are free at eight."))
	w.act(w.ana, graphemu.Action{Reaction: &graphemu.ReactionAction{MID: string(first.MessageID), Emoji: "❤️"}})
	element := func(title, subtitle string) messenger.Element {
		return messenger.Element{Title: title, Subtitle: subtitle, Buttons: []messenger.Button{messenger.PostbackButton("Choose", "C"), messenger.URLButton("Details", "https://example.com/")}}
	}
	w.send(w.ana, messenger.Message{Attachment: &messenger.Attachment{Template: &messenger.Template{Generic: &messenger.GenericTemplate{Elements: []messenger.Element{
		element("By the window", "Quiet, with a view of the square"), element("On the terrace", "Under the awning, heated"), element("At the bar", "Next to the coffee machine"),
	}}}}})
	w.send(w.ana, messenger.Message{Text: "Which one shall I keep for you?", QuickReplies: []messenger.QuickReply{
		messenger.TextReply("Window", "W"), messenger.TextReply("Terrace", "T"), messenger.TextReply("Bar", "B"),
	}})
	for _, shot := range []struct {
		name          string
		width, height int
		scheme, setup string
	}{
		{"chat", 1280, 800, "light", `document.querySelector(".record.webhook summary").click()`},
		{"chat-dark", 1280, 800, "dark", `document.querySelector(".record.call summary").click()`},
		{"chat-phone", 390, 844, "light", `0`},
		{"inspector-phone", 390, 844, "light", `document.querySelector('#tabs [data-view=inspector]').click()`},
		{"people-phone", 390, 844, "light", `document.querySelector('#tabs [data-view=people]').click()`},
		{"link-phone", 360, 740, "light", `document.querySelector('#follow-link').click()`},
		{"newcomer-phone", 360, 740, "light", `document.querySelector('.person[data-psid="` + w.ben.ID + `"]').click()`},
	} {
		t.Run(shot.name, func(t *testing.T) {
			ctx := browser(t, shot.width, shot.height)
			err := chromedp.Do(ctx,
				emulateScheme(shot.scheme),
				chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
				until(`document.querySelectorAll(".row").length > 4 && document.querySelector(".record.webhook") !== null`),
				until(`document.querySelectorAll(".theirs .mark[data-state=read]").length > 2 || innerWidth < 800`),
				chromedp.Evaluate[chromedp.Void](shot.setup),
				until(`[...document.images].every((i) => i.complete)`),
			)
			if err != nil {
				t.Fatalf("%s: %v", shot.name, err)
			}
			png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatalf("%s: %v", shot.name, err)
			}
			if err := os.WriteFile(filepath.Join(dir, shot.name+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// tap clicks what the selector finds, as soon as it is there and can be seen; it
// does so within the page, so that nothing can be drawn anew in between.
func tap(selector string) chromedp.Action[chromedp.Void] {
	return until(fmt.Sprintf(`(() => { const e = document.querySelector(%q); if (!e?.checkVisibility()) return false; e.click(); return true; })()`, selector))
}
