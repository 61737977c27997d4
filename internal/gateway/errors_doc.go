package gateway

import (
	"fmt"
	"strings"
)

// ErrorsDocument returns docs/errors.md: every code of the API and every failure code, as Markdown.
func ErrorsDocument() string {
	var b strings.Builder
	b.WriteString("# Errors\n\nThis page is made from the gateway's own tables; a test holds it equal to them.\n\n")
	b.WriteString("Every answer that is not a success has this body, whatever the route:\n\n")
	b.WriteString("```json\n{\"error\":{\"code\":\"invalid_request\",\"message\":\"must not be empty\",\"field\":\"to.fbMessengerId\",\"requestId\":\"…\"}}\n```\n\n")
	b.WriteString("`code` is for programs and keeps its spelling. `message` is for people and may change. `field` names the input at fault and is left out when there is none.\n")
	b.WriteString("`requestId` is also the header `X-Request-Id`; the gateway's log has the cause under it.\n\n")
	b.WriteString("## Codes of the API\n\n| code | status | meaning | what to do |\n|---|---|---|---|\n")
	for _, e := range ErrorTable() {
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", e.Code, e.Code.Status(), e.Meaning, e.Remedy)
	}
	b.WriteString("\n## Failure codes of messages and deliveries\n\n")
	b.WriteString("A message that was accepted and then came to nothing, and an event that could not be handed to a subscription, name one of these.\n\n")
	b.WriteString("| code | meaning | what to do |\n|---|---|---|\n")
	for _, f := range FailureTable() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Code, f.Meaning, f.Remedy)
	}
	return b.String()
}
