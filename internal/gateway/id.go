package gateway

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
	"time"
)

// crockford is the alphabet of ULIDs: no I, L, O or U, and it sorts as the bytes do.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// IDs makes identifiers that sort by time: a prefix, 48 bits of milliseconds and 80 bits that are
// random for the first of a millisecond and count up from there. Sorted identifiers keep an index
// on them compact. The zero value is ready; it is safe for any number of goroutines.
type IDs struct {
	mu   sync.Mutex
	last [16]byte
}

// New makes an identifier such as msg_06DEQ8B2KJ5W4ZC7T1XGQ0V3MN for the given moment.
func (g *IDs) New(prefix string, now time.Time) string {
	var id [16]byte
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint64(id[:8], ms<<16)

	g.mu.Lock()
	if binary.BigEndian.Uint64(g.last[:8])>>16 >= ms {
		id = g.last
		increment(id[6:])
	} else {
		rand.Read(id[6:])
		id[6] &= 0x7f // room to count up without overflow into the time
	}
	g.last = id
	g.mu.Unlock()
	return prefix + "_" + crockford.EncodeToString(id[:])
}

func increment(b []byte) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i]++
		if b[i] != 0 {
			return
		}
	}
}

// EventID is the public identifier of the event at a position of the log, also its webhook-id.
func EventID(pos int64) string {
	s := strconv.FormatInt(pos, 36)
	return "evt_" + strings.Repeat("0", max(0, 11-len(s))) + s
}

// EventPos is the inverse of EventID; false when the text is no event's identifier.
func EventPos(id string) (int64, bool) {
	digits, ok := strings.CutPrefix(id, "evt_")
	if !ok {
		return 0, false
	}
	pos, err := strconv.ParseInt(digits, 36, 64)
	return pos, err == nil && pos > 0
}
