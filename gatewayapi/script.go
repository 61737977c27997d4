package gatewayapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// ScriptFile is one file of a bot's scripts.
type ScriptFile struct {
	Name string `json:"name" doc:"Ends in .rive, .rs or .topic; a .topic file is a topic of that name."`
	Text string `json:"text" doc:"The file's content."`
}

// UploadScriptRequest makes a version of an application's scripts.
type UploadScriptRequest struct {
	Application string        `json:"application,omitempty" doc:"Key of the application."`
	Dialect     ScriptDialect `json:"dialect,omitempty" enum:"rivescript,dexter" doc:"rivescript or dexter; guessed from the files when left out."`
	Note        string        `json:"note,omitempty" doc:"For people; up to 1,000 bytes."`
	Files       []ScriptFile  `json:"files" doc:"Up to 1,000 files, 16 MiB together."`
	Activate    bool          `json:"activate,omitempty" doc:"Let it answer people at once."`
}

// ScriptProblem is something in a script that is not as it should be.
type ScriptProblem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line" doc:"From 1."`
	Message string `json:"message"`
}

// Script is a version of an application's scripts.
type Script struct {
	ID          string          `json:"id"`
	Application string          `json:"application" doc:"Key of the application."`
	Version     int             `json:"version" doc:"Grows by 1 with each upload for the application."`
	Dialect     ScriptDialect   `json:"dialect"`
	Note        string          `json:"note,omitempty"`
	Active      bool            `json:"active" doc:"Whether it answers people."`
	Files       []ScriptFile    `json:"files,omitempty" doc:"Missing in lists."`
	Warnings    []ScriptProblem `json:"warnings,omitempty" doc:"Only in the answer to an upload."`
	CreatedAt   Time            `json:"createdAt"`
	ActivatedAt Time            `json:"activatedAt,omitzero" doc:"The last time it was made active."`
}

// ScriptList holds versions by application, the newest first.
type ScriptList struct {
	Scripts []Script `json:"scripts"`
}

// ScriptValidation says whether files would be taken.
type ScriptValidation struct {
	OK       bool            `json:"ok"`
	Dialect  ScriptDialect   `json:"dialect"`
	Problems []ScriptProblem `json:"problems" doc:"For which an upload is refused."`
	Warnings []ScriptProblem `json:"warnings" doc:"For which it is not."`
}

// TryScriptRequest tries a version; nothing is sent.
type TryScriptRequest struct {
	Text      string            `json:"text,omitempty" doc:"What the person writes."`
	Event     string            `json:"event,omitempty" doc:"What happens instead: the payload of a postback, or __fbref__."`
	Variables map[string]string `json:"variables,omitempty" doc:"What the bot knows before; topic is one of them."`
}

// TryScriptResult is what a version would say.
type TryScriptResult struct {
	Reply     string            `json:"reply" doc:"The engine's whole text."`
	Messages  []ScriptMessage   `json:"messages" doc:"What it makes on Messenger."`
	Trigger   string            `json:"trigger,omitempty" doc:"The trigger that won."`
	Error     string            `json:"error,omitempty" doc:"Why there is no answer, such as ERR: No Reply Matched."`
	Variables map[string]string `json:"variables" doc:"What the bot knows afterwards."`
}

// ScriptMessage is one of the messages of a reply.
type ScriptMessage struct {
	Text       string            `json:"text,omitempty"`
	Delay      float64           `json:"delay,omitempty" doc:"Seconds before it."`
	Shortcodes []ScriptShortcode `json:"shortcodes,omitempty"`
}

