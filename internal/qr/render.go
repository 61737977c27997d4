package qr

import "image"

// Formats of pictures.
const (
	FormatPNG = "png"
	FormatSVG = "svg"
	FormatPDF = "pdf"
)

// Render draws the text as a QR code in a format, png, svg or pdf, and returns
// the picture and its media type. The same text and style make the same bytes.
// Error correction is as high as the size allows; with a logo it is one of the
// two highest, and the logo covers less than half of what it can mend. Render
// returns a *StyleError for a style that Check refuses; one on size, naming the
// smallest that works, when a module would be less than 2 pixels wide; and one
// on millimetres, for PDF, when it would be less than 0.25 mm.
func Render(text, format string, s Style) (picture []byte, mediaType string, err error) {
	p, err := NewPainter(s)
	if err != nil {
		return nil, "", err
	}
	return p.Render(text, s.Caption, format)
}

// drawing is what a picture shows. Places are in modules, from the symbol's
// upper left corner.
type drawing struct {
	side   int           // of the symbol
	code   path          // the symbol and its ring
	dots   []image.Point // modules that are dots, row by row, where they are not part of code
	words  path          // the caption
	width  float64
	height float64 // width and the caption's
	colour inks
	logo   *image.RGBA // nil for none
	room   area        // of the logo
}

// corner is the upper left corner of the picture.
func (d *drawing) corner() point {
	margin := (d.width - float64(d.side)) / 2
	return point{-margin, -margin}
}

// compose lays out a picture of this width in modules. The letters of the
// caption are at least least modules high. With apart the dots of the modules
// are told one by one instead of being part of the outline.
func (p *Painter) compose(c *symbol, width, least float64, apart bool) (*drawing, error) {
	d := &drawing{side: c.side, width: width, logo: p.logo}
	var err error
	if d.colour, err = p.style.colours(); err != nil {
		return nil, err
	}
	if p.style.Ring {
		c.ring(&d.code, width)
	}
	if d.logo != nil {
		d.room = c.clear(d.logo.Bounds().Size())
	}
	dot := func(x, y int) { d.code.dot(x, y) }
	if apart {
		dot = func(x, y int) { d.dots = append(d.dots, image.Pt(x, y)) }
	}
	c.outline(&d.code, p.style.Modules, dot)
	middle := float64(c.side) / 2
	below, err := caption(&d.words, p.style.Caption, point{middle, middle + width/2}, width, least)
	d.height = width + below
	return d, err
}
