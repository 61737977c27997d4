package config

import (
	"fmt"
	"strings"
)

// Document returns docs/configuration.md, which is also what `chasqui config describe` prints.
func Document() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\n")
	b.WriteString("This page is what `chasqui config describe` prints; a test holds it equal to the program.\n\n")
	b.WriteString("A setting comes from the command line, else from the environment, else from the configuration file, else it has its default.\n")
	b.WriteString("The file is JSON, one object; a dot in a name is one level deeper. It is named by `--config` or `" + FileEnv + "`. A name that is not a setting is an error.\n\n")
	b.WriteString("```json\n{\n  \"publicUrl\": \"https://chat.example.com\",\n  \"data\": \"/var/lib/chasqui\",\n  \"limits\": { \"textPerSecond\": 250 }\n}\n```\n\n")
	b.WriteString("SIGHUP reads file and environment again and applies the settings marked *reload*; the others take a restart.\n\n")
	b.WriteString("| name | environment | flag | default | meaning |\n|---|---|---|---|---|\n")
	for _, s := range Settings() {
		def := "(empty)"
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		help := s.Help
		if s.Reload {
			help += " *reload*"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s | %s |\n", s.Name, s.Env, s.Flag, def, help)
	}
	return b.String()
}