// ScriptShortcode is a ^name(…) in a message.
type ScriptShortcode struct {
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// BotState is what a bot knows of a person.
type BotState struct {
	ID          string            `json:"id" doc:"Of the conversation: application and person with a colon between."`
	Application string            `json:"application"`
	Person      PersonRef         `json:"person"`
	Variables   map[string]string `json:"variables" doc:"topic is one of them."`
	Topic       string            `json:"topic"`
	Human       bool              `json:"human" doc:"People answer; the bot is silent."`
}

// PersonRef names a person of an application.
type PersonRef struct {
	ID string `json:"id" doc:"PSID."`
}

// BotStatePatch changes what a bot knows. What is left out stays.
type BotStatePatch struct {
	Variables map[string]*string `json:"variables,omitempty" doc:"null forgets one."`
	Human     *bool              `json:"human,omitempty" doc:"true silences the bot, false gives it the conversation back."`
}

func scriptPath(id string) string { return "/v1/scripts/" + url.PathEscape(id) }

// UploadScript stores a version of an application's scripts.
func (c *Client) UploadScript(ctx context.Context, req UploadScriptRequest) (Script, error) {
	return send[Script](ctx, c, http.MethodPost, "/v1/scripts", req)
}

// ValidateScript says whether files would be taken.
func (c *Client) ValidateScript(ctx context.Context, req UploadScriptRequest) (ScriptValidation, error) {
	return send[ScriptValidation](ctx, c, http.MethodPost, "/v1/script-checks", req)
}

// ListScriptsRequest selects versions of scripts.
type ListScriptsRequest struct {
	Application string // every one when empty
}

// ListScripts reads the versions of scripts by application, the newest first.
func (c *Client) ListScripts(ctx context.Context, req ListScriptsRequest) ([]Script, error) {
	list, err := get[ScriptList](ctx, c, "/v1/scripts", query("application", req.Application))
	return list.Scripts, err
}

// AllScripts walks the versions of scripts by application, the newest first.
func (c *Client) AllScripts(ctx context.Context, req ListScriptsRequest) iter.Seq2[Script, error] {
	return all(ctx, func(ctx context.Context) ([]Script, error) { return c.ListScripts(ctx, req) })
}

// GetScript reads a version with its files.
func (c *Client) GetScript(ctx context.Context, id string) (Script, error) {
	return get[Script](ctx, c, scriptPath(id), nil)
}

// ActivateScript lets a version answer people.
func (c *Client) ActivateScript(ctx context.Context, id string) (Script, error) {
	return send[Script](ctx, c, http.MethodPost, scriptPath(id)+"/activate", nil)
}

// DeactivateScript stops the bot.
func (c *Client) DeactivateScript(ctx context.Context, id string) (Script, error) {
	return send[Script](ctx, c, http.MethodPost, scriptPath(id)+"/deactivate", nil)
}

// RollBackScript makes the version active that was before the one that is.
func (c *Client) RollBackScript(ctx context.Context, application string) (Script, error) {
	return send[Script](ctx, c, http.MethodPost, applicationPath(application)+"/scripts/rollback", nil)
}

// TryScript tries a version; nothing is sent.
func (c *Client) TryScript(ctx context.Context, id string, req TryScriptRequest) (TryScriptResult, error) {
	return send[TryScriptResult](ctx, c, http.MethodPost, scriptPath(id)+"/try", req)
}

// DeleteScript removes a version that is not active.
func (c *Client) DeleteScript(ctx context.Context, id string) error {
	return c.remove(ctx, scriptPath(id))
}

// Conversation names the conversation of a person with a page.
type Conversation struct {
	Application string // key
	Person      string // page-scoped id
}

func (c Conversation) path() string {
	return "/v1/conversations/" + url.PathEscape(c.Application+":"+c.Person) + "/variables"
}

// BotState reads what the bot knows of a person.
func (c *Client) BotState(ctx context.Context, with Conversation) (BotState, error) {
	return get[BotState](ctx, c, with.path(), nil)
}

// ChangeBotState changes what the bot knows of a person.
func (c *Client) ChangeBotState(ctx context.Context, with Conversation, patch BotStatePatch) (BotState, error) {
	return send[BotState](ctx, c, http.MethodPatch, with.path(), patch)
}
