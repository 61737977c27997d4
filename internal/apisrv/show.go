package apisrv

import "github.com/chasqui/chasqui/internal/gateway"

// ShowMessage makes of a message what the API answers, for commands that write messages down.
func ShowMessage(m *gateway.Message) (any, error) { return wireMessage(m) }
