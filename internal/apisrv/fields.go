package apisrv

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// fieldsJSON has what the comments of package gatewayapi say of each field, by type and name in
// JSON. A test holds it equal to them.
//
//go:embed fields.json
var fieldsJSON []byte

// describeFields gives the fields of schemas their descriptions: the comments of their Go types.
func describeFields(registry huma.Registry) error {
	var types map[string]map[string]string
	if err := json.Unmarshal(fieldsJSON, &types); err != nil {
		return fmt.Errorf("read the descriptions of fields: %w", err)
	}
	for name, schema := range registry.Map() {
		for field, property := range schema.Properties {
			if text, ok := types[name][field]; ok {
				property.Description = text
			}
		}
	}
	return nil
}
