// Package messenger is the Messenger Platform in Go: the types that travel on
// the wire in both directions, a client for the Graph API, and the receiving
// side of webhooks (verification, signature, splitting, typed events).
//
// Sending starts with [New] and [Client.Send]. Receiving starts with [Verify]
// on the raw body, then [Split] when only the place of each event matters, or
// [Parse] when the typed events are wanted.
//
// What the platform adds tomorrow must not break a program today. Unknown
// events and unknown attachments are therefore values and never errors, every
// event keeps the bytes it was made from, and ids are accepted as JSON strings
// and as JSON numbers.
//
// A call that the platform refuses returns an [*Error]. [Error.Verdict] says
// what to do about it, [Unsent] and [OutcomeUnknown] say what is known about a
// call that brought no answer.
//
// The package depends on the standard library only.
package messenger
