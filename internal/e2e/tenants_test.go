package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/service"
)

const tenantSecret = "a secret of the operator, 32 bytes"

// tenants is a gateway that two share who must know nothing of each other: B has one of everything,
// and A has a key that is limited to A.
type tenants struct {
	*world
	a, b    *page
	key     *gateway.APIKey // A's
	secret  string
	names   map[string]string // what {name} stands for in the tables
	markers []string          // what A must never read
	phone   *texter           // A's account, with A's own token
	carrier *carrier          // A's too
}

func startTenants(t *testing.T) *tenants {
	t.Helper()
	w := startWorld(t, func(c *config.Config) { c.Sessions.Secret, c.Sessions.Fields = tenantSecret, "firstName" })
	x := &tenants{world: w, a: w.connect(graphemu.Page{Name: "Ours"}), b: w.connect(graphemu.Page{Name: "Victim page"})}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, secret, err := service.CreateKey(t.Context(), w.app.Store, "A", []gateway.Scope{gateway.ScopeAll}, []string{x.a.key})
	must(err)
	x.key, x.secret = key, secret.Reveal()
	psid := x.b.person("Victoria")
	x.b.says(psid, "victim-word")
	root := func(method, path, body string, status int) map[string]any {
		t.Helper()
		got := w.comapi(method, path, body)
		if got.status != status {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
		var v map[string]any
		json.Unmarshal(got.body, &v) // some have none
		return v
	}
	await(t, "the victim's profile", func() (bool, string) {
		id, err := w.app.Store.ProfileOf(t.Context(), x.b.key, psid)
		if err == nil && id != "" {
			got := w.comapi("GET", "/v1/profiles/"+id, "")
			if strings.Contains(string(got.body), "Victoria") {
				return w.comapi("DELETE", "/v1/profiles/"+id, "").status == 204, ""
			}
		}
		return false, id
	})
	root("POST", "/v1/profiles", `{"id":"cust-42","fbMessengerIds":{"`+x.b.key+`":"`+psid+`"},"firstName":"Victoria","email":"victoria@victim.example","phoneNumber":"+49 151 7777777","iban":"DE00VICTIM"}`, 201)
	await(t, "the victim's name", func() (bool, string) {
		got := w.comapi("GET", "/v1/profiles/cust-42", "")
		return strings.Contains(string(got.body), `"facebook"`), string(got.body)
	})
	carried := w.carrierOf(x.b.key)
	message := root("POST", "/v1/messages", `{"application":"`+x.b.key+`","to":{"profileId":"cust-42"},"body":"victim-body","rules":[{"channel":"webhook","until":"delivered","within":"72h"},"fbMessenger"]}`, 202)["id"].(string)
	await(t, "the victim's message to be handed over", func() (bool, string) { return len(carried.taken(message)) == 1, "" })
	await(t, "the victim's message to wait for its goal", func() (bool, string) {
		m := w.message(message)
		return m.Status == "sent" || m.Status == "delivered", string(m.Status)
	})
	hook := startReceiver(t, nil).server
	sub := root("POST", "/v1/subscriptions", `{"kind":"forward","url":"`+hook.URL+`/victim-hook","applications":["`+x.b.key+`"]}`, 201)["id"].(string)
	pull := root("POST", "/v1/subscriptions", `{"kind":"pull","name":"victim-pull","applications":["`+x.b.key+`"],"from":"earliest"}`, 201)["id"].(string)
	route := root("POST", "/v1/routes", `{"application":"`+x.b.key+`","name":"victim-route","rules":["webhook"],"default":true}`, 201)["id"].(string)
	entry := root("POST", "/v1/entry-points", `{"application":"`+x.b.key+`","kind":"code","ref":"victim-ref","name":"victim-poster"}`, 201)["id"].(string)
	script := root("POST", "/v1/scripts", `{"application":"`+x.b.key+`","files":[{"name":"a.rive","text":"+ xyzzy\n- victim-script\n"}]}`, 201)["id"].(string)
	older := root("POST", "/v1/scripts", `{"application":"`+x.b.key+`","activate":true,"files":[{"name":"a.rive","text":"+ xyzzy\n- victim-older\n"}]}`, 201)["id"].(string)
	root("POST", "/v1/scripts/"+script+"/activate", "", 200)
	root("PATCH", "/v1/conversations/"+x.b.key+":"+psid+"/variables", `{"variables":{"note":"victim-var"}}`, 200)
	root("PUT", "/v1/opt-outs/sms/49151888888?application="+x.b.key, "", 200)
	root("PUT", "/v1/opt-outs/sms/49151999999", "", 200)
	root("POST", "/v1/profiles", `{"id":"gone","fbMessengerIds":{"`+x.b.key+`":"4711"}}`, 201)
	erasure := root("DELETE", "/v1/profiles/gone?forget=true", "", 202)["id"].(string)
	face, all := &records.Records{Store: w.app.Store}, gateway.Everything()
	configuration, err := face.CreateConfiguration(t.Context(), all, x.b.key, "")
	must(err)
	chat, err := face.CreateConfiguration(t.Context(), all, x.b.key, "victim-chat")
	must(err)
	action := root("POST", "/apispaces/"+x.b.key+"/webhooks", `{"name":"victim-comapi","url":"`+hook.URL+`/victim-hook","subscriptions":[{"type":"message.inbound"}]}`, 201)["id"].(string)
	x.phone, x.carrier = w.texter(x.a.key), w.carrierOf(x.a.key)
	var inbound string
	page, err := w.client.ListEvents(t.Context(), gatewayapi.ListEventsRequest{Application: x.b.key, Type: "message.inbound", Limit: 1})
	must(err)
	inbound = page.Events[0].ID
	x.names = map[string]string{"A": x.a.key, "B": x.b.key, "psid": psid, "profile": "cust-42", "msg": message, "sub": sub, "pull": pull, "route": route, "entry": entry, "script": script,
		"older": older, "channel": carried.account.ID, "erasure": erasure, "configuration": configuration.Key, "chat": chat.Key, "webhook": action, "event": inbound,
		"ours": x.carrier.account.ID, "phone": x.phone.account.ID}
	x.markers = []string{"Victoria", "victoria@victim.example", "1517777777", "DE00VICTIM", "victim-", psid, x.b.id, "Victim page"}
	return x
}

// carrierOf is a carrier whose account belongs to an application.
func (w *world) carrierOf(application string) *carrier {
	w.t.Helper()
	c := w.carrier(nil)
	if _, err := w.client.UpdateChannel(w.t.Context(), c.account.ID, gatewayapi.UpdateChannelRequest{Application: ptr(application)}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// named puts identifiers in the place of their names.
func (x *tenants) named(text string) string {
	for name, value := range x.names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// leaks returns what of B's stands in an answer to a request in which it did not stand.
func (x *tenants) leaks(request, answer string) []string {
	return slices.DeleteFunc(slices.Clone(x.markers), func(m string) bool {
		return !strings.Contains(answer, m) || strings.Contains(request, m) || m == "victim-" && strings.Count(answer, m) == strings.Count(answer, "victim-hook") && strings.Contains(request, "victim-hook")
	})
}

// held is everything of B's, as a key of all applications reads it.
func (x *tenants) held() map[string]string {
	x.t.Helper()
	all := map[string]string{}
	for _, path := range []string{"/v1/profiles/{profile}", "/v1/messages/{msg}", "/v1/messages?application={B}", "/v1/subscriptions/{sub}", "/v1/subscriptions/{pull}", "/v1/subscriptions/{webhook}", "/v1/routes/{route}",
		"/v1/entry-points?application={B}", "/v1/scripts?application={B}", "/v1/conversations/{B}:{psid}/variables", "/v1/opt-outs", "/v1/channels/{channel}", "/v1/applications/{B}",
		"/v1/reports/entry-points?application={B}&group=ref&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", "/facebook/1/applications/{B}/configurations"} {
		auth := []string{}
		if strings.HasPrefix(path, "/facebook") {
			auth = []string{"Authorization", "App " + x.world.key}
		}
		got := x.comapi("GET", x.named(path), "", auth...)
		if got.status != http.StatusOK {
			all[path] = fmt.Sprint(got.status)
		}
		all[path] += string(got.body)
	}
	return all
}

// unharmed fails the test when anything of B's has changed.
func (x *tenants) unharmed(t *testing.T, what string, before map[string]string) {
	t.Helper()
	after := x.held()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if before[path] != after[path] {
			t.Errorf("%s changed %s:\nbefore %s\nafter  %s", what, path, before[path], after[path])
			before[path] = after[path]
		}
	}
}

// attempt is one request with A's key at what is B's.
type attempt struct {
	path, body string
	want       string // statuses that are right, with spaces between
}

// refusedOf reports whether a status is among those of an attempt.
func (a attempt) allows(status int) bool {
	return slices.Contains(strings.Fields(a.want), fmt.Sprint(status))
}

// run makes the attempts of a table: each of the routes must have a row, and each row must be of a
// route.
func (x *tenants) run(t *testing.T, routes []string, table map[string][]attempt, authorization string) {
	t.Helper()
	for _, route := range routes {
		if len(table[route]) == 0 {
			t.Errorf("nobody has said what %s answers to a key that is limited to another application: give it a row", route)
		}
	}
	before := x.held()
	for _, route := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(routes, route) {
			t.Errorf("%s has a row and is not a route", route)
			continue
		}
		method, pattern, _ := strings.Cut(route, " ")
		for _, a := range table[route] {
			path, body := x.named(cmp.Or(a.path, pattern)), x.named(a.body)
			got := x.comapi(method, path, body, "Authorization", authorization)
			if !a.allows(got.status) {
				t.Errorf("%s %s %s: %d %s, wanted %s", method, path, body, got.status, got.body, a.want)
			}
			if found := x.leaks(path+body, string(got.body)); len(found) > 0 {
				t.Errorf("%s %s %s tells %q: %.600s", method, path, body, found, got.body)
			}
		}
		x.unharmed(t, route, before)
	}
}

// told fails the test when anything that A can read in the end holds what is B's.
func (x *tenants) told(t *testing.T) {
	t.Helper()
	client, err := gatewayapi.New(x.url, x.secret)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "what A has set off to be over", func() (bool, string) {
		page, err := client.ListMessages(t.Context(), gatewayapi.ListMessagesRequest{Limit: 200})
		if err != nil {
			return false, err.Error()
		}
		open := slices.DeleteFunc(page.Messages, func(m gatewayapi.Message) bool { return m.Status != "queued" && m.Status != "sending" })
		return len(open) == 0, fmt.Sprintf("%d are open", len(open))
	})
	for _, path := range []string{"/v1/messages?limit=200", "/v1/events?limit=1000", "/v1/profiles?limit=200", "/v1/opt-outs", "/v1/channels", "/v1/subscriptions"} {
		got := x.comapi("GET", path, "", "Authorization", "Bearer "+x.secret)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		for _, marker := range x.markers {
			if marker != "victim-" && marker != x.names["psid"] && strings.Contains(string(got.body), marker) {
				t.Errorf("%s tells %s: %s", path, marker, got.body)
			}
		}
	}
}

// A provider's callback with an account of A's own changes nothing of B's.
func TestDoorsOfAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	before := x.held()
	if status := x.carrier.says(handed{ID: x.names["msg"], Step: 0, StatusURL: x.url + "/channels/" + x.carrier.account.ID + "/statuses/" + x.names["msg"] + ".0"}, `{"status":"read"}`); status != http.StatusNoContent {
		t.Errorf("the report of a message of another account: %d", status)
	}
	for _, step := range []string{"0", "1"} {
		for _, status := range []string{"delivered", "failed", "read"} {
			x.phone.calls(x.url+"/channels/"+x.phone.account.ID+"/status?message="+x.names["msg"]+"&step="+step, url.Values{"MessageSid": {"SM1"}, "MessageStatus": {status}})
		}
		x.carrier.says(handed{ID: x.names["msg"], StatusURL: x.url + "/channels/" + x.carrier.account.ID + "/statuses/" + x.names["msg"] + "." + step}, `{"status":"failed"}`)
	}
	x.unharmed(t, "a report over an account of A's", before)

	// B's customer writes STOP to A, as A says, and START where B's customer had said STOP.
	x.phone.says("+491517777777", "SM10", "STOP")
	x.phone.says("+49151888888", "SM11", "START")
	x.phone.says("+49151999999", "SM12", "START")
	after := x.held()
	outs := "/v1/opt-outs"
	for _, number := range []string{`"49151888888"`, `"49151999999"`} {
		if !strings.Contains(after[outs], number) {
			t.Errorf("START to A took back the opt-out of %s: %s", number, after[outs])
		}
	}
	for b, n := range map[string]bool{x.b.key: false, x.a.key: true} {
		out, err := x.app.Store.OptedOut(t.Context(), b, gateway.ChannelSMS, "491517777777")
		if err != nil || out != n {
			t.Errorf("STOP to A: opted out of %s: %v %v", b, out, err)
		}
	}
	delete(before, outs)
	x.unharmed(t, "a message over an account of A's", before)
	events := x.comapi("GET", "/v1/events?limit=1000", "", "Authorization", "Bearer "+x.secret)
	if strings.Contains(string(events.body), "cust-42") {
		t.Errorf("A's events name B's profile: %s", events.body)
	}
}

