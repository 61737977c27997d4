package graphemu_test

import (
	"testing"
	"time"

	"github.com/chasqui/chasqui/graphemu"
)

func TestNew(t *testing.T) {
	t.Parallel()
	day := time.Date(2019, 8, 1, 0, 0, 0, 0, time.UTC)
	emu := graphemu.New(graphemu.WithDate(day), graphemu.WithEpoch("a"), graphemu.WithFaults(graphemu.Fault{Code: 2}), graphemu.WithoutWebhooks(), graphemu.WithBatching(graphemu.Batching{Max: 5}))
	defer emu.Close()
	other := graphemu.New()
	defer other.Close()
	if now := emu.Time(); now.Before(day) || now.After(day.Add(time.Minute)) {
		t.Errorf("the clock says %v", now)
	}
	if len(emu.Faults()) != 1 || !emu.Quiet || emu.Batching.Max != 5 {
		t.Errorf("faults %v, quiet %v", emu.Faults(), emu.Quiet)
	}
	if emu.AddPage(graphemu.Page{}).ID == other.AddPage(graphemu.Page{}).ID {
		t.Error("two epochs made the same id")
	}
}
