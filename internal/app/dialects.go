package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/chasqui/chasqui/internal/comapi"
	"github.com/chasqui/chasqui/internal/dialect"
	"github.com/chasqui/chasqui/internal/forward"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip"
	"github.com/chasqui/chasqui/internal/store"
)

// dialects are the APIs of other vendors that the gateway speaks.
func dialects() []dialect.Dialect {
	return []dialect.Dialect{
		comapi.Plug(),
		infobip.Plug(),
	}
}

// OpenStore opens the database with everything that the gateway keeps in it. Every program that
// opens a gateway's database does so here.
func OpenStore(ctx context.Context, o store.Options) (*store.Store, error) {
	for _, d := range dialects() {
		o.Extensions = append(o.Extensions, d.Extension)
	}
	return store.Open(ctx, o)
}

// formats are the formats of deliveries: the gateway's own, and one for each dialect.
func formats() gateway.Formats {
	all := gateway.Formats{"": forward.OpenOwn}
	for _, d := range dialects() {
		all[d.Name] = d.Format
	}
	return all
}

// serveDialects makes what answers for the addresses of dialects, and leaves all others to next.
func (a *App) serveDialects(e dialect.Environment, next http.Handler) http.Handler {
	var all []dialect.Served
	for _, d := range dialects() {
		own := e
		own.Logger = component(a.o.Logger, d.Name)
		served := d.Serve(own)
		if served.Worker != nil {
			a.workers = append(a.workers, served.Worker)
		}
		all = append(all, served)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, served := range all {
			for _, prefix := range served.Prefixes {
				if strings.HasPrefix(r.URL.Path, prefix) {
					served.Handler.ServeHTTP(w, r)
					return
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// startDialects starts what dialects do beside answering requests.
func (a *App) startDialects(ctx context.Context) {
	for _, w := range a.workers {
		w.Start(ctx)
		a.defers("dialect", func(context.Context) error { w.Stop(); return nil })
	}
}
