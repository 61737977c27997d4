//go:build race

package e2e

// slow tells that the race detector is on, under which the database is many times slower.
const slow = true

// thinned says that of so many kinds of nonsense one is tried: the race detector looks at how, not
// at what.
const thinned = 16
