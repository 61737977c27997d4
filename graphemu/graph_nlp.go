package graphemu

import (
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// nlpAPI answers the calls about the built-in language understanding.
type nlpAPI struct{ *world }

// set is POST /{page}/nlp_configs.
func (a nlpAPI) set(c *call) (any, *messenger.Error) {
	var next nlpChange
	flag := func(name string, to **bool) bool {
		if !c.params.has(name) {
			return true
		}
		v, err := strconv.ParseBool(c.params.text(name))
		*to = &v
		return err == nil
	}
	if !flag("nlp_enabled", &next.enabled) {
		return nil, refuse(100, 0, "(#100) Param nlp_enabled must be a boolean")
	}
	if !flag("verbose", &next.verbose) {
		return nil, refuse(100, 0, "(#100) Param verbose must be a boolean")
	}
	if c.params.has("n_best") {
		n, err := strconv.Atoi(c.params.text("n_best"))
		if err != nil || n < 1 || n > 8 {
			return nil, refuse(100, 0, "(#100) Param n_best must be an integer between 1 and 8")
		}
		next.nBest = &n
	}
	if c.params.has("model") {
		model := c.params.text("model")
		if !slices.Contains(nlpModels(), model) {
			return nil, refuse(100, 0, "(#100) Param model must be one of {"+strings.Join(nlpModels(), ", ")+"}")
		}
		next.model = &model
	}
	a.changeNLP(c.page, next)
	return success(), nil
}
