//go:build !race

package qr_test

// sample is how many styles there are to each that is tried: all are.
const sample = 1
