//go:build !race

package e2e

// slow tells that the race detector is on, under which the database is many times slower.
const slow = false

// thinned says that of so many kinds of nonsense one is tried: all.
const thinned = 1
