package graphemu

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// params are the parameters of a call, wherever they came from: the query, a form whose values
// may be JSON, or a JSON body. Later ones win, in this order. Files of a multipart form are
// kept separately.
type params map[string]json.RawMessage

const (
	maxParams = 10_000  // parameters of a query or a form
	maxForm   = 8 << 20 // bytes of a body that is not a multipart form
)

// readParams reads the parameters and files of a call. It returns false when there are more
// than the emulator accepts.
func readParams(r *http.Request, body []byte) (p params, files map[string]*upload, ok bool) {
	p = params{}
	body = bytes.TrimSpace(body)
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isMultipart := err == nil && kind == "multipart/form-data"
	if strings.Count(r.URL.RawQuery, "&") > maxParams || !isMultipart && len(body) > maxForm {
		return p, nil, false
	}
	p.addForm(r.URL.Query())
	switch {
	case len(body) == 0:
	case isMultipart:
		files = p.addMultipart(multipart.NewReader(bytes.NewReader(body), options["boundary"]))
	case body[0] == '{':
		p.addObject(body)
	case bytes.Count(body, []byte("&")) > maxParams:
		return p, nil, false
	default:
		// Parts of a form that cannot be read are left out.
		form, _ := url.ParseQuery(string(body)) //nolint:errcheck // as said
		p.addForm(form)
	}
	return p, files, true
}

// addObject adds the members of a JSON body. A string that contains JSON counts as what it
// contains.
func (p params) addObject(body []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		loose, ok := relaxed(string(body))
		if !ok || json.Unmarshal(loose, &fields) != nil {
			return
		}
	}
	for name, value := range fields {
		p[name] = value
		var text string
		if len(value) > 2 && (value[1] == '{' || value[1] == '[') && json.Unmarshal(value, &text) == nil && !plainText(name) {
			p[name] = formValue(text)
		}
	}
}

// maxParts is how many parts of a multipart form are read.
const maxParts = 1000

// addMultipart adds the fields of a multipart form and returns its files. A form that is cut
// off counts as far as it goes.
func (p params) addMultipart(r *multipart.Reader) map[string]*upload {
	files, form := map[string]*upload{}, url.Values{}
	for range maxParts {
		part, err := r.NextPart()
		if err != nil {
			break
		}
		data, err := io.ReadAll(part)
		name := part.FormName()
		_, options, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition")) //nolint:errcheck // then there is no file name
		switch _, isFile := options["filename"]; {
		case name == "":
		case isFile && files[name] == nil:
			files[name] = &upload{part.FileName(), part.Header.Get("Content-Type"), data}
		case isFile:
		case name == "filedata": // a part without a file name
			files[name] = &upload{data: data}
		default:
			form.Add(name, string(data))
		}
		if err != nil {
			break
		}
	}
	p.addForm(form)
	return files
}

func (p params) addForm(form url.Values) {
	for name, values := range form {
		value := values[len(values)-1]
		// The message of a private reply is a text; a message is never a list.
		if plainText(name) || name == "message" && strings.HasPrefix(value, "[") {
			p[name] = mustJSON(value)
			continue
		}
		p[name] = formValue(value)
	}
	for name, value := range bracketed(form) {
		p[name] = value
	}
}

// formValue returns a value of a form as JSON: objects and lists, strict or relaxed, as they
// are, anything else as a string.
func formValue(value string) json.RawMessage {
	trimmed := strings.TrimSpace(value)
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if json.Valid([]byte(trimmed)) {
			return json.RawMessage(trimmed)
		}
		if loose, ok := relaxed(trimmed); ok {
			return loose
		}
	}
	return mustJSON(value)
}

// plainText reports whether a parameter is a string whatever it looks like.
func plainText(name string) bool {
	return slices.Contains([]string{
		"access_token", "appsecret_proof", "input_token", "verify_token", "callback_url", "client_secret", "metadata", "name", "page_label_name",
		"title", "description", "ref",
	}, name)
}

// text returns a string or a number as text, and "" for anything else.
func (p params) text(name string) string {
	raw := p[name]
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : n-1]) // the usual case
	}
	var s string
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null" {
		return ""
	}
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// has reports whether a parameter is given and not empty.
func (p params) has(name string) bool {
	raw, ok := p[name]
	return ok && string(raw) != "null" && string(raw) != `""`
}

// object returns the members of a parameter that is an object, nil for any other.
func (p params) object(name string) params {
	var fields map[string]json.RawMessage
	if json.Unmarshal(p[name], &fields) != nil {
		return nil
	}
	return fields
}

// list returns the names in a parameter that is a JSON array or separated by commas.
func (p params) list(name string) []string {
	var names []string
	if json.Unmarshal(p[name], &names) != nil {
		names = strings.Split(p.text(name), ",")
	}
	out := []string{}
	for _, n := range names {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// emptyList reports whether a parameter is an empty list.
func (p params) emptyList(name string) bool {
	var items []json.RawMessage
	return json.Unmarshal(p[name], &items) == nil && items != nil && len(items) == 0
}
