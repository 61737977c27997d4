package graphemu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

// raw makes a call just as it is written, with the page's token unless the path
// has another.
func (w *world) raw(method, path, kind, body string) (status int, answer string) {
	w.t.Helper()
	if !strings.Contains(path, "access_token=") && !strings.Contains(path, "client_id") {
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "access_token=" + w.page.AccessToken
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// lastText is the last message of Ana's thread.
func (w *world) lastText() string {
	w.t.Helper()
	thread, err := w.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) == 0 {
		return ""
	}
	return thread[len(thread)-1].Text
}

const formKind = "application/x-www-form-urlencoded"

// TestForeignParameters takes the parameters of a message in every way in which
// programs write them.
func TestForeignParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.ana.ID
	q := url.QueryEscape
	batch := func(body string) string {
		return `batch=` + q(`[{"method":"POST","relative_url":"me/messages","body":`+string(quoted(body))+`}]`)
	}
	for name, call := range map[string]struct{ path, kind, body string }{
		"single quotes":              {"/v23.0/me/messages", formKind, `recipient={'id':'` + id + `'}&message={'text':'%s'}`},
		"single quotes, JSON body":   {"/v23.0/me/messages", "application/json", `{'recipient':{'id':'` + id + `'},'message':{'text':'%s'}}`},
		"names without quotes":       {"/v14.0/me/messages", formKind, `recipient={id:` + id + `}&message={text:"%s"}`},
		"words without quotes":       {"/v14.0/me/messages", formKind, `recipient={ id : ` + id + ` }&message={ text : %s , }`},
		"names in a JSON body":       {"/v18.0/me/messages", "application/json", `{recipient:{id:"` + id + `"},message:{text:'%s'}}`},
		"JSON in a string":           {"/v18.0/me/messages", "application/json", `{"recipient":"{\"id\":\"` + id + `\"}","message":"{'text':'%s'}"}`},
		"in the query":               {"/v23.0/me/messages?recipient=" + q(`{'id':'`+id+`'}`) + "&message=" + q(`{text:'%s'}`), "", ""},
		"brackets":                   {"/v23.0/me/messages", formKind, `recipient[id]=` + id + `&message[text]=%s`},
		"brackets, escaped":          {"/v23.0/me/messages", formKind, `recipient%5Bid%5D=` + id + `&message%5Btext%5D=%s`},
		"brackets in the query":      {"/v23.0/me/messages?recipient[id]=" + id + "&message[text]=%s", "", ""},
		"brackets around JSON":       {"/v23.0/me/messages", formKind, `recipient={"id":"` + id + `"}&message[text]=%s`},
		"a batch with brackets":      {"/v2.12/", formKind, batch(`recipient[id]=` + id + `&message[text]=%s`)},
		"a batch with single quotes": {"/v2.12/", formKind, batch(`recipient={'id':'` + id + `'}&message={'text':'%s'}`)},
		"a batch at /me/messages":    {"/v2.12/me/messages", formKind, batch(`recipient={"id":"` + id + `"}&message={"text":"%s"}`)},
		"a batch in relaxed JSON":    {"/", formKind, `batch=` + q(`[{method:'POST',relative_url:'me/messages',body:'recipient[id]=`+id+`&message[text]=%s'}]`)},
		"a batch in brackets":        {"/", formKind, `batch[0][method]=POST&batch[0][relative_url]=me/messages&batch[0][body]=` + q(`recipient[id]=`+id+`&message[text]=%s`)},
		"a batch in a JSON body":     {"/", "application/json", `{"batch":[{"method":"POST","relative_url":"me/messages","body":{"recipient":{"id":"` + id + `"},"message":{"text":"%s"}}}]}`},
		"multipart without an end":   {"/v23.0/me/messages", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\n{\"id\":\"" + id + "\"}\r\n--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{\"text\":\"%s\"}"},
		"multipart with brackets":    {"/v23.0/me/messages", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"recipient[id]\"\r\n\r\n" + id + "\r\n--x\r\nContent-Disposition: form-data; name=\"message[text]\"\r\n\r\n%s\r\n--x--"},
	} {
		text := strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", "")
		fill := strings.NewReplacer("%s", text, q("%s"), text, "%2525s", text)
		status, answer := w.raw("POST", fill.Replace(call.path), call.kind, fill.Replace(call.body))
		if status != 200 || w.lastText() != text {
			t.Errorf("%s: %d %s, the thread ends with %q", name, status, answer, w.lastText())
		}
	}
}

func quoted(text string) []byte {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return b
}

// TestForeignStructures takes lists, templates and quick replies in brackets, and
// leaves words that look like JSON as they are.
func TestForeignStructures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	to := "recipient[id]=" + w.ana.ID
	for name, form := range map[string]string{
		"quick replies": to + `&message[text]=a&message[quick_replies][0][content_type]=text&message[quick_replies][0][title]=Yes&message[quick_replies][0][payload]={"y":1}`,
		"buttons": to + `&message[attachment][type]=template&message[attachment][payload][template_type]=button&message[attachment][payload][text]=a` +
			`&message[attachment][payload][buttons][0][type]=postback&message[attachment][payload][buttons][0][title]=b&message[attachment][payload][buttons][0][payload]=c`,
		"eleven replies": to + "&message[text]=a" + func() (out string) {
			for i := range 11 {
				out += fmt.Sprintf("&message[quick_replies][%d][content_type]=text&message[quick_replies][%d][title]=n%d&message[quick_replies][%d][payload]=p", i, i, i, i)
			}
			return out
		}(),
		"elements as Ruby writes them": to + `&message[attachment][type]=template&message[attachment][payload][template_type]=generic` + strings.Repeat(
			`&message[attachment][payload][elements][][title]=a&message[attachment][payload][elements][][subtitle]=b`, 2),
		"reusable":        to + `&message[attachment][type]=image&message[attachment][payload][url]=https://example.com/a.png&message[attachment][payload][is_reusable]=1`,
		"a payload whole": to + `&message[attachment][type]=image&message[attachment][payload]={url:'https://example.com/a.png'}`,
	} {
		if status, answer := w.raw("POST", "/v26.0/me/messages", formKind, form); status != 200 {
			t.Errorf("%s: %s", name, answer)
		}
	}
	thread, err := w.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range thread {
		var got struct {
			Replies []struct{ Title, Payload string } `json:"quick_replies"`
		}
		if json.Unmarshal(m.Message, &got) == nil && len(got.Replies) == 11 && got.Replies[10].Title != "n10" {
			t.Errorf("the eleventh reply is %+v", got.Replies[10])
		}
	}
	for name, word := range map[string]string{"braces": "{hello}", "a list": "[1,2]", "an object": `{"a":1}`} {
		if status, answer := w.raw("POST", "/v26.0/me/messages", formKind, to+"&message[text]="+url.QueryEscape(word)); status != 200 || w.lastText() != word {
			t.Errorf("%s: %s became %q: %s", name, word, w.lastText(), answer)
		}
	}
	post := w.act(w.ben, graphemu.Action{Comment: &graphemu.CommentAction{Text: "how much?"}}).ID
	if status, answer := w.raw("POST", "/v2.11/"+post+"/private_replies", formKind, "message=[5 euros]"); status != 200 {
		t.Errorf("private reply: %s", answer)
	}
	if status, answer := w.raw("POST", "/v26.0/me/custom_labels", formKind, "page_label_name=[vip]"); status != 200 {
		t.Errorf("label: %s", answer)
	}
	if _, answer := w.raw("GET", "/v26.0/me/custom_labels?fields[0]=id&fields[1]=page_label_name", "", ""); !strings.Contains(answer, `"[vip]"`) {
		t.Errorf("labels: %s", answer)
	}
}

