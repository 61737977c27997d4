package graphemu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/chasqui/chasqui/graphemu"
)

// shownTemplates are one message of each kind that a page can send, with words
// that a person has to see of it. PICTURE stands for a picture.
func shownTemplates() []struct{ name, version, message, words string } {
	const airport = `{"airport_code":"CUZ","city":"Cusco","terminal":"T1","gate":"G8"}`
	const there = `{"airport_code":"LIM","city":"Lima"}`
	const flight = `{"connection_id":"c1","segment_id":"s1","flight_number":"CH 123","aircraft_type":"A320","travel_class":"business","departure_airport":` + airport + `,"arrival_airport":` + there +
		`,"flight_schedule":{"boarding_time":"2026-12-26T10:30","departure_time":"2026-12-26T11:30","arrival_time":"2026-12-26T12:45"}}`
	template := func(payload string) string { return `{"attachment":{"type":"template","payload":` + payload + `}}` }
	return []struct{ name, version, message, words string }{
		{"button", "v26.0", template(`{"template_type":"button","text":"How may I help?","buttons":[{"type":"postback","title":"Order","payload":"O"},{"type":"web_url","title":"Website","url":"https://example.com/"},{"type":"phone_number","title":"Call","payload":"+15105551234"}]}`), "How may I help?|Order|Website|Call"},
		{"generic", "v26.0", template(`{"template_type":"generic","elements":[{"title":"By the window","subtitle":"With a view","image_url":"PICTURE","buttons":[{"type":"postback","title":"Choose","payload":"W"}]},{"title":"On the terrace","subtitle":"Heated","image_url":"PICTURE"},{"title":"At the bar","subtitle":"Lively"}]}`), "By the window|With a view|Choose|On the terrace"},
		{"list", "v4.0", template(`{"template_type":"list","top_element_style":"large","elements":[{"title":"Shirts","subtitle":"All colours","image_url":"PICTURE","buttons":[{"type":"postback","title":"View","payload":"V"}]},{"title":"White shirt","subtitle":"Cotton","image_url":"PICTURE"}],"buttons":[{"type":"postback","title":"More","payload":"M"}]}`), "Shirts|White shirt|View|More"},
		{"open_graph", "v4.0", template(`{"template_type":"open_graph","elements":[{"url":"https://open.spotify.com/track/1","buttons":[{"type":"postback","title":"Play","payload":"P"}]}]}`), "open.spotify.com|Play"},
		{"media", "v26.0", template(`{"template_type":"media","elements":[{"media_type":"image","url":"PICTURE","buttons":[{"type":"web_url","title":"Look","url":"https://example.com/"}]}]}`), "Look"},
		{"receipt", "v26.0", template(`{"template_type":"receipt","recipient_name":"Ana Quispe","order_number":"1234","currency":"USD","payment_method":"Visa 2345","elements":[{"title":"Shirt","subtitle":"Cotton","quantity":2,"price":50,"image_url":"PICTURE"},{"title":"Hat","price":25}],"address":{"street_1":"1 Main Street","street_2":"","city":"Cusco","postal_code":"08000","state":"CU","country":"PE"},"summary":{"subtotal":75,"shipping_cost":4.95,"total_tax":6.19,"total_cost":56.14},"adjustments":[{"name":"Discount","amount":20}]}`), "Order 1234|2 × Shirt|56.14 USD|Discount|Visa 2345|1 Main Street"},
		{"airline_boardingpass", "v26.0", template(`{"template_type":"airline_boardingpass","intro_message":"You are checked in.","locale":"en_US","boarding_pass":[{"passenger_name":"QUISPE/ANA","pnr_number":"CG4X7U","travel_class":"business","seat":"74J","auxiliary_fields":[{"label":"Terminal","value":"T1"}],"secondary_fields":[{"label":"Boarding","value":"10:30"}],"logo_image_url":"PICTURE","qr_code":"M1QUISPE/ANA CG4X7U","flight_info":` + flight + `}]}`), "You are checked in.|QUISPE/ANA|CUZ|LIM|74J|CG4X7U"},
		{"airline_checkin", "v26.0", template(`{"template_type":"airline_checkin","intro_message":"Check-in is open.","locale":"en_US","pnr_number":"ABCDEF","flight_info":[` + flight + `],"checkin_url":"https://example.com/check-in"}`), "Check-in is open.|CUZ|Check in|ABCDEF"},
		{"airline_itinerary", "v26.0", template(`{"template_type":"airline_itinerary","intro_message":"Your itinerary.","locale":"en_US","pnr_number":"ABCDEF","passenger_info":[{"name":"Ana Quispe","ticket_number":"1","passenger_id":"p1"}],"flight_info":[` + flight + `],"passenger_segment_info":[{"segment_id":"s1","passenger_id":"p1","seat":"12A","seat_type":"Business"}],"price_info":[{"title":"Fuel","amount":"1597"}],"base_price":"12206","tax":"200","total_price":"14003","currency":"USD"}`), "Your itinerary.|Ana Quispe|12A|14003 USD|Fuel"},
		{"airline_update", "v26.0", template(`{"template_type":"airline_update","intro_message":"Your flight is late.","update_type":"delay","locale":"en_US","pnr_number":"CF23G2","update_flight_info":` + flight + `}`), "Your flight is late.|Flight delayed|CF23G2"},
		{"coupon", "v26.0", template(`{"template_type":"coupon","title":"10% off everything","subtitle":"Until Sunday","coupon_code":"CHASQUI10","coupon_url":"https://example.com/","coupon_url_button_title":"Shop now","image_url":"PICTURE"}`), "10% off everything|CHASQUI10|Shop now"},
		{"product", "v26.0", template(`{"template_type":"product","elements":[{"id":"100200"},{"id":"100201"}]}`), "Product 100200|Product 100201"},
		{"customer_feedback", "v26.0", template(`{"template_type":"customer_feedback","title":"Rate your visit","subtitle":"It takes a minute","button_title":"Send it","feedback_screens":[{"questions":[{"id":"q1","type":"csat","title":"How was the coffee?","score_label":"neg_pos","score_option":"five_stars","follow_up":{"type":"free_form","placeholder":"Tell us more"}}]}],"business_privacy":{"url":"https://example.com/"}}`), "Rate your visit|How was the coffee?|Send it"},
		{"one_time_notif_req", "v26.0", template(`{"template_type":"one_time_notif_req","title":"When it is back in stock","payload":"STOCK"}`), "When it is back in stock|Notify me"},
		{"notification_messages", "v26.0", template(`{"template_type":"notification_messages","title":"Weekly offers","payload":"OFFERS","image_url":"PICTURE"}`), "Weekly offers|Get messages|Stop messages"},
	}
}

