// Package graphemu emulates the Messenger Platform: the Graph API endpoints that a page's app
// calls, signed webhooks as the platform sends them, people who write, tap, scan and read, a clock
// that can be set, the platform's rules of any day since 2016, faults on request, and a chat page
// for the browser.
//
// The zero value of [Server] is ready to use as an http.Handler, and [New] returns one with
// options:
//
//	emu := graphemu.New(graphemu.WithEpoch("1"))
//	app := emu.AddApp(graphemu.App{Name: "Demo"})
//	page := emu.AddPage(graphemu.Page{Name: "Café", AppID: app.ID})
//	ana := emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana"})
//	http.ListenAndServe("127.0.0.1:8081", emu)
//
// Paths under /_emu/v1 are the control API in JSON, the twin of the methods of
// [Server]; /chat is the chat page; /sdk.js stands in for Facebook's page script;
// /m.me/{page}?ref= is the page's link; everything else is the Graph API under
// any version or none.
//
// The control API, each with the twin in Go:
//
//	POST  /_emu/v1/pages/{page}/people/{psid}/actions   Act
//	GET   /_emu/v1/pages/{page}/people/{psid}/thread    Thread
//	POST  /_emu/v1/pages/{page}/people/{psid}/inbox     AnswerFromInbox
//	PATCH /_emu/v1/pages/{page}/people/{psid}           SetBlocks, SetOffline:
//	                                                    {"blocks":…,"offline":…,"tester":…}
//	POST  /_emu/v1/pages/{page}/people                  AddPerson
//	PUT   /_emu/v1/pages/{page}/token                   SetPageToken: {"token":…},
//	                                                    SetTokenSettings: {"settings":…}
//	PUT   /_emu/v1/pages/{page}/primary                 SetPrimary: {"app_id":…}
//	POST  /_emu/v1/pages/{page}/policy                  EnforcePolicy: {"action":…,"reason":…}
//	GET   /_emu/v1/pages, /_emu/v1/pages/{page}         pages with their people and profile
//	POST  /_emu/v1/pages, /_emu/v1/apps                 AddPage, AddApp
//	GET   /_emu/v1/clock, PUT, DELETE                   Time, SetTime: {"now":…}, ResetTime
//	POST  /_emu/v1/clock/advance                        Advance: {"by":"25h"}
//	GET   /_emu/v1/limits, PUT                          SetLimits
//	PUT   /_emu/v1/delivery                             SetRetry of a DeliveryProfile: {"profile":…}
//	GET   /_emu/v1/webhooks?after=                      Webhooks: {"webhooks":[…],"last":…}
//	GET   /_emu/v1/calls?after=                         Calls: {"calls":[…],"last":…}
//	GET   /_emu/v1/events?after=, /_emu/v1/alerts       Events, Alerts
//	GET   /_emu/v1/journal, /_emu/v1/journal.har        Journal, HAR: ?kind=&page=&person=&field=
//	                                                    &path=&text=&status=&failed=true&since=
//	GET   /_emu/v1/faults, PUT /_emu/v1/faults          Faults, SetFaults: {"rules":[…]}
//	GET   /_emu/v1/snapshot, PUT                        SaveTo, LoadFrom
//	POST  /_emu/v1/files?name=                          file of a person, to attach: {"url":…}
//	POST  /_emu/v1/reset                                Reset
//	GET   /_emu/v1/stream                               server-sent events: what changed
//
// An [Interceptor] stands in for graph.facebook.com itself, for programs that have
// no setting for the address.
//
// The emulator answers with the platform's own codes. Where the platform is not
// known to do one thing or another, docs/emulator.md says what this one does.
package graphemu
