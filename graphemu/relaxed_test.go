package graphemu

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// FuzzRelaxed reads relaxed JSON: what is strict means the same, and what comes
// out is strict.
func FuzzRelaxed(f *testing.F) {
	for _, text := range []string{
		`{'id':'1'}`, `{id:1}`, `{"text":"it's"}`, `{'text':'say "hi"'}`, `{a:[1,'b',c,{d:true}],}`, `{'a':'it\'s'}`, `{a:'` + "\n\t" + `'}`, `[`, `{'a`, `{'a':'\`, `{:}`, `{a:}`,
		`[messages,feed]`, `{"a":1}x`, `{a: two words , b:null}`, strings.Repeat("[", 100) + strings.Repeat("]", 100), `{"a":"\u00e4\ud83d\ude00"}`, "{a:\xff}", "{'\xff':1}", `{"":""}`, `{a:1e999}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, ok := relaxed(text)
		if ok && !json.Valid(out) {
			t.Fatalf("%q became %q", text, out)
		}
		trimmed := strings.TrimLeft(text, " \t\r\n")
		if !json.Valid([]byte(text)) || !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") || strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return
		}
		var want, got any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if !ok || json.Unmarshal(out, &got) != nil || !reflect.DeepEqual(want, got) {
			t.Fatalf("%q became %q", text, out)
		}
	})
}

// FuzzBrackets reads forms with brackets in their names.
func FuzzBrackets(f *testing.F) {
	for _, form := range []string{
		"a[]=1&a[]=2", "a[0]=x&a[2]=y&a[10]=z", "a[b][c]=1&a[b][d]=2", "a[b]=1&a[b][c]=2", "a[b]={'c':1}", "[a]=1", "a[=1", "a]b[=1", "a[b]c=1", "a[][]=1", "a[0][x]=1&a[0][y]=2", "a[9999999999]=1&a[]=2",
		"a[-1]=1", "a[%22]=1", "a[\xff]=1", "a[is_reusable]=1",
	} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		p := params{}
		p.addForm(form)
		for name, value := range p {
			if !json.Valid(value) {
				t.Fatalf("%q: %q is %q", text, name, value)
			}
		}
	})
}

// FuzzMultipart reads multipart forms, whole and broken off.
func FuzzMultipart(f *testing.F) {
	const part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n"
	for _, body := range []string{
		part + "--x--", part, part[:30], "--x\r\n\r\n--x--", "--x\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG",
		"--x\r\nContent-Disposition: form-data; name=\"filedata\"\r\n\r\nx\r\n--x--", "--x\r\nContent-Disposition: attachment\r\n\r\nx", "--x\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\n{'c':1}",
		strings.Repeat(part, 2000),
	} {
		f.Add("x", []byte(body))
	}
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		p := params{}
		for name, file := range p.addMultipart(multipart.NewReader(bytes.NewReader(body), boundary)) {
			if file == nil || name == "" || len(file.data) > len(body) {
				t.Fatalf("file %q: %+v", name, file)
			}
		}
		for name, value := range p {
			if !json.Valid(value) {
				t.Fatalf("%q is %q", name, value)
			}
		}
	})
}

// FuzzSecrets hides a token and an app's secret wherever they stand.
func FuzzSecrets(f *testing.F) {
	f.Add(`{"a":"`, `"}`)
	f.Add("access_token=", "&b=c")
	f.Add(`[{\"access_token\":\"`, `\"}]`)
	f.Add("batch=%5B%7B%22relative_url%22%3A%22me%3Faccess_token%3D", "%22%7D%5D")
	f.Add("EAA", "|")
	f.Fuzz(func(t *testing.T, before, after string) {
		const token, app = "EAAx9Jk2mQ7vT4bN1cL8zR5wY3dF6gH0s", "123456789012345|0123456789abcdef0123456789abcdef"
		for _, secret := range []string{token, app, url.QueryEscape(app), url.QueryEscape(url.QueryEscape(app))} {
			if got := hideSecrets(before + secret + after); strings.Contains(got, secret) || strings.Contains(got, "0123456789abcdef0123456789abcdef") && !strings.Contains(before+after, "0123456789abcdef") {
				t.Fatalf("%q stands in %q", secret, got)
			}
		}
		const secret = "0123456789abcdef0123456789abcdef"
		if got := hidePairs("a=b&client_secret=" + secret + "&c=d"); strings.Contains(got, secret) {
			t.Fatalf("%q", got)
		}
	})
}
