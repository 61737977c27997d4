//go:build race

package qr_test

import "testing"

// sample is how many styles there are to each that is tried: the race detector makes drawing ten
// times as slow, and finds nothing more in a hundred styles than in a few.
const sample = 7

// drawnByOne skips what one goroutine draws from beginning to end: there is nothing for the race
// detector to find, and it takes minutes.
func drawnByOne(t *testing.T) { t.Skip("one goroutine draws it: nothing for the race detector") }
