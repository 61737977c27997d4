package graphemu

import "github.com/chasqui/chasqui/messenger"

// badRequest is the HTTP status of almost all refusals.
const badRequest = 400

// errNoObject stands for the platform's answer for an object that does not exist or is not
// visible to the caller. The Graph API replaces it by one that names the call; see unsupported.
var errNoObject = &messenger.Error{Code: 100, Subcode: 33, Type: "GraphMethodException", Message: "Object does not exist", Status: badRequest}

// refuse returns a refusal of the platform.
func refuse(code, subcode int, message string) *messenger.Error {
	return &messenger.Error{Code: code, Subcode: subcode, Type: "OAuthException", Message: message, Status: badRequest}
}

// refuseProof returns a refusal because of the appsecret_proof.
func refuseProof(message string) *messenger.Error {
	return &messenger.Error{Code: 100, Type: "GraphMethodException", Message: message, Status: badRequest}
}

// notOwner refuses an app that does not control the thread.
func notOwner() *messenger.Error {
	return refuse(10, 2018300, "(#10) Message failed to send because another app is controlling this thread now.")
}

// refuseID refuses the PSID of an unknown person, with 2018001 if it could be one.
func refuseID(id string) *messenger.Error {
	for _, r := range id {
		if r < '0' || r > '9' {
			return refuse(100, 0, `(#100) Param recipient[id] must be a valid ID string (e.g., "123")`)
		}
	}
	return refuse(100, 2018001, "(#100) No matching user found")
}
