package qr

import (
	"errors"
	"fmt"

	"rsc.io/qr/coding"
)

// symbol is the modules of one code.
type symbol struct {
	side  int    // in modules
	dark  []bool // row by row
	align []bool // likewise: is of an alignment pattern
	free  []bool // likewise: carries data, so that a mask applies to it
	level coding.Level
}

// at reports whether a module is dark; there are none outside of the symbol.
func (c *symbol) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.side && y < c.side && c.dark[y*c.side+x]
}

// encoding chooses the densest form of a text.
func encoding(text string) (coding.Encoding, error) {
	switch {
	case text == "":
		return nil, errors.New("draw a code: there is no text")
	case coding.Num(text).Check() == nil:
		return coding.Num(text), nil
	case coding.Alpha(text).Check() == nil:
		return coding.Alpha(text), nil
	}
	return coding.String(text), nil
}

// versionFor returns the smallest version that holds the text, or 0.
func versionFor(data coding.Encoding, level coding.Level) coding.Version {
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		if data.Bits(v) <= v.DataBytes(level)*8 {
			return v
		}
	}
	return 0
}

// sideOf is how many modules a version has on each side.
func sideOf(v coding.Version) int { return 17 + 4*int(v) }

// encode makes the symbol of a version, with the mask that suits scanners best.
func encode(data coding.Encoding, v coding.Version, level coding.Level) (*symbol, error) {
	c, err := masked(data, v, level, 0)
	if err != nil {
		return nil, err
	}
	best, least := coding.Mask(0), c.penalty()
	// The few modules that name the mask are those of mask 0 in every trial: they hardly weigh, and
	// a whole symbol for each mask takes four times as long.
	trial := &symbol{side: c.side, dark: make([]bool, len(c.dark))}
	for mask := coding.Mask(1); mask < 8; mask++ {
		for i, dark := range c.dark {
			x, y := i%c.side, i/c.side
			trial.dark[i] = dark != (c.free[i] && coding.Mask(0).Invert(y, x) != mask.Invert(y, x))
		}
		if p := trial.penalty(); p < least {
			best, least = mask, p
		}
	}
	if best == 0 {
		return c, nil
	}
	return masked(data, v, level, best)
}

// masked makes the symbol with one of the eight masks.
func masked(data coding.Encoding, v coding.Version, level coding.Level, mask coding.Mask) (*symbol, error) {
	plan, err := coding.NewPlan(v, level, mask)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	code, err := plan.Encode(data)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	all := code.Size * code.Size
	c := &symbol{side: code.Size, level: level, dark: make([]bool, all), align: make([]bool, all), free: make([]bool, all)}
	for y := range c.side {
		for x := range c.side {
			i, role := y*c.side+x, plan.Pixel[y][x].Role()
			c.dark[i] = code.Bitmap[y*code.Stride+x/8]&(1<<(7-x%8)) != 0
			c.align[i] = role == coding.Alignment
			c.free[i] = role == coding.Data || role == coding.Check || role == coding.Extra
		}
	}
	return c, nil
}

// penalty counts what makes a symbol hard to scan, as ISO/IEC 18004 weighs it:
// long runs, blocks of one colour, what looks like a finder, and too much of
// one colour.
func (c *symbol) penalty() int {
	points, dark := 0, 0
	column := make([]bool, c.side)
	for line := range c.side {
		row := c.dark[line*c.side : (line+1)*c.side]
		for y := range column {
			column[y] = c.dark[y*c.side+line]
		}
		points += runs(row) + runs(column)
		for x, d := range row {
			if d {
				dark++
			}
			if x > 0 && line > 0 {
				above := c.dark[(line-1)*c.side:]
				if d == row[x-1] && d == above[x] && d == above[x-1] {
					points += 3
				}
			}
		}
	}
	percent := dark * 100 / len(c.dark)
	return points + max(percent-50, 50-percent)/5*10
}

// A finder with light to one side of it, one bit a module.
const (
	finderFirst = 0b10111010000
	finderLast  = 0b00001011101
)

// runs are the points of one line: of its runs of five and more, and of what
// looks like a finder.
func runs(line []bool) int {
	points, run, last := 0, 0, 0
	for x, dark := range line {
		if x > 0 && dark == line[x-1] {
			run++
		} else {
			run = 1
		}
		if run == 5 {
			points += 3
		} else if run > 5 {
			points++
		}
		last = last << 1 & 0b11111111111
		if dark {
			last |= 1
		}
		if x >= 10 && (last == finderFirst || last == finderLast) {
			points += 40
		}
	}
	return points
}
