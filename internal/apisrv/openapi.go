package apisrv

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chasqui/chasqui/gatewayapi"
)

// document is the description of the API in both of its forms.
type document struct {
	json []byte
	page []byte
}

// describe makes the OpenAPI 3.1 document and its page of the table of routes.
func describe(routes []route, o *Options) (*document, error) {
	version := cmp.Or(o.Version, "development")
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	describeAs(registry)
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Chasqui", Version: version, License: &huma.License{Name: "MIT", Identifier: "MIT"},
			Description: "The gateway's own API. Times are RFC 3339 in UTC with milliseconds. Errors have one shape on every route; their codes are explained in docs/errors.md. New fields may come in answers and events: ignore what you do not know. In requests, what is not known is an error."},
		Servers: []*huma.Server{{URL: cmp.Or(o.PublicURL, "/"), Description: "This gateway"}},
		Tags:    describedTags(),
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
			"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key made by `chasqui key create`. Each operation names the scope that the key must have."}}},
	}
	for _, r := range routes {
		op, err := operation(r, registry)
		if err != nil {
			return nil, err
		}
		api.AddOperation(op)
	}
	api.Webhooks = webhooks(registry)
	if err := describeFields(registry); err != nil {
		return nil, err
	}
	describeProviders(registry, o.Channels.Providers)
	finishSchemas(api, registry)
	page, err := renderPage(routes, registry, version)
	if err != nil {
		return nil, fmt.Errorf("render the API's page: %w", err)
	}
	if rule := registry.Map()["Rule"]; rule != nil {
		object := *rule
		*rule = huma.Schema{Description: "A channel's name, or an object.", OneOf: []*huma.Schema{channelName(), &object}}
	}
	encoded, err := json.MarshalIndent(api, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the API's description: %w", err)
	}
	return &document{json: encoded, page: page}, nil
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func operation(r route, registry huma.Registry) (*huma.Operation, error) {
	id, ok := operationIDs()[r.method+" "+r.path]
	if !ok {
		return nil, fmt.Errorf("describe %s %s: it has no operation id", r.method, r.path)
	}
	op := &huma.Operation{
		Method: r.method, Path: r.path, OperationID: id, Tags: []string{r.tag}, Summary: r.summary, Description: r.detail,
		Responses: map[string]*huma.Response{}, Security: []map[string][]string{},
	}
	for _, match := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: match[1], In: "path", Required: true, Schema: pathSchema(match[1], r)})
	}
	for _, p := range r.params {
		op.Parameters = append(op.Parameters, p.described())
	}
	if r.do.request != nil {
		body := content(registry.Schema(r.do.request, true, ""), requestMedia(r))
		for _, media := range body {
			media.Example = requestExample(id)
		}
		if r.zip {
			body["application/zip"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: body}
	}
	for answer := &r; answer != nil; answer = answer.also {
		op.Responses[strconv.Itoa(answer.status)] = success(answer, registry)
	}
	for _, status := range failures(r) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: content(registry.Schema(typeOf[gatewayapi.ErrorBody](), true, ""), "application/json")}
	}
	if r.scope != "" {
		op.Security = append(op.Security, map[string][]string{"apiKey": {string(r.scope)}})
	}
	return op, nil
}

func success(r *route, registry huma.Registry) *huma.Response {
	answer := &huma.Response{Description: http.StatusText(r.status)}
	if r.do.answer != nil {
		answer.Content = content(registry.Schema(r.do.answer, true, ""), "application/json")
	}
	for _, media := range r.media {
		if answer.Content == nil {
			answer.Content = map[string]*huma.MediaType{}
		}
		schema := &huma.Schema{Type: huma.TypeString}
		switch {
		case media == "application/json":
			schema = &huma.Schema{Type: huma.TypeObject}
		case !strings.HasPrefix(media, "text/"):
			schema.Format = "binary"
		}
		answer.Content[media] = &huma.MediaType{Schema: schema}
	}
	return answer
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

// failures are the statuses of errors that a route can answer with, beside those that every request
// can meet.
func failures(r route) []int {
	statuses := []int{http.StatusBadRequest} // an address that is no text, which every route refuses
	if r.scope != "" {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if r.do.request != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge)
	}
	if strings.Contains(r.path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if r.method == http.MethodPost && r.do.request != nil || r.conflicts {
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