// A session of one api space is nobody's in another, and a token of the business's that names a
// customer of another application makes none.
func TestSessionsOfAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	before := x.held()
	begin := func(space, customer string) call {
		t.Helper()
		c := answered[struct{ AuthenticationID, Nonce string }](t, x.comapi("GET", "/apispaces/"+space+"/sessions/start", "", "Authorization", ""), http.StatusOK)
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": customer, "nonce": c.Nonce, "exp": time.Now().Add(time.Minute).Unix()}).SignedString([]byte(tenantSecret))
		if err != nil {
			t.Fatal(err)
		}
		return x.comapi("POST", "/apispaces/"+space+"/sessions", `{"authenticationId":"`+c.AuthenticationID+`","authenticationToken":"`+token+`"}`, "Authorization", "")
	}
	if got := begin(x.a.key, "cust-42"); got.status != http.StatusUnauthorized {
		t.Errorf("a session of B's customer in A: %d %s", got.status, got.body)
	}
	made := answered[struct {
		Token   string
		Session struct{ ID string }
	}](t, begin(x.a.key, "mallory"), http.StatusOK)
	x.names["session"] = made.Session.ID
	for _, a := range []struct {
		method string
		attempt
	}{
		{"GET", attempt{"/apispaces/{B}/profiles/mallory", "", "404"}},
		{"GET", attempt{"/apispaces/{A}/profiles/{profile}", "", "403"}},
		{"GET", attempt{"/apispaces/{A}/profiles/nobody", "", "403"}},
		{"PATCH", attempt{"/apispaces/{A}/profiles/mallory", `{"fbMessengerId":"{psid}"}`, "403"}},
		{"PATCH", attempt{"/apispaces/{A}/profiles/mallory", `{"fbMessengerId":"1"}`, "403"}},
		{"PUT", attempt{"/apispaces/{A}/profiles/mallory", `{"fbMessengerIds":{"{B}":"{psid}"}}`, "403"}},
		{"POST", attempt{"/apispaces/{A}/channels/facebook/state", `{"profileId":"{profile}"}`, "403"}},
		{"POST", attempt{"/apispaces/{B}/channels/facebook/state", `{}`, "404"}},
		{"GET", attempt{"/apispaces/{B}/sessions/{session}", "", "404"}},
		{"DELETE", attempt{"/apispaces/{B}/sessions/{session}", "", "404"}},
	} {
		got := x.comapi(a.method, x.named(a.path), x.named(a.body), "Authorization", "Bearer "+made.Token)
		if !a.allows(got.status) || len(x.leaks(x.named(a.path+a.body), string(got.body))) > 0 {
			t.Errorf("%s %s %s: %d %s, wanted %s", a.method, a.path, a.body, got.status, got.body, a.want)
		}
	}
	x.unharmed(t, "a session of A's", before)
}

