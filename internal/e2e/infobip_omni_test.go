package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
)

func TestInfobipScenarios(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{Name: "Corner Shop"})
	one := `{"key":"` + p.key + `","name":"Corner Shop","flow":[{"from":"` + p.key + `","channel":"FACEBOOK"}],"default":true,"defaultScenario":true}`
	flow := `{"name":"First","flow":[{"from":"` + p.key + `","channel":"FACEBOOK"},{"from":"InfoSMS","channel":"SMS"}],"default":true}`
	refused := func(field, why string) string {
		return `{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad request","validationErrors":{"` + field + `":["` + why + `"]}}}}`
	}
	f.want("POST", "/omni/1/scenarios", flow, 200, one)
	f.want("GET", "/omni/1/scenarios?limit=100&page=0", "", 200, `{"scenarios":[`+one+`]}`)
	f.want("GET", "/omni/1/scenarios?page=1", "", 200, `{"scenarios":[]}`)
	f.want("GET", "/omni/1/scenarios?isDefault=false", "", 200, `{"scenarios":[]}`)
	f.want("GET", "/omni/1/scenarios/"+p.key, "", 200, one)
	f.want("PUT", "/omni/1/scenarios/"+p.key, strings.Replace(flow, `"default"`, `"defaultScenario"`, 1), 200, one)
	f.want("POST", "/omni/1/scenarios", `{"flow":[{"from":"InfoSMS","channel":"SMS"}]}`, 400, refused("flow", "has no step over FACEBOOK, the only channel here"))
	f.want("POST", "/omni/1/scenarios", `{"flow":[{"from":"0F3C","channel":"FACEBOOK"}]}`, 400, refused("flow[0].from", `there is no application \"0F3C\"`))
	f.want("GET", "/omni/1/scenarios/0F3C", "", 404, `{"requestError":{"serviceException":{"messageId":"NOT_FOUND","text":"there is no scenario \"0F3C\""}}}`)

	other := f.connect(graphemu.Page{Name: "Harbour"})
	answer := f.want("GET", "/omni/1/scenarios?isDefault=true", "", 200, `{"scenarios":[]}`) // several pages: none is the default
	if strings.Contains(answer, other.key) {
		t.Error(answer)
	}
	f.want("PUT", "/omni/1/scenarios/"+other.key, flow, 400, refused("flow[0].from", "a scenario is a connected page, so that this one leads to application "+other.key+" for good"))
}

