package apisrv

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/internal/gateway"
)

//go:embed docs.html.tmpl
var docsTemplate string

// prose is a text of ours as HTML, in which words between backquotes are code.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, piece := range strings.Split(text, "`") {
		escaped := template.HTMLEscapeString(piece)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String())
}

// pageRoute is a route as the page shows it.
type pageRoute struct {
	ID, Method, Path, Scope, Summary, Detail string
	Params                                   []pageField
	Request, Answer                          *pageSchema
	Status                                   int
	Errors                                   []int
}

type pageSchema struct {
	Name   string
	Fields []pageField
}

type pageField struct {
	Name, Type, Doc, Link string
	Required              bool
}

func renderPage(routes []route, registry huma.Registry, version string) ([]byte, error) {
	tmpl, err := template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsTemplate)
	if err != nil {
		return nil, err
	}
	type group struct {
		Tag    string
		Routes []pageRoute
	}
	var groups []group
	for _, r := range routes {
		if len(groups) == 0 || groups[len(groups)-1].Tag != r.tag {
			groups = append(groups, group{Tag: r.tag})
		}
		shown := pageRoute{ID: operationIDs()[r.method+" "+r.path], Method: r.method, Path: r.path, Scope: string(r.scope), Summary: r.summary, Detail: r.detail,
			Request: schemaOf(r.do.request, registry), Answer: schemaOf(r.do.answer, registry), Status: r.status, Errors: failures(r)}
		for _, p := range r.params {
			shown.Params = append(shown.Params, pageField{Name: p.name, Type: p.inWords(), Doc: p.doc})
		}
		last := &groups[len(groups)-1]
		last.Routes = append(last.Routes, shown)
	}
	var schemas []*pageSchema
	for name, s := range registry.Map() {
		if len(s.Properties) > 0 {
			schemas = append(schemas, fieldsOf(name, s))
		}
	}
	slices.SortFunc(schemas, func(a, b *pageSchema) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	err = tmpl.Execute(&b, map[string]any{"Groups": groups, "Schemas": schemas, "Version": version, "Errors": gateway.ErrorTable()})
	return b.Bytes(), err
}

func schemaOf(t reflect.Type, registry huma.Registry) *pageSchema {
	if t == nil {
		return nil
	}
	s := registry.Schema(t, true, "")
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return &pageSchema{Name: name}
	}
	return &pageSchema{}
}

func fieldsOf(name string, s *huma.Schema) *pageSchema {
	out := &pageSchema{Name: name}
	for field, p := range s.Properties {
		kind, link := typeInWords(p)
		out.Fields = append(out.Fields, pageField{Name: field, Type: kind, Link: link, Doc: p.Description, Required: slices.Contains(s.Required, field)})
	}
	slices.SortFunc(out.Fields, func(a, b pageField) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func typeInWords(s *huma.Schema) (kind, link string) {
	if name, ok := strings.CutPrefix(s.Ref, schemaPrefix); ok {
		return name, name
	}
	switch {
	case len(s.OneOf) == 2 && s.OneOf[1].Type == "null":
		kind, link = typeInWords(s.OneOf[0])
		return kind + " or null", link
	case s.Type == huma.TypeArray && s.Items != nil:
		kind, link = typeInWords(s.Items)
		return "list of " + kind, link
	case s.Type == "":
		return "any JSON", ""
	case len(s.Enum) > 0:
		return fmt.Sprint(s.Enum[0]) + oneOf(s.Enum[1:]), ""
	case s.Format == "date-time":
		kind = "time"
	default:
		kind = s.Type + boundsInWords(s)
	}
	if s.Nullable {
		kind += " or null"
	}
	return kind, ""
}

func oneOf(values []any) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, " | %v", v)
	}
	return b.String()
}
