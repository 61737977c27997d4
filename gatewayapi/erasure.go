package gatewayapi

// The states of an erasure.
const (
	ErasurePending = "pending"
	ErasureDone    = "done"
)

// Erasure is the removal of everything that the gateway keeps of a person. It says nothing of the person.
type Erasure struct {
	// ID is unguessable: whoever knows it may see the state.
	ID     string `json:"id" doc:"Unguessable: whoever knows it may see the state."`
	Status string `json:"status" doc:"pending or done."`
	// Source is api, or platform for its data-deletion callback.
	Source    string `json:"source" doc:"api, or platform for its data-deletion callback."`
	StatusURL string `json:"statusUrl" doc:"Where to ask for the state with an API key."`
	// PageURL shows the state to the person.
	PageURL   string        `json:"pageUrl" doc:"A page that shows the state to the person."`
	Counts    ErasureCounts `json:"counts" doc:"What was removed or emptied so far."`
	CreatedAt Time          `json:"createdAt" doc:"When it was asked for."`
	DoneAt    Time          `json:"doneAt,omitzero" doc:"When it was done."`
}

// ErasureCounts is what an erasure has removed or emptied.
type ErasureCounts struct {
	Profiles   int64 `json:"profiles" doc:"Profiles removed."`
	Messages   int64 `json:"messages" doc:"Messages emptied."`
	Events     int64 `json:"events" doc:"Events of the log emptied."`
	Deliveries int64 `json:"deliveries" doc:"Deliveries to subscriptions emptied."`
	Canceled   int64 `json:"canceled" doc:"Queued messages that were not sent any more."`
}