func TestInfobipOMNI(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	to := `{"phoneNumber":null,"facebookUserKey":"` + ada + `"}`
	f.want("POST", "/omni/1/text", `{"destinations":[{"to":`+to+`}],"bulkId":null,"scenarioKey":null,"text":"one","mailSubject":"Hello"}`, 200,
		`{"messages":[{"to":`+to+`,"status":`+goldenEnroute+`,"messageCount":1,"messageId":"{msg}"}]}`)
	p.awaitThread(ada, 1)
	rejected := func(id, name, why string) string {
		return `{"groupId":5,"groupName":"REJECTED","id":` + id + `,"name":"` + name + `","description":"` + why + `"}`
	}
	f.want("POST", "/omni/1/advanced", `{"scenarioKey":"`+p.key+`","bulkId":"B2","callbackData":"order 7","destinations":[{"messageId":"mine-1","to":`+to+`},
			{"to":{"phoneNumber":"41793026727"}},{"to":{"emailAddress":"a@example.com"}},{"to":null}],
			"facebook":{"type":"TEXT","text":"two","url":null,"validityPeriod":1,"validityPeriodTimeUnit":"HOURS"},"sms":{"text":"two, by SMS"},"viber":null}`, 200,
		`{"bulkId":"B2","messages":[{"to":`+to+`,"status":`+goldenEnroute+`,"messageCount":1,"messageId":"mine-1"},
			{"to":{"phoneNumber":"41793026727"},"status":`+rejected("52", "REJECTED_DESTINATION", "Facebook has suspended Customer Matching: a phone number cannot be reached on Messenger")+`},
			{"to":{"emailAddress":"a@example.com"},"status":`+rejected("19", "REJECTED_ROUTE_NOT_AVAILABLE", "no channel of the scenario that can be used here reaches this address")+`},
			{"to":null,"status":`+rejected("51", "MISSING_TO", "Missing TO")+`}]}`)
	if diff := cmp.Diff([]string{"one", "two"}, p.awaitThread(ada, 2)); diff != "" {
		t.Errorf("thread (-want +got):\n%s", diff)
	}
	f.want("POST", "/omni/1/advanced", `{"destinations":[{"to":`+to+`}],"sms":{"text":"x"}}`, 200,
		`{"messages":[{"to":`+to+`,"status":`+rejected("19", "REJECTED_ROUTE_NOT_AVAILABLE", "the message has no content for FACEBOOK, the only channel here")+`}]}`)
	for body, field := range map[string]string{
		`{"text":"x"}`: "destinations",
		`{"destinations":[{"to":` + to + `}],"text":"x","sendAt":"2090-01-05T12:47:56.221+0000"}`:            "sendAt",
		`{"destinations":[{"to":"` + ada + `"}],"text":"x"}`:                                                 "destinations[0].to",
		`{"destinations":[{"to":` + to + `}],"facebook":{"type":"IMAGE"}}`:                                   "url",
		`{"destinations":[{"to":` + to + `}],"text":"x","callbackData":"` + strings.Repeat("x", 4001) + `"}`: "callbackData",
	} {
		if status, answer := f.call("POST", "/omni/1/advanced", body); status != 400 || !strings.Contains(answer, `"`+field+`":[`) {
			t.Errorf("%.80s: %d %s, wanted %s to be named", body, status, answer, field)
		}
	}

	row := `{"bulkId":"B2","messageId":"mine-1","to":"` + ada + `","sentAt":"{time}","doneAt":"{time}","messageCount":1,"mccMnc":null,"callbackData":"order 7",
		"price":` + goldenPrice + `,"status":` + goldenDelivered + `,"error":` + goldenNoError + `,"channel":"FACEBOOK"}`
	await(t, "the report", func() (bool, string) {
		_, answer := f.call("GET", "/omni/1/reports?bulkId=B2", "")
		return answer != `{"results":[]}`, answer
	})
	f.want("GET", "/omni/1/reports?bulkId=B2", "", 200, `{"results":[`+row+`]}`)
	f.want("GET", "/facebook/1/reports", "", 200, `{"results":[]}`) // of the other API
	if _, answer := f.call("GET", "/omni/1/reports", ""); !strings.Contains(answer, "mine-1") {
		t.Errorf("reports: %s", answer)
	}
	f.want("GET", "/omni/1/reports", "", 200, `{"results":[]}`)
	logged := strings.NewReplacer(`"messageId":"mine-1"`, `"messageId":"mine-1","from":"`+p.key+`"`, `"sentAt"`, `"text":"two","sentAt"`, `,"error":`+goldenNoError, ``).Replace(row)
	f.want("GET", "/omni/1/logs?messageId=mine-1", "", 200, `{"results":[`+logged+`]}`)
}

func TestInfobipOMNIChat(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	ada := p.person("Ada")
	path := "/omnichat/1/applications/" + p.key + "/integrations/FACEBOOK/message"
	f.want("POST", path, `{"to":"`+ada+`","message":{"type":"TEXT","text":"hello"}}`, 200, `{"to":"`+ada+`","status":`+goldenEnroute+`,"messageCount":1,"messageId":"{msg}"}`)
	if diff := cmp.Diff([]string{"hello"}, p.awaitThread(ada, 1)); diff != "" {
		t.Errorf("thread (-want +got):\n%s", diff)
	}
	f.want("POST", path, `{"message":{"text":"hello"}}`, 200, `{"to":"","status":{"groupId":5,"groupName":"REJECTED","id":51,"name":"MISSING_TO","description":"Missing TO"}}`)
	f.want("POST", "/omnichat/1/applications/0F3C/integrations/FACEBOOK/message", `{"to":"1","message":{"text":"x"}}`, 404,
		`{"requestError":{"serviceException":{"messageId":"1","text":"Application does not exist"}}}`)
	for _, body := range []string{`{"to":["1","2"],"message":{"text":"x"}}`, `{"to":[],"message":null}`} {
		if status, answer := f.call("POST", path, body); status != 400 {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}