// TestForeignInputIsBounded sends what is too deep, too long or too much.
func TestForeignInputIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	many := strings.Repeat("a=1&", 10_001)
	for name, call := range map[string]struct{ path, kind, body string }{
		"relaxed JSON, deep":   {"/me/messages", formKind, "recipient=" + strings.Repeat("[", 100_000)},
		"deep and closed":      {"/me/messages", "application/json", strings.Repeat("{a:", 100_000) + "1" + strings.Repeat("}", 100_000)},
		"brackets, deep":       {"/me/messages", formKind, "recipient" + strings.Repeat("[a]", 100_000) + "=1"},
		"a large number":       {"/me/messages", formKind, "recipient[999999999999]=1&recipient[-1]=1"},
		"many parameters":      {"/me/messages", formKind, many},
		"a large JSON body":    {"/me/messages", "application/json", `{"a":"` + strings.Repeat("b", 9<<20) + `"}`},
		"an open quote":        {"/me/messages", formKind, `recipient={'id':'1`},
		"a lone backslash":     {"/me/messages", formKind, `recipient={'id':'1\`},
		"parts without number": {"/me/messages", "multipart/form-data; boundary=x", strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n", 5000)},
		"too many ids":         {"/?ids=" + strings.Repeat("1,", 51), "GET", ""},
	} {
		method := http.MethodPost
		if call.kind == "GET" {
			method, call.kind = call.kind, ""
		}
		if status, answer := w.raw(method, call.path, call.kind, call.body); status != 400 || !strings.HasPrefix(answer, `{"error"`) {
			t.Errorf("%s: %d %.200s", name, status, answer)
		}
	}
}

// TestDeepFields asks for fields within fields without end.
func TestDeepFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.send(w.ana, messenger.TextMessage("a"))
	if status, answer := w.raw("POST", "/me/conversations", formKind, "method=GET&fields="+strings.Repeat("messages{", 500_000)); status != 400 && status != 200 {
		t.Errorf("%d %.200s", status, answer)
	}
}

// TestForeignSubscriptions subscribes to what programs subscribe to.
func TestForeignSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, form := range []string{
		"subscribed_fields=messages,group_feed,live_videos", "subscribed_fields[0]=messages&subscribed_fields[1]=name", "subscribed_fields[]=messages&subscribed_fields[]=feed",
		"subscribed_fields=['messages','leadgen_fat']", "subscribed_fields=[messages,publisher_subscriptions]",
	} {
		if status, answer := w.raw("POST", "/v24.0/me/subscribed_apps", formKind, form); status != 200 {
			t.Errorf("%s: %s", form, answer)
		}
	}
	_, answer := w.raw("GET", "/v24.0/me/subscribed_apps", "", "")
	if !strings.Contains(answer, `["messages","publisher_subscriptions"]`) {
		t.Errorf("subscribed: %s", answer)
	}
	if status, _ := w.raw("POST", "/v24.0/me/subscribed_apps", formKind, "subscribed_fields=messages,no_such_field"); status != 400 {
		t.Error("a field that there is not was taken")
	}
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(rw, r.URL.Query().Get("hub.challenge")) // with a line break, as many programs do
	}))
	defer hook.Close()
	app := w.client.As(messenger.AppToken(w.app.ID, w.app.Secret))
	if err := app.SubscribeApp(t.Context(), messenger.AppSubscriptionRequest{AppID: w.app.ID, CallbackURL: hook.URL, VerifyToken: "v", Fields: []string{"messages"}}); err != nil {
		t.Errorf("a challenge with a line break: %v", err)
	}
}

// TestThreadSettings sets and removes what was there before the messenger
// profile, until version 8.0.
func TestThreadSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const path = "/v3.1/me/thread_settings"
	for _, step := range []struct{ method, form, result string }{
		{"POST", "setting_type=greeting&greeting[text]=Hello", "Successfully updated greeting"},
		{"DELETE", "setting_type=greeting", "Successfully deleted greeting"},
		{"POST", `setting_type=call_to_actions&thread_state=existing_thread&call_to_actions=[{type:'postback',title:'a',payload:'b'}]`, "Successfully added structured menu CTAs"},
		{"DELETE", "setting_type=call_to_actions&thread_state=existing_thread", "Successfully deleted structured menu CTAs"},
		{"POST", `setting_type=call_to_actions&thread_state=new_thread&call_to_actions=[{"payload":"x"}]`, "Successfully added new_thread's CTAs"},
		{"POST", `setting_type=call_to_actions&thread_state=new_thread&call_to_actions=[]`, "Successfully added new_thread's CTAs"},
		{"POST", `setting_type=call_to_actions&thread_state=new_thread&call_to_actions=[{"message":{"text":"Welcome!"}}]`, "Successfully added new_thread's CTAs"},
		{"POST", `setting_type=domain_whitelisting&whitelisted_domains=["https://a.example","https://b.example"]&domain_action_type=add`, "Successfully updated whitelisted domains"},
		{"POST", `setting_type=domain_whitelisting&whitelisted_domains=["https://a.example"]&domain_action_type=remove`, "Successfully updated whitelisted domains"},
	} {
		if status, answer := w.raw(step.method, path, formKind, step.form); status != 200 || answer != `{"result":"`+step.result+`"}` {
			t.Errorf("%s %s: %s", step.method, step.form, answer)
		}
	}
	_, answer := w.raw("GET", "/v3.1/me/messenger_profile?fields=greeting,get_started,persistent_menu,whitelisted_domains", "", "")
	if answer != `{"data":[{"whitelisted_domains":["https://b.example"]}]}` {
		t.Errorf("what is left: %s", answer)
	}
	w.act(w.ben, graphemu.Action{Text: "first words"})
	if thread, err := w.emu.Thread(w.page.ID, w.ben.ID); err != nil || len(thread) != 2 || thread[0].Text != "Welcome!" && thread[1].Text != "Welcome!" {
		t.Errorf("Ben was not welcomed: %+v, %v", thread, err)
	}
	w.raw("DELETE", path, formKind, "setting_type=call_to_actions&thread_state=new_thread")
	for version, status := range map[string]int{"v7.0": 200, "v8.0": 400, "v26.0": 400} {
		if got, answer := w.raw("POST", "/"+version+"/me/thread_settings", formKind, "setting_type=greeting&greeting[text]=Hello"); got != status {
			t.Errorf("%s: %d %s", version, got, answer)
		}
	}
}

// TestShareButtons sends buttons of type element_share by the rules of a day.
func TestShareButtons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for version, want := range map[string]int{"v2.11": 200, "v4.0": 200, "v5.0": 400, "v26.0": 400} {
		got, answer := w.raw("POST", "/"+version+"/me/messages", "application/json", w.to(`"message":{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"a","buttons":[{"type":"element_share"}]}]}}}`))
		if got != want {
			t.Errorf("%s: %d %s", version, got, answer)
		}
	}
}

// TestForeignRefusals holds the words of refusals that programs compare.
func TestForeignRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	message := `&message={"text":"a"}`
	for name, call := range map[string]struct{ method, path, form, want string }{
		"an id that is none":  {"POST", "/v26.0/me/messages", `recipient={"id":"abc"}` + message, `(#100) Param recipient[id] must be a valid ID string (e.g., \"123\")`},
		"nobody's id":         {"POST", "/v26.0/me/messages", `recipient={"id":"5"}` + message, `"error_subcode":2018001`},
		"an empty recipient":  {"POST", "/v26.0/me/messages", `recipient={}` + message, `(#100) param recipient must be non-empty`},
		"retired fields":      {"GET", "/v3.2/" + w.ana.ID + "?fields=first_name,is_payment_enabled", "", `(#100) The last_ad_referral and is_payment_enabled fields are now deprecated. Please refer to our Developer Document for more info.`},
		"a field that ended":  {"POST", "/v26.0/me/messenger_profile", `target_audience={"audience_type":"all"}`, "target_audience is no longer a field"},
		"reading one":         {"GET", "/v26.0/me/messenger_profile?fields=home_url", "", "home_url is no longer a field"},
		"a bare domain":       {"POST", "/v26.0/me/messenger_profile", `whitelisted_domains=["www.example.com"]`, "such as https://www.example.com"},
		"creatives today":     {"POST", "/v26.0/me/message_creatives", `messages=[{"text":"a"}]`, "no longer available since March 4, 2020"},
		"sponsored, today":    {"POST", "/v26.0/act_" + w.page.AdAccount + "/sponsored_message_ads", "message_creative_id=1", "no longer available since March 4, 2020"},
		"control of a thread": {"POST", "/v26.0/me/extend_thread_control", `recipient={"id":"` + w.ana.ID + `"}&duration=0`, "duration"},
	} {
		if status, answer := w.raw(call.method, call.path, formKind, call.form); status != 400 || !strings.Contains(answer, call.want) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if status, answer := w.raw("GET", "/v3.0/"+w.ana.ID+"?fields=first_name,is_payment_enabled", "", ""); status != 400 {
		t.Logf("v3.0: %s", answer) // a month after its release the fields were not yet gone
	}
	if status, answer := w.raw("POST", "/v26.0/me/extend_thread_control", formKind, `recipient[id]=`+w.ana.ID+`&duration=3600`); status != 200 {
		t.Errorf("extend: %s", answer)
	}
	long := strings.Repeat("g", 260)
	if status, answer := w.raw("POST", "/v26.0/me/messenger_profile", formKind, "greeting[0][locale]=default&greeting[0][text]="+long); status != 200 {
		t.Errorf("a greeting of 260: %s", answer)
	}
}

