package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

const (
	goldenEnroute   = `{"groupId":1,"groupName":"PENDING","id":7,"name":"PENDING_ENROUTE","description":"Message sent to next instance"}`
	goldenDelivered = `{"groupId":3,"groupName":"DELIVERED","id":5,"name":"DELIVERED_TO_HANDSET","description":"Message delivered to handset"}`
	goldenNoError   = `{"groupId":0,"groupName":"OK","id":0,"name":"NO_ERROR","description":"No Error","permanent":false}`
	goldenPrice     = `{"pricePerMessage":0,"currency":"EUR"}`
)

// goldenSent is the answer to a request to send one message of one part.
func goldenSent(to string) string {
	return `{"messages":[{"to":` + to + `,"status":` + goldenEnroute + `,"messageCount":1,"messageId":"{msg}"}]}`
}

func TestInfobipSend(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	for _, c := range []struct {
		name, body string // <to> and <from> stand for a person and the application
		text, kind string // as the person gets it
	}{
		{"text", `{"from":"<from>","to":"<to>","text":"hello"}`, "hello", ""},
		{"nulls everywhere", `{"from":"<from>","to":"<to>","type":"TEXT","text":"hello","url":null,"notifyUrl":null,"notifyContentType":null,"callbackData":null,
			"validityPeriod":null,"validityPeriodTimeUnit":null,"buttons":null,"message":null,"destinations":null,"bulkId":null}`, "hello", ""},
		{"user key in an object", `{"from":"<from>","to":{"userKey":"<to>","phoneNumber":null},"text":"hello"}`, "hello", ""},
		{"other names", `{"applicationKey":"<from>","destinations":[{"facebookUserKey":"<to>"}],"contentType":"TEXT","text":"hello"}`, "hello", ""},
		{"no application", `{"to":"<to>","text":"hello","validityPeriod":60,"validityPeriodTimeUnit":"MINUTES"}`, "hello", ""},
		{"image", `{"from":"<from>","to":"<to>","type":"IMAGE","url":"https://example.com/a.png"}`, "", "image"},
		{"file", `{"from":"<from>","to":"<to>","type":"FILE","url":"https://example.com/a.pdf"}`, "", "file"},
		{"buttons", `{"from":"<from>","to":"<to>","text":"Which?","buttons":[{"type":"postback","title":"This","payload":"THIS"}]}`, "", "template"},
		{"raw", `{"from":"<from>","to":"<to>","message":{"text":"raw","quick_replies":[{"content_type":"text","title":"A","payload":"A"}]}}`, "raw", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			psid := p.person("Ada")
			body := strings.NewReplacer("<from>", p.key, "<to>", psid).Replace(c.body)
			f.want("POST", "/facebook/1/single", body, 200, goldenSent(`"`+psid+`"`))
			p.awaitThread(psid, 1)
			messages, err := f.platform.Thread(p.id, psid)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Text       string
				Attachment struct{ Type string }
			}
			if err := json.Unmarshal(messages[0].Message, &got); err != nil {
				t.Fatal(err)
			}
			if got.Text != c.text || got.Attachment.Type != c.kind {
				t.Errorf("the person got %s", messages[0].Message)
			}
		})
	}
}

func TestInfobipRefusals(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	psid := p.person("Ada")
	rejected := func(to, status string) string { return `{"messages":[{"to":"` + to + `","status":` + status + `}]}` }
	bad := func(field, why string) string {
		return `{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad request","validationErrors":{"` + field + `":["` + why + `"]}}}}`
	}
	for _, c := range []struct {
		body, golden string
		status       int
	}{
		{`{"text":"hello"}`, rejected("", `{"groupId":5,"groupName":"REJECTED","id":51,"name":"MISSING_TO","description":"Missing TO"}`), 200},
		{`{"to":{"phoneNumber":"41793026727"},"text":"hello"}`, rejected("41793026727", `{"groupId":5,"groupName":"REJECTED","id":52,"name":"REJECTED_DESTINATION",
			"description":"no channel of the message can be taken: phone numbers are matched to people by Customer Matching, which Facebook has suspended; name the person instead"}`), 200},
		{`{"to":"37512FEC","text":"hello"}`, rejected("37512FEC", `{"groupId":5,"groupName":"REJECTED","id":52,"name":"REJECTED_DESTINATION",
			"description":"there is no profile \"37512FEC\""}`), 200},
		{`{"from":"0F3C","to":"<to>","text":"hello"}`, rejected("<to>", `{"groupId":5,"groupName":"REJECTED","id":13,"name":"REJECTED_SENDER",
			"description":"there is no application \"0F3C\""}`), 200},
		{`{"to":"<to>","type":"IMAGE","url":"ftp://x"}`, bad("url", `\"ftp://x\" is not an http or https URL`), 400},
		{`{"to":"<to>"}`, bad("text", "there is nothing to send"), 400},
		{`{"to":"<to>","type":"HOLOGRAM"}`, bad("type", `\"HOLOGRAM\" is none of TEXT, IMAGE, AUDIO, VIDEO, FILE`), 400},
		{`{"to":"<to>","text":"x","validityPeriod":30,"validityPeriodTimeUnit":"SECONDS"}`, bad("validityPeriod", "must be more than 30 seconds"), 400},
		{`{"to":"<to>","text":5}`, bad("text", "must not be a number"), 400},
		{`{"to":"<to>","text":"x"`, `{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad request: the body is not the JSON that is expected: unexpected end of JSON input"}}}`, 400},
	} {
		names := strings.NewReplacer("<to>", psid)
		f.want("POST", "/facebook/1/single", names.Replace(c.body), c.status, names.Replace(c.golden))
	}
	if texts := p.thread(psid); len(texts) != 0 {
		t.Errorf("the person got %q", texts)
	}
}
