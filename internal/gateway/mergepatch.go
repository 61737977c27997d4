package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// MergePatch applies a JSON merge patch to a JSON document. Numbers and strings that the patch does
// not touch keep their bytes. The rules are those of RFC 7396: null removes, an object merges,
// anything else replaces.
func MergePatch(target, patch json.RawMessage) (json.RawMessage, error) {
	if !json.Valid(patch) {
		return nil, fmt.Errorf("patch is not JSON")
	}
	if kind(patch) != '{' {
		return patch, nil
	}
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, fmt.Errorf("read patch: %w", err)
	}
	members := map[string]json.RawMessage{}
	if kind(target) == '{' {
		if err := json.Unmarshal(target, &members); err != nil {
			return nil, fmt.Errorf("read document: %w", err)
		}
	}
	merged := maps.Clone(members)
	for name, change := range changes {
		if kind(change) == 'n' {
			delete(merged, name)
			continue
		}
		value, err := MergePatch(merged[name], change)
		if err != nil {
			return nil, err
		}
		merged[name] = value
	}
	return json.Marshal(merged)
}

// kind is the first byte of a JSON value, which tells its kind; 0 for none.
func kind(v json.RawMessage) byte {
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) == 0 {
		return 0
	}
	return v[0]
}
