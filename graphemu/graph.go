package graphemu

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// call is one Graph API call while it is answered.
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
	psid   string // whom the call is about, for fault rules and records
	ver    string
	user   string           // of a user token
	unread *messenger.Error // why the parameters were not read
}

// maxCall is how many bytes a call may have.
const maxCall = 32 << 20

// maxDrained is how many more bytes of a call that is too large are read.
const maxDrained = 256 << 20

// serveGraph answers one Graph API call.
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	pause := s.latency.next(s.Latency)
	wait(r, pause/2)
	body, err := readCall(r)
	if err != nil {
		var answer answerBuffer
		answer.refuse(refuse(100, 2018109, "(#100) The request is larger than the platform takes, or cannot be read"))
		answer.flush(w, &call{r: r}, Fault{})
		return
	}
	c := newCall(r, body)
	record := APICall{Time: s.clock.now(), Method: r.Method, Path: r.URL.Path}
	var answer answerBuffer
	fault, faulty := s.answer(&answer, c)
	wait(r, pause-pause/2)
	record.Fault, record.Status, record.Answer = faulty, answer.status, capText(answer.body.String())
	c.describe(&record, body)
	record.DurationMS = milliseconds(time.Since(began))
	if fault.DropResponse || fault.Reset {
		record.Status = 0
		s.records.addCall(record)
		resetConnection(w, fault.Reset)
		panic(http.ErrAbortHandler)
	}
	s.records.addCall(record)
	answer.flush(w, c, fault)
}

// answer lets faults have their way and else carries the call out.
func (s *Server) answer(w *answerBuffer, c *call) (fault Fault, faulty bool) {
	if c.unread != nil {
		w.refuse(c.unread)
		return Fault{}, false
	}
	auth := s.authorize(c)
	if c.isMulti() {
		return s.answerMany(w, c)
	}
	if c.isBatch() && !c.inner {
		if auth != nil && !(auth.Code == 2500 && c.token == "") {
			w.refuse(auth)
			return Fault{}, false
		}
		value, e := s.batch(c)
		if e != nil {
			w.refuse(e)
		} else {
			w.write(value)
		}
		return Fault{}, false
	}
	endpoint := s.endpoint(c)
	if endpoint == "messages" {
		c.psid = c.recipient().text("id")
	}
	if fault, faulty = c.requestFault(); !faulty {
		if fault, faulty = s.faults.ofCall(endpoint, c.page, c.psid); faulty {
			s.carryOut(fault, c)
		}
	}
	if faulty {
		wait(c.r, time.Duration(fault.DelayMS)*time.Millisecond)
		if fault.Reset {
			return fault, true
		}
		if fault.ExpireToken {
			auth = s.authorize(c)
		}
		if e := fault.refusal(); e != nil {
			w.refuse(e)
			return fault, true
		}
	}
	if auth != nil {
		w.refuse(auth)
		return fault, faulty
	}
	if e := s.limit(w, endpoint, c); e != nil {
		w.refuse(e)
		return fault, faulty
	}
	value, e := s.dispatch(endpoint, c)
	if e != nil {
		w.refuse(e)
		return fault, faulty
	}
	w.write(value)
	return fault, faulty
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

// isVersion tells v26.0 and the like.
func isVersion(s string) bool {
	return len(s) > 3 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' && parseVersion(s) > 0
}

// recipient is the recipient of a message.
func (c *call) recipient() params {
	if c.to == nil {
		c.to = c.params.object("recipient")
	}
	return c.to
}

// authorize finds out whose token it is and checks the proof.
func (s *Server) authorize(c *call) *messenger.Error {
	if c.token == "" {
		if c.method == http.MethodPost && c.edge == "activities" || c.node == "oauth" {
			return nil // the calls that need no token
		}
		return refuse(2500, 0, "An active access token must be used to query information about the current user.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var app *appState
	if id, secret, isApp := strings.Cut(c.token, "|"); isApp {
		if app = s.apps[id]; app == nil {
			return refuse(190, 0, "Error validating application. Cannot get application info due to a system error.")
		}
		if subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1 {
			return refuse(190, 0, "Invalid OAuth access token signature.")
		}
	} else {
		info, ok := s.tokens[c.token]
		if !ok && s.retired[c.token] {
			return refuse(190, 463, "Error validating access token: Session has expired.")
		}
		if app = s.apps[info.AppID]; !ok || app == nil {
			return refuse(190, 0, "Invalid OAuth access token - Cannot parse access token")
		}
		c.page, c.user = info.PageID, info.UserID
	}
	c.app = app.ID
	switch {
	case c.node == "me" && c.page != "":
		c.node = c.page
	case c.node == "me" && c.user != "":
		c.node = c.user
	case s.usernames[strings.ToLower(c.node)] != "":
		c.node = s.usernames[strings.ToLower(c.node)]
	}
	return c.checkProof(app)
}

// checkProof checks the proof of the token that the call carries. Clients that
// ask about another token with debug_token prove that one.
func (c *call) checkProof(app *appState) *messenger.Error {
	proof := c.params.text("appsecret_proof")
	if proof == "" && app.RequireProof {
		return refuseProof("API calls from the server require an appsecret_proof argument")
	}
	proves := func(token string) bool {
		return subtle.ConstantTimeCompare([]byte(proof), []byte(messenger.Proof(app.Secret, token))) == 1
	}
	if proof == "" || proves(c.token) || c.node == "debug_token" && proves(c.params.text("input_token")) {
		return nil
	}
	return refuseProof("Invalid appsecret_proof provided in the API argument")
}

// unsupported is the platform's answer to what it does not have, or does not
// show.
func unsupported(c *call) *messenger.Error {
	e := refuse(100, 33, fmt.Sprintf("Unsupported %s request. Object with ID '%.60s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", strings.ToLower(c.method), c.node))
	e.Type = "GraphMethodException"
	return e
}

func refuse(code, subcode int, message string) *messenger.Error {
	return &messenger.Error{Code: code, Subcode: subcode, Type: "OAuthException", Message: message, Status: http.StatusBadRequest}
}

func refuseProof(message string) *messenger.Error {
	return &messenger.Error{Code: 100, Type: "GraphMethodException", Message: message, Status: http.StatusBadRequest}
}
