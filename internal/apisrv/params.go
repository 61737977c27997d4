package apisrv

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// param describes a query parameter or a header of a route.
type param struct {
	name   string
	in     string // query or header
	doc    string
	schema *huma.Schema
}

func (p param) described() *huma.Param {
	d := &huma.Param{Name: p.name, In: p.in, Description: p.doc, Schema: p.schema}
	if p.schema.Type == huma.TypeArray {
		explode := true
		d.Style, d.Explode = "form", &explode
	}
	return d
}

// inWords says where it stands and what it is.
func (p param) inWords() string {
	if p.in == "header" {
		return "header"
	}
	kind, _ := typeInWords(p.schema)
	return kind
}

func text(name, doc string) param {
	return param{name, "query", doc, &huma.Schema{Type: huma.TypeString}}
}

func header(name, doc string) param {
	return param{name, "header", doc, &huma.Schema{Type: huma.TypeString}}
}

// number is a whole number within bounds; usual is what is meant when it is left out, 0 for
// nothing.
func number(name string, low, high, usual int, doc string) param {
	least, most := float64(low), float64(high)
	s := &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most}
	if usual != 0 {
		s.Default = usual
	}
	return param{name, "query", doc, s}
}

func seconds(name string, most float64, doc string) param {
	least := 0.0
	return param{name, "query", doc, &huma.Schema{Type: huma.TypeNumber, Minimum: &least, Maximum: &most, Default: 0}}
}

func flag(name, doc string) param {
	return param{name, "query", doc, &huma.Schema{Type: huma.TypeBoolean, Default: false}}
}

func choice(name, doc string, values ...string) param {
	return param{name, "query", doc, &huma.Schema{Type: huma.TypeString, Enum: anyOf(values)}}
}

// list may be given several times, or with commas between.
func list(name, doc string, values ...string) param {
	return param{name, "query", doc, &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Enum: anyOf(values)}}}
}

func anyOf(values []string) []any {
	var all []any
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// words are values of a type of their own as text.
func words[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// boundsInWords says which numbers are taken, and which when nothing is said.
func boundsInWords(s *huma.Schema) string {
	if s.Minimum == nil || s.Maximum == nil {
		return ""
	}
	bounds := fmt.Sprintf(" %g to %g", *s.Minimum, *s.Maximum)
	if s.Default != nil {
		bounds += fmt.Sprintf("; %v when left out", s.Default)
	}
	return bounds
}
