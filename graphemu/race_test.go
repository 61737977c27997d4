//go:build race

package graphemu_test

const raceEnabled = true
