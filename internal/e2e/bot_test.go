package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
)

// script gives a page's bot a script, which answers from then on.
func (p *page) script(text string) gatewayapi.Script {
	p.w.t.Helper()
	s, err := p.w.client.UploadScript(p.w.t.Context(), gatewayapi.UploadScriptRequest{
		Application: p.key, Dialect: "dexter", Activate: true, Files: []gatewayapi.ScriptFile{{Name: "default.topic", Text: text}},
	})
	if err != nil {
		p.w.t.Fatalf("upload the script: %v", err)
	}
	return s
}

// awaitSaid waits until the bot has said something last.
func (p *page) awaitSaid(psid, want string) {
	p.w.t.Helper()
	await(p.w.t, fmt.Sprintf("the bot to say %q", want), func() (bool, string) {
		thread := p.thread(psid)
		return len(thread) > 0 && thread[len(thread)-1] == want, fmt.Sprintf("%q", thread)
	})
}

// messagesOf are what the page has sent a person, as JSON.
func (p *page) messagesOf(psid string) []string {
	p.w.t.Helper()
	thread, err := p.w.platform.Thread(p.id, psid)
	if err != nil {
		p.w.t.Fatal(err)
	}
	var all []string
	for _, m := range thread {
		if m.From == "page" {
			all = append(all, m.Text+string(m.Message))
		}
	}
	return all
}

const referralScript = `
+ get_started_payload
* <get _fbRefSource> == SHORTLINK => You came in through a shortlink!
* <get _fbRefSource> == ADS => You came in through ad <get _fbRefAdId>!
- You didn't come in through a m.me referral!

+ __fbref__
* <get _fbRefSource> == SHORTLINK => {@ shortlink_hello}
* <get _fbRefSource> == ADS => {@ ad_hello}
* <get _fbRefSource> == MESSENGER_CODE => You scanned a Messenger code!
* <get _fbRefSource> == DISCOVER_TAB => You found our bot through the Discover tab! <get _fbRefParam>
- How did you get here?

+ shortlink_hello
* <get _fbRefParam> == myparam => Welcome back, I see you've been using the tutorials at docs.rundexter.com!
* <get _fbRefParam> == dogs => Welcome back, this is a new dog-relevant greeting!
- What param did you pass in through the m.me link? Oh, you passed in <get _fbRefParam>? That's not "myparam" or "dogs"...

+ ad_hello
* <get _fbRefAdId> == 6045246247433 => Hi, you clicked on our ad for chunky Peanut Butter! You must really like the added fiber!
* <get _fbRefAdId> == 6045246247434 => Hi, you clicked on our ad for smooth Peanut Butter! Our brand is the creamiest brand out there!
- We love peanut butter!

+ *
- catch-all
`

