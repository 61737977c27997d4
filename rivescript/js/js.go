// Package js runs the JavaScript macros of scripts, in processes of their own.
//
// A macro is the body of function(rs, args), as in every engine for RiveScript that knows
// JavaScript. Each call has a runtime of its own, without files, network or timers. Of lodash (_)
// and moment there is what scripts use; docs of the project list it.
//
// No script can end or hold the program that runs it: its JavaScript is compiled and run in a child
// process, a worker, whose address space is limited and which is killed when the time of a turn is
// over. A worker is the same program, started a second time, so every program that makes a [Pool]
// calls [Main] first thing in its main function, and in TestMain of its tests. Workers start when
// they are needed and end when they are not; each works for one call at a time, and calls of one
// tenant never hold them all.
package js

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits bound what macros take. Zero fields have the defaults.
type Limits struct {
	Heap   uint64 // bytes that a call may hold; 64 MiB. More is an error of the macro
	Memory uint64 // bytes of address space that a worker may take besides what the program takes itself; 384 MiB. More ends the worker
	Depth  int    // of calls; 500
	Result int    // bytes of the answer; 64 KiB
	Bridge int    // how often one call may ask something of rs; 10,000
	Source int    // bytes of a macro; 64 KiB
	Nested int    // brackets in brackets of a macro; 200
}

// The defaults of Limits, and what is not for callers to choose.
const (
	defaultHeap   = 64 << 20
	defaultMemory = 384 << 20
	defaultDepth  = 500
	defaultResult = 64 << 10
	defaultBridge = 10_000
	defaultSource = 64 << 10
	defaultNested = 200

	compileTime = 2 * time.Second        // for one macro
	killAfter   = 250 * time.Millisecond // beyond its time, for a worker that does not stop by itself
	startTime   = 30 * time.Second       // until a new worker is ready, however busy the machine is
)

func (l *Limits) settle() {
	or := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	or(&l.Depth, defaultDepth)
	or(&l.Result, defaultResult)
	or(&l.Bridge, defaultBridge)
	or(&l.Source, defaultSource)
	or(&l.Nested, defaultNested)
	if l.Heap == 0 {
		l.Heap = defaultHeap
	}
	if l.Memory == 0 {
		l.Memory = defaultMemory
	}
}

// Mode says whether JavaScript is run.
type Mode string

// The modes.
const (
	Auto Mode = "auto" // where the memory of a worker can be limited, which is on Linux
	On   Mode = "on"   // everywhere; elsewhere the time of a worker is limited, and its memory is only watched
	Off  Mode = "off"
)

var (
	errTime   = errors.New("it takes too long")
	errMemory = errors.New("it takes too much memory")
	errDepth  = errors.New("it calls itself too deep")
	errBridge = errors.New("it asks too often for what rs offers")
	errHeld   = errors.New("macros of this script took too much too often: for some seconds none is run")
	errOff    = errors.New("JavaScript is turned off here")
	errSystem = errors.New("JavaScript is off, because this system cannot limit the memory of a process")
)

// checkSource refuses a macro by what can be seen without compiling it. Brackets in texts count
// too: what is sought is what a compiler would have to go down into.
func (l *Limits) checkSource(code string) error {
	if len(code) > l.Source {
		return fmt.Errorf("it has %d bytes; at most %d are allowed", len(code), l.Source)
	}
	depth, line := 0, 1
	for _, r := range code {
		switch r {
		case '\n':
			line++
		case '(', '[', '{':
			if depth++; depth > l.Nested {
				return fmt.Errorf("its line %d: brackets are nested more than %d deep", line, l.Nested)
			}
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
	}
	return nil
}

// explained is an error in the words that stand in a reply.
func explained(name string, err error) error {
	return fmt.Errorf("macro %s: %w", name, err)
}

// oneLine cuts a worker's words to what fits an error.
func oneLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(strings.ToValidUTF8(s, "")), "\n")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
