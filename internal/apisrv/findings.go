package apisrv

import (
	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
)

// setupPage is where the documentation says how a page is set up.
const setupPage = "docs/facebook-setup.md#"

func wireFindings(found []gateway.Finding) []gatewayapi.Finding {
	out := make([]gatewayapi.Finding, len(found))
	for i, f := range found {
		info, severity := f.Info(), gatewayapi.SeverityError
		if info.Warning {
			severity = gatewayapi.SeverityWarning
		}
		out[i] = gatewayapi.Finding{Code: f.Code, Severity: severity, Message: f.Message, Remedy: info.Remedy, Doc: setupPage + info.Section}
	}
	return out
}
