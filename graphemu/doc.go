// Package graphemu is the Messenger Platform emulated: the Graph API endpoints
// that a page's app calls, signed webhooks as the platform sends them, people
// who write, tap and read, faults on request, and a chat page for the browser.
//
// The zero value of [Server] is ready to use as an http.Handler:
//
//	emu := &graphemu.Server{}
//	app := emu.AddApp(graphemu.App{Name: "Demo"})
//	page := emu.AddPage(graphemu.Page{Name: "Café", AppID: app.ID})
//	ana := emu.AddPerson(page.ID, graphemu.Person{FirstName: "Ana"})
//	http.ListenAndServe("127.0.0.1:8081", emu)
//
// Paths under /_emu/v1 are the control API in JSON, the twin of the methods of
// [Server]; /chat is the chat page; everything else is the Graph API under any
// version or none.
//
// The control API, each with the twin in Go:
//
//	POST  /_emu/v1/pages/{page}/people/{psid}/actions   Act
//	GET   /_emu/v1/pages/{page}/people/{psid}/thread    Thread
//	PATCH /_emu/v1/pages/{page}/people/{psid}           SetBlocks, SetOffline: {"blocks":…,"offline":…}
//	POST  /_emu/v1/pages/{page}/people                  AddPerson
//	PUT   /_emu/v1/pages/{page}/token                   SetPageToken: {"token":…}
//	GET   /_emu/v1/pages, /_emu/v1/pages/{page}         pages with their people and profile
//	POST  /_emu/v1/pages, /_emu/v1/apps                 AddPage, AddApp
//	GET   /_emu/v1/webhooks?after=, /_emu/v1/calls?after=   Webhooks, Calls: {"webhooks":[…],"last":…}, {"calls":[…],"last":…}
//	GET   /_emu/v1/faults, PUT /_emu/v1/faults          Faults, SetFaults: {"rules":[…]}
//	POST  /_emu/v1/reset                                Reset
//	GET   /_emu/v1/stream                               server-sent events: what changed
//
// The emulator answers with the platform's own codes. Two rules are its own
// choice: a person who has never written to the page has no thread, and a
// message to such a person is refused as outside the window (10/2018278), as is
// one after 24 hours without the tag HUMAN_AGENT.
package graphemu
