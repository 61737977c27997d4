// Package messenger is the Messenger Platform in Go: the types that travel on
// the wire in both directions, a client for the Graph API, and the receiving
// side of webhooks (verification, signature, splitting, typed events).
//
// # Calling
//
// [New] makes a [Client] for one page's token, [Client.As] one for another page
// over the same connections. [Client.Send] sends; the other methods are all the
// platform offers, one for each call. Lists have a method for one page and one
// that walks them: [Client.ListLabels], [Client.AllLabels]. [Client.NewBatch]
// puts any calls into few requests. [Client.Do] makes calls that have no method.
//
// What the platform has retired stays callable, for old versions and private servers. It is marked
// as deprecated with the day and what to use now, and [Support] says what the platform accepts.
//
// # Errors
//
// Every call returns the same three errors. A request that breaks a limit is a
// [*FieldError] before anything is sent. What the platform refuses is an
// [*Error]: it matches [ErrRateLimited], [ErrOutsideWindow], [ErrUnreachable],
// [ErrTokenInvalid] and the others through errors.Is, and [Error.Verdict] says
// what to do about it. A call without an answer is a [*CallError]. [Unsent] and
// [OutcomeUnknown] tell whether a call may be made again; the client itself
// repeats nothing, and [RetryTransport] nothing that may have been done.
//
// # Receiving
//
// [Handler] receives webhooks over net/http. Programs with a server of their own
// start with [Verify] on the raw body, then [Split] when only the place of each
// event matters, or [Parse] when the typed events are wanted.
//
// What the platform adds tomorrow must not break a program today. Unknown
// events and unknown attachments are therefore values and never errors, every
// event keeps the bytes it was made from, and ids are accepted as JSON strings
// and as JSON numbers.
//
// The package depends on the standard library only.
package messenger
