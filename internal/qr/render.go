package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// Formats of pictures.
const (
	FormatPNG = "png"
	FormatSVG = "svg"
	FormatPDF = "pdf"
)

// Render draws the text as a QR code in the format png and answers the picture
// and its media type. Error correction is as high as the size allows. It
// answers a *StyleError for a style that Check refuses, and one on size that
// names the smallest that works when a module would be less than 2 pixels wide.
func Render(text, format string, s Style) ([]byte, string, error) {
	if err := s.Check(); err != nil {
		return nil, "", err
	}
	s = s.full()
	if format != FormatPNG {
		return nil, "", fmt.Errorf("draw a code: %.10q is no format that can be drawn", format)
	}
	c, width, err := s.fit(text, float64(s.Size), MinModule)
	if err != nil {
		return nil, "", err
	}
	if c == nil {
		return nil, "", wrong("size", "%d pixels are too few for this text: the smallest that works is %d", s.Size, Smallest(text, s))
	}
	picture, err := s.drawPNG(c, width)
	return picture, "image/png", err
}

func (s Style) drawPNG(c *symbol, width float64) ([]byte, error) {
	in, err := s.colours()
	if err != nil {
		return nil, err
	}
	img := image.NewPaletted(image.Rect(0, 0, s.Size, s.Size), color.Palette{in.back, in.fore})
	scale := int(float64(s.Size) / width)
	offset := (s.Size - c.side*scale) / 2
	for y := range c.side * scale {
		row := img.Pix[(offset+y)*img.Stride+offset:]
		for x := range c.side * scale {
			if c.at(x/scale, y/scale) {
				row[x] = 1
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return out.Bytes(), nil
}
