package gateway

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The cases are those of RFC 7396, appendix A (https://www.rfc-editor.org/rfc/rfc7396#appendix-A).
func TestMergePatch(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"n":12345678901234567890}`, `{"a":1.50}`, `{"a":1.50,"n":12345678901234567890}`},
	} {
		got, err := MergePatch(json.RawMessage(c[0]), json.RawMessage(c[1]))
		if err != nil || string(got) != c[2] {
			t.Errorf("%s patched with %s = %s, %v, want %s", c[0], c[1], got, err, c[2])
		}
	}
	if _, err := MergePatch(json.RawMessage(`{}`), json.RawMessage(`{"a":`)); err == nil {
		t.Error("a patch that is not JSON is taken")
	}
}

func TestProfilePatchKeepsWhatIsNotTheCallers(t *testing.T) {
	t.Parallel()
	p, err := ParseProfile(json.RawMessage(`{"id":"ana@example.com","firstName":"Ana","tier":{"level":3,"since":"2020"},"fbMessengerIds":{"A":"1","B":"2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	p.Doc[FieldFacebook] = json.RawMessage(`{"first_name":"Anita","last_name":"Quispe"}`)
	after, err := p.Patch(json.RawMessage(`{"tier":{"since":null},"email":"Ana@Example.com","fbMessengerIds":{"B":null,"C":"3"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]json.RawMessage{"firstName": json.RawMessage(`"Ana"`), "tier": json.RawMessage(`{"level":3}`), "email": json.RawMessage(`"Ana@Example.com"`),
		FieldFacebook: p.Doc[FieldFacebook]}
	if diff := cmp.Diff(want, after.Doc); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"A": "1", "C": "3"}, after.Addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	for field, want := range map[string]string{"firstName": "ana", "lastName": "quispe", "email": "ana@example.com", "phoneNumber": ""} {
		if got := after.QueryValue(field); got != want {
			t.Errorf("QueryValue(%s) = %q, want %q", field, got, want)
		}
	}
}

func TestProfileMistakesNameTheField(t *testing.T) {
	t.Parallel()
	p, err := ParseProfile(json.RawMessage(`{"id":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ body, field string }{
		{`{"facebook":{}}`, "facebook"}, {`{"createdAt":"x"}`, "createdAt"}, {`{"_x":1}`, "_x"}, {`{"email":4}`, "email"},
		{`{"fbMessengerIds":{"A":""}}`, "fbMessengerIds.A"}, {`{"fbMessengerIds":"1"}`, "fbMessengerIds"}, {`[]`, ""}, {`{"id":4}`, "id"},
		{`{"notes":"` + stringOf('x', MaxProfileDoc) + `"}`, ""},
	} {
		for name, err := range map[string]error{"create": second(ParseProfile(json.RawMessage(c.body))), "patch": second(p.Patch(json.RawMessage(c.body)))} {
			e, ok := err.(*Error)
			if !ok || e.Code != CodeInvalidRequest || e.Field != c.field {
				t.Errorf("%s %.60s: err = %v, want invalid_request at %q", name, c.body, err, c.field)
			}
		}
	}
	if _, err := p.Patch(json.RawMessage(`{"id":"b"}`)); CodeOf(err) != CodeInvalidRequest {
		t.Errorf("the id can be patched: %v", err)
	}
	for _, id := range []string{"", "a/b", "a\nb", stringOf('x', 201), "\xff", ".", ".."} {
		if ValidateProfileID(id) == nil {
			t.Errorf("ValidateProfileID(%q) = nil", id)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func stringOf(c byte, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = c
	}
	return string(b)
}