// sendRaw sends a message as JSON at a version of the Graph API.
func (w *world) sendRaw(version, message string) string {
	w.t.Helper()
	code, _, answer := w.graph("POST", "/"+version+"/me/messages", w.to(`"message":`+strings.ReplaceAll(message, "PICTURE", w.url+"/_emu/qr.png?text=picture")))
	mid, ok := answer["message_id"].(string)
	if code != 0 || !ok {
		w.t.Fatalf("%s: %v", message, answer)
	}
	return mid
}

// TestTemplatesAreShown draws every template at the size of a desktop and of a
// phone and looks at each: its words are there, it is no fallback, it fits the
// screen, and it is a picture of more than one colour. With CHASQUI_SCREENSHOTS
// the pictures are kept in that folder.
func TestTemplatesAreShown(t *testing.T) {
	t.Parallel()
	for _, screen := range []struct {
		name, scheme  string
		width, height int
	}{{"desktop", "light", 1280, 900}, {"phone", "dark", 390, 844}} {
		t.Run(screen.name, func(t *testing.T) {
			t.Parallel()
			ctx := browser(t, screen.width, screen.height)
			w := newWorld(t, nil)
			mids := map[string]string{}
			for _, tt := range shownTemplates() {
				mids[tt.name] = w.sendRaw(tt.version, tt.message)
			}
			err := chromedp.Do(ctx, emulateScheme(screen.scheme), chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
				until(`document.querySelectorAll(".row").length >= `+itoa(len(mids))),
				until(`document.querySelectorAll(".theirs .mark[data-state=read]").length >= `+itoa(len(mids))), // nothing is drawn again after that
				chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#thread img").forEach((i) => { i.loading = "eager"; })`),
				until(`[...document.images].every((i) => i.complete)`))
			if err != nil {
				t.Fatal(err)
			}
			for _, tt := range shownTemplates() {
				w.lookAt(ctx, t, screen.name, tt.name, mids[tt.name], strings.Split(tt.words, "|"), screen.width)
			}
		})
	}
}

func itoa(n int) string {
	b, err := json.Marshal(n)
	if err != nil {
		return ""
	}
	return string(b)
}

