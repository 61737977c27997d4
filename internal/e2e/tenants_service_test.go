package e2e

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/channel"
	"github.com/chasqui/chasqui/internal/channel/providers"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/infobip/records"
	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/rivescript"
)

// keyed lists the exported methods of the use cases that take a key, from their source, so that a
// new one is seen.
func keyed(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../service/*.go", "../infobip/records/*.go", "../comapi/sessions/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() {
				continue
			}
			for _, p := range f.Type.Params.List {
				star, ok := p.Type.(*ast.StarExpr)
				if !ok {
					continue
				}
				if s, ok := star.X.(*ast.SelectorExpr); ok && s.Sel.Name == "APIKey" {
					all = append(all, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name+"."+f.Name.Name)
				}
			}
		}
	}
	return all
}

// useCase is a use case with A's key at what is B's. codes are the errors that are right, empty for
// none: then the answer must hold nothing of B's.
type useCase struct {
	codes string
	do    func(context.Context) (any, error)
}

// Every use case that takes a key, with a key of A at what is B's: a new one fails the test until
// it is said here what it returns.
func TestUseCasesForAnotherApplication(t *testing.T) {
	t.Parallel()
	x := startTenants(t)
	table := x.useCases()
	methods := keyed(t)
	if len(methods) < 70 {
		t.Fatalf("only %d use cases were found", len(methods))
	}
	for _, name := range methods {
		if len(table[name]) == 0 {
			t.Errorf("nobody has said what %s answers to a key that is limited to another application: give it a row", name)
		}
	}
	before := x.held()
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(methods, name) {
			t.Errorf("%s has a row and is not a use case with a key", name)
		}
		for i, c := range table[name] {
			answer, err := c.do(t.Context())
			if code := string(gateway.CodeOf(err)); err != nil && !slices.Contains(strings.Fields(c.codes), code) || err == nil && c.codes != "" {
				t.Errorf("%s (%d): %v, wanted %s", name, i, err, c.codes)
			}
			text := ""
			if err != nil {
				text = err.Error()
			} else if b, err := json.Marshal(answer); err == nil {
				text = string(b)
			}
			for _, marker := range x.markers {
				if err != nil && marker == x.names["psid"] {
					continue // an error may repeat what was asked for
				}
				if strings.Contains(text, marker) {
					t.Errorf("%s (%d) tells %s: %.500s", name, i, marker, text)
				}
			}
		}
		x.unharmed(t, name, before)
	}
	x.told(t)
}

func (x *tenants) useCases() map[string][]useCase {
	k, n, st, vault, directory := x.key, x.names, x.app.Store, x.app.Applications.Vault, x.app.Directory
	apps, subs, scripts, points := x.app.Applications, x.app.Subscriptions, x.app.Scripts, x.app.EntryPoints
	profiles := &service.Profiles{Store: st, Directory: directory}
	events := &service.Events{Store: st, Vault: vault, Directory: directory, Projected: st.Head}
	policy := &service.Policy{Store: st, Directory: directory}
	messages := &service.Messages{Store: st, Directory: directory, Policy: policy, Accounts: everywhere{}}
	channels := &service.Channels{Providers: channel.Describe(providers.Table()), Vault: vault, Store: st, Directory: directory, Probe: func(context.Context, *gateway.ChannelAccount) error { return nil }}
	conversations := &service.Conversations{Store: st, Directory: directory}
	erasures := &service.Erasures{Store: st, Directory: directory}
	optIns := &service.OptIns{Store: st, Directory: directory, Tokens: store.NewTokens(vault)}
	routes := &service.Routes{Store: st, Directory: directory}
	face := &records.Records{Store: st, Vault: vault, Keys: x.app.Keys, Subscriptions: subs, Events: events, Messages: messages}
	brought := &service.ChannelEvents{Store: st, Vault: vault, Directory: directory, Account: func(string, string) (string, bool) { return n["ours"], true }}
	configuration := &wire.Configuration{Key: n["configuration"], Application: x.b.key}
	rules := gateway.Rules(gateway.ChannelWebhook)
	toVictim := func() *gateway.MessageInput {
		return &gateway.MessageInput{To: gateway.To{ProfileID: n["profile"]}, Body: "{{profile.iban}}", Rules: rules}
	}
	byVictim := func() *gateway.MessageInput {
		return &gateway.MessageInput{To: gateway.To{FBMessengerID: "1"}, Body: "x", Rules: rules, Application: x.b.key}
	}
	routed := func() *gateway.MessageInput {
		return &gateway.MessageInput{To: gateway.To{PhoneNumber: "4915100002"}, Body: "x", Route: n["route"]}
	}
	only := func(codes string, do func(context.Context) (any, error)) []useCase { return []useCase{{codes, do}} }
	err := func(f func(context.Context) error) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) { return nil, f(ctx) }
	}
	in := func(app string) gateway.ChannelAccount {
		return gateway.ChannelAccount{Provider: "webhook", Application: app, Settings: []byte(`{"url":"https://x.example"}`)}
	}
	return map[string][]useCase{
		"Events.Inbound": only("not_found", func(ctx context.Context) (any, error) {
			e, _, err := events.Inbound(ctx, k, x.b.key, n["event"])
			return e, err
		}),
		"Events.LastInbound": only("not_found", func(ctx context.Context) (any, error) {
			return events.LastInbound(ctx, k, x.b.key, []string{n["psid"]}, time.Time{}, 10)
		}),
		"Applications.Check":       only("not_found", func(ctx context.Context) (any, error) { return apps.Check(ctx, k, x.b.key) }),
		"Applications.Connect":     only("forbidden", func(ctx context.Context) (any, error) { return apps.Connect(ctx, k, service.ConnectInput{}) }),
		"Applications.Delete":      only("not_found", err(func(ctx context.Context) error { return apps.Delete(ctx, k, x.b.key) })),
		"Applications.Get":         only("not_found", func(ctx context.Context) (any, error) { return apps.Get(ctx, k, x.b.key) }),
		"Applications.List":        only("", func(ctx context.Context) (any, error) { return apps.List(ctx, k) }),
		"Applications.Resubscribe": only("not_found", err(func(ctx context.Context) error { return apps.Resubscribe(ctx, k, x.b.key) })),
		"Applications.SetMessengerProfile": only("not_found", err(func(ctx context.Context) error {
			return apps.SetMessengerProfile(ctx, k, x.b.key, json.RawMessage(`{}`))
		})),
		"Applications.Update": only("not_found", func(ctx context.Context) (any, error) {
			return apps.Update(ctx, k, x.b.key, service.ApplicationChange{})
		}),

		"ChannelEvents.Bring": only("invalid_request", func(ctx context.Context) (any, error) {
			return brought.Bring(ctx, k, gateway.ChannelInbound{Channel: gateway.ChannelWebhook, Application: x.a.key, From: "1", ProfileID: n["profile"]}, "")
		}),
		"Channels.Check":  only("not_found", func(ctx context.Context) (any, error) { return channels.Check(ctx, k, n["channel"]) }),
		"Channels.Create": {{"forbidden", func(ctx context.Context) (any, error) { a := in(x.b.key); return channels.Create(ctx, k, &a) }}, {"forbidden", func(ctx context.Context) (any, error) { a := in(""); return channels.Create(ctx, k, &a) }}},
		"Channels.Delete": only("not_found", err(func(ctx context.Context) error { return channels.Delete(ctx, k, n["channel"]) })),
		"Channels.DeleteOptOut": {{"forbidden", err(func(ctx context.Context) error { return channels.DeleteOptOut(ctx, k, "", "sms", "49151999999") })},
			{"invalid_request", err(func(ctx context.Context) error { return channels.DeleteOptOut(ctx, k, x.b.key, "sms", "49151888888") })},
			{"not_found", err(func(ctx context.Context) error { return channels.DeleteOptOut(ctx, k, x.a.key, "sms", "49151888888") })}},
		"Channels.Get":  only("not_found", func(ctx context.Context) (any, error) { return channels.Get(ctx, k, n["channel"]) }),
		"Channels.List": only("", func(ctx context.Context) (any, error) { return channels.List(ctx, k) }),
		"Channels.OptOuts": {{"", func(ctx context.Context) (any, error) {
			return channels.OptOuts(ctx, k, store.OptOutFilter{Limit: 100})
		}}, {"forbidden", func(ctx context.Context) (any, error) {
			return channels.OptOuts(ctx, k, store.OptOutFilter{Applications: []string{x.b.key}, Limit: 100})
		}}},
		"Channels.SetOptOut": {{"forbidden", func(ctx context.Context) (any, error) { return channels.SetOptOut(ctx, k, "", "sms", "49151777777") }},
			{"invalid_request", func(ctx context.Context) (any, error) {
				return channels.SetOptOut(ctx, k, x.b.key, "sms", "49151777777")
			}}},
		"Channels.Update": {{"not_found", func(ctx context.Context) (any, error) {
			return channels.Update(ctx, k, n["channel"], func(*gateway.ChannelAccount) error { return nil })
		}},
			{"forbidden", func(ctx context.Context) (any, error) {
				return channels.Update(ctx, k, n["ours"], func(a *gateway.ChannelAccount) error { a.Application = x.b.key; return nil })
			}}},

		"Conversations.Change": only("not_found", func(ctx context.Context) (any, error) {
			return conversations.Change(ctx, k, x.b.key+":"+n["psid"], service.BotPatch{})
		}),
		"Conversations.State": only("not_found", func(ctx context.Context) (any, error) { return conversations.State(ctx, k, x.b.key+":"+n["psid"]) }),

		"EntryPoints.Create": only("invalid_request", err(func(ctx context.Context) error {
			return points.Create(ctx, k, &gateway.EntryPoint{Application: x.b.key, Kind: gateway.EntryLink, Ref: "x"})
		})),
		"EntryPoints.CreateMany": only("invalid_request", func(ctx context.Context) (any, error) {
			return points.CreateMany(ctx, k, gateway.EntryPoint{Application: x.b.key, Kind: gateway.EntryLink, Ref: "x{n}"}, 1, 2)
		}),
		"EntryPoints.Get": only("not_found", func(ctx context.Context) (any, error) { return points.Get(ctx, k, n["entry"]) }),
		"EntryPoints.Goal": {{"invalid_request", err(func(ctx context.Context) error {
			return points.Goal(ctx, k, gateway.To{ProfileID: n["profile"]}, &gateway.Goal{Lane: gateway.Lane{Application: x.a.key}, Name: "g"})
		})},
			{"invalid_request", err(func(ctx context.Context) error {
				return points.Goal(ctx, k, gateway.To{FBMessengerID: n["psid"]}, &gateway.Goal{Lane: gateway.Lane{Application: x.b.key}, Name: "g"})
			})}},
		"EntryPoints.List": {{"", func(ctx context.Context) (any, error) { return points.List(ctx, k, store.EntryPointFilter{Limit: 100}) }}, {"forbidden", func(ctx context.Context) (any, error) {
			return points.List(ctx, k, store.EntryPointFilter{Applications: []string{x.b.key}, Limit: 100})
		}}},
		"EntryPoints.Report": only("forbidden", func(ctx context.Context) (any, error) {
			rows, _, err := points.Report(ctx, k, service.ReportQuery{Applications: []string{x.b.key}, From: time.Unix(0, 0), To: time.Unix(900, 0), Group: service.GroupRef, Zone: time.UTC})
			return rows, err
		}),
		"EntryPoints.Update": only("not_found", func(ctx context.Context) (any, error) {
			return points.Update(ctx, k, n["entry"], service.EntryPointChange{})
		}),

		"Erasures.Forget": only("not_found", func(ctx context.Context) (any, error) { return erasures.Forget(ctx, k, n["profile"], 0) }),
		"Erasures.Get":    only("not_found", func(ctx context.Context) (any, error) { return erasures.Get(ctx, k, n["erasure"]) }),

		"Events.List": {{"", func(ctx context.Context) (any, error) { return events.List(ctx, k, service.EventQuery{Limit: 100}) }}, {"forbidden", func(ctx context.Context) (any, error) {
			return events.List(ctx, k, service.EventQuery{Application: x.b.key, Limit: 100})
		}},
			{"forbidden", func(ctx context.Context) (any, error) {
				return events.List(ctx, k, service.EventQuery{Application: service.ApplicationNone, Limit: 100})
			}}},
		"Events.RetrySetAside": only("not_found", err(func(ctx context.Context) error { return events.RetrySetAside(ctx, k, n["event"], "entrypoints") })),
		"Events.SetAsides": only("", func(ctx context.Context) (any, error) {
			return events.SetAsides(ctx, k, store.SetAsideFilter{Limit: 100})
		}),

		"Records.Actions":             only("", func(ctx context.Context) (any, error) { return face.Actions(ctx, k, configuration) }),
		"Records.Chat":                only("not_found", func(ctx context.Context) (any, error) { return face.Chat(ctx, k, n["chat"]) }),
		"Records.CreateAction":        only("forbidden", func(ctx context.Context) (any, error) { return face.CreateAction(ctx, k, configuration, "", "") }),
		"Records.Configuration":       only("not_found", func(ctx context.Context) (any, error) { return face.Configuration(ctx, k, x.b.key, n["configuration"]) }),
		"Records.Configurations":      only("not_found", func(ctx context.Context) (any, error) { return face.Configurations(ctx, k, x.b.key) }),
		"Records.CreateConfiguration": only("not_found", func(ctx context.Context) (any, error) { return face.CreateConfiguration(ctx, k, x.b.key, "") }),
		"Records.DeleteConfiguration": only("not_found", err(func(ctx context.Context) error { return face.DeleteConfiguration(ctx, k, configuration) })),
		"Records.Logs": {{"", func(ctx context.Context) (any, error) {
			return face.Logs(ctx, k, records.Query{API: wire.APIOMNI, Limit: 10})
		}}, {"forbidden", func(ctx context.Context) (any, error) {
			return face.Logs(ctx, k, records.Query{API: wire.APIOMNI, From: x.b.key, Limit: 10})
		}}},
		"Records.TakeInbound": only("", func(ctx context.Context) (any, error) {
			rows, _, err := face.TakeInbound(ctx, k, x.b.key, 10)
			return rows, err
		}),
		"Records.TakeReports": only("", func(ctx context.Context) (any, error) {
			return face.TakeReports(ctx, k, records.Query{API: wire.APIFacebook, Limit: 10})
		}),

		"Messages.Cancel": only("not_found", func(ctx context.Context) (any, error) { return messages.Cancel(ctx, k, n["msg"]) }),
		"Messages.Check":  only("invalid_request", func(ctx context.Context) (any, error) { m, _, err := messages.Check(ctx, k, toVictim()); return m, err }),
		"Messages.Get":    only("not_found", func(ctx context.Context) (any, error) { return messages.Get(ctx, k, n["msg"]) }),
		"Messages.List": {{"", func(ctx context.Context) (any, error) {
			return messages.List(ctx, k, store.MessageFilter{ProfileID: n["profile"], Limit: 100})
		}}, {"forbidden", func(ctx context.Context) (any, error) {
			return messages.List(ctx, k, store.MessageFilter{Applications: []string{x.b.key}, Limit: 100})
		}}},
		"Messages.Plan":    {{"invalid_request", func(ctx context.Context) (any, error) { return messages.Plan(ctx, k, toVictim()) }}, {"invalid_request", func(ctx context.Context) (any, error) { return messages.Plan(ctx, k, byVictim()) }}, {"invalid_request", func(ctx context.Context) (any, error) { return messages.Plan(ctx, k, routed()) }}},
		"Messages.Release": only("not_found", func(ctx context.Context) (any, error) { return messages.Release(ctx, k, n["msg"]) }),
		"Messages.Send":    {{"invalid_request", func(ctx context.Context) (any, error) { return messages.Send(ctx, k, toVictim(), "", nil) }}, {"invalid_request", func(ctx context.Context) (any, error) { return messages.Send(ctx, k, byVictim(), "", nil) }}},
		"Messages.SendBatch": only("", func(ctx context.Context) (any, error) {
			verdicts, _, err := messages.SendBatch(ctx, k, []gateway.MessageInput{*toVictim(), *byVictim(), *routed()}, "", nil)
			for _, v := range verdicts {
				if v.Err == nil {
					return nil, gateway.Errorf(gateway.CodeInternal, "a message of the batch was taken")
				}
			}
			return nil, err
		}),

		"OptIns.Create": {{"conflict", func(ctx context.Context) (any, error) {
			token, _, err := optIns.Create(ctx, k, service.OptInInput{Application: x.a.key, ProfileID: n["profile"]})
			return token, err
		}},
			{"invalid_request", func(ctx context.Context) (any, error) {
				token, _, err := optIns.Create(ctx, k, service.OptInInput{Application: x.b.key, ProfileID: "new"})
				return token, err
			}}},
		"OptIns.CreateNamed": only("conflict", func(ctx context.Context) (any, error) {
			return optIns.CreateNamed(ctx, k, x.a.key, map[string]any{"profileId": n["profile"]})
		}),

		"Profiles.Create": {{"conflict", func(ctx context.Context) (any, error) {
			return profiles.Create(ctx, k, json.RawMessage(x.named(`{"id":"{profile}","fbMessengerIds":{"{A}":"1"}}`)))
		}}, {"forbidden", func(ctx context.Context) (any, error) {
			return profiles.Create(ctx, k, json.RawMessage(x.named(`{"id":"p1","fbMessengerIds":{"{B}":"1"}}`)))
		}}},
		"Profiles.Delete":     only("not_found", err(func(ctx context.Context) error { return profiles.Delete(ctx, k, n["profile"], 0) })),
		"Profiles.DeleteMany": only("", func(ctx context.Context) (any, error) { return profiles.DeleteMany(ctx, k, []string{n["profile"]}) }),
		"Profiles.Enrich": only("", err(func(ctx context.Context) error {
			return profiles.Enrich(ctx, k, x.a.key, n["profile"], map[string]string{"lastName": "Pwn"}, "1")
		})),
		"Profiles.Get": only("not_found", func(ctx context.Context) (any, error) { return profiles.Get(ctx, k, n["profile"]) }),
		"Profiles.List": {{"", func(ctx context.Context) (any, error) {
			return profiles.List(ctx, k, store.ProfileFilter{IDPrefix: "cust", Limit: 100})
		}}, {"forbidden", func(ctx context.Context) (any, error) {
			return profiles.List(ctx, k, store.ProfileFilter{Applications: []string{x.b.key}, Limit: 100})
		}}},
		"Profiles.MergeMany": only("conflict", func(ctx context.Context) (any, error) {
			return profiles.MergeMany(ctx, k, []service.ProfileChange{{ID: n["profile"], Patch: json.RawMessage(x.named(`{"fbMessengerIds":{"{A}":"1"}}`))}})
		}),
		"Profiles.Patch": only("not_found", func(ctx context.Context) (any, error) {
			return profiles.Patch(ctx, k, n["profile"], 0, json.RawMessage(`{"email":"evil@evil.example"}`))
		}),

		"Routes.Delete": only("not_found", err(func(ctx context.Context) error { return routes.Delete(ctx, k, n["route"]) })),
		"Routes.Get": {{"not_found", func(ctx context.Context) (any, error) { return routes.Get(ctx, k, n["route"]) }}, {"not_found", func(ctx context.Context) (any, error) {
			_, err := routes.Get(ctx, k, "victim-route")
			return nil, hidden(err)
		}}},
		"Routes.List": only("", func(ctx context.Context) (any, error) { return routes.List(ctx, k) }),
		"Routes.Save": {{"not_found", err(func(ctx context.Context) error {
			return routes.Save(ctx, k, &gateway.Route{ID: n["route"], Name: "x", Application: x.a.key, Rules: rules})
		})},
			{"invalid_request", err(func(ctx context.Context) error {
				return routes.Save(ctx, k, &gateway.Route{Name: "x", Application: x.b.key, Rules: rules})
			})},
			{"", err(func(ctx context.Context) error {
				return routes.Save(ctx, k, &gateway.Route{Name: "victim-route", Application: x.a.key, Rules: rules, Default: true})
			})}},

		"Scripts.Activate": only("not_found", func(ctx context.Context) (any, error) { return scripts.Activate(ctx, k, n["older"], true) }),
		"Scripts.Delete":   only("not_found", err(func(ctx context.Context) error { return scripts.Delete(ctx, k, n["older"]) })),
		"Scripts.Get":      only("not_found", func(ctx context.Context) (any, error) { return scripts.Get(ctx, k, n["script"]) }),
		"Scripts.List":     {{"", func(ctx context.Context) (any, error) { return scripts.List(ctx, k, x.b.key) }}, {"", func(ctx context.Context) (any, error) { return scripts.List(ctx, k, "") }}},
		"Scripts.RollBack": only("invalid_request", func(ctx context.Context) (any, error) { return scripts.RollBack(ctx, k, x.b.key) }),
		"Scripts.Try": only("not_found", func(ctx context.Context) (any, error) {
			return scripts.Try(ctx, k, n["script"], service.Trial{Text: "xyzzy", User: &rivescript.User{ID: "u"}})
		}),
		"Scripts.Validate": only("", func(ctx context.Context) (any, error) {
			warnings, problems, err := scripts.Validate(ctx, k, &service.ScriptInput{Files: []script.File{{Name: "a.rive", Text: "+ x\n- y\n"}}})
			return append(warnings, problems...), err
		}),
		"Scripts.Upload": only("invalid_request", func(ctx context.Context) (any, error) {
			s, _, err := scripts.Upload(ctx, k, service.ScriptInput{Application: x.b.key, Files: []script.File{{Name: "a.rive", Text: "+ x\n- y\n"}}})
			return s, err
		}),

		"Subscriptions.AddSecret": only("not_found", func(ctx context.Context) (any, error) { return subs.AddSecret(ctx, k, n["sub"], "", 0) }),
		"Subscriptions.Create": {{"forbidden", err(func(ctx context.Context) error {
			return subs.Create(ctx, k, &gateway.Subscription{Kind: gateway.KindPull}, "")
		})}, {"forbidden", err(func(ctx context.Context) error {
			return subs.Create(ctx, k, &gateway.Subscription{Kind: gateway.KindPull, Applications: []string{x.b.key}}, "")
		})}},
		"Subscriptions.Delete":       only("not_found", err(func(ctx context.Context) error { return subs.Delete(ctx, k, n["sub"]) })),
		"Subscriptions.DeleteSecret": only("not_found", func(ctx context.Context) (any, error) { return subs.DeleteSecret(ctx, k, n["sub"], "x") }),
		"Subscriptions.Get":          only("not_found", func(ctx context.Context) (any, error) { return subs.Get(ctx, k, n["pull"]) }),
		"Subscriptions.List":         only("", func(ctx context.Context) (any, error) { return subs.List(ctx, k) }),
		"Subscriptions.Update": only("not_found", func(ctx context.Context) (any, error) {
			return subs.Update(ctx, k, n["sub"], func(*gateway.Subscription) error { return nil })
		}),
	}
}

// hidden takes a name out of an error's words that the caller has said.
func hidden(err error) error {
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return gateway.NotFound("route", "")
	}
	return err
}

// everywhere has an account for every channel.
type everywhere struct{}

func (everywhere) Has(string, string) bool { return true }
