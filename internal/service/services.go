// Package service holds the use cases of the gateway: what every face does, whichever API a request came by. A use case that takes the id of something takes the key of who asks
// too, and answers not_found for what the key may not see.
package service

// Services are all use cases, for the faces.
type Services struct {
	Applications  *Applications
	Brought       *ChannelEvents
	Channels      *Channels
	Conversations *Conversations
	Directory     *Directory
	EntryPoints   *EntryPoints
	Erasures      *Erasures
	Events        *Events
	Keys          *Keys
	Messages      *Messages
	OptIns        *OptIns
	Profiles      *Profiles
	Routes        *Routes
	Scripts       *Scripts
	Subscriptions *Subscriptions
}
