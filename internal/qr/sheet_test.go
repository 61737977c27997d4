package qr_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/chasqui/chasqui/internal/qr"
)

// heap is how much of the memory is in use after what nobody needs is gone.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func manyItems(n int) []qr.SheetItem {
	items := make([]qr.SheetItem, n)
	for i := range items {
		items[i] = qr.SheetItem{Text: fmt.Sprintf("https://m.me/1234567890123?ref=table-%d-of-the-long-room", i), Caption: fmt.Sprintf("Table %d of the long room", i)}
	}
	return items
}

// The largest sheet of the most laborious style comes page by page: what is in
// memory does not grow with the pages, and its file stays small.
func TestSheetOfAThousand(t *testing.T) {
	drawnByOne(t)
	sheet, err := qr.NewSheet(manyItems(qr.MaxSheet), qr.Style{Modules: qr.Dots, Ring: true}, 3)
	if err != nil {
		t.Fatal(err)
	}
	parts, bytes, largest := 0, 0, 0
	var first, most uint64
	for {
		part, err := sheet.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		parts, bytes, largest = parts+1, bytes+len(part), max(largest, len(part))
		if parts == 1 {
			first = heap()
		} else if parts%10 == 0 {
			most = max(most, heap())
		}
	}
	t.Logf("%d parts, %d kB, the largest %d kB; heap %d kB after the first, then at most %d kB", parts, bytes>>10, largest>>10, first>>10, most>>10)
	if parts < 80 || bytes > 24<<20 || largest > 1<<20 {
		t.Errorf("%d parts of %d bytes, the largest %d", parts, bytes, largest)
	}
	if most > first+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", first, most)
	}
}

// BenchmarkSheet says what a code on the largest sheet costs.
func BenchmarkSheet(b *testing.B) {
	for _, s := range []qr.Style{{}, {Modules: qr.Rounded, Ring: true}, {Modules: qr.Dots, Ring: true}} {
		b.Run(fmt.Sprintf("%s/ring=%t", s.Modules, s.Ring), func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				all, err := wholeSheet(manyItems(qr.MaxSheet), s, 3)
				if err != nil {
					b.Fatal(err)
				}
				size = len(all)
			}
			b.ReportMetric(float64(size)/(1<<20), "MiB")
		})
	}
}
