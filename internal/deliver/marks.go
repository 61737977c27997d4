package deliver

import (
	"context"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// maxMarks is how many conversations' watermarks are remembered, to spare the database the question
// for each message sent.
const maxMarks = 50_000

// markCache remembers the watermarks of conversations. Only the consumer of receipts uses it, which
// is also the only writer of watermarks in the partitions this node works: what it remembers of a
// partition counts only under the lease it was read under.
type markCache map[gateway.Lane]knownMarks

type knownMarks struct {
	store.Marks
	epoch int64
}

// cover reports whether a watermark covers a message that was sent, so that it came before the
// answer to the message was recorded.
func (c markCache) cover(ctx context.Context, s *store.Store, e *gateway.Event) (bool, error) {
	epoch, _ := s.Leases().Epoch(e.Partition)
	lane := e.Lane()
	marks, ok := c[lane]
	if !ok || marks.epoch != epoch {
		read, err := s.Marks(ctx, lane)
		if err != nil {
			return false, err
		}
		if len(c) >= maxMarks {
			clear(c)
		}
		marks = knownMarks{read, epoch}
		c[lane] = marks
	}
	return e.EntryTime <= marks.Delivered || e.EntryTime <= marks.Read, nil
}

// forget drops what is known of a conversation whose watermarks are about to change.
func (c markCache) forget(lane gateway.Lane) { delete(c, lane) }
