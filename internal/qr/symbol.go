package qr

import (
	"fmt"
	"math"

	"github.com/boombuler/barcode/qr"
)

// MinModule is the side of the smallest module that is drawn, in pixels.
const MinModule = 2

// Around the ring, in modules: how wide it is, and what is left outside of it.
const (
	ringWidth  = 3.2
	ringMargin = 1.0
)

// symbol is the modules of one code.
type symbol struct {
	side  int    // in modules
	dark  []bool // row by row
	level qr.ErrorCorrectionLevel
}

func (c *symbol) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.side && y < c.side && c.dark[y*c.side+x]
}

// encode makes the symbol of a text.
func encode(text string, level qr.ErrorCorrectionLevel) (*symbol, error) {
	code, err := qr.Encode(text, level, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	c := &symbol{side: code.Bounds().Dx(), level: level}
	c.dark = make([]bool, c.side*c.side)
	for y := range c.side {
		for x := range c.side {
			r, _, _, _ := code.At(x, y).RGBA()
			c.dark[y*c.side+x] = r == 0
		}
	}
	return c, nil
}

// levels are those of error correction that may be used, the strongest first. A
// logo takes up what the weaker ones could mend.
func (s Style) levels() []qr.ErrorCorrectionLevel {
	if s.Logo != nil {
		return []qr.ErrorCorrectionLevel{qr.H, qr.Q}
	}
	return []qr.ErrorCorrectionLevel{qr.H, qr.Q, qr.M, qr.L}
}

// width is the side of the whole picture in modules, for a symbol of so many.
func (s Style) width(side int) float64 {
	if !s.Ring {
		return float64(side + 2*s.Quiet)
	}
	return 2 * (float64(side)/math.Sqrt2 + float64(s.Quiet) + ringWidth + ringMargin)
}

// fit answers the symbol with the strongest error correction whose modules are
// at least least wide in a picture of this side, in the same unit. When there
// is none, it answers nil and the width in modules of the smallest symbol.
func (s Style) fit(text string, side, least float64) (*symbol, float64, error) {
	smallest := math.Inf(1)
	var err error
	for _, level := range s.levels() {
		c, failed := encode(text, level)
		if failed != nil {
			err = failed
			continue
		}
		width := s.width(c.side)
		if side/width >= least {
			return c, width, nil
		}
		smallest = min(smallest, width)
	}
	if !math.IsInf(smallest, 1) {
		err = nil
	}
	return nil, smallest, err
}

// Smallest answers the least Size, 100 or more, at which the text can be drawn
// in this style: that of modules 2 pixels wide. It may be above MaxSize, and is
// math.MaxInt for a text that no code holds.
func Smallest(text string, s Style) int {
	s = s.full()
	_, width, err := s.fit(text, 0, MinModule)
	if err != nil {
		return math.MaxInt
	}
	return max(MinSize, int(math.Ceil(width*MinModule)))
}