func TestBotKnowsWhereAPersonCameFrom(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{GetStarted: "getstartedpayload"})
	p.script(referralScript)
	returning := p.person("Ana")
	for _, c := range []struct {
		referral graphemu.Referral
		want     string
	}{
		{graphemu.Referral{Source: "SHORTLINK", Ref: "myparam"}, "Welcome back, I see you've been using the tutorials at docs.rundexter.com!"},
		{graphemu.Referral{Source: "SHORTLINK", Ref: "dogs"}, "Welcome back, this is a new dog-relevant greeting!"},
		{graphemu.Referral{Source: "SHORTLINK", Ref: "cats"}, `What param did you pass in through the m.me link? Oh, you passed in cats? That's not "myparam" or "dogs"...`},
		{graphemu.Referral{Source: "ADS", Ref: "myparam", AdID: "6045246247433"}, "Hi, you clicked on our ad for chunky Peanut Butter! You must really like the added fiber!"},
		{graphemu.Referral{Source: "ADS", Ref: "myparam", AdID: "6045246247434"}, "Hi, you clicked on our ad for smooth Peanut Butter! Our brand is the creamiest brand out there!"},
		{graphemu.Referral{Source: "ADS", AdID: "1"}, "We love peanut butter!"},
		{graphemu.Referral{Source: "MESSENGER_CODE", Ref: "myparam"}, "You scanned a Messenger code!"},
		{graphemu.Referral{Source: "DISCOVER_TAB"}, "You found our bot through the Discover tab! undefined"},
		{graphemu.Referral{Source: "SOMETHING_NEW", Ref: "x"}, "How did you get here?"},
	} {
		p.act(returning, graphemu.Action{Referral: &c.referral})
		p.awaitSaid(returning, c.want)
	}
	for _, c := range []struct {
		referral *graphemu.Referral
		want     string
	}{
		{&graphemu.Referral{Source: "SHORTLINK", Ref: "myparam"}, "You came in through a shortlink!"},
		{&graphemu.Referral{Source: "ADS", Ref: "x", AdID: "7"}, "You came in through ad 7!"},
		{nil, "You didn't come in through a m.me referral!"},
	} {
		newcomer := w.platform.AddPerson(p.id, graphemu.Person{FirstName: "New", LastName: "Person"}).ID
		p.act(newcomer, graphemu.Action{GetStarted: true, Referral: c.referral})
		p.awaitSaid(newcomer, c.want)
	}
	p.script("+ *\n- catch-all\n")
	p.act(returning, graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: "x"}})
	p.awaitSaid(returning, "catch-all")
	p.script("+ __fbref__\n- <noreply>\n+ *\n- heard <star>, came by <get _fbRefParam>\n")
	p.act(returning, graphemu.Action{Referral: &graphemu.Referral{Source: "SHORTLINK", Ref: "quiet"}})
	p.says(returning, "hello")
	p.awaitSaid(returning, "heard hello, came by quiet")
}

func TestBotMessages(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script(`
+ menu
- Pick one: ^buttons("Coffee, black", Tea)
+ coffee black
- ^image("https://cdn.example.com/cup.png")Here it is.<send>Anything else?
+ shop
- Our shop ^link(https://shop.example.com, Open)
+ cards
- ^template({"template_type":"generic","elements":[{"title":"A","buttons":[{"type":"postback","title":"Buy A","payload":"buy a"}]}]})
+ buy *
- You buy <star>.
+ slow
- one <delay seconds=0.3> two <delay seconds=0.3> three
+ name
- Hello <get _userFirstName>, you are <get profile.tier>. <set profile.tier=gold>
+ photo
- ok
+ __media__
- A <get _mediaType> at <get _mediaUrl>
+ silent
- <noreply>
`)
	ana := p.person("Ana")
	p.says(ana, "Menu!")
	await(t, "quick replies", func() (bool, string) {
		all := p.messagesOf(ana)
		return len(all) == 1 && strings.Contains(all[0], "Pick one:") && strings.Contains(all[0], `"title":"Coffee, black"`), fmt.Sprint(all)
	})
	p.act(ana, graphemu.Action{QuickReply: &graphemu.TapAction{Title: "Coffee, black", Payload: "Coffee, black"}})
	await(t, "picture and two texts", func() (bool, string) {
		all := p.messagesOf(ana)
		return len(all) == 4 && strings.Contains(all[1], "cup.png") && strings.HasPrefix(all[2], "Here it is.") && strings.HasPrefix(all[3], "Anything else?"), fmt.Sprint(all)
	})
	p.says(ana, "shop")
	await(t, "a button template", func() (bool, string) {
		all := p.messagesOf(ana)
		return len(all) == 5 && strings.Contains(all[4], `"template_type":"button"`) && strings.Contains(all[4], "https://shop.example.com"), fmt.Sprint(all)
	})
	p.says(ana, "cards")
	p.awaitThread(ana, 6)
	p.act(ana, graphemu.Action{Postback: &graphemu.TapAction{Title: "Buy A", Payload: "buy a"}})
	p.awaitSaid(ana, "You buy a.")
	p.says(ana, "slow")
	p.awaitSaid(ana, "three")
	if texts := p.thread(ana); !slices.Equal(texts[len(texts)-3:], []string{"one", "two", "three"}) {
		t.Errorf("delayed: %q", texts)
	}
	p.says(ana, "name")
	p.awaitSaid(ana, "Hello Ana, you are undefined.")
	p.says(ana, "name")
	p.awaitSaid(ana, "Hello Ana, you are gold.")
	p.act(ana, graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: "image", URL: "https://cdn.example.com/me.png"}})
	p.awaitSaid(ana, "A image at https://cdn.example.com/me.png")
	before := len(p.thread(ana))
	p.says(ana, "silent")
	p.says(ana, "buy b")
	p.awaitSaid(ana, "You buy b.")
	if got := len(p.thread(ana)); got != before+1 {
		t.Errorf("%d messages after a silent reply and another, wanted %d", got, before+1)
	}
}

func TestBotRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"city":%q,"temp":21,"how":%q}`, r.URL.Query().Get("q"), r.Header.Get("X-Key"))
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	w := startWorld(t, func(c *config.Config) { c.Scripts.AllowHosts = "api.example.com, " + host })
	p := w.connect(graphemu.Page{})
	p.script(`
+ weather in *
$ GET:w ` + server.URL + `/w?q=<star> {"headers":{"X-Key":"k1"}}
* ${{w.__status}} == 200 => It is ${{w.temp}} in ${{w.city}} (${{w.how}}).
- I do not know.
+ other
$ GET http://127.0.0.1:1/
* ${{__status}} == 0 => refused
`)
	ana := p.person("Ana")
	p.says(ana, "weather in Machu Picchu")
	p.awaitSaid(ana, "It is 21 in machu picchu (k1).")
	p.says(ana, "other")
	p.awaitSaid(ana, "refused")
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "evt_") {
		t.Errorf("idempotency keys %q", keys)
	}
}

func TestBotRemindersOutliveTheGateway(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	due := time.Now().Add(time.Hour).UnixMilli()
	p.script(fmt.Sprintf(`
+ remind me
- ^reminder(Cup Ready, <raw>Your cup is ready, <get _userFirstName>! {@ more}</raw>, %d)Fine: <get _reminder_cup_ready>
+ pending
- <get _reminder_cup_ready>
+ never mind
- ^reminderCancel(cup ready)Forgotten.
+ more
- More?
`, due))
	ana, bob := p.person("Ana"), p.person("Bob")
	for _, psid := range []string{ana, bob} {
		p.says(psid, "remind me")
		p.awaitSaid(psid, "Fine: undefined")
		p.says(psid, "pending")
		p.awaitSaid(psid, fmt.Sprint(due))
	}
	p.says(bob, "never mind")
	p.awaitSaid(bob, "Forgotten.")
	w.stop()
	w.clock.advance(2 * time.Hour)
	w.start()
	p.awaitSaid(ana, "Your cup is ready, Ana! More?")
	p.says(ana, "pending")
	p.awaitSaid(ana, "undefined")
	if last := p.thread(bob); last[len(last)-1] != "Forgotten." {
		t.Errorf("a canceled reminder was said: %q", last)
	}
}

func TestBotGivesWayToPeople(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ help\n- A human comes. ^notifyAgent()\n+ *\n- bot: <star>\n")
	ana := p.person("Ana")
	p.says(ana, "help")
	p.awaitSaid(ana, "A human comes.")
	state := func() gatewayapi.BotState {
		s, err := w.client.BotState(t.Context(), gatewayapi.Conversation{Application: p.key, Person: ana})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(); !s.Human || s.Topic != "dex-human-bypass" {
		t.Errorf("%+v", s)
	}
	p.says(ana, "are you there")
	await(t, "the bot to pass it by", func() (bool, string) {
		heard, err := w.client.ListEvents(t.Context(), gatewayapi.ListEventsRequest{Application: p.key, Type: "message.inbound"})
		if err != nil || len(heard.Events) < 2 {
			return false, fmt.Sprintf("%d events, %v", len(heard.Events), err)
		}
		asked, _ := gateway.EventPos(heard.Events[1].ID)
		low, err := w.app.Store.CursorLow(t.Context(), "bot")
		return err == nil && low >= asked, fmt.Sprintf("%d of %d, %v", low, asked, err)
	})
	no := false
	if _, err := w.client.ChangeBotState(t.Context(), gatewayapi.Conversation{Application: p.key, Person: ana}, gatewayapi.BotStatePatch{Human: &no, Variables: map[string]*string{"plan": ptr("gold")}}); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.Human || s.Topic != "random" || s.Variables["plan"] != "gold" {
		t.Errorf("%+v", s)
	}
	if texts := p.thread(ana); len(texts) != 1 {
		t.Errorf("the bot spoke while people did: %q", texts)
	}
	_, err := w.client.BotState(t.Context(), gatewayapi.Conversation{Application: "NOPE", Person: ana})
	wantCode(t, err, 404, "not_found")
}

func ptr(s string) *string { return &s }

func TestScriptVersions(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ctx := t.Context()
	first := p.script("+ hello\n- one <set seen=yes>\n+ seen\n- <get seen>\n")
	ana := p.person("Ana")
	p.says(ana, "hello")
	p.awaitSaid(ana, "one")
	second, err := w.client.UploadScript(ctx, gatewayapi.UploadScriptRequest{Application: p.key, Files: []gatewayapi.ScriptFile{{Name: "a.rive", Text: "+ hello\n- two\n+ seen\n- <get seen>\n+ hello\n- never\n"}}})
	if err != nil || second.Version != 2 || second.Active || len(second.Warnings) != 1 {
		t.Fatalf("%+v %v", second, err)
	}
	tried, err := w.client.TryScript(ctx, second.ID, gatewayapi.TryScriptRequest{Text: "hello"})
	if err != nil || tried.Reply != "two" {
		t.Errorf("%+v %v", tried, err)
	}
	p.says(ana, "hello")
	p.awaitThread(ana, 2)
	if _, err := w.client.ActivateScript(ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	p.says(ana, "hello")
	p.awaitSaid(ana, "two")
	p.says(ana, "seen")
	p.awaitSaid(ana, "yes") // what the bot knows stays
	if s, err := w.client.RollBackScript(ctx, p.key); err != nil || s.ID != first.ID {
		t.Fatalf("%+v %v", s, err)
	}
	p.says(ana, "hello")
	p.awaitSaid(ana, "one")
	wantCode(t, w.client.DeleteScript(ctx, first.ID), 409, "conflict")
	if err := w.client.DeleteScript(ctx, second.ID); err != nil {
		t.Error(err)
	}
	if list, err := w.client.ListScripts(ctx, gatewayapi.ListScriptsRequest{Application: p.key}); err != nil || len(list) != 1 || !list[0].Active {
		t.Errorf("%+v %v", list, err)
	}
	_, err = w.client.UploadScript(ctx, gatewayapi.UploadScriptRequest{Application: p.key, Files: []gatewayapi.ScriptFile{{Name: "a.rive", Text: "+ a(b\n- x\n"}}})
	wantCode(t, err, 400, "invalid_request")
	if err == nil || !strings.Contains(err.Error(), "a.rive:1") {
		t.Error(err)
	}
	if v, err := w.client.ValidateScript(ctx, gatewayapi.UploadScriptRequest{Files: []gatewayapi.ScriptFile{{Name: "a.rive", Text: "+ a(b\n- x\n"}}}); err != nil || v.OK || len(v.Problems) != 1 {
		t.Errorf("%+v %v", v, err)
	}
}

// A thousand people talk at once; each conversation stays in order, and nothing is answered twice.
func TestBotKeepsManyConversationsInOrder(t *testing.T) {
	t.Parallel()
	people, each := 1000, 3
	if slow {
		people = 100
	}
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ count *\n- <add n=1>Message <get n> said <star>\n")
	ids := p.people(people)
	for n := range each {
		for _, psid := range ids {
			p.says(psid, fmt.Sprintf("count %d", n))
		}
	}
	for _, psid := range ids {
		got := p.awaitThread(psid, each)
		for n := range each {
			if want := fmt.Sprintf("Message %d said %d", n+1, n); len(got) != each || got[n] != want {
				t.Fatalf("%s: %q", psid, got)
			}
		}
	}
}

// A gateway that is killed in the middle of conversations loses no turn and returns none twice.
func TestBotTurnsSurviveAKill(t *testing.T) {
	t.Parallel()
	p := startPlatform(t)
	w, g := startApart(t, p, func(c *config.Config) { c.Uncertain.Wait, c.Uncertain.GiveUp = 500*time.Millisecond, 2*time.Second })
	pg := w.connect(graphemu.Page{})
	pg.script("+ count *\n- <add n=1>Message <get n> said <star>\n")
	persons := pg.people(8)
	load, end := context.WithCancel(t.Context())
	defer end()
	var workers sync.WaitGroup
	said := make([]int, len(persons))
	for i, psid := range persons {
		workers.Go(func() {
			new(ledger).pace(load, func(n int) {
				if _, err := p.Act(context.Background(), pg.id, psid, graphemu.Action{Text: fmt.Sprintf("count %d", n)}); err != nil {
					t.Error(err)
				}
				said[i] = n + 1
			})
		})
	}
	for range number(t, "CHASQUI_KILLS", 3) {
		<-time.After(700 * time.Millisecond)
		g.kill()
		g = w.serve()
	}
	end()
	workers.Wait()
	for i, psid := range persons {
		await(t, "every turn", func() (bool, string) {
			state, err := w.client.BotState(t.Context(), gatewayapi.Conversation{Application: pg.key, Person: psid})
			return err == nil && state.Variables["n"] == fmt.Sprint(said[i]), fmt.Sprintf("%v of %d, %v", state.Variables["n"], said[i], err)
		})
	}
	l := &ledger{}
	l.settle(t, w, pg)
	for i, psid := range persons {
		texts := pg.thread(psid)
		list, err := w.client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{FBMessengerID: psid, Limit: 200})
		if err != nil || len(list.Messages) > said[i] {
			t.Errorf("%d turns made %d messages, %v", said[i], len(list.Messages), err)
		}
		last := 0
		for _, text := range texts {
			var n, what int
			if _, err := fmt.Sscanf(text, "Message %d said %d", &n, &what); err != nil || what != n-1 || n <= last {
				t.Errorf("%s: %q after %d: %v", psid, text, last, err)
			}
			last = n
		}
	}
	t.Logf("%v turns", said)
}

// Whoever comes by the Send to Messenger button is heard as by any other way in; an opt-in without
// a ref says nothing.
func TestBotHearsOptIns(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ __fbref__\n- by <get _fbRefSource> <get _fbRefParam>\n+ *\n- else\n")
	ana := p.person("Ana")
	p.act(ana, graphemu.Action{OptIn: &graphemu.OptInAction{Ref: "shop-42"}})
	p.awaitSaid(ana, "by SEND_TO_MESSENGER shop-42")
	p.says(ana, "hello")
	p.awaitSaid(ana, "else")
}

// A sticker comes as an image too, with the same address: that is one attachment.
func TestBotSeesAStickerOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	p.script("+ __media__\n- <get _mediaType>\n+ *\n- else\n")
	ana := p.person("Ana")
	p.act(ana, graphemu.Action{Sticker: 369239263222822})
	p.act(ana, graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: "image", URL: "https://cdn.example/2.png"}})
	p.says(ana, "hello")
	p.awaitSaid(ana, "else")
	if got := strings.Join(p.thread(ana), " "); got != "sticker image else" {
		t.Errorf("the bot says %s", got)
	}
}
