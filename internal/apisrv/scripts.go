package apisrv

import (
	"archive/zip"
	"bytes"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/rivescript"
)

const (
	tagScripts       = "scripts"
	tagConversations = "conversations"
)

func (s *server) scriptRoutes() []route {
	read, write := gateway.ScopeScriptsRead, gateway.ScopeScriptsWrite
	return []route{
		{method: http.MethodPost, path: "/v1/scripts", scope: write, tag: tagScripts, summary: "Upload a version of an application's scripts",
			detail: "The body is JSON, or a zip file (`Content-Type: application/zip`) with the other fields as parameters. What does not load is refused with file and line.",
			params: uploadParams(), zip: true,
			status: http.StatusCreated, do: takes(s.uploadScript)},
		{method: http.MethodPost, path: "/v1/script-checks", scope: write, tag: tagScripts, summary: "Check scripts without storing them",
			status: http.StatusOK, do: takes(s.validateScript)},
		{method: http.MethodGet, path: "/v1/scripts", scope: read, tag: tagScripts, summary: "List versions, the newest first",
			params: []param{text("application", "Key of an application.")}, status: http.StatusOK, do: answers(s.listScripts)},
		{method: http.MethodGet, path: "/v1/scripts/{id}", scope: read, tag: tagScripts, summary: "Read a version with its files",
			status: http.StatusOK, do: answers(s.getScript)},
		{method: http.MethodPost, path: "/v1/scripts/{id}/activate", scope: write, tag: tagScripts, summary: "Let a version answer people",
			detail: "What the bot knows of people stays.", status: http.StatusOK, do: answers(s.activateScript(true))},
		{method: http.MethodPost, path: "/v1/scripts/{id}/deactivate", scope: write, tag: tagScripts, summary: "Let no script answer people",
			status: http.StatusOK, do: answers(s.activateScript(false))},
		{method: http.MethodPost, path: "/v1/applications/{key}/scripts/rollback", scope: write, tag: tagScripts, summary: "Go back to the version that was active before",
			status: http.StatusOK, do: answers(s.rollBackScript)},
		{method: http.MethodPost, path: "/v1/scripts/{id}/try", scope: write, tag: tagScripts, summary: "Try what a version would say",
			detail: "Nothing is sent or stored.",
			status: http.StatusOK, do: takes(s.tryScript)},
		{method: http.MethodDelete, path: "/v1/scripts/{id}", scope: write, tag: tagScripts, summary: "Delete a version that is not active",
			status: http.StatusNoContent, do: does(s.deleteScript)},
		{method: http.MethodGet, path: "/v1/conversations/{id}/variables", scope: read, tag: tagConversations, summary: "Read what the bot knows of a person",
			detail: "The id is the application's key and the person's id with a colon between.", status: http.StatusOK, do: answers(s.getBotState)},
		{method: http.MethodPatch, path: "/v1/conversations/{id}/variables", scope: write, tag: tagConversations, summary: "Change what the bot knows of a person",
			detail: "`null` forgets a variable. `human` silences the bot, or gives it the conversation back.",
			status: http.StatusOK, do: takes(s.patchBotState)},
	}
}

func uploadParams() []param {
	return []param{text("application", "For a zip file: key of the application."), choice("dialect", "For a zip file; guessed from the files when left out.", "rivescript", "dexter"),
		text("note", "For a zip file: a note."), flag("activate", "For a zip file: `true` lets it answer people at once.")}
}

// scriptUpload is an upload, as JSON or as a zip file.
type scriptUpload struct{ service.ScriptInput }

func (in *scriptUpload) read(q *request) error {
	kind, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if kind != "application/zip" {
		var body gatewayapi.UploadScriptRequest
		if err := q.decode(&body); err != nil {
			return err
		}
		in.ScriptInput = service.ScriptInput{Application: body.Application, Dialect: string(body.Dialect), Note: body.Note, Activate: body.Activate}
		for _, f := range body.Files {
			in.Files = append(in.Files, script.File(f))
		}
		return nil
	}
	if err := q.known(uploadParams()); err != nil {
		return err
	}
	body, err := q.Body()
	if err != nil {
		return err
	}
	query := q.URL.Query()
	in.ScriptInput = service.ScriptInput{Application: query.Get("application"), Dialect: query.Get("dialect"), Note: query.Get("note"), Activate: query.Get("activate") == "true"}
	in.Files, err = unzip(body)
	return err
}

