package apisrv

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// document is the description of the API in both of its forms.
type document struct {
	json []byte
	page []byte
}

//go:embed docs.html.tmpl
var docsTemplate string

// describe makes the OpenAPI 3.1 document and its page of the table of routes.
func describe(routes []route, version string) (*document, error) {
	if version == "" {
		version = "development"
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Chasqui", Version: version,
			Description: "The gateway's own API. Times are RFC 3339 in UTC with milliseconds. Errors have one shape on every route; their codes are explained in docs/errors.md."},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
			"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key made by `chasqui key create`."}}},
	}
	for _, tag := range []string{tagMessages, tagEvents, tagSubscriptions, tagProfiles, tagApplications, tagChannels, tagGateway} {
		api.Tags = append(api.Tags, &huma.Tag{Name: tag})
	}
	for _, r := range routes {
		api.AddOperation(operation(r, registry))
	}
	if t := registry.Map()["Time"]; t != nil {
		t.Format, t.Description = "date-time", "RFC 3339 in UTC with milliseconds."
	}
	page, err := renderPage(routes, registry, version)
	if err != nil {
		return nil, fmt.Errorf("render the API's page: %w", err)
	}
	if rule := registry.Map()["Rule"]; rule != nil {
		object := *rule
		*rule = huma.Schema{Description: "A channel's name, or an object.", OneOf: []*huma.Schema{{Type: huma.TypeString}, &object}}
	}
	encoded, err := json.MarshalIndent(api, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the API's description: %w", err)
	}
	return &document{json: encoded, page: page}, nil
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func operation(r route, registry huma.Registry) *huma.Operation {
	op := &huma.Operation{
		Method: r.method, Path: r.path, OperationID: operationID(r), Tags: []string{r.tag}, Summary: r.summary, Description: r.detail,
		Responses: map[string]*huma.Response{},
	}
	for _, match := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: match[1], In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	for _, p := range r.params {
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.name, In: p.in, Description: p.doc, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	if r.request != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: content(registry.Schema(r.request, true, ""), requestMedia(r))}
	}
	success := &huma.Response{Description: http.StatusText(r.status)}
	switch {
	case r.answer != nil:
		success.Content = content(registry.Schema(r.answer, true, ""), "application/json")
	case r.media != "":
		success.Content = map[string]*huma.MediaType{r.media: {}}
	}
	op.Responses[strconv.Itoa(r.status)] = success
	for _, status := range failures(r) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: content(registry.Schema(typeOf[gatewayapi.ErrorBody](), true, ""), "application/json")}
	}
	if r.scope != "" {
		op.Security = []map[string][]string{{"apiKey": {string(r.scope)}}}
	}
	return op
}

func content(s *huma.Schema, media string) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{media: {Schema: s}}
}

func requestMedia(r route) string {
	if r.method == http.MethodPatch && r.tag == tagProfiles {
		return "application/merge-patch+json"
	}
	return "application/json"
}

// operationID is the method and the path in one word, such as postMessagesBatch.
func operationID(r route) string {
	id := strings.ToLower(r.method)
	for _, word := range regexp.MustCompile(`[A-Za-z0-9]+`).FindAllString(strings.TrimPrefix(r.path, "/v1"), -1) {
		id += strings.ToUpper(word[:1]) + word[1:]
	}
	return id
}

// failures are the statuses of errors that a route can answer with, beside those that every request can meet.
func failures(r route) []int {
	var statuses []int
	if r.scope != "" {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if r.request != nil || len(r.params) > 0 {
		statuses = append(statuses, http.StatusBadRequest)
	}
	if r.request != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge)
	}
	if strings.Contains(r.path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if r.method == http.MethodPost && r.request != nil || strings.HasSuffix(r.path, "/cancel") || strings.HasSuffix(r.path, "/release") || r.tag == tagProfiles && r.method == http.MethodPatch {
		statuses = append(statuses, http.StatusConflict)
	}
	if slices.ContainsFunc(r.params, func(p param) bool { return p.name == "If-Match" }) {
		statuses = append(statuses, http.StatusPreconditionFailed)
	}
	if r.tag == tagApplications && r.method != http.MethodGet {
		statuses = append(statuses, http.StatusBadGateway)
	}
	if r.scope != "" || r.path == "/readyz" {
		statuses = append(statuses, http.StatusServiceUnavailable)
	}
	slices.Sort(statuses)
	return statuses
}

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
		shown := pageRoute{ID: operationID(r), Method: r.method, Path: r.path, Scope: string(r.scope), Summary: r.summary, Detail: r.detail,
			Request: schemaOf(r.request, registry), Answer: schemaOf(r.answer, registry), Status: r.status, Errors: failures(r)}
		for _, p := range r.params {
			shown.Params = append(shown.Params, pageField{Name: p.name, Type: p.in, Doc: p.doc})
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
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if name == "Time" {
			return "time", ""
		}
		return name, name
	}
	switch {
	case s.Type == huma.TypeArray && s.Items != nil:
		kind, link = typeInWords(s.Items)
		return "list of " + kind, link
	case s.Type == "":
		return "any JSON", ""
	}
	return s.Type, ""
}
