package graphemu

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"sync/atomic"
)

// ids generates ids, secrets and tokens. They are derived from the epoch: without one they are
// the same in every run, and two runs with different epochs never generate the same. It is safe
// for concurrent use.
type ids struct {
	epoch string
	count atomic.Int64 // how many were made
}

// next returns a number that was not used before.
func (m *ids) next() int { return int(m.count.Add(1)) }

// made returns how many ids were generated so far.
func (m *ids) made() int { return int(m.count.Load()) }

// resume continues after n ids.
func (m *ids) resume(n int) { m.count.Store(int64(n)) }

func (m *ids) sum(what string, n int) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d", m.epoch, what, n))
}

// id returns an id with a number of digits. The same arguments yield the same id.
func (m *ids) id(what string, n, digits int) string {
	sum := m.sum(what, n)
	v := new(big.Int).SetBytes(sum[:]).String()
	return "1" + v[len(v)-digits+1:]
}

// fresh returns an id that was not generated before.
func (m *ids) fresh(what string, digits int) string { return m.id(what, m.next(), digits) }

// hex returns 32 hex digits. The same arguments yield the same digits.
func (m *ids) hex(what string, n int) string {
	sum := m.sum(what, n)
	return hex.EncodeToString(sum[:16])
}

// token returns the access token with a number.
func (m *ids) token(n int) string { return accessToken(m.sum("token", n), m.sum("token tail", n)) }

// tokenFor returns the access token for a description. The same description yields the same
// token.
func (m *ids) tokenFor(words string) string { return accessToken(m.sum(words, 0), m.sum(words, 1)) }

func accessToken(head, tail [32]byte) string {
	return "EAA" + new(big.Int).SetBytes(append(head[:], tail[:]...)).Text(62)
}
