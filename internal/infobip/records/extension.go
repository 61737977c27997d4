package records

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"

	"github.com/chasqui/chasqui/internal/infobip/wire"
	"github.com/chasqui/chasqui/internal/store"
)

//go:embed 0009_infobip.sql
var tables string

// reader is the name of the reader of the log that makes reports.
const reader = "reports"

// Extension is what this package keeps in the database.
func Extension() store.Extension {
	return store.Extension{
		Name:       wire.Dialect,
		Migrations: []store.Migration{{Version: 9, SQL: tables}, {Version: 16, Run: carryOver}},
		Tables: []store.Table{
			{Name: "infobip_configurations", Application: "app"},
			{Name: "infobip_sessions", Age: &store.Age{Key: "hash", Since: "expires_at", Life: store.Week}},
			{Name: "infobip_reports", Age: &store.Age{Key: "pos", Since: "created_at", Where: "due_at = 0", Life: store.Week},
				Note: "what they say is in their events and messages, which an erasure empties"},
		},
	}
}

// carryOver moves what earlier versions kept with messages in the caller's metadata, with
// subscriptions and with routes to where it is kept now.
func carryOver(ctx context.Context, tx *store.MigrationTx) error {
	if err := tx.EachMessage(ctx, moveNote); err != nil {
		return err
	}
	if err := tx.EachDocument(ctx, "subscriptions", "id", moveAction); err != nil {
		return err
	}
	return tx.EachDocument(ctx, "routes", "id", moveFlow)
}

// moveNote takes the note of a message out of its metadata. What has other members beside was not
// written by this API but by a caller who made it up.
func moveNote(r *store.MessageRow) bool {
	if !bytes.Contains(r.Request, []byte(`"metadata":{"`+wire.Dialect+`":{`)) {
		return false
	}
	var request map[string]json.RawMessage
	var metadata map[string]json.RawMessage
	var note wire.Note
	if json.Unmarshal(r.Request, &request) != nil || json.Unmarshal(request["metadata"], &metadata) != nil || len(metadata) != 1 ||
		json.Unmarshal(metadata[wire.Dialect], &note) != nil || note.API != wire.APIFacebook && note.API != wire.APIOMNI {
		return false
	}
	origin, err := note.Origin()
	if err != nil {
		return false
	}
	delete(request, "metadata")
	without, err := json.Marshal(request)
	if err != nil {
		return false
	}
	r.Request, r.Origin, r.OriginData = without, origin.Dialect, origin.Data
	return true
}

// moveAction puts the action of a subscription where formats keep their data.
func moveAction(doc []byte) ([]byte, bool) {
	var d map[string]json.RawMessage
	if json.Unmarshal(doc, &d) != nil || string(d["format"]) != `"`+wire.Dialect+`"` || d["action"] == nil {
		return nil, false
	}
	d["formatData"] = d["action"]
	delete(d, "action")
	moved, err := json.Marshal(d)
	return moved, err == nil
}

// moveFlow puts the flow of a scenario where routes keep what their dialect knows of them.
func moveFlow(doc []byte) ([]byte, bool) {
	var d map[string]json.RawMessage
	if json.Unmarshal(doc, &d) != nil || d["flow"] == nil {
		return nil, false
	}
	d["origin"], d["originData"] = json.RawMessage(`"`+wire.Dialect+`"`), d["flow"]
	delete(d, "flow")
	moved, err := json.Marshal(d)
	return moved, err == nil
}
