package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/app"
	"github.com/chasqui/chasqui/internal/config"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make an API key and print it; it cannot be read again."`
	List   keyListCmd   `cmd:"" help:"List the API keys, without the keys themselves."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke an API key; a running gateway refuses it within two seconds."`
}

// databaseFlags are embedded by the subcommands that work on the database.
type databaseFlags struct {
	configFile
	config.Storage
}

// open opens the database beside a gateway that may be running on it.
func (d databaseFlags) open(c console) (*store.Store, error) {
	if d.Store == "" {
		if err := os.MkdirAll(d.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	log := slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return app.OpenStore(c.ctx, store.Options{URL: d.Database(), Shared: true, KeyFileShared: d.KeyFileShared, Logger: log})
}

// apiKey is a key as --json prints it.
type apiKey struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Key          string          `json:"key,omitempty"`
	Scopes       []gateway.Scope `json:"scopes"`
	Applications []string        `json:"applications"`
	CreatedAt    gatewayapi.Time `json:"createdAt"`
	RevokedAt    gatewayapi.Time `json:"revokedAt,omitzero"`
}

func shownKey(k *gateway.APIKey) apiKey {
	shown := apiKey{ID: k.ID, Name: k.Name, Scopes: k.Scopes, Applications: k.Applications, CreatedAt: gatewayapi.At(k.CreatedAt), RevokedAt: gatewayapi.At(k.RevokedAt)}
	if shown.Applications == nil {
		shown.Applications = []string{}
	}
	return shown
}

type keyCreateCmd struct {
	databaseFlags
	Name        string   `default:"key" help:"Name to know the key by."`
	Scope       []string `default:"*" help:"Scopes, such as messages:write; * opens everything."`
	Application []string `help:"Keys of the applications to limit it to; all when left out."`
	JSON        bool     `name:"json" help:"Print JSON."`
}

// Run makes a key.
func (cmd keyCreateCmd) Run(c console) error {
	s, err := cmd.open(c)
	if err != nil {
		return err
	}
	defer s.Close()
	scopes := make([]gateway.Scope, len(cmd.Scope))
	for i, scope := range cmd.Scope {
		scopes[i] = gateway.Scope(scope)
	}
	if err := gateway.ValidateAPIKey(cmd.Name, scopes, cmd.Application); err != nil {
		return usageError{err}
	}
	key, secret, err := service.CreateKey(c.ctx, s, cmd.Name, scopes, cmd.Application)
	if err != nil {
		return err
	}
	if cmd.JSON {
		shown := shownKey(key)
		shown.Key = secret.Reveal()
		return printJSON(c.stdout, shown)
	}
	fmt.Fprintf(c.stderr, "API key %s, named %q. It is printed this once; keep it safe.\n", key.ID, key.Name)
	_, err = fmt.Fprintln(c.stdout, secret.Reveal())
	return err
}

type keyListCmd struct {
	databaseFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the keys.
func (cmd keyListCmd) Run(c console) error {
	s, err := cmd.open(c)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := s.Keys(c.ctx)
	if err != nil {
		return err
	}
	shown := make([]apiKey, len(keys))
	for i, k := range keys {
		shown[i] = shownKey(k)
	}
	if cmd.JSON {
		return printJSON(c.stdout, shown)
	}
	w := tabwriter.NewWriter(c.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tAPPLICATIONS\tCREATED\tREVOKED")
	for i, k := range shown {
		scopes := make([]string, len(keys[i].Scopes))
		for j, scope := range k.Scopes {
			scopes[j] = string(scope)
		}
		applications, revoked := "all", "no"
		if len(k.Applications) > 0 {
			applications = strings.Join(k.Applications, ",")
		}
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(scopes, ","), applications, k.CreatedAt, revoked)
	}
	return w.Flush()
}

type keyRevokeCmd struct {
	databaseFlags
	ID string `arg:"" help:"Id of the key, as list shows it."`
}

// Run revokes a key.
func (cmd keyRevokeCmd) Run(c console) error {
	s, err := cmd.open(c)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.RevokeKey(c.ctx, cmd.ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "revoked %s\n", cmd.ID)
	return err
}

func printJSON(w io.Writer, v any) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(encoded, '\n'))
	return err
}