// TestForeignTokens gives the tokens of an app, of its pages and of who manages them.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	user := w.emu.UserToken(w.app.ID)
	other := w.emu.AddApp(graphemu.App{Name: "Other"})
	ask := func(method, path string) map[string]any {
		t.Helper()
		_, answer := w.raw(method, path, "", "")
		var out map[string]any
		if err := json.Unmarshal([]byte(answer), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	base := "/oauth/access_token?client_id=" + w.app.ID + "&client_secret="
	appToken := w.app.ID + "|" + w.app.Secret
	for _, method := range []string{"GET", "POST"} {
		if got := ask(method, "/v26.0"+base+w.app.Secret+"&grant_type=client_credentials"); got["access_token"] != appToken || got["token_type"] != "bearer" {
			t.Errorf("%s client_credentials: %v", method, got)
		}
	}
	exchanged := ask("GET", base+w.app.Secret+"&grant_type=fb_exchange_token&fb_exchange_token="+user)
	long, _ := exchanged["access_token"].(string) //nolint:errcheck // "" fails below
	if long == "" || long == user || exchanged["expires_in"] == nil {
		t.Errorf("exchange: %v", exchanged)
	}
	again := ask("GET", base+w.app.Secret+"&grant_type=fb_exchange_token&fb_exchange_token="+long)
	if again["access_token"] != long {
		t.Errorf("exchanged once more: %v", again)
	}
	accounts := ask("GET", "/v26.0/me/accounts?access_token="+long)
	page, _ := accounts["data"].([]any)[0].(map[string]any) //nolint:errcheck // nil fails below
	if page["access_token"] != w.page.AccessToken || page["id"] != w.page.ID {
		t.Errorf("accounts: %v", accounts)
	}
	if got := ask("GET", "/v26.0/"+w.page.ID+"?fields=access_token&access_token="+user); got["access_token"] != w.page.AccessToken {
		t.Errorf("the page's token: %v", got)
	}
	theirs := ask("GET", "/me/accounts?access_token="+w.emu.UserToken(other.ID))["data"].([]any)[0].(map[string]any)["access_token"].(string)
	if got := ask("GET", "/me?access_token="+theirs); theirs == w.page.AccessToken || got["id"] != w.page.ID {
		t.Errorf("another app's token of the page: %v", got)
	}
	if got := ask("GET", "/me?access_token="+user); got["name"] != "Page Admin" {
		t.Errorf("me: %v", got)
	}
	w.emu.SetPageToken(w.page.ID, "")
	if got := ask("GET", "/v26.0/"+w.page.ID+"?fields=access_token&access_token="+user); got["access_token"] != nil || got["id"] != w.page.ID {
		t.Errorf("the page's token after it was taken back: %v", got)
	}
	w.emu.SetPageToken(w.page.ID, w.page.AccessToken)
	for name, path := range map[string]string{
		"101 Error validating application": "/oauth/access_token?client_id=5&client_secret=x&grant_type=client_credentials",
		"1 Error validating client secret": base + "wrong&grant_type=client_credentials",
		"100 The App_id in the input":      "/debug_token?input_token=" + theirs + "&access_token=" + url.QueryEscape(appToken),
		"190 Error validating application": "/debug_token?input_token=" + user + "&access_token=" + url.QueryEscape("5|"+w.app.Secret),
		"190 Invalid OAuth access token s": "/debug_token?input_token=" + user + "&access_token=" + url.QueryEscape(w.app.ID+"|wrong"),
		"100 nonexisting field (accounts)": "/me/accounts",
	} {
		code, words, _ := strings.Cut(name, " ")
		e, _ := ask("GET", path)["error"].(map[string]any) //nolint:errcheck // nil fails below
		message, _ := e["message"].(string)                //nolint:errcheck // "" fails below
		if fmt.Sprint(e["code"]) != code || !strings.Contains(message, words) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestJournalHasNoSecrets makes calls with every secret there is, in every
// place, and looks for them in the journal.
func TestJournalHasNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	user := w.emu.UserToken(w.app.ID)
	secrets := []string{w.page.AccessToken, w.app.Secret, user, messenger.Proof(w.app.Secret, w.page.AccessToken)}
	q := url.QueryEscape
	for _, call := range []struct{ method, path, kind, body string }{
		{"GET", "/oauth/access_token?client_id=" + w.app.ID + "&client_secret=" + w.app.Secret + "&grant_type=client_credentials", "", ""},
		{"POST", "/oauth/access_token?client_id=" + w.app.ID, formKind, "client%5Fsecret=" + w.app.Secret + "&grant_type=fb_exchange_token&fb_exchange_token=" + user},
		{"POST", "/oauth/access_token?client_id=" + w.app.ID, "application/json", `{'client_secret':'` + w.app.Secret + `',grant_type:"client_credentials"}`},
		{"GET", "/me/accounts?access_token=" + user, "", ""},
		{"GET", "/me?fields=access_token", "", ""},
		{"GET", "/?ids=me&fields=access_token", "", ""},
		{"POST", "/?access_token=" + w.page.AccessToken, formKind, "batch=" + q(`[{"method":"GET","relative_url":"me?fields=access_token&access_token=`+user+`"},{"method":"GET","relative_url":"debug_token?input_token=`+q(w.app.ID+"|"+w.app.Secret)+`"}]`)},
		{"POST", "/me/messages", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\n" + w.page.AccessToken + "\r\n--x\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\n" + w.app.Secret + "\r\n--x--"},
		{"GET", "/me?appsecret_proof=" + secrets[3], "", ""},
		{"GET", "/" + w.page.AccessToken, "", ""},
	} {
		w.raw(call.method, call.path, call.kind, call.body)
	}
	journal, err := json.Marshal(w.emu.Journal(graphemu.JournalFilter{}))
	if err != nil {
		t.Fatal(err)
	}
	har, err := json.Marshal(w.emu.HAR(graphemu.JournalFilter{}, w.url))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		for _, text := range [][]byte{journal, har} {
			if i := bytes.Index(text, []byte(secret)); i >= 0 {
				t.Errorf("a secret stands in %s", text[max(0, i-200):i])
			}
		}
	}
	if !bytes.Contains(journal, []byte("[hidden]")) || !bytes.Contains(journal, []byte("grant_type=client_credentials")) {
		t.Errorf("journal %.2000s", journal)
	}
}

// TestManyAtOnce reads several things in one call.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, answer := w.raw("GET", "/v26.0/?ids="+w.ana.ID+","+w.ben.ID+"&fields=first_name", "", "")
	var got map[string]struct {
		FirstName string `json:"first_name"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{w.ana.ID: "Ana", w.ben.ID: "Ben"}, map[string]string{w.ana.ID: got[w.ana.ID].FirstName, w.ben.ID: got[w.ben.ID].FirstName}); diff != "" {
		t.Errorf("%s: %s", answer, diff)
	}
	if status, answer := w.raw("GET", "/v26.0/?ids="+w.ana.ID+",5", "", ""); status != 400 {
		t.Errorf("one that is not there: %s", answer)
	}
	w.send(w.ana, messenger.TextMessage("a"))
	if status, answer := w.raw("GET", "/v26.0/messages?ids=t_"+w.ana.ID, "", ""); status != 200 || !strings.Contains(answer, `"t_`+w.ana.ID+`":{"data"`) {
		t.Errorf("an edge: %s", answer)
	}
	for _, field := range []string{"wallpaper", "scoped_thread_key", "former_participants", "is_owner", "linked_group"} {
		if status, answer := w.raw("GET", "/v24.0/t_"+w.ana.ID+"?fields="+field, "", ""); status != 200 {
			t.Errorf("%s: %s", field, answer)
		}
	}
}