// lookAt looks at one message of the page.
func (w *world) lookAt(ctx context.Context, t *testing.T, screen, name, mid string, words []string, width int) {
	t.Helper()
	stack := `document.querySelector('[data-mid="` + mid + `"] .stack')`
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](stack+`.scrollIntoView({block: "center"}), `+stack+`.textContent`))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: no %q in %q", name, word, text)
		}
	}
	if strings.Contains(text, "Template: ") {
		t.Errorf("%s is shown as it came", name)
	}
	broken, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...`+stack+`.querySelectorAll("img")].filter((i) => !i.naturalWidth).length`))
	if err != nil || broken > 0 {
		t.Errorf("%s: %d pictures are broken, %v", name, broken, err)
	}
	right, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`Math.max(...[...`+stack+`.querySelectorAll("*")].filter((e) => !e.closest(".carousel, .visually-hidden")).map((e) => e.getBoundingClientRect().right))`))
	if err != nil || int(right) > width {
		t.Errorf("%s reaches to %.0f of %d pixels, %v", name, right, width, err)
	}
	shot, err := chromedp.Run(ctx, chromedp.Screenshot(`[data-mid="`+mid+`"] .stack`))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil || colours(img) < 3 {
		t.Errorf("%s: the screenshot shows nothing, %v", name, err)
	}
	if dir := os.Getenv("CHASQUI_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "template-"+name+"-"+screen+".png"), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// colours counts the colours of a picture, up to 10.
func colours(img image.Image) int {
	seen := map[[3]uint32]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 2 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X && len(seen) < 10; x += 2 {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r, g, b}] = true
		}
	}
	return len(seen)
}

// TestPanels works with the tools of the chat page: a fault, the clock, a code,
// the inbox, a reply, a file.
func TestPanels(t *testing.T) {
	t.Parallel()
	ctx := browser(t, 1280, 900)
	w := newWorld(t, nil)
	w.act(w.ana, graphemu.Action{Text: "first"})
	err := chromedp.Do(ctx,
		chromedp.Navigate(w.url+"/chat#"+w.page.ID+"/"+w.ana.ID),
		until(`document.querySelectorAll(".row.mine").length === 1`),
		tap(`#tab-faults`),
		until(`document.querySelector(".rules li") !== null`),
		tap(`#tool-faults .primary`),
		until(`document.querySelector(".rules code")?.textContent.includes("613")`),
		tap(`#tab-clock`),
		until(`document.querySelector(".clock-now").textContent.includes("UTC")`),
		tap(`#tool-clock .row-buttons button:nth-child(5)`), // 25 hours
		tap(`#tab-links`),
		until(`document.querySelector(".code-image").complete && document.querySelector(".code-image").naturalWidth > 0`),
		tap(`#tool-links .primary`),
		until(`document.querySelector(".note")?.textContent.includes("following a link")`),
		tap(`button[data-side=page]`),
		until(`document.querySelectorAll(".row.theirs").length === 1`),
		chromedp.SendKeys("#text", "I am a human"),
		tap("#send"),
		until(`document.querySelector(".row.mine .bubble")?.textContent === "I am a human"`),
		tap(`button[data-side=person]`),
		until(`document.querySelector(".row.theirs .bubble")?.textContent === "I am a human"`),
		chromedp.Evaluate[chromedp.Void](`document.querySelector('.row.theirs [aria-label="Reply to this message"]').click()`),
		until(`!document.querySelector("#answering").hidden`),
		chromedp.SendKeys("#text", "I answer"),
		tap("#send"),
		until(`document.querySelector(".quoted")?.textContent === "I am a human"`),
		chromedp.Evaluate[chromedp.Void](`(() => { const d = new DataTransfer(); d.items.add(new File(["<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><rect width='40' height='40'/></svg>"], "p.svg", {type: "image/svg+xml"}));
			const f = document.querySelector("#file"); f.files = d.files; f.dispatchEvent(new Event("change")); })()`),
		until(`document.querySelector(".row.mine .picture img")?.naturalWidth > 0`),
	)
	if err != nil {
		t.Fatal(err)
	}
	if rules := w.emu.Faults(); len(rules) != 1 || rules[0].Code != 613 {
		t.Errorf("faults %+v", rules)
	}
}

// TestPageScriptInABrowser puts the plugins on a website and clicks them.
func TestPageScriptInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t, 900, 600)
	w := newWorld(t, nil)
	rec := w.listen(w.app, w.page.AccessToken, "v26.0", "messaging_optins")
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		io.WriteString(rw, `<!doctype html><body><script>
			window.seen = [];
			window.fbAsyncInit = () => FB.Event.subscribe("send_to_messenger", (e) => seen.push(e.event + " " + e.ref));
			</script><script src="`+w.url+`/sdk.js"></script>
			<div class="fb-send-to-messenger" messenger_app_id="`+w.app.ID+`" page_id="`+w.page.ID+`" data-ref="order-17"></div>
			<div class="fb-messenger-checkbox" messenger_app_id="`+w.app.ID+`" page_id="`+w.page.ID+`" user_ref="box-9"></div>
			<div class="fb-messengermessageus" messenger_app_id="`+w.app.ID+`" page_id="`+w.page.ID+`"></div>`)
	}))
	defer site.Close()
	err := chromedp.Do(ctx, chromedp.Navigate(site.URL), until(`document.querySelectorAll("iframe").length === 3`), until(`seen.includes("rendered order-17")`))
	if err != nil {
		t.Fatal(err)
	}
	at, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(() => { const r = document.querySelector("iframe").getBoundingClientRect(); return [r.left + 60, r.top + 22]; })()`))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1]), until(`seen.includes("opt_in order-17")`)); err != nil {
		t.Fatal(err)
	}
	if o := rec.waitCount(t, 1)[0]; o.Optin.Ref != "order-17" || string(o.Sender.ID) != w.ana.ID {
		t.Errorf("opt-in %s", o.Raw)
	}
	confirm := `FB.AppEvents.logEvent("MessengerCheckboxUserConfirmation", null, {user_ref: "box-9", ref: "r"})`
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](confirm)); err != nil {
		t.Fatal(err)
	}
	if o := rec.waitCount(t, 2)[1]; o.Optin.UserRef != "box-9" || o.Optin.Ref != "r" || o.Sender.ID != "" {
		t.Errorf("checkbox %s", o.Raw)
	}
}
