package qr

import (
	"hash/fnv"
	"math"
)

// A finder: the pattern in three corners of a symbol.
const finder = 7 // modules a side

func (c *symbol) isFinder(x, y int) bool {
	return (x < finder || x >= c.side-finder) && y < finder || x < finder && y >= c.side-finder
}

// Radii of rounded shapes, in modules.
const (
	roundOuter = 0.5  // of a corner that sticks out
	roundInner = 0.25 // of one that goes in
	dotRadius  = 0.46
)

// outline adds the symbol's modules in one of their forms. Each dot is given to
// dot.
func (c *symbol) outline(p *path, modules string, dot func(x, y int)) {
	if modules == Square {
		c.contours(p, c.at, 0, 0)
		return
	}
	dots := modules == Dots
	c.patterns(p, dots)
	rest := func(x, y int) bool { return c.at(x, y) && !c.isFinder(x, y) && !c.align[y*c.side+x] }
	if !dots {
		c.contours(p, rest, roundOuter, roundInner)
		return
	}
	for y := range c.side {
		for x := range c.side {
			if rest(x, y) {
				dot(x, y)
			}
		}
	}
}

// dot adds a module that is a dot.
func (p *path) dot(x, y int) {
	p.box(point{float64(x) + 0.5 - dotRadius, float64(y) + 0.5 - dotRadius}, 2*dotRadius, dotRadius, false)
}

// patterns adds the finders and the alignment patterns with round corners.
// Through their middle they keep the proportions that scanners look for. An
// alignment pattern that a logo cuts into becomes ordinary modules.
func (c *symbol) patterns(p *path, dots bool) {
	round := 1.0
	if dots {
		round = 1.3
	}
	far := float64(c.side - finder)
	for _, at := range []point{{0, 0}, {far, 0}, {0, far}} {
		p.box(at, 7, 1.75*round, false)
		p.box(point{at.x + 1, at.y + 1}, 5, 1.2*round, true)
		p.box(point{at.x + 2, at.y + 2}, 3, 1.05*round, false)
	}
	for y := range c.side - alignment {
		for x := range c.side - alignment {
			if !c.align[y*c.side+x] || x > 0 && c.align[y*c.side+x-1] || y > 0 && c.align[(y-1)*c.side+x] {
				continue
			}
			at := point{float64(x), float64(y)}
			if c.isWhole(x, y) {
				p.box(at, 5, 1.2*round, false)
				p.box(point{at.x + 1, at.y + 1}, 3, 0.8*round, true)
				p.box(point{at.x + 2, at.y + 2}, 1, roundOuter, false)
				continue
			}
			for i := range alignment * alignment {
				c.align[(y+i/alignment)*c.side+x+i%alignment] = false
			}
		}
	}
}

const alignment = 5 // modules a side of an alignment pattern

// isWhole reports whether the alignment pattern with this corner is as it was made.
func (c *symbol) isWhole(left, top int) bool {
	for i := range alignment * alignment {
		x, y := i%alignment-2, i/alignment-2
		if c.at(left+2+x, top+2+y) != (max(x, -x, y, -y) != 1) {
			return false
		}
	}
	return true
}

// The four ways along the edges of modules, clockwise.
var ways = [4]point{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}

// contours walks round each connected area of modules with the dark to the
// right, so that no seam shows between neighbours. Modules that touch at a
// corner only are areas of their own.
func (c *symbol) contours(p *path, dark func(x, y int) bool, outer, inner float64) {
	w := walk{path: p, stride: c.side + 1, edges: make([]uint8, (c.side+1)*(c.side+1)), outer: outer, inner: inner}
	for y := range c.side {
		for x := range c.side {
			if !dark(x, y) {
				continue
			}
			if !dark(x, y-1) {
				w.edges[y*w.stride+x] |= 1 << 0
			}
			if !dark(x+1, y) {
				w.edges[y*w.stride+x+1] |= 1 << 1
			}
			if !dark(x, y+1) {
				w.edges[(y+1)*w.stride+x+1] |= 1 << 2
			}
			if !dark(x-1, y) {
				w.edges[(y+1)*w.stride+x] |= 1 << 3
			}
		}
	}
	for start := range w.edges {
		// The first edge met of an area runs east, and ends where the area begins.
		for w.edges[start]&1 != 0 {
			w.round(start)
		}
	}
}

// walk is the edges that are still to be walked along.
type walk struct {
	path         *path
	stride       int
	edges        []uint8 // the ways that lead on from each corner, one bit each
	outer, inner float64
}

// round walks once round an area, from a corner eastward.
func (w *walk) round(start int) {
	steps := [4]int{1, w.stride, -1, -w.stride}
	at, way, first := start, 0, true
	for {
		w.edges[at] &^= 1 << way
		at += steps[way]
		next, closed := way, false
		for _, turn := range [3]int{1, 0, 3} { // a right turn keeps to the module
			next = (way + turn) % 4
			if closed = at == start && next == 0; closed || w.edges[at]&(1<<next) != 0 {
				break
			}
		}
		if next != way {
			w.turn(at, way, next, first)
			first = false
		}
		if closed {
			w.path.close()
			return
		}
		way = next
	}
}

// turn adds a corner.
func (w *walk) turn(at, in, out int, first bool) {
	corner := point{float64(at % w.stride), float64(at / w.stride)}
	r := w.outer
	if out == (in+3)%4 {
		r = w.inner
	}
	before := point{corner.x - ways[in].x*r, corner.y - ways[in].y*r}
	if first {
		w.path.move(before)
	}
	if r == 0 {
		if !first {
			w.path.line(corner)
		}
		return
	}
	w.path.corner(before, corner, point{corner.x + ways[out].x*r, corner.y + ways[out].y*r})
}

// ring adds two tracks of dashes round the symbol, as wide as the picture
// allows. How they are broken up differs from text to text and says nothing.
func (c *symbol) ring(p *path, width float64) {
	centre := point{float64(c.side) / 2, float64(c.side) / 2}
	outer := width/2 - ringMargin
	hash := fnv.New64a()
	for _, dark := range c.dark {
		if dark {
			hash.Write([]byte{1})
		} else {
			hash.Write([]byte{0})
		}
	}
	bits := hash.Sum64()
	const dash = 1.2 // thickness in modules
	for track, radius := range []float64{outer - dash/2, outer - ringWidth + dash/2} {
		slots := int(2 * math.Pi * radius / 2.4)
		slot := 2 * math.Pi / float64(slots)
		gap := (dash + 0.7) / radius // the round ends stand out by half of the thickness each
		for from := 0; from < slots; {
			length := 1 + int(bits>>((from*7+track*13)%61)&3)
			length = min(length, slots-from)
			p.band(centre, radius, dash, float64(from)*slot, float64(from+length)*slot-gap)
			from += length
		}
	}
}
