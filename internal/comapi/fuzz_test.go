package comapi

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/chasqui/chasqui/internal/face"
	"github.com/chasqui/chasqui/internal/gateway"
)

// FuzzIfMatch reads ETags of any text: one is refused as a precondition that does not hold, or it
// is a version.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{"", "*", `"3"`, `W/"3"`, "3", `"-3"`, `"99999999999999999999"`, `"3", "4"`, "\"\x003\"", `"`, `W/`, `"0x3"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		q := &request{Request: &face.Request{Request: &http.Request{Header: http.Header{"If-Match": {tag}}}}}
		version, err := q.ifMatch()
		if err != nil {
			if gateway.CodeOf(err) != gateway.CodePreconditionFailed {
				t.Fatalf("%q: %v", tag, err)
			}
			return
		}
		if version < 0 {
			t.Fatalf("%q is version %d", tag, version)
		}
		q.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10)))
		if again, err := q.ifMatch(); version > 0 && (err != nil || again != version) {
			t.Fatalf("%q is version %d, and that again %d: %v", tag, version, again, err)
		}
	})
}
