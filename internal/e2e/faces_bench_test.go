package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
)

// What a request to send costs over /v1 and over Comapi's API, in one process with the platform:
// for profiles rather than for figures.
func BenchmarkSendOverFaces(b *testing.B) {
	w := startWorld(b)
	p := w.connect(graphemu.Page{})
	people := p.people(500)
	for _, face := range []struct{ name, path, body string }{
		{"v1", "/v1/messages", `{"application":"` + p.key + `","to":{"fbMessengerId":"PSID"},"body":"Hello there, this is a message"}`},
		{"comapi", "/apispaces/" + p.key + "/messages", `{"to":{"fbMessengerId":"PSID"},"body":"Hello there, this is a message","rules":["fbMessenger"]}`},
	} {
		b.Run(face.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					req, err := http.NewRequest(http.MethodPost, w.url+face.path, strings.NewReader(strings.Replace(face.body, "PSID", people[i%len(people)], 1)))
					if err != nil {
						b.Error(err)
						return
					}
					req.Header.Set("Authorization", "Bearer "+w.key)
					req.Header.Set("Content-Type", "application/json")
					resp, err := http.DefaultClient.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode/100 != 2 {
						b.Errorf("answered %d", resp.StatusCode)
						return
					}
				}
			})
		})
	}
}
