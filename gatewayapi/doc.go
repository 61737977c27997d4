// Package gatewayapi is the gateway's own HTTP API in Go: the types of the requests, answers and
// events of /v1, a client, and the receiving side of webhooks. The gateway itself uses the same
// types.
//
// # Calling
//
// [New] makes a [Client]. Its methods are Send, Get, List, Create, Update, Delete and a few more:
// the context first, then the id of what it is about, then one request struct. What may be left out
// is the zero value; in updates it is nil, and new(x) makes the pointer to a value. Each list has a
// method for one page and one that walks it: [Client.ListMessages], [Client.AllMessages].
//
// A client repeats what may be repeated. A message may when it has an idempotency key, and it is
// not sent twice then.
//
// # Errors
//
// Every error is an [*Error]: with the gateway's code, and the field at fault, or with a code of
// what went wrong on the way. errors.Is asks for a code.
//
// # Events
//
// An [Event] comes by webhook, by pull or in a list, and is the same in all. Its Data has a type
// for each type of event, see [EventData]. [Webhook] takes deliveries in: it verifies the signature
// and the age and bounds the body. [Client.Consume] pulls them instead. What the gateway adds
// tomorrow breaks no program of today: unknown types and fields are values, and never errors.
//
// JSON names are camelCase and times are RFC 3339 in UTC with milliseconds; the platform's own
// snake_case lives only inside customBody and raw. The package depends on the standard library and
// on package messenger, never on the gateway's inside.
package gatewayapi
