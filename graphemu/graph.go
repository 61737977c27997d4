package graphemu

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// graphAPI serves the Graph API: it reads calls, passes them to the world and writes the
// answers.
type graphAPI struct {
	world     *world
	limits    *rateLimits
	latency   *latencySource
	callbacks *callbacks
	handlers  map[string]handler // by method and endpoint
}

// ServeHTTP serves one Graph API call.
func (g *graphAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	pause := g.latency.next()
	wait(r, pause/2)
	body, err := readCall(r)
	if err != nil {
		var answer answerBuffer
		answer.refuse(refuse(100, 2018109, "(#100) The request is larger than the platform takes, or cannot be read"))
		answer.flush(w, &call{r: r}, Fault{})
		return
	}
	c := newCall(r, body)
	record := APICall{Time: g.world.clock.now(), Method: r.Method, Path: r.URL.Path}
	var answer answerBuffer
	fault, faulty := g.answer(&answer, c)
	wait(r, pause-pause/2)
	record.Fault, record.Status, record.Answer = faulty, answer.status, capText(answer.body.String())
	c.describe(&record, body)
	record.DurationMS = milliseconds(time.Since(began))
	if fault.DropResponse || fault.Reset {
		record.Status = 0
		g.world.records.addCall(record)
		resetConnection(w, fault.Reset)
		panic(http.ErrAbortHandler)
	}
	g.world.records.addCall(record)
	answer.flush(w, c, fault)
}

// answer carries a call out, unless a fault prevents it.
func (g *graphAPI) answer(w *answerBuffer, c *call) (fault Fault, faulty bool) {
	if c.unread != nil {
		w.refuse(c.unread)
		return Fault{}, false
	}
	auth := g.authorize(c)
	if c.isMulti() {
		return g.answerMany(w, c)
	}
	if c.isBatch() && !c.inner {
		if auth != nil && auth.Code == 2500 && c.token == "" {
			auth = nil // each call of the batch may have a token of its own
		}
		w.finish(auth, func() (any, *messenger.Error) { return g.batch(c) })
		return Fault{}, false
	}
	endpoint := g.endpoint(c)
	if endpoint == "messages" {
		c.psid = c.recipient().text("id")
	}
	if fault, faulty = g.faultOf(endpoint, c); faulty {
		wait(c.r, time.Duration(fault.DelayMS)*time.Millisecond)
		if fault.Reset {
			return fault, true
		}
		if fault.ExpireToken {
			auth = g.authorize(c)
		}
		if e := fault.refusal(); e != nil {
			w.refuse(e)
			return fault, true
		}
	}
	if auth == nil {
		auth = g.limit(w, endpoint, c)
	}
	w.finish(auth, func() (any, *messenger.Error) { return g.dispatch(endpoint, c) })
	return fault, faulty
}

// faultOf returns the fault that a call asks for itself, or that a rule has for it. What a rule
// does for good is done.
func (g *graphAPI) faultOf(endpoint string, c *call) (Fault, bool) {
	if fault, ok := c.requestFault(); ok {
		return fault, true
	}
	fault, ok := g.world.faults.ofCall(endpoint, c.page, c.psid)
	if ok {
		g.world.carryOut(fault, c.token, c.page, c.psid)
	}
	return fault, ok
}

// authorize checks the token of a call and its proof.
func (g *graphAPI) authorize(c *call) *messenger.Error {
	if c.token == "" {
		if c.method == http.MethodPost && c.edge == "activities" || c.node == "oauth" {
			return nil // the calls that need no token
		}
		return refuse(2500, 0, "An active access token must be used to query information about the current user.")
	}
	who, e := g.world.bearerOf(c.token)
	if e != nil {
		return e
	}
	c.app = who.app.ID
	if who.page != "" || who.user != "" {
		c.page, c.user = who.page, who.user
	}
	switch {
	case c.node == "me" && c.page != "":
		c.node = c.page
	case c.node == "me" && c.user != "":
		c.node = c.user
	default:
		c.node = g.world.pageID(c.node)
	}
	return c.checkProof(who.app)
}

// checkProof checks the appsecret_proof of a call. Clients that ask about another token with
// debug_token send the proof of that one.
func (c *call) checkProof(app App) *messenger.Error {
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

// unsupported returns the platform's answer for an object that does not exist or is not visible
// to the caller.
func unsupported(c *call) *messenger.Error {
	e := refuse(100, 33, fmt.Sprintf("Unsupported %s request. Object with ID '%.60s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", strings.ToLower(c.method), c.node))
	e.Type = "GraphMethodException"
	return e
}
