package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

func TestInfobipConfigurations(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p, other := f.connect(graphemu.Page{}), f.connect(graphemu.Page{})
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	exception := func(id, text string) string {
		return `{"requestError":{"serviceException":{"messageId":"` + id + `","text":"` + text + `"}}}`
	}
	f.want("GET", configurations, "", 200, `{"configurations":[]}`)
	key, _ := field(t, f.want("POST", configurations, "", 200, `{"key":"{sub}"}`), "key").(string)
	f.want("GET", configurations, "", 200, `{"configurations":[{"key":"{sub}"}]}`)
	f.want("GET", configurations+"/"+key, "", 200, `{"key":"{sub}"}`)
	f.want("GET", "/facebook/1/applications/0F3C/configurations", "", 404, exception("1", "Application does not exist"))
	f.want("GET", "/facebook/1/applications/"+other.key+"/configurations/"+key, "", 404, exception("2", "Configuration does not exist"))

	actions := configurations + "/" + key + "/actions"
	f.want("GET", actions, "", 200, `{"actions":[]}`)
	pull := f.want("POST", actions, `{"type":"PULL","callbackData":"desk 1","forwardUrl":null}`, 200,
		`{"key":"{sub}","type":"PULL","callbackData":"desk 1","forwardUrl":null}`)
	f.want("POST", actions, `{"type":"HTTP_FORWARD","forwardUrl":"https://example.com/in","callbackData":null}`, 200,
		`{"key":"{sub}","type":"HTTP_FORWARD","callbackData":null,"forwardUrl":"https://example.com/in"}`)
	for _, body := range []string{`{}`, `{"type":"SMOKE"}`, `{"type":"HTTP_FORWARD"}`, `{"type":"HTTP_FORWARD","forwardUrl":"ftp://example.com"}`} {
		f.want("POST", actions, body, 400, exception("8", "Invalid action request"))
	}
	if status, answer := f.call("POST", actions, `{"type":"PULL","callbackData":"`+strings.Repeat("x", 200)+`"}`); status != 400 || !strings.Contains(answer, `"callbackData"`) {
		t.Errorf("long callbackData: %d %s", status, answer)
	}
	f.want("GET", actions, "", 200, `{"actions":[{"key":"{sub}","type":"PULL","callbackData":"desk 1","forwardUrl":null},
		{"key":"{sub}","type":"HTTP_FORWARD","callbackData":null,"forwardUrl":"https://example.com/in"}]}`)
	pullKey, _ := field(t, pull, "key").(string)
	f.want("DELETE", actions+"/"+pullKey, "", 204, ``)
	f.want("DELETE", actions+"/"+pullKey, "", 404, exception("3", "Action does not exist"))
	f.want("DELETE", configurations+"/"+key, "", 204, ``)
	f.want("GET", actions, "", 404, exception("2", "Configuration does not exist"))
	if list, err := f.client.ListSubscriptions(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left behind: %+v, %v", list, err)
	}
}

// awaitEvent waits until a text that a person wrote has come in.
func (f *infobip) awaitEvent(text string) {
	f.t.Helper()
	await(f.t, "the event of "+text, func() (bool, string) {
		list, err := f.client.ListEvents(f.t.Context(), gatewayapi.EventFilter{Limit: 100})
		for _, e := range list.Events {
			if strings.Contains(string(e.Data), `"`+text+`"`) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%d events, %v", len(list.Events), err)
	})
}

func TestInfobipInboxIsHandedOutOnce(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	_, made := f.call("POST", configurations, "")
	key, _ := field(t, made, "key").(string)
	p.says(ada, "before there was an action")
	f.awaitEvent("before there was an action")
	if status, answer := f.call("POST", configurations+"/"+key+"/actions", `{"type":"PULL","callbackData":"desk 1"}`); status != 200 {
		t.Fatal(answer)
	}
	p.says(ada, " hi ")
	f.awaitEvent(" hi ")
	f.texter(p.key).says("+447700900001", "SM1", "an SMS is none of Facebook's")
	p.act(ada, graphemu.Action{Postback: &graphemu.TapAction{Title: "Start", Payload: "START"}})
	p.act(ada, graphemu.Action{Attachment: &graphemu.AttachmentAction{Type: "image", URL: "https://example.com/a.png"}})
	p.says(ada, "last")
	row := func(words, message string) string {
		return `{"from":"` + ada + `","to":"` + p.key + `","integrationType":"FACEBOOK","receivedAt":"{time}","messageId":"{evt}","pairedMessageId":null,
			"callbackData":"desk 1",` + words + `"message":` + message + `,"price":{"pricePerMessage":0,"currency":"EUR"}}`
	}
	want := []string{
		row(`"text":" hi ","cleanText":"hi",`, `{"type":"TEXT","text":" hi "}`),
		row(``, `{"type":"POSTBACK","title":"Start","payload":"START"}`),
		row(``, `{"type":"IMAGE","url":"https://example.com/a.png"}`),
		row(`"text":"last","cleanText":"last",`, `{"type":"TEXT","text":"last"}`),
	}
	f.awaitEvent("last")
	f.want("GET", "/facebook/1/inbox/reports?limit=1", "", 200, `{"results":[`+want[0]+`],"messageCount":1,"pendingMessageCount":3}`)
	f.want("GET", "/facebook/1/applications/"+p.key+"/inbox/reports", "", 200, `{"results":[`+strings.Join(want[1:], ",")+`],"messageCount":3,"pendingMessageCount":0}`)
	f.want("GET", "/facebook/1/inbox/reports", "", 200, `{"results":[],"messageCount":0,"pendingMessageCount":0}`)
}

func TestInfobipForward(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	r := startReceiver(t, nil)
	configurations := "/facebook/1/applications/" + p.key + "/configurations"
	_, made := f.call("POST", configurations, "")
	key, _ := field(t, made, "key").(string)
	if status, answer := f.call("POST", configurations+"/"+key+"/actions", `{"type":"HTTP_FORWARD","forwardUrl":"`+r.server.URL+`"}`); status != 200 {
		t.Fatal(answer)
	}
	p.says(ada, "hi")
	if got := dataOf[struct{ Text string }](t, r.arrived(1)[0]); got.Text != "hi" {
		t.Errorf("forwarded %q", got.Text)
	}
}
