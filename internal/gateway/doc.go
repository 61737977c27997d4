// Package gateway is the domain of Chasqui: applications, profiles, messages, events and the rules
// that hold between them.
//
// It is pure: nothing here reads a clock, opens a file or a socket, or knows SQL or HTTP.
// Everything above it (store, service, the features) speaks in its types.
package gateway
