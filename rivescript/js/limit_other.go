//go:build !linux

package js

// canLimit reports whether a worker can limit its own memory.
const canLimit = false

// limitMemory does nothing on systems that enforce no limit of address space for a process.
func limitMemory(uint64) (bool, error) { return false, nil }
