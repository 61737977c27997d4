package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
)

// More messages for one person than are held in memory come while the platform takes them: none may
// be left behind when the rest is read from the database.
func TestALongQueueThatGrowsWhileItIsSent(t *testing.T) {
	t.Parallel()
	const batch = 12
	people, each := 4, 600
	if slow {
		people, each = 2, 204
	}
	w := startBeside(t, startPlatform(t))
	p := w.connect(graphemu.Page{})
	persons := p.people(people)
	var all sync.WaitGroup
	for i, psid := range persons {
		all.Go(func() {
			for n := 0; n < each; n += batch {
				var b gatewayapi.SendBatchRequest
				for k := range batch {
					b.Messages = append(b.Messages, p.text(psid, fmt.Sprintf("p%d-%d", i, n+k)))
				}
				if res, err := w.client.SendBatch(t.Context(), b); err != nil || res.Refused > 0 {
					t.Errorf("send %d: %v, %+v", n, err, res)
				}
			}
		})
	}
	all.Wait()
	for i, psid := range persons {
		var want []string
		for n := range each {
			want = append(want, fmt.Sprintf("p%d-%d", i, n))
		}
		if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(p.awaitThread(psid, each), "\n")); diff != "" {
			t.Errorf("person %d: -want +got:\n%s", i, diff)
		}
	}
}
