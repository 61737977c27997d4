// Package gatewayapi is the gateway's own HTTP API in Go: the types of the requests and answers of /v1, and a client.
//
// It is for programs that use a gateway. JSON names are camelCase and times are RFC 3339 in UTC with milliseconds; the platform's own
// snake_case lives only inside customBody and raw. It depends on the standard library only, never on the gateway's inside.
package gatewayapi
