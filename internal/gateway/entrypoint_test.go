package gateway

import (
	"net/url"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every ref of the alphabet stands in a link so that it comes back as it was.
func TestRefsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := rapid.StringOfN(rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-.:_")), 1, 250, -1).Draw(t, "ref")
		text := rapid.String().Draw(t, "text")
		if !ValidRef(ref) {
			t.Fatalf("%q is refused", ref)
		}
		u, err := url.Parse(Link("https://m.me", "1234", ref, text))
		if err != nil {
			t.Fatal(err)
		}
		if q := u.Query(); q.Get("ref") != ref || q.Get("text") != text || u.Path != "/1234" {
			t.Fatalf("%q, %q give %s", ref, text, u)
		}
	})
	for _, ref := range []string{"", "a b", "é", "a&b", "a?b", "a%20b", "a#b"} {
		if ValidRef(ref) {
			t.Errorf("%q is taken", ref)
		}
	}
}

func TestEntryPointChecks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := EntryPoint{Kind: EntryCode, Ref: "a"}
	if err := good.Check(now); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*EntryPoint){
		"kind": func(e *EntryPoint) { e.Kind = "poster" }, "ref": func(e *EntryPoint) { e.Ref = "a b" }, "name": func(e *EntryPoint) { e.Name = string(make([]byte, 201)) },
		"tags": func(e *EntryPoint) { e.Tags = make([]string, 21) }, "expiresAt": func(e *EntryPoint) { e.ExpiresAt = now }, "text": func(e *EntryPoint) { e.Prefill = string(make([]rune, 1001)) },
	} {
		e := good
		change(&e)
		err, ok := e.Check(now).(*Error)
		if !ok || err.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
