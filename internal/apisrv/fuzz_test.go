package apisrv

import (
	"testing"

	"github.com/chasqui/chasqui/internal/gateway"
)

// FuzzCursor reads cursors of any text: one is refused, or it is a value that a database takes.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", cursor(cursorProfiles, "ana"), positionCursor(cursorMessages, 1<<62), cursor(cursorEntryPoints, "\x00"), cursor(cursorProfiles, "\xed\xa0\x80"), positionCursor(cursorSetAside, -1), "====", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []byte{cursorProfiles, cursorEntryPoints} {
			value, err := parseCursor("cursor", kind, text)
			if err != nil {
				if gateway.CodeOf(err) != gateway.CodeInvalidRequest {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			if gateway.CheckText("cursor", value) != nil {
				t.Fatalf("%q is read as %q, which no database takes", text, value)
			}
			if again, err := parseCursor("cursor", kind, cursor(kind, value)); value != "" && (err != nil || again != value) {
				t.Fatalf("%q is read as %q, and that again as %q: %v", text, value, again, err)
			}
		}
		pos, err := parsePosition("cursor", cursorMessages, text)
		if err == nil && pos < 0 {
			t.Fatalf("%q is read as position %d", text, pos)
		}
	})
}
