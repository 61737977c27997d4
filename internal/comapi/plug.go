package comapi

import (
	"github.com/chasqui/chasqui/internal/comapi/sessions"
	"github.com/chasqui/chasqui/internal/dialect"
)

// Plug returns the dialect.
func Plug() dialect.Dialect {
	return dialect.Dialect{Name: Dialect, Format: OpenFormat, Extension: sessions.Extension(), Serve: serve}
}

func serve(e dialect.Environment) dialect.Served {
	return dialect.Served{Prefixes: Prefixes(), Handler: New(Options{
		Now: e.Store.Now, Directory: e.Directory, Keys: e.Keys, Messages: e.Messages, Events: e.Events, Brought: e.Brought, Profiles: e.Profiles, Erasures: e.Erasures,
		Subscriptions: e.Subscriptions, OptIns: e.OptIns,
		Sessions: &sessions.Sessions{
			Store: e.Store, Directory: e.Directory, Profiles: e.Profiles, Tokens: e.Tokens,
			Secret: e.Sessions.Secret, Issuer: e.Sessions.Issuer, Audience: e.Sessions.Audience, IDClaim: e.Sessions.IDClaim, Fields: e.Sessions.Fields,
		},
		Logger: e.Logger, MaxBody: e.MaxBody, Observe: e.Observe,
	})}
}
