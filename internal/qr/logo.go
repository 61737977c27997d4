package qr

import (
	"image"
	"math"

	"rsc.io/qr/coding"
)

// How much of a symbol a logo may cover: parts of its modules that leave at
// least half of what the error correction can mend for dirt and glare.
const (
	coveredH = 0.08
	coveredQ = 0.05
)

const (
	maxAspect   = 3   // of the place for a logo, wide or high
	logoPadding = 0.5 // modules left free around a logo within its place
)

// area is a rectangle in modules.
type area struct{ x, y, w, h float64 }

// clear frees the middle of the symbol for a picture of these proportions, and
// returns where it goes.
func (c *symbol) clear(size image.Point) area {
	w, h := place(c.side, c.level, float64(size.X)/float64(size.Y))
	left, top := (c.side-w)/2, (c.side-h)/2
	for y := top; y < top+h; y++ {
		for x := left; x < left+w; x++ {
			c.dark[y*c.side+x] = false
		}
	}
	room := area{float64(left) + logoPadding, float64(top) + logoPadding, float64(w) - 2*logoPadding, float64(h) - 2*logoPadding}
	scale := min(room.w/float64(size.X), room.h/float64(size.Y))
	inner := area{w: float64(size.X) * scale, h: float64(size.Y) * scale}
	inner.x, inner.y = room.x+(room.w-inner.w)/2, room.y+(room.h-inner.h)/2
	return inner
}

// place returns how many modules are cleared for a logo of an aspect, width by
// height. It keeps clear of the finders, the format and the alignment pattern in
// the corners, which no error correction covers.
func place(side int, level coding.Level, aspect float64) (w, h int) {
	part := coveredQ
	if level == coding.H {
		part = coveredH
	}
	aspect = min(max(aspect, 1.0/maxAspect), maxAspect)
	all := part * float64(side*side)
	limit := side - 18
	w = odd(math.Sqrt(all*aspect), limit)
	h = odd(all/float64(w), limit)
	if float64(h)*aspect < float64(w)-2 {
		w = odd(float64(h)*aspect+1, limit)
	}
	return w, h
}

// odd rounds down to an odd number, so that what is cleared stands in the middle.
func odd(v float64, limit int) int {
	n := min(int(v), limit)
	return max(1, n-(1-n%2))
}
