package qr

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
)

// maxEmbedded is the longest side in pixels of a logo within an SVG or PDF.
const maxEmbedded = 600

// drawSVG draws one path for the code and one for the caption, in modules. At
// its own size it is the same picture as the PNG, with modules of whole pixels.
func (p *Painter) drawSVG(text string) ([]byte, error) {
	s := &p.style
	c, width, err := s.symbol(text, float64(s.Size), MinModule)
	if err != nil {
		return nil, err
	}
	scale := math.Floor(float64(s.Size) / width)
	d, err := p.compose(c, float64(s.Size)/scale, leastLetters/scale, false)
	if err != nil {
		return nil, err
	}
	margin := math.Floor((float64(s.Size)-float64(c.side)*scale)/2) / scale
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %s %s">`,
		s.Size, number(d.height*scale), number(d.width), number(d.height))
	out.WriteString("\n<title>")
	if err := xml.EscapeText(&out, []byte(s.title(text))); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	out.WriteString("</title>\n")
	if !d.colour.transparent {
		fmt.Fprintf(&out, `<path fill="%s" d="M0 0h%sv%sH0z"/>`+"\n", hex(d.colour.back), number(d.width), number(d.height))
	}
	place := func(at point) point { return point{at.x + margin, at.y + margin} }
	for _, outline := range []*path{&d.code, &d.words} {
		if len(outline.steps) == 0 {
			continue
		}
		fmt.Fprintf(&out, `<path fill="%s" d="`, hex(d.colour.fore))
		outline.draw(&svgPen{out: &out}, place)
		out.WriteString("\"/>\n")
	}
	if d.logo != nil {
		picture, err := p.embedded()
		if err != nil {
			return nil, err
		}
		at := place(point{d.room.x, d.room.y})
		fmt.Fprintf(&out, `<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" href="data:image/png;base64,%s"/>`+"\n",
			number(at.x), number(at.y), number(d.room.w), number(d.room.h), base64.StdEncoding.EncodeToString(picture))
	}
	out.WriteString("</svg>\n")
	return out.Bytes(), nil
}

// title is what a screen reader says of the picture.
func (s Style) title(text string) string {
	if s.Caption != "" {
		return s.Caption
	}
	return "QR code: " + text
}

// embed writes a logo as a PNG that is large enough for print.
func embed(logo *image.RGBA) ([]byte, error) {
	scaled, err := forPrint(logo)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, scaled); err != nil {
		return nil, fmt.Errorf("draw the logo: %w", err)
	}
	return out.Bytes(), nil
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// number writes a length to a thousandth.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// svgPen writes the commands of a path.
type svgPen struct{ out *bytes.Buffer }

func (w *svgPen) move(a point)        { w.command('M', a) }
func (w *svgPen) line(a point)        { w.command('L', a) }
func (w *svgPen) curve(a, b, c point) { w.command('C', a, b, c) }
func (w *svgPen) close()              { w.out.WriteByte('z') }

func (w *svgPen) command(name byte, points ...point) {
	w.out.WriteByte(name)
	for i, p := range points {
		if i > 0 {
			w.out.WriteByte(' ')
		}
		w.out.WriteString(number(p.x))
		w.out.WriteByte(' ')
		w.out.WriteString(number(p.y))
	}
}
