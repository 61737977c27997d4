package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/graphemu"
)

// bare is a profile without the times.
func bare(profile map[string]any) map[string]any {
	delete(profile, "_createdOn")
	delete(profile, "_updatedOn")
	return profile
}

func TestComapiProfiles(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	base := "/apispaces/" + p.key + "/profiles"
	at := base + "/ana%40example.com"
	made := w.comapi("POST", base, `{"id":"ana@example.com","firstName":"Ana","tier":1,"fbMessengerId":"`+ana+`"}`)
	profile := made.object(t, http.StatusCreated)
	if profile["_createdOn"] == nil || made.header.Get("ETag") != `"1"` {
		t.Errorf("made %v, ETag %s", profile, made.header.Get("ETag"))
	}
	want := map[string]any{"id": "ana@example.com", "firstName": "Ana", "tier": 1.0, "fbMessengerId": ana}
	if diff := cmp.Diff(want, bare(profile)); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	w.comapi("POST", base, `{"id":"ana@example.com"}`).wantProblem(t, http.StatusConflict, "id", "Conflict", "already")
	// The platform's words on the person come by themselves.
	await(t, "Ana's name from the platform", func() (bool, string) {
		profile = w.comapi("GET", at, "").object(t, http.StatusOK)
		facebook, _ := profile["facebook"].(map[string]any)
		return facebook["first_name"] == "Ana", ""
	})
	etag := w.comapi("GET", at, "").header.Get("ETag")
	// What was read may be sent back whole.
	patched := w.comapi("PATCH", at+"?deletes=tier", `{"id":"ana@example.com","email":"a@example.com","_createdOn":"2017-05-22T14:53:39.000Z","facebook":{}}`, "If-Match", etag)
	profile = bare(patched.object(t, http.StatusOK))
	delete(profile, "facebook")
	if diff := cmp.Diff(map[string]any{"id": "ana@example.com", "firstName": "Ana", "email": "a@example.com", "fbMessengerId": ana}, profile); diff != "" {
		t.Errorf("patched (-want +got):\n%s", diff)
	}
	w.comapi("PATCH", at, `{"x":1}`, "If-Match", etag).wantProblem(t, http.StatusPreconditionFailed, "", "PreconditionFailed", "changed")
	w.comapi("PUT", at, `{"x":1}`, "If-Match", `"2e-other"`).wantProblem(t, http.StatusPreconditionFailed, "If-Match", "PreconditionFailed", "")
	put := w.comapi("PUT", at, `{"nick":"An"}`, "If-Match", patched.header.Get("ETag"))
	profile = bare(put.object(t, http.StatusOK))
	delete(profile, "facebook")
	if diff := cmp.Diff(map[string]any{"id": "ana@example.com", "nick": "An", "fbMessengerId": ana}, profile); diff != "" {
		t.Errorf("put (-want +got):\n%s", diff)
	}
	w.comapi("PUT", at, `{"_x":1}`).wantProblem(t, http.StatusBadRequest, "_x", "_xInvalid", "begin with _")
	w.comapi("PUT", at, `{"id":"other"}`).wantProblem(t, http.StatusBadRequest, "id", "IdInvalid", "cannot change")
	w.comapi("PUT", base+"/none", `{}`).wantProblem(t, http.StatusNotFound, "", "NotFound", "none")
	w.comapi("PATCH", base+"/new?allowcreate=true", `{"nick":"New"}`).object(t, http.StatusCreated)
	w.comapi("PATCH", base+"/new?allowcreate=true", `{"nick":"Newer"}`).object(t, http.StatusOK)
	w.comapi("DELETE", at+"?forget=true", "", "If-Match", etag).wantProblem(t, http.StatusPreconditionFailed, "", "PreconditionFailed", "")
	w.comapi("DELETE", at, "", "If-Match", etag).wantProblem(t, http.StatusPreconditionFailed, "", "PreconditionFailed", "")
	if c := w.comapi("DELETE", at, "", "If-Match", put.header.Get("ETag")); c.status != http.StatusNoContent {
		t.Errorf("delete: %d %s", c.status, c.body)
	}
	w.comapi("GET", at, "").wantProblem(t, http.StatusNotFound, "", "NotFound", "ana@example.com")
	// With forget everything else that is kept of the person goes too.
	if c := w.comapi("DELETE", base+"/new?forget=true", ""); c.status != http.StatusNoContent {
		t.Errorf("forget: %d %s", c.status, c.body)
	}
	w.comapi("GET", base+"/new", "").wantProblem(t, http.StatusNotFound, "", "NotFound", "new")
	await(t, "the erasure to be done", func() (bool, string) {
		all := w.rows()["erasures"]
		return len(all) == 1 && strings.Contains(all[0], "|done|"), strings.Join(all, "\n")
	})
}

