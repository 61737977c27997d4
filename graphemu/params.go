package graphemu

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// params are the parameters of a call, wherever they stood: in the query, in a
// form whose values may be JSON, or in a JSON body. Later ones win in this
// order. The file of a multipart call stands beside them.
type params map[string]json.RawMessage

func readParams(r *http.Request, body []byte) (p params, files map[string]*upload) {
	p = params{}
	p.addForm(r.URL.Query())
	body = bytes.TrimSpace(body)
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
	case err == nil && kind == "multipart/form-data":
		files = p.addMultipart(multipart.NewReader(bytes.NewReader(body), options["boundary"]))
	case body[0] == '{':
		var fields map[string]json.RawMessage
		if json.Unmarshal(body, &fields) == nil {
			for name, value := range fields {
				p[name] = value
			}
		}
	default:
		if form, err := url.ParseQuery(string(body)); err == nil {
			p.addForm(form)
		}
	}
	return p, files
}

// addMultipart adds the fields of a multipart form and returns its files.
func (p params) addMultipart(r *multipart.Reader) map[string]*upload {
	form, err := r.ReadForm(maxCall)
	if err != nil {
		return nil
	}
	defer form.RemoveAll() //nolint:errcheck // everything fits into memory
	files := map[string]*upload{}
	// A part without a file name is a field like any other.
	if nameless, ok := form.Value["filedata"]; ok {
		delete(form.Value, "filedata")
		files["filedata"] = &upload{data: []byte(nameless[0])}
	}
	p.addForm(form.Value)
	for name, headers := range form.File {
		if f, err := headers[0].Open(); err == nil {
			if data, err := io.ReadAll(f); err == nil {
				files[name] = &upload{headers[0].Filename, headers[0].Header.Get("Content-Type"), data}
			}
			f.Close()
		}
	}
	return files
}

func (p params) addForm(form url.Values) {
	for name, values := range form {
		value := values[len(values)-1]
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			if json.Valid([]byte(value)) {
				p[name] = json.RawMessage(value)
				continue
			}
		}
		p[name] = mustJSON(value)
	}
}

// text gives a string or a number as text, "" for anything else.
func (p params) text(name string) string {
	raw := p[name]
	if n := len(raw); n >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : n-1]) // by far the most
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

func (p params) has(name string) bool {
	raw, ok := p[name]
	return ok && string(raw) != "null" && string(raw) != `""`
}

// object gives the members of a parameter that is an object.
func (p params) object(name string) params {
	var fields map[string]json.RawMessage
	if json.Unmarshal(p[name], &fields) != nil {
		return nil
	}
	return fields
}

// list gives a list of names that is a JSON array or separated by commas.
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