// What comes back with an opt-in state binds no profile that the key which made the state may not
// see, also one that has come to be since.
func TestOptInStatesOfAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	ask := func(profile string) call {
		return x.comapi("POST", "/v1/opt-in-states", `{"application":"`+x.a.key+`","profileId":"`+profile+`"}`, "Authorization", "Bearer "+x.secret)
	}
	if got := ask("cust-42"); got.status != http.StatusConflict {
		t.Fatalf("a state for B's profile: %d %s", got.status, got.body)
	}
	state := answered[gatewayapi.OptInState](t, ask("to-come"), http.StatusCreated)
	if got := x.comapi("POST", "/v1/profiles", `{"id":"to-come","email":"victoria@victim.example","fbMessengerIds":{"`+x.b.key+`":"4712"}}`); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	before := x.held()
	mallory := x.platform.AddPerson(x.a.id, graphemu.Person{FirstName: "Mallory"}).ID
	x.a.act(mallory, graphemu.Action{OptIn: &graphemu.OptInAction{Ref: state.State}})
	await(t, "the state to come back", func() (bool, string) {
		got := x.comapi("GET", "/v1/events?type=optin", "", "Authorization", "Bearer "+x.secret)
		return strings.Contains(string(got.body), `"conflict"`), string(got.body)
	})
	if got := x.comapi("GET", "/v1/profiles/to-come", "", "Authorization", "Bearer "+x.secret); got.status != http.StatusNotFound {
		t.Errorf("A reads the profile that B has made: %d %s", got.status, got.body)
	}
	x.unharmed(t, "a state of A's", before)
}