func TestComapiProfileQuery(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	for _, body := range []string{
		`{"id":"a","email":"a@example.com","tier":"gold","fbMessengerId":"` + ana + `"}`, `{"id":"ab","tier":"gold","n":2,"born":"1990-05-01"}`, `{"id":"b","tier":"tin","n":3,"tags":["x","y"],"address":{"city":"Lima"}}`, `{"id":"c","lastName":"C","n":"3"}`,
	} {
		w.comapi("POST", "/cpaas/profiles", body).object(t, http.StatusCreated)
	}
	for query, want := range map[string][]string{
		"": {"a", "ab", "b", "c"}, "id=a": {"a"}, "tier=gold": {"a", "ab"}, "n=3&tier=tin": {"b"}, "email=a%40example.com": {"a"}, "fbMessengerId=" + ana: {"a"}, "tier=none": {},
		"$limit=2": {"a", "ab"}, "$skip=2&$limit=1": {"b"}, "$skip=1&tier=gold": {"ab"}, "lastName=C": {"c"},
		// The operators of mongo-querystring, and their names.
		"tier=!gold": {"b", "c"}, "n=>2": {"b"}, "n=>=2": {"ab", "b"}, "n=<3": {"ab"}, "n=<=3&n=>2": {"b"}, "n='3'": {"c"}, "n=3": {"b", "c"}, "tier=^go": {"a", "ab"}, "tier=$n": {"b"},
		"tier=~ol": {"a", "ab"}, "tier[]=gold&tier[]=tin": {"a", "ab", "b"}, "tier[]=!gold&tier[]=!tin": {"c"}, "born=": {"ab"}, "tier=!": {"c"}, "tags=y": {"b"}, "address.city=Lima": {"b"},
		"n[$gt]=2": {"b"}, "n[$lte]=2": {"ab"}, "tier[$in]=tin,none": {"b"}, "tier[$nin]=gold": {"b", "c"}, "tier[$ne]=gold": {"b", "c"}, "born[$exists]=true": {"ab"}, "tier[$exists]=false": {"c"},
		"born=<1991-01-01": {"ab"}, "$sort=-n&n=": {"c", "b", "ab"}, "$sort=tier,-id": {"c", "ab", "a", "b"}, "$sort=-id&$limit=1&$skip=1": {"b"}, "$includeDeleted=true&id=c": {"c"},
	} {
		got := []string{}
		for _, profile := range answered[[]map[string]any](t, w.comapi("GET", "/cpaas/profiles?"+query, ""), http.StatusOK) {
			got = append(got, profile["id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("?%s (-want +got):\n%s", query, diff)
		}
	}
	some := answered[[]map[string]any](t, w.comapi("GET", "/cpaas/profiles?id=ab&$fields=tier", ""), http.StatusOK)
	if diff := cmp.Diff([]map[string]any{{"id": "ab", "tier": "gold"}}, some); diff != "" {
		t.Errorf("$fields (-want +got):\n%s", diff)
	}
	for query, problem := range map[string][3]string{
		"$where=x": {"$where", "$whereInvalid", "no option"}, "$schemaOnly=true": {"$schemaOnly", "$schemaOnlyInvalid", "no schema"}, "n[$regex]=x": {"n[$regex]", "NInvalid", "no operator"},
	} {
		w.comapi("GET", "/cpaas/profiles?"+query, "").wantProblem(t, http.StatusBadRequest, problem[0], problem[1], problem[2])
	}
	w.comapi("GET", "/cpaas/profiles?$limit=x", "").wantProblem(t, http.StatusBadRequest, "$limit", "$limitInvalid", "0 to 1000")
}

func TestComapiProfileWritesAtOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.connect(graphemu.Page{})
	w.comapi("POST", "/cpaas/profiles", `{"id":"ana"}`).object(t, http.StatusCreated)
	statuses := make(chan int)
	const writers = 24
	for i := range writers {
		go func() { statuses <- w.comapi("PATCH", "/cpaas/profiles/ana", fmt.Sprintf(`{"f%d":true}`, i)).status }()
	}
	done := 0
	for range writers {
		switch status := <-statuses; status {
		case http.StatusOK:
			done++
		case http.StatusConflict:
		default:
			t.Errorf("answered %d", status)
		}
	}
	profile := bare(w.comapi("GET", "/cpaas/profiles/ana", "").object(t, http.StatusOK))
	if len(profile) != done+1 || done == 0 {
		t.Errorf("%d writes were taken, the profile is %v", done, profile)
	}
}

func TestComapiOptIn(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	w.comapi("POST", "/cpaas/profiles", `{"id":"ana","fbMessengerId":"`+ana+`"}`).object(t, http.StatusCreated)
	request := `{"to":{"profileId":"ana"},"body":"Hi","requireOptIn":true,"rules":["fbMessenger"]}`
	if m := w.comapi("POST", "/cpaas/messages", request).object(t, http.StatusCreated); m["status"] != "failed" {
		t.Errorf("before the opt-in: %v", m)
	}
	w.comapi("PUT", "/cpaas/profiles/ana/optin", `{"channels":["fbMessenger","sms","sms"]}`).object(t, http.StatusOK)
	m := w.comapi("POST", "/cpaas/messages", request).object(t, http.StatusCreated)
	w.settled("/cpaas/messages/"+m["messageId"].(string), "delivered")
	w.comapi("PUT", "/cpaas/profiles/ana", `{"nick":"A"}`).object(t, http.StatusOK)
	profile := w.comapi("DELETE", "/cpaas/profiles/ana/optin?channel=fbMessenger", "").object(t, http.StatusOK)
	if diff := cmp.Diff([]any{"sms"}, profile["optInChannels"]); diff != "" {
		t.Errorf("opt-ins (-want +got):\n%s", diff)
	}
	if m := w.comapi("POST", "/cpaas/messages", request).object(t, http.StatusCreated); m["status"] != "failed" {
		t.Errorf("after the opt-out: %v", m)
	}
	w.comapi("PUT", "/cpaas/profiles/ana/optin", `{}`).wantProblem(t, http.StatusBadRequest, "channels", "ChannelsInvalid", "")
}

func TestComapiProfilesInBulk(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	p := w.connect(graphemu.Page{})
	ana := p.person("Ana")
	w.comapi("POST", "/cpaas/profiles", `{"id":"a","tier":"tin","nick":"A"}`).object(t, http.StatusCreated)
	list := answered[[]map[string]any](t, w.comapi("PATCH", "/cpaas/profiles/bulk", `[{"id":"a","tier":"gold","_createdOn":"x"},{"id":"b","fbMessengerId":"`+ana+`"}]`), http.StatusOK)
	if diff := cmp.Diff([]map[string]any{{"id": "a", "tier": "gold", "nick": "A"}, {"id": "b", "fbMessengerId": ana}}, []map[string]any{bare(list[0]), bare(list[1])}); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	// All or none.
	w.comapi("PATCH", "/cpaas/profiles/bulk", `[{"id":"c"},{"tier":"x"}]`).wantProblem(t, http.StatusBadRequest, "[1].id", "IdInvalid", "name the profile")
	w.comapi("PATCH", "/cpaas/profiles/bulk", `[{"id":"c"},{"id":"d","_x":1}]`).wantProblem(t, http.StatusBadRequest, "[1]._x", "_xInvalid", "begin with _")
	w.comapi("PATCH", "/cpaas/profiles/bulk", `[]`).wantProblem(t, http.StatusBadRequest, "", "BodyInvalid", "1 to 1000")
	w.comapi("GET", "/cpaas/profiles/c", "").wantProblem(t, http.StatusNotFound, "", "NotFound", "c")
	gone := answered[[]string](t, w.comapi("DELETE", "/cpaas/profiles/bulk?id=a,none&id=b", ""), http.StatusOK)
	if diff := cmp.Diff([]string{"a", "b"}, gone); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	w.comapi("GET", "/cpaas/profiles/a", "").wantProblem(t, http.StatusNotFound, "", "NotFound", "a")
	w.comapi("DELETE", "/cpaas/profiles/bulk", "").wantProblem(t, http.StatusBadRequest, "id", "IdInvalid", "1 to 1000")
	defaults := w.comapi("GET", "/cpaas/profiles/optin", "").object(t, http.StatusOK)
	if defaults["sms"] != false || defaults["fbMessenger"] != false {
		t.Errorf("default opt-ins: %v", defaults)
	}
	w.comapi("PUT", "/cpaas/profiles/optin", `{"sms":false}`).object(t, http.StatusOK)
	w.comapi("PUT", "/cpaas/profiles/optin", `{"sms":true}`).wantProblem(t, http.StatusBadRequest, "sms", "SmsInvalid", "nobody counts")
}
