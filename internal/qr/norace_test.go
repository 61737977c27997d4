//go:build !race

package qr_test

import "testing"

// sample is how many styles there are to each that is tried: all are.
const sample = 1

// drawnByOne skips nothing: see race_test.go.
func drawnByOne(*testing.T) {}
