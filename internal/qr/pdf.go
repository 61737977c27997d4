package qr

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"
)

const (
	leastPrintLetters = 2 // millimetres, of a caption
	pointsPerMM       = 72 / 25.4
)

// drawPDF draws a page that is just as large as the picture.
func (p *Painter) drawPDF(text string) ([]byte, error) {
	side := p.style.Millimetres
	d, err := p.composePrint(text)
	if err != nil {
		return nil, err
	}
	f, err := newPDFFile(p.logo)
	if err != nil {
		return nil, err
	}
	page := newPDFPage(side, side*d.height/d.width)
	page.put(d, point{}, side)
	if err := f.page(page.width*pointsPerMM, page.height*pointsPerMM, page.content.Bytes()); err != nil {
		return nil, err
	}
	f.finish()
	return f.drain(), nil
}

// composePrint lays out a picture for print.
func (p *Painter) composePrint(text string) (*drawing, error) {
	side := p.style.Millimetres
	c, width, err := p.style.symbol(text, side, MinPrintModule)
	if err != nil {
		return nil, err
	}
	return p.compose(c, width, leastPrintLetters*width/side, true)
}

// pdfPage is what is drawn on a page. Its unit is the millimetre, from the upper
// left corner.
type pdfPage struct {
	width, height float64
	content       bytes.Buffer
}

func newPDFPage(width, height float64) *pdfPage {
	p := &pdfPage{width: width, height: height}
	p.write("%s 0 0 %s 0 %s cm\n", precise(pointsPerMM), precise(-pointsPerMM), precise(height*pointsPerMM))
	return p
}

func (p *pdfPage) write(format string, args ...any) { fmt.Fprintf(&p.content, format, args...) }

// frame draws a fine line round a rectangle.
func (p *pdfPage) frame(x, y, width, height float64) {
	p.write("0.1 w 0.745 G %s %s %s %s re S\n", number(x), number(y), number(width), number(height))
}

// put draws a picture with its upper left corner at a place, so wide. Within, the
// unit is the module, so that most numbers are small and whole.
func (p *pdfPage) put(d *drawing, at point, width float64) {
	scale, corner := width/d.width, d.corner()
	p.write("q %s 0 0 %s %s %s cm\n", precise(scale), precise(scale), precise(at.x-corner.x*scale), precise(at.y-corner.y*scale))
	if !d.colour.transparent {
		p.write("%s rg %s %s %s %s re f\n", ink(d.colour.back), number(corner.x), number(corner.y), number(d.width), number(d.height))
	}
	p.write("%s rg\n", ink(d.colour.fore))
	pen := &pdfPen{out: &p.content, grid: 1000}
	if scale < 2 {
		pen.grid = 100 // no printer resolves a hundredth of that
	}
	for _, outline := range []*path{&d.code, &d.words} {
		if len(outline.steps) > 0 {
			outline.draw(pen, func(a point) point { return a })
			p.content.WriteString("f\n")
		}
	}
	p.dots(d)
	if d.logo != nil {
		p.write("q %s 0 0 %s %s %s cm /l Do Q\n", precise(d.room.w), precise(-d.room.h), precise(d.room.x), precise(d.room.y+d.room.h))
	}
	p.content.WriteString("Q\n")
}

// dots draws the same form again and again, each time further along its row.
func (p *pdfPage) dots(d *drawing) {
	for i, at := range d.dots {
		if i > 0 && d.dots[i-1].Y == at.Y {
			p.write("1 0 0 1 %d 0 cm/d Do\n", at.X-d.dots[i-1].X)
			continue
		}
		if i > 0 {
			p.content.WriteString("Q\n")
		}
		p.write("q 1 0 0 1 %d %d cm/d Do\n", at.X, at.Y)
	}
	if len(d.dots) > 0 {
		p.content.WriteString("Q\n")
	}
}

func ink(c color.NRGBA) string {
	part := func(v uint8) string { return number(float64(v) / 255) }
	return part(c.R) + " " + part(c.G) + " " + part(c.B)
}

// precise writes a factor, by which much may be multiplied.
func precise(v float64) string { return fmt.Sprintf("%.6f", v) }

// pdfPen draws on a page.
type pdfPen struct {
	out  *bytes.Buffer
	grid float64 // places in a module
}

func (w *pdfPen) move(a point)        { w.step("m\n", a) }
func (w *pdfPen) line(a point)        { w.step("l\n", a) }
func (w *pdfPen) curve(a, b, c point) { w.step("c\n", a, b, c) }
func (w *pdfPen) close()              { w.out.WriteString("h\n") }

func (w *pdfPen) step(name string, points ...point) {
	for _, at := range points {
		w.number(at.x)
		w.number(at.y)
	}
	w.out.WriteString(name)
}

func (w *pdfPen) number(v float64) {
	b := w.out.AvailableBuffer()
	w.out.Write(append(strconv.AppendFloat(b, math.Round(v*w.grid)/w.grid, 'f', -1, 64), ' '))
}
