// Package dialect is the socket for APIs of other vendors that the gateway speaks beside its own: a
// dialect is a package that owns its requests, answers, errors, format of deliveries and tables,
// and is plugged in by one line in package app. Nothing else knows a dialect by name.
package dialect

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
)

// Dialect is one API.
type Dialect struct {
	// Name is the origin of messages that came through it, and the name of its format.
	Name string
	// Format makes the format of its deliveries of what is kept with a subscription.
	Format func(data json.RawMessage) (gateway.Format, error)
	// Extension is what it keeps in the database.
	Extension store.Extension
	// Serve makes what answers its calls.
	Serve func(Environment) Served
}

// Served is what a dialect has at work.
type Served struct {
	// Handler answers for the addresses that begin with one of Prefixes and that nobody else has.
	Handler  http.Handler
	Prefixes []string
	// Worker is started and stopped with the gateway; nil for none.
	Worker Worker
}

// Worker is what a dialect does beside answering requests.
type Worker interface {
	Start(context.Context)
	Stop()
}

// Environment is what a dialect works with.
type Environment struct {
	*service.Services
	Store  *store.Store
	Vault  *store.Vault
	Tokens *store.Tokens
	Logger *slog.Logger
	// Post posts a body to an address that a user gave, as far as it may be reached.
	Post func(ctx context.Context, url string, body gateway.Body) (*http.Response, error)
	// Sessions are the settings of customers' own sessions.
	Sessions SessionSettings
	// MaxBody is how large the body of a request may be, in bytes.
	MaxBody int64
	// Observe is called after each request with its route, such as `POST /v1/messages`.
	Observe func(route string, status int, took time.Duration)
}

// SessionSettings say how a business tells who its customers are.
type SessionSettings struct {
	Secret                    gateway.Secret
	Issuer, Audience, IDClaim string
	Fields                    []string
}
