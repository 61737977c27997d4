package sessions

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/chasqui/chasqui/internal/store"
)

// Dialect is the name of the API whose sessions these are.
const Dialect = "comapi"

// carryOver moves what earlier versions kept with messages in the stored request, and with
// subscriptions, to where it is kept now.
func carryOver(ctx context.Context, tx *store.MigrationTx) error {
	if err := tx.EachMessage(ctx, moveAsked); err != nil {
		return err
	}
	return tx.EachDocument(ctx, "subscriptions", "id", moveTopics)
}

// moveAsked takes what was asked out of the stored request, at whose end it stood.
func moveAsked(r *store.MessageRow) bool {
	if !bytes.Contains(r.Request, []byte(`,"`+Dialect+`":`)) {
		return false
	}
	var request map[string]json.RawMessage
	if json.Unmarshal(r.Request, &request) != nil || request[Dialect] == nil {
		return false
	}
	asked := request[Dialect]
	delete(request, Dialect)
	without, err := json.Marshal(request)
	if err != nil {
		return false
	}
	r.Request, r.Origin, r.OriginData = without, Dialect, asked
	return true
}

// moveTopics puts the topics and the batching of a subscription where formats keep their data.
func moveTopics(doc []byte) ([]byte, bool) {
	var d map[string]json.RawMessage
	if json.Unmarshal(doc, &d) != nil || string(d["format"]) != `"`+Dialect+`"` || d["formatData"] != nil {
		return nil, false
	}
	kept := map[string]json.RawMessage{}
	for _, name := range []string{"topics", "batching"} {
		if d[name] != nil {
			kept[name] = d[name]
			delete(d, name)
		}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return nil, false
	}
	d["formatData"] = data
	moved, err := json.Marshal(d)
	return moved, err == nil
}