// unzip reads the scripts of a zip file; other files in it are left alone.
func unzip(body []byte) ([]script.File, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, gateway.Invalid("files", "the body is not a zip file")
	}
	var files []script.File
	left := int64(script.MaxBytes)
	for _, f := range z.File {
		name := path.Clean(strings.ReplaceAll(f.Name, `\`, "/"))
		if f.FileInfo().IsDir() || !slices.Contains(script.Extensions, path.Ext(name)) || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, gateway.Invalid("files", "%s in the zip file cannot be read", name)
		}
		text, err := io.ReadAll(io.LimitReader(r, left+1))
		r.Close()
		if left -= int64(len(text)); err != nil || left < 0 {
			return nil, gateway.Invalid("files", "%s in the zip file cannot be read, or the files are more than %d bytes", name, script.MaxBytes)
		}
		files = append(files, script.File{Name: name, Text: string(text)})
	}
	return files, nil
}

func (s *server) uploadScript(q *request, in *scriptUpload) (*gatewayapi.Script, error) {
	stored, warnings, err := s.o.Scripts.Upload(q.Context(), q.Key, in.ScriptInput)
	if err != nil {
		return nil, err
	}
	out := wireScript(stored)
	out.Warnings = wireProblems(warnings)
	q.W.Header().Set("Location", "/v1/scripts/"+stored.ID)
	return &out, nil
}

func (s *server) validateScript(q *request, in *scriptUpload) (*gatewayapi.ScriptValidation, error) {
	warnings, problems, err := s.o.Scripts.Validate(q.Context(), q.Key, &in.ScriptInput)
	if err != nil {
		return nil, err
	}
	return &gatewayapi.ScriptValidation{OK: len(problems) == 0, Dialect: gatewayapi.ScriptDialect(in.Dialect), Problems: wireProblems(problems), Warnings: wireProblems(warnings)}, nil
}

func (s *server) listScripts(q *request) (*gatewayapi.ScriptList, error) {
	list, err := s.o.Scripts.List(q.Context(), q.Key, q.URL.Query().Get("application"))
	if err != nil {
		return nil, err
	}
	out := gatewayapi.ScriptList{Scripts: []gatewayapi.Script{}}
	for _, x := range list {
		out.Scripts = append(out.Scripts, wireScript(x))
	}
	return &out, nil
}

func (s *server) getScript(q *request) (*gatewayapi.Script, error) {
	x, err := s.o.Scripts.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	files, err := service.FilesOf(x)
	if err != nil {
		return nil, err
	}
	out := wireScript(x)
	for _, f := range files {
		out.Files = append(out.Files, gatewayapi.ScriptFile(f))
	}
	return &out, nil
}

func (s *server) activateScript(active bool) func(*request) (*gatewayapi.Script, error) {
	return func(q *request) (*gatewayapi.Script, error) {
		x, err := s.o.Scripts.Activate(q.Context(), q.Key, q.PathValue("id"), active)
		if err != nil {
			return nil, err
		}
		return new(wireScript(x)), nil
	}
}

func (s *server) rollBackScript(q *request) (*gatewayapi.Script, error) {
	x, err := s.o.Scripts.RollBack(q.Context(), q.Key, q.PathValue("key"))
	if err != nil {
		return nil, err
	}
	return new(wireScript(x)), nil
}

func (s *server) deleteScript(q *request) error {
	if err := s.o.Scripts.Delete(q.Context(), q.Key, q.PathValue("id")); err != nil {
		return err
	}
	return nil
}

func (s *server) tryScript(q *request, in *gatewayapi.TryScriptRequest) (*gatewayapi.TryScriptResult, error) {
	if (in.Text == "") == (in.Event == "") {
		return nil, gateway.Invalid("text", "give text or event")
	}
	u := &rivescript.User{ID: "trial", Vars: in.Variables}
	reply, err := s.o.Scripts.Try(q.Context(), q.Key, q.PathValue("id"), service.Trial{Text: in.Text, Event: in.Event, User: u})
	if err != nil {
		return nil, err
	}
	out := gatewayapi.TryScriptResult{Reply: reply.Text, Messages: []gatewayapi.ScriptMessage{}, Trigger: reply.Trigger, Variables: u.Vars}
	if reply.Err != nil {
		out.Error, out.Reply = reply.Text, ""
	}
	for _, m := range reply.Messages() {
		w := gatewayapi.ScriptMessage{Text: m.Text, Delay: m.Seconds}
		for _, c := range m.Shortcodes {
			w.Shortcodes = append(w.Shortcodes, gatewayapi.ScriptShortcode(c))
		}
		out.Messages = append(out.Messages, w)
	}
	if out.Variables == nil {
		out.Variables = map[string]string{}
	}
	return &out, nil
}

func wireScript(x *gateway.Script) gatewayapi.Script {
	return gatewayapi.Script{ID: x.ID, Application: x.Application, Version: x.Version, Dialect: gatewayapi.ScriptDialect(x.Dialect), Note: x.Note, Active: x.Active,
		CreatedAt: gatewayapi.At(x.CreatedAt), ActivatedAt: gatewayapi.At(x.ActivatedAt)}
}

func wireProblems(list []rivescript.Problem) []gatewayapi.ScriptProblem {
	out := []gatewayapi.ScriptProblem{}
	for _, p := range list {
		out = append(out, gatewayapi.ScriptProblem{File: p.File, Line: p.Line, Message: p.Text})
	}
	return out
}

func (s *server) getBotState(q *request) (*gatewayapi.BotState, error) {
	state, err := s.o.Conversations.State(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return new(wireBotState(state)), nil
}

func (s *server) patchBotState(q *request, in *gatewayapi.BotStatePatch) (*gatewayapi.BotState, error) {
	if in.Variables == nil && in.Human == nil {
		return nil, gateway.Invalid("variables", "there is nothing to change: give variables or human")
	}
	state, err := s.o.Conversations.Change(q.Context(), q.Key, q.PathValue("id"), service.BotPatch{Variables: in.Variables, Human: in.Human})
	if err != nil {
		return nil, err
	}
	return new(wireBotState(state)), nil
}

func wireBotState(b *service.BotState) gatewayapi.BotState {
	return gatewayapi.BotState{ID: service.ConversationID(b.Lane), Application: b.Lane.Application, Person: gatewayapi.PersonRef{ID: b.Lane.Person}, Variables: b.Variables, Topic: b.Topic, Human: b.Human}
}
