//go:build race

package qr_test

// sample is how many styles there are to each that is tried: the race detector makes drawing ten times as slow, and finds nothing more in
// a hundred styles than in a few.
const sample = 7
