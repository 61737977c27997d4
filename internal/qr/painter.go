package qr

import (
	"fmt"
	"image"
	"math"
	"sync"
)

// Painter draws codes in one style, which it has checked and whose logo it has
// read, once for all of them. Several goroutines may use it.
type Painter struct {
	style Style // with its defaults, without the bytes of its logo
	logo  *image.RGBA
	// embedded is the logo as a PNG that is large enough for print.
	embedded func() ([]byte, error)
}

// NewPainter makes a painter, or returns what Check says of the style, and a
// *StyleError for a logo that breaks off.
func NewPainter(s Style) (*Painter, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	p := &Painter{style: s.full()}
	if s.Logo != nil {
		var err error
		if p.logo, err = openLogo(s.Logo); err != nil {
			return nil, err
		}
		p.style.Logo, p.style.hasLogo = nil, true
		p.embedded = sync.OnceValues(func() ([]byte, error) { return embed(p.logo) })
	}
	return p, nil
}

// captioned is the painter with another caption.
func (p *Painter) captioned(caption string) *Painter {
	one := *p
	one.style.Caption = caption
	return &one
}

// Fits returns the error that Render would return for a text, a caption and a
// format, without drawing.
func (p *Painter) Fits(text, caption, format string) error {
	s := p.style
	s.Caption = caption
	if err := s.checkCaption(); err != nil {
		return err
	}
	switch format {
	case FormatPNG, FormatSVG:
		f, err := s.fit(text, float64(s.Size), MinModule)
		if err == nil && f.version == 0 {
			err = wrong("size", "%d pixels are too few for this text: the smallest that works is %d", s.Size, f.pixels())
		}
		return err
	case FormatPDF:
		f, err := s.fit(text, s.Millimetres, MinPrintModule)
		if err == nil && f.version == 0 {
			err = wrong("millimetres", "%g are too few for this text: the smallest that works is %.0f", s.Millimetres, math.Ceil(f.width*MinPrintModule))
		}
		return err
	}
	return fmt.Errorf("draw a code: %.10q is not one of the formats %s, %s, %s", format, FormatPNG, FormatSVG, FormatPDF)
}

// Render draws a text in a format, png, svg or pdf, with a caption of its own,
// and returns the picture and its media type.
func (p *Painter) Render(text, caption, format string) (picture []byte, mediaType string, err error) {
	if err := p.Fits(text, caption, format); err != nil {
		return nil, "", err
	}
	one := p.captioned(caption)
	switch format {
	case FormatPNG:
		picture, err = one.drawPNG(text)
		return picture, "image/png", err
	case FormatSVG:
		picture, err = one.drawSVG(text)
		return picture, "image/svg+xml", err
	default:
		picture, err = one.drawPDF(text)
		return picture, "application/pdf", err
	}
}
