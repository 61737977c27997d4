package graphemu

import "github.com/chasqui/chasqui/messenger"

// badRequest is the status of nearly all refusals.
const badRequest = 400

// errNoObject stands for the platform's answer to what it does not have, or does
// not show. The Graph API fills in the call: see unsupported.
var errNoObject = &messenger.Error{Code: 100, Subcode: 33, Type: "GraphMethodException", Message: "Object does not exist", Status: badRequest}

func refuse(code, subcode int, message string) *messenger.Error {
	return &messenger.Error{Code: code, Subcode: subcode, Type: "OAuthException", Message: message, Status: badRequest}
}

func refuseProof(message string) *messenger.Error {
	return &messenger.Error{Code: 100, Type: "GraphMethodException", Message: message, Status: badRequest}
}

func notOwner() *messenger.Error {
	return refuse(10, 2018300, "(#10) Message failed to send because another app is controlling this thread now.")
}

// refuseID refuses the id of a person that nobody has: 2018001 when it could be
// one.
func refuseID(id string) *messenger.Error {
	for _, r := range id {
		if r < '0' || r > '9' {
			return refuse(100, 0, `(#100) Param recipient[id] must be a valid ID string (e.g., "123")`)
		}
	}
	return refuse(100, 2018001, "(#100) No matching user found")
}
