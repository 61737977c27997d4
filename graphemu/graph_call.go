package graphemu

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// call is a Graph API call that is being carried out.
type call struct {
	r      *http.Request
	method string // after the override by the parameter "method"
	node   string // "me" is resolved
	edge   string
	params params
	file   *upload            // nil when none came
	files  map[string]*upload // every file of the form, by the name of its part
	host   string             // where the emulator is, as the caller says
	inner  bool               // stands in a batch
	to     params             // the recipient, read once
	magic  bool               // the body holds words that ask for a fault
	token  string
	app    string // whose token it is
	page   string // of a page token
	psid   string // the person the call is about, for fault rules and records
	ver    string
	user   string           // of a user token
	unread *messenger.Error // why the parameters were not read
}

// maxCall is how many bytes a call may have.
const maxCall = 32 << 20

// maxDrained is how many more bytes of a call that is too large are read and dropped.
const maxDrained = 256 << 20

// readCall reads the body of a call. It reads one that is too large to its end as well, because
// a caller that is still sending would not see the answer.
func readCall(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall+1))
	if err == nil && len(body) > maxCall {
		io.Copy(io.Discard, io.LimitReader(r.Body, maxDrained)) //nolint:errcheck // what comes is thrown away
		err = errors.New("the call is too large")
	}
	return body, err
}

func newCall(r *http.Request, body []byte) *call {
	c := &call{r: r, method: r.Method}
	if r.Method == http.MethodHead {
		c.method = http.MethodGet
	}
	var ok bool
	if c.params, c.files, ok = readParams(r, body); !ok {
		c.unread = refuse(100, 2018109, "(#100) The request is larger than the platform takes, or cannot be read")
	}
	c.file = c.files["filedata"]
	c.host = r.Host
	c.magic = bytes.Contains(body, []byte("[[fault "))
	parts := strings.FieldsFunc(r.URL.Path, func(r rune) bool { return r == '/' })
	if len(parts) > 0 && isVersion(parts[0]) {
		c.ver, parts = parts[0], parts[1:]
	}
	if len(parts) > 0 {
		c.node = parts[0]
		c.edge = strings.Join(parts[1:], "/")
	}
	if m := strings.ToUpper(c.params.text("method")); m != "" && r.Method == http.MethodPost {
		c.method = m
	}
	c.token = c.params.text("access_token")
	if kind, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && c.token == "" {
		if strings.EqualFold(kind, "Bearer") || strings.EqualFold(kind, "OAuth") {
			c.token = strings.TrimSpace(value)
		}
	}
	return c
}

// isVersion reports whether a part of a path is v26.0 or the like.
func isVersion(s string) bool {
	return len(s) > 3 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' && parseVersion(s) > 0
}

// recipient returns the recipient of a message.
func (c *call) recipient() params {
	if c.to == nil {
		c.to = c.params.object("recipient")
	}
	return c.to
}

// version returns the version of the Graph API that the call speaks.
func (c *call) version() string {
	if c.ver == "" {
		return messenger.DefaultVersion
	}
	return c.ver
}

// class returns the messaging type, tag and notification type of a call.
func (c *call) class() messageClass {
	return messageClass{c.params.text("messaging_type"), c.params.text("tag"), c.params.text("notification_type")}
}

// requestFault returns the fault that a call asks for itself, in the header X-Emulator-Fault or
// between [[fault and ]] in the text of its message: a rule as JSON, or words such as "code=613
// status=400 delay_ms=200 drop_response".
func (c *call) requestFault() (Fault, bool) {
	text := c.r.Header.Get("X-Emulator-Fault")
	if text == "" && c.magic && c.edge == "messages" {
		text = magicWords(c.params.object("message").text("text"))
	}
	if text == "" {
		return Fault{}, false
	}
	f, err := parseFault(text)
	return f, err == nil
}
