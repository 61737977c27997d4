package graphemu

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// maxIDs is how many ids one call may read.
const maxIDs = 50

// isMulti reports whether the call reads several objects at once: /?ids=a,b, or an edge of each
// of them: /messages?ids=a,b.
//
// Docs: https://developers.facebook.com/docs/graph-api/reference (presumed; no page of the time is kept)
func (c *call) isMulti() bool {
	return c.method == http.MethodGet && c.edge == "" && c.params.has("ids")
}

// answerMany answers with an object that holds the answer for each id under that id. If one
// cannot be read, the whole call fails.
func (g *graphAPI) answerMany(w *answerBuffer, c *call) (fault Fault, faulty bool) {
	ids := c.params.list("ids")
	edge := c.node
	switch {
	case len(ids) == 0 || len(ids) > maxIDs:
		w.refuse(refuse(100, 0, fmt.Sprintf("(#100) Too many IDs. Maximum: %d. Provided: %d.", maxIDs, len(ids))))
		return Fault{}, false
	case edge != "" && g.handlers["GET "+edge] == nil:
		w.refuse(unsupported(c))
		return Fault{}, false
	}
	out := make(map[string]any, len(ids))
	for _, id := range ids {
		one := *c
		one.params = params{}
		for name, value := range c.params {
			if name != "ids" {
				one.params[name] = value
			}
		}
		one.node, one.edge, one.to = id, edge, nil
		var answer answerBuffer
		if fault, faulty = g.answer(&answer, &one); answer.status != http.StatusOK {
			*w = answer
			return fault, faulty
		}
		out[id] = json.RawMessage(answer.body.Bytes())
	}
	w.write(out)
	return fault, faulty
}
