package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, field, words string }{
		{`{"to":{"fbMessengerId":"1\u00002"},"body":"x"}`, "to.fbMessengerId", "U+0000"},
		{`{"messages":[{"body":"a"},{"to":{"x":[1,2,"a\ud800"]}}]}`, "messages[1].to.x[2]", "surrogate"},
		{`{"a":[[1],[2,{"b\u0000":1}]]}`, "a[1][1].b", "U+0000"},
		{`{"a":{"b":1},"c":"\udc00\ud800"}`, "c", "surrogate"},
		{`["x","\u0000"]`, "[1]", "U+0000"},
		{`"\u0000"`, "", "U+0000"},
		{`{"a":[1,{"b":-1e400}]}`, "a[1].b", "64-bit"},
		{`{"a":` + strings.Repeat("9", 400) + `}`, "a", "64-bit"},
		{"{\"a\":\"\xff\"}", "", "UTF-8"},
		{"{\"a\":\"\x00\"}", "", "byte 0"},
		{strings.Repeat("[", 101) + strings.Repeat("]", 101), "", "deeper than 100"},
	} {
		err := CheckJSON([]byte(c.body))
		e, ok := err.(*Error)
		if !ok || e.Field != c.field || !strings.Contains(e.Message, c.words) {
			t.Errorf("CheckJSON(%q) = %v, want an error about %s at %q", c.body, err, c.words, c.field)
		}
	}
	for _, body := range []string{
		`{"a":"\ud83d\ude00 \\u0000 \\\\u0000 \u0001"}`, `{"a":"\"","b":{"c":"\\"}}`, strings.Repeat("[", 100) + strings.Repeat("]", 100), `not JSON \u0000`, `{"a":[1e308,-1.5E-400,0,"1e400"]}`,
	} {
		if err := CheckJSON([]byte(body)); err != nil {
			t.Errorf("CheckJSON(%q) = %v", body, err)
		}
	}
}

func TestCleanJSONNumbers(t *testing.T) {
	t.Parallel()
	if got := string(CleanJSON(json.RawMessage(`{"a":[-1e400,{"b":1E+999}],"c":1e308}`))); got != `{"a":[null  ,{"b":null  }],"c":1e308}` {
		t.Errorf("CleanJSON = %s", got)
	}
}

func TestKeyText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ж", 3000)
	a, b := KeyText(long+"a"), KeyText(long+"b")
	if a == b || len(a) > MaxKeyBytes || !utf8.ValidString(a) || !strings.HasPrefix(a, "жжж") {
		t.Errorf("KeyText of two long texts: %q and %q", a, b)
	}
	if got := KeyText("r\x00f\xff"); got != "rf\uFFFD" {
		t.Errorf("KeyText = %q", got)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{`{"a":"\u0000\ud800x\udc00\ud83d\ude00"}`, "\"\xff\xfe\"", `{"x":[{"y":"\uD800\u0041"}]}`, `"\`, `"\u12`, "[[[[", `{"a":[-1e400,1e309,0.5],"b":1E+999}`, "-1e309"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		clean := CleanJSON(raw)
		if !utf8.Valid(clean) {
			t.Fatalf("CleanJSON(%q) is not UTF-8: %q", raw, clean)
		}
		if json.Valid(raw) {
			if !json.Valid(clean) {
				t.Fatalf("CleanJSON(%q) is not JSON: %q", raw, clean)
			}
			if depth, unfit, huge := scanJSON(clean); len(unfit)+len(huge) > 0 || depth < MaxDepth && CheckJSON(clean) != nil {
				t.Fatalf("CleanJSON(%q) leaves %q", raw, clean)
			}
		}
		if CheckJSON(raw) == nil && json.Valid(raw) {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
		}
		if key := KeyText(string(raw)); CheckText("", key) != nil || len(key) > MaxKeyBytes {
			t.Fatalf("KeyText(%q) = %q", raw, key)
		}
	})
}
