package gatewayapi

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// ScriptFile is one file of a bot's scripts.
type ScriptFile struct {
	// Ends in .rive, .rs or .topic; a .topic file is a topic of that name.
	Name string `json:"name"`
	// The file's content.
	Text string `json:"text"`
}

// UploadScriptRequest makes a version of an application's scripts.
type UploadScriptRequest struct {
	// Key of the application.
	Application string `json:"application,omitempty"`
	// rivescript or dexter; guessed from the files when left out.
	Dialect ScriptDialect `json:"dialect,omitempty" enum:"rivescript,dexter"`
	// For people; up to 1,000 bytes.
	Note string `json:"note,omitempty"`
	// Up to 1,000 files, 16 MiB together.
	Files []ScriptFile `json:"files"`
	// Let it answer people at once.
	Activate bool `json:"activate,omitempty"`
}

// ScriptProblem is something in a script that is not as it should be.
type ScriptProblem struct {
	File string `json:"file,omitempty"`
	// From 1.
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Script is a version of an application's scripts.
type Script struct {
	ID string `json:"id"`
	// Key of the application.
	Application string `json:"application"`
	// Grows by 1 with each upload for the application.
	Version int           `json:"version"`
	Dialect ScriptDialect `json:"dialect"`
	Note    string        `json:"note,omitempty"`
	// Whether it answers people.
	Active bool `json:"active"`
	// Missing in lists.
	Files []ScriptFile `json:"files,omitempty"`
	// Only in the answer to an upload.
	Warnings  []ScriptProblem `json:"warnings,omitempty"`
	CreatedAt Time            `json:"createdAt"`
	// The last time it was made active.
	ActivatedAt Time `json:"activatedAt,omitzero"`
}

// ScriptList holds versions by application, the newest first.
type ScriptList struct {
	Scripts []Script `json:"scripts"`
}

// ScriptValidation says whether files would be taken.
type ScriptValidation struct {
	OK      bool          `json:"ok"`
	Dialect ScriptDialect `json:"dialect"`
	// For which an upload is refused.
	Problems []ScriptProblem `json:"problems"`
	// For which it is not.
	Warnings []ScriptProblem `json:"warnings"`
}

// TryScriptRequest tries a version; nothing is sent.
type TryScriptRequest struct {
	// What the person writes.
	Text string `json:"text,omitempty"`
	// What happens instead: the payload of a postback, or __fbref__.
	Event string `json:"event,omitempty"`
	// What the bot knows before; topic is one of them.
	Variables map[string]string `json:"variables,omitempty"`
}

// TryScriptResult is what a version would say.
type TryScriptResult struct {
	// The engine's whole text.
	Reply string `json:"reply"`
	// What it makes on Messenger.
	Messages []ScriptMessage `json:"messages"`
	// The trigger that won.
	Trigger string `json:"trigger,omitempty"`
	// Why there is no answer, such as ERR: No Reply Matched.
	Error string `json:"error,omitempty"`
	// What the bot knows afterwards.
	Variables map[string]string `json:"variables"`
}

// ScriptMessage is one of the messages of a reply.
type ScriptMessage struct {
	Text string `json:"text,omitempty"`
	// Seconds before it.
	Delay      float64           `json:"delay,omitempty"`
	Shortcodes []ScriptShortcode `json:"shortcodes,omitempty"`
}

// ScriptShortcode is a ^name(…) in a message.
type ScriptShortcode struct {
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// BotState is what a bot knows of a person.
type BotState struct {
	// Of the conversation: application and person with a colon between.
	ID          string    `json:"id"`
	Application string    `json:"application"`
	Person      PersonRef `json:"person"`
	// topic is one of them.
	Variables map[string]string `json:"variables"`
	Topic     string            `json:"topic"`
	// People answer; the bot is silent.
	Human bool `json:"human"`
}

// PersonRef names a person of an application.
type PersonRef struct {
	// PSID.
	ID string `json:"id"`
}

// BotStatePatch changes what a bot knows. What is left out stays.
type BotStatePatch struct {
	// null forgets one.
	Variables map[string]*string `json:"variables,omitempty"`
	// true silences the bot, false gives it the conversation back.
	Human *bool `json:"human,omitempty"`
}

func scriptPath(id string) string { return "/v1/scripts/" + url.PathEscape(id) }

// UploadScript stores a version of an application's scripts.
func (c *Client) UploadScript(ctx context.Context, req UploadScriptRequest) (Script, error) {
	return send[Script](ctx, c, http.MethodPost, "/v1/scripts", req)
}

// ValidateScript reports whether files would be taken.
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
