//go:build !race

package graphemu_test

const raceEnabled = false
