package qr

import (
	"fmt"
	"image"
)

// Formats of pictures.
const (
	FormatPNG = "png"
	FormatSVG = "svg"
	FormatPDF = "pdf"
)

// Render draws the text as a QR code in a format, png, svg or pdf, and answers
// the picture and its media type. The same text and style make the same bytes.
// Error correction is as high as the size allows; with a logo it is one of the
// two highest, and the logo covers less than half of what it can mend. Render
// answers a *StyleError for a style that Check refuses; one on size, naming the
// smallest that works, when a module would be less than 2 pixels wide; and one
// on millimetres, for PDF, when it would be less than 0.25 mm.
func Render(text, format string, s Style) (picture []byte, mediaType string, err error) {
	if err := s.Check(); err != nil {
		return nil, "", err
	}
	s = s.full()
	switch format {
	case FormatPNG:
		picture, err = s.drawPNG(text)
		return picture, "image/png", err
	case FormatSVG:
		picture, err = s.drawSVG(text)
		return picture, "image/svg+xml", err
	case FormatPDF:
		picture, err = s.drawPDF(text)
		return picture, "application/pdf", err
	}
	return nil, "", fmt.Errorf("draw a code: %.10q is none of the formats %s, %s, %s", format, FormatPNG, FormatSVG, FormatPDF)
}

// drawing is what a picture shows. Places are in modules, from the symbol's
// upper left corner.
type drawing struct {
	side   int  // of the symbol
	code   path // the symbol and its ring
	words  path // the caption
	width  float64
	height float64 // width and the caption's
	colour inks
	logo   image.Image // nil for none
	room   area        // of the logo
}

// corner is the upper left corner of the picture.
func (d *drawing) corner() point {
	margin := (d.width - float64(d.side)) / 2
	return point{-margin, -margin}
}

// compose lays out a picture of this width in modules. The letters of the
// caption are at least least modules high. The logo is decoded here, unless it
// is given.
func (s Style) compose(c *symbol, width, least float64, logo image.Image) (*drawing, error) {
	d := &drawing{side: c.side, width: width, logo: logo}
	var err error
	if d.colour, err = s.colours(); err != nil {
		return nil, err
	}
	if s.Logo != nil && logo == nil {
		if d.logo, err = openLogo(s.Logo); err != nil {
			return nil, err
		}
	}
	if s.Ring {
		c.ring(&d.code, width)
	}
	if d.logo != nil {
		d.room = c.clear(d.logo.Bounds().Size())
	}
	c.outline(&d.code, s.Modules)
	middle := float64(c.side) / 2
	below, err := caption(&d.words, s.Caption, point{middle, middle + width/2}, width, least)
	d.height = width + below
	return d, err
}
