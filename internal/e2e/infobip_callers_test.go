package e2e

import (
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// What the API's own clients and public callers send: a bulkId for one destination, a destination
// that stands alone, calls that do not come back.
func TestInfobipAsCallersHaveIt(t *testing.T) {
	t.Parallel()
	f := startInfobip(t)
	p := f.connect(graphemu.Page{})
	psid := p.person("Ada")
	f.texter(p.key)
	for path, body := range map[string]string{
		"/omni/1/advanced":   `{"bulkId":"b-1","destinations":[{"to":{"facebookUserKey":"` + psid + `"}}],"facebook":{"text":"one"}}`,
		"/omni/1/text":       `{"bulkId":"b-1","destinations":{"to":{"facebookUserKey":"` + psid + `"}},"text":"\"destinations\":{two"}`,
		"/facebook/1/single": `{"bulkId":"b-1","destinations":{"to":{"userKey":"` + psid + `"}},"text":"three"}`,
		"/facebook/1/multi":  `{"bulkId":"b-1","messages":[{"destinations":{"to":"` + psid + `"},"text":"four"}]}`,
	} {
		status, answer := f.call("POST", path, body)
		if status != 200 || field(t, answer, "bulkId") != "b-1" || field(t, answer, "messages", 0, "messageId") == nil {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	// Nothing is made up where nothing is given for one.
	if status, answer := f.call("POST", "/facebook/1/single", `{"to":"`+psid+`","text":"five"}`); status != 200 || field(t, answer, "bulkId") != nil {
		t.Errorf("%d %s", status, answer)
	}
	await(t, "five messages", func() (bool, string) { texts := p.thread(psid); return len(texts) == 5, "" })
	for _, call := range [][2]string{{"GET", "/omni/1/campaigns"}, {"POST", "/omni/1/campaigns"}, {"GET", "/omni/1/campaigns/C1"}, {"PUT", "/omni/2/campaigns/C1/destinations"}} {
		status, answer := f.call(call[0], call[1], "{}")
		if status != 404 || field(t, answer, "requestError", "serviceException", "messageId") == nil {
			t.Errorf("%v: %d %s", call, status, answer)
		}
	}
}
