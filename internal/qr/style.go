package qr

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"unicode/utf8"
)

// Forms of modules.
const (
	Square  = "square"
	Rounded = "rounded"
	Dots    = "dots"
)

// Limits of a Style.
const (
	MinSize        = 100  // pixels
	MaxSize        = 2000 // pixels
	MinMillimetres = 10
	MaxMillimetres = 1000
	MaxCaption     = 60 // characters
	MaxQuiet       = 20 // modules
	MaxLogoBytes   = 4 << 20
	MaxLogoSide    = 1024    // pixels
	MaxLogoPixels  = 2 << 20 // in all
	MinContrast    = 4.5     // as to one, between foreground and background
)

// What a Style means by its zero values.
const (
	defaultSize        = 1000
	defaultMillimetres = 40
	defaultQuiet       = 4
)

// Style says how a picture of a code looks. The zero value is a plain black
// code on white, 1000 pixels or 40 millimetres wide.
type Style struct {
	Size        int     // side in pixels, 100 to 2000 for PNG and SVG; 1000 when 0; a caption adds to the height
	Millimetres float64 // side in print, for PDF, 10 to 1000; 40 when 0; a caption adds to the height
	Modules     string  // square (when empty), rounded or dots
	Ring        bool    // a ring around it in the manner of a Messenger code
	Foreground  string  // #rrggbb; black when empty
	Background  string  // #rrggbb or transparent, which is meant to lie on something white; white when empty
	Logo        []byte  // PNG, JPEG or GIF for the middle; nil for none
	Caption     string  // below it, up to 60 characters
	Quiet       int     // quiet zone in modules, up to 20; 4 when 0

	hasLogo bool // the logo has been read already
}

// StyleError says which field of a Style cannot be drawn, and why.
type StyleError struct {
	Field   string // size, millimetres, modules, foreground, background, logo, caption or quiet
	Message string // what is wrong with it, as the end of a sentence
}

// Error names the field and what is wrong with it.
func (e *StyleError) Error() string { return e.Field + ": " + e.Message }

func wrong(field, format string, args ...any) *StyleError {
	return &StyleError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// Check returns a *StyleError that names the first field out of its limits:
// among them a contrast of at least 4.5 to 1 with the darker colour in front,
// as scanners need it, and a logo that is a PNG, JPEG or GIF picture of at most
// 4 MB and 1024 pixels a side. Whether a text fits is for Smallest to say.
func (s Style) Check() error {
	s = s.full()
	switch {
	case s.Size < MinSize || s.Size > MaxSize:
		return wrong("size", "%d pixels are not between %d and %d", s.Size, MinSize, MaxSize)
	case !(s.Millimetres >= MinMillimetres && s.Millimetres <= MaxMillimetres):
		return wrong("millimetres", "%g is not between %d and %d", s.Millimetres, MinMillimetres, MaxMillimetres)
	case s.Modules != Square && s.Modules != Rounded && s.Modules != Dots:
		return wrong("modules", "%.20q is not one of %s, %s, %s", s.Modules, Square, Rounded, Dots)
	case s.Quiet < 1 || s.Quiet > MaxQuiet:
		return wrong("quiet", "%d modules are not between 1 and %d", s.Quiet, MaxQuiet)
	}
	if err := s.checkCaption(); err != nil {
		return err
	}
	if _, err := s.colours(); err != nil {
		return err
	}
	return s.checkLogo()
}

func (s Style) checkCaption() error {
	if utf8.RuneCountInString(s.Caption) > MaxCaption {
		return wrong("caption", "the caption has more than %d characters", MaxCaption)
	}
	return nil
}

// full puts the defaults where nothing is said.
func (s Style) full() Style {
	if s.Size == 0 {
		s.Size = defaultSize
	}
	if s.Millimetres == 0 {
		s.Millimetres = defaultMillimetres
	}
	if s.Modules == "" {
		s.Modules = Square
	}
	if s.Foreground == "" {
		s.Foreground = "#000000"
	}
	if s.Background == "" {
		s.Background = "#ffffff"
	}
	if s.Quiet == 0 {
		s.Quiet = defaultQuiet
	}
	return s
}

// inks are the two colours of a picture.
type inks struct {
	fore, back  color.NRGBA
	transparent bool // back is then white with an alpha of 0
}

func (s Style) colours() (inks, error) {
	fore, ok := parseColour(s.Foreground)
	if !ok {
		return inks{}, wrong("foreground", "%.20q is not of the form #rrggbb", s.Foreground)
	}
	in := inks{fore: fore, back: color.NRGBA{0xff, 0xff, 0xff, 0xff}, transparent: s.Background == "transparent"}
	if !in.transparent {
		if in.back, ok = parseColour(s.Background); !ok {
			return inks{}, wrong("background", "%.20q is neither transparent nor of the form #rrggbb", s.Background)
		}
	}
	light, dark := luminance(in.back), luminance(in.fore)
	if contrast := (light + 0.05) / (dark + 0.05); contrast < 1 {
		return inks{}, wrong("foreground", "%s is lighter than the background: scanners look for dark on light", s.Foreground)
	} else if contrast < MinContrast {
		return inks{}, wrong("foreground", "the contrast of %s with the background is %.1f to 1, and %.1f to 1 is needed", s.Foreground, math.Floor(contrast*10)/10, MinContrast)
	}
	if in.transparent {
		in.back.A = 0
	}
	return in, nil
}

func parseColour(s string) (color.NRGBA, bool) {
	if len(s) != 7 || s[0] != '#' {
		return color.NRGBA{}, false
	}
	v, err := strconv.ParseUint(s[1:], 16, 32)
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}, err == nil
}

// luminance is the relative luminance of a colour, 0 to 1.
//
// Docs: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
