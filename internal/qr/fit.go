package qr

import (
	"errors"
	"fmt"
	"math"

	"rsc.io/qr/coding"
)

// The least side of a module.
const (
	MinModule      = 2    // pixels
	MinPrintModule = 0.25 // millimetres
)

// ErrTooLong is returned for a text that no code holds.
var ErrTooLong = errors.New("the text is longer than a code can hold")

// Around the ring, in modules: how wide it is, and what is left outside of it.
const (
	ringWidth  = 3.2
	ringMargin = 0.6
)

// levels are those of error correction that may be used, the strongest first. A
// logo takes up what the weaker ones could mend.
func (s Style) levels() []coding.Level {
	if s.Logo != nil || s.hasLogo {
		return []coding.Level{coding.H, coding.Q}
	}
	return []coding.Level{coding.H, coding.Q, coding.M, coding.L}
}

// width is the side of the whole picture in modules, for a symbol of so many. A
// ring leaves the quiet zone along every row and column of the symbol.
func (s Style) width(side int) float64 {
	if !s.Ring {
		return float64(side + 2*s.Quiet)
	}
	half := float64(side) / 2
	return 2 * (math.Hypot(half, half+float64(s.Quiet)) + ringWidth + ringMargin)
}

// fit is a text in a version and level, and how wide that makes the picture.
type fit struct {
	data    coding.Encoding
	version coding.Version // 0 when none is small enough
	level   coding.Level
	width   float64 // in modules, of the picture; the least there is when none is small enough
}

// fit chooses the strongest error correction whose modules are at least least
// wide in a picture of this side, in the same unit.
func (s Style) fit(text string, side, least float64) (fit, error) {
	data, err := encoding(text)
	if err != nil {
		return fit{}, err
	}
	f := fit{data: data, width: math.Inf(1)}
	for _, level := range s.levels() {
		v := versionFor(data, level)
		if v == 0 {
			continue
		}
		width := s.width(sideOf(v))
		if side >= width*least {
			return fit{data: data, version: v, level: level, width: width}, nil
		}
		f.width = min(f.width, width)
	}
	if math.IsInf(f.width, 1) {
		return fit{}, ErrTooLong
	}
	return f, nil
}

// Smallest returns the least Size, 100 or more, at which the text can be drawn
// in this style: that of modules 2 pixels wide. It may be above MaxSize, and is
// math.MaxInt for a text that no code holds.
func Smallest(text string, s Style) int {
	f, err := s.full().fit(text, 0, MinModule)
	if err != nil {
		return math.MaxInt
	}
	return f.pixels()
}

// pixels is the least Size for it.
func (f fit) pixels() int { return max(MinSize, int(math.Ceil(f.width*MinModule))) }

// symbol makes the symbol for a picture of this side, which Fits has found to be
// large enough, and how wide that makes the picture.
func (s Style) symbol(text string, side, least float64) (*symbol, float64, error) {
	f, err := s.fit(text, side, least)
	if err != nil {
		return nil, 0, err
	}
	if f.version == 0 {
		return nil, 0, fmt.Errorf("draw a code: %g are too few for %g modules", side, f.width)
	}
	c, err := encode(f.data, f.version, f.level)
	return c, f.width, err
}
