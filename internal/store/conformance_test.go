package store_test

import (
	"testing"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.SQLite)
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t) // skips once rather than for every test
	storetest.Run(t, storetest.Postgres)
}

// A node that loses its leases without noticing must not be able to write under them.
func TestLeasesMoveBetweenNodes(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	first := storetest.Open(t, url)
	held, _ := first.Leases().Held()
	if len(held) != gateway.Partitions+1 {
		t.Fatalf("alone it holds %d partitions", len(held))
	}
	second := storetest.Open(t, url)
	deadline := time.Now().Add(15 * time.Second)
	for {
		one, changed := first.Leases().Held()
		two, also := second.Leases().Held()
		if len(one)+len(two) == gateway.Partitions+1 && len(one) <= 33 && len(two) <= 33 {
			for part := range one {
				if _, both := two[part]; both {
					t.Fatalf("both hold partition %d", part)
				}
			}
			break
		}
		select {
		case <-changed:
		case <-also:
		case <-time.After(time.Until(deadline)):
			t.Fatalf("they hold %d and %d", len(one), len(two))
		}
	}
	two, _ := second.Leases().Held()
	for part, epoch := range two {
		stale := held[part]
		if stale >= epoch {
			t.Fatalf("partition %d moved without a new epoch", part)
		}
		mark := &store.Sending{Seq: 1, Partition: part, Epoch: stale, From: gateway.StatusQueued}
		if err := first.MarkSending(t.Context(), mark); err != nil || mark.Applied {
			t.Fatalf("a mark under a lost lease: %v %v", mark.Applied, err)
		}
		break
	}
}
