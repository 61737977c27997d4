package infobip

import (
	"github.com/chasqui/chasqui/internal/dialect"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/infobip/wire"
)

// Plug returns the dialect.
func Plug() dialect.Dialect {
	return dialect.Dialect{Name: wire.Dialect, Format: wire.OpenFormat, Extension: records.Extension(), Serve: serve}
}

func serve(e dialect.Environment) dialect.Served {
	server := New(Options{
		Now: e.Store.Now, NewID: e.Store.NewID, Keys: e.Keys, Applications: e.Applications, Messages: e.Messages, Profiles: e.Profiles, Subscriptions: e.Subscriptions, Routes: e.Routes,
		Records: &records.Records{Store: e.Store, Vault: e.Vault, Keys: e.Keys, Subscriptions: e.Subscriptions, Events: e.Events, Messages: e.Messages},
		Logger:  e.Logger, MaxBody: e.MaxBody, Observe: e.Observe,
	})
	return dialect.Served{Prefixes: Prefixes(), Handler: server, Worker: records.NewReporter(e.Store, e.Post, e.Logger)}
}