// Erasing a profile that was given the number of another's customer leaves what the other has of
// that number.
func TestErasureWithAnothersNumber(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	sms := x.texter(x.b.key)
	id := x.send(gatewayapi.SendMessageRequest{Application: x.b.key, To: gatewayapi.To{PhoneNumber: "49151888777"}, Body: "victim-text", Rules: rules(`["sms"]`)})
	await(t, "B's text message", func() (bool, string) { return len(sms.bodies("+49151888777")) == 1, "" })
	await(t, "it to be sent", func() (bool, string) { s := x.message(id).Status; return s == "sent", string(s) })
	before := x.held()
	for _, body := range []string{`{"id":"mine","fbMessengerIds":{"` + x.a.key + `":"99"},"phoneNumber":"+49151888777","email":"victoria@victim.example"}`, `{"id":"mine2","fbMessengerIds":{"` + x.a.key + `":"98"},"phoneNumber":"+49151888888"}`,
		`{"id":"mine3","fbMessengerIds":{"` + x.a.key + `":"` + x.names["psid"] + `"},"phoneNumber":"+49151999999"}`} {
		made := answered[struct{ ID string }](t, x.comapi("POST", "/v1/profiles", body, "Authorization", "Bearer "+x.secret), http.StatusCreated)
		e := answered[gatewayapi.Erasure](t, x.comapi("DELETE", "/v1/profiles/"+made.ID+"?forget=true", "", "Authorization", "Bearer "+x.secret), http.StatusAccepted)
		x.clock.advance(10 * time.Second)
		await(t, "the erasure", func() (bool, string) {
			x.clock.advance(time.Second)
			got := x.comapi("GET", "/v1/erasures/"+e.ID, "", "Authorization", "Bearer "+x.secret)
			return strings.Contains(string(got.body), `"done"`), string(got.body)
		})
	}
	x.unharmed(t, "an erasure of A's", before)
}

// A limited key makes so many subscriptions, and no more; a key of all makes others beside them.
func TestLimitedKeysMakeSoManySubscriptions(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	body := `{"kind":"pull","applications":["` + x.a.key + `"]}`
	for i := range service.MaxLimitedSubscriptions {
		if got := x.comapi("POST", "/v1/subscriptions", body, "Authorization", "Bearer "+x.secret); got.status != http.StatusCreated {
			t.Fatalf("subscription %d: %d %s", i, got.status, got.body)
		}
	}
	if got := x.comapi("POST", "/v1/subscriptions", body, "Authorization", "Bearer "+x.secret); got.status != http.StatusConflict {
		t.Errorf("one too many: %d %s", got.status, got.body)
	}
	if got := x.comapi("POST", "/v1/subscriptions", body); got.status != http.StatusCreated {
		t.Errorf("by a key of all: %d %s", got.status, got.body)
	}
}
