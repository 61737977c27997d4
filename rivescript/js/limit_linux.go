package js

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// canLimit reports whether a worker can limit its own memory.
const canLimit = true

// unknownSize stands for the address space that a program takes when it cannot be read.
const unknownSize = 2 << 30

// limitMemory bounds the address space of this process to what it takes now and so much more.
// Beyond, the allocation fails, which ends a Go program; before it has touched a page of it, so
// that the machine does not suffer. It also bounds what a worker has no need of: core dumps, files
// and processes.
func limitMemory(more uint64) (bool, error) {
	size := uint64(unknownSize)
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if first, _, ok := bytes.Cut(b, []byte(" ")); ok {
			if pages, err := strconv.ParseUint(string(first), 10, 64); err == nil {
				size = pages * uint64(os.Getpagesize())
			}
		}
	}
	for _, l := range []struct {
		which int
		most  uint64
		what  string
	}{{syscall.RLIMIT_AS, size + more, "address space"}, {syscall.RLIMIT_CORE, 0, "core dumps"}, {syscall.RLIMIT_FSIZE, 0, "files"}} {
		if err := syscall.Setrlimit(l.which, &syscall.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return false, fmt.Errorf("limit %s: %w", l.what, err)
		}
	}
	return true, nil
}
