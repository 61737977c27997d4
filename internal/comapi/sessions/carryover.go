package sessions

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/chasqui/chasqui/internal/store"
)

const dialect = "comapi"

// carryOver moves what earlier versions kept with messages in the stored request, and with subscriptions, to where it is kept now.
func carryOver(ctx context.Context, tx *store.MigrationTx) error {
	if err := tx.EachMessage(ctx, moveAsked); err != nil {
		return err
	}
	return tx.EachDocument(ctx, "subscriptions", "id", moveTopics)
}

// moveAsked takes what was asked out of the stored request, at whose end it stood.
func moveAsked(r *store.MessageRow) bool {
	if !bytes.Contains(r.Request, []byte(`,"`+dialect+`":`)) {
		return false
	}
	var request map[string]json.RawMessage
	if json.Unmarshal(r.Request, &request) != nil || request[dialect] == nil {
		return false
	}
	asked := request[dialect]
	delete(request, dialect)
	without, err := json.Marshal(request)
	if err != nil {
		return false
	}
	r.Request, r.Origin, r.OriginData = without, dialect, asked
	return true
}

// moveTopics puts the topics and the batching of a subscription where formats keep their data.
func moveTopics(doc []byte) ([]byte, bool) {
	var d map[string]json.RawMessage
	if json.Unmarshal(doc, &d) != nil || string(d["format"]) != `"`+dialect+`"` || d["formatData"] != nil {
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
