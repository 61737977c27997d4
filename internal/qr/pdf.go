package qr

import (
	"bytes"
	"fmt"
	"image"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

const leastPrintLetters = 2 // millimetres, of a caption

// drawPDF draws a page that is just as large as the picture.
func (s Style) drawPDF(text string) ([]byte, error) {
	d, err := s.composePrint(text, s.Millimetres, nil)
	if err != nil {
		return nil, err
	}
	p := newPDF(s.Millimetres, s.Millimetres*d.height/d.width)
	p.file.AddPage()
	if err := p.put(d, point{}, s.Millimetres); err != nil {
		return nil, err
	}
	return p.bytes()
}

// composePrint lays out a picture of so many millimetres a side.
func (s Style) composePrint(text string, side float64, logo image.Image) (*drawing, error) {
	c, width, err := s.print(text, side)
	if err != nil {
		return nil, err
	}
	return s.compose(c, width, leastPrintLetters*width/side, logo)
}

// pdf is a PDF file in the making. Its unit is the millimetre.
type pdf struct {
	file    *fpdf.Fpdf
	hasLogo bool // the logo is in the file already
}

// newPDF begins a file whose pages have this size. It carries no time of its
// making, so that the same code is the same file.
func newPDF(width, height float64) *pdf {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: width, Ht: height}})
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.SetCatalogSort(true)
	f.SetCreationDate(time.Unix(0, 0).UTC())
	f.SetModificationDate(time.Unix(0, 0).UTC())
	f.SetProducer("Chasqui", true)
	return &pdf{file: f}
}

// put draws a picture with its upper left corner at a place, so wide.
func (p *pdf) put(d *drawing, at point, width float64) error {
	scale, corner := width/d.width, d.corner()
	place := func(a point) point { return point{at.x + (a.x-corner.x)*scale, at.y + (a.y-corner.y)*scale} }
	if !d.colour.transparent {
		p.file.SetFillColor(int(d.colour.back.R), int(d.colour.back.G), int(d.colour.back.B))
		p.file.Rect(at.x, at.y, width, d.height*scale, "F")
	}
	p.file.SetFillColor(int(d.colour.fore.R), int(d.colour.fore.G), int(d.colour.fore.B))
	for _, outline := range []*path{&d.code, &d.words} {
		if len(outline.steps) > 0 {
			outline.draw(pdfPen{p.file}, place)
			p.file.DrawPath("f")
		}
	}
	if d.logo == nil {
		return nil
	}
	options := fpdf.ImageOptions{ImageType: "PNG"}
	if !p.hasLogo {
		picture, err := embed(d.logo)
		if err != nil {
			return err
		}
		p.file.RegisterImageOptionsReader("logo", options, bytes.NewReader(picture))
		p.hasLogo = true
	}
	room := place(point{d.room.x, d.room.y})
	p.file.ImageOptions("logo", room.x, room.y, d.room.w*scale, d.room.h*scale, false, options, 0, "")
	return nil
}

func (p *pdf) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := p.file.Output(&out); err != nil {
		return nil, fmt.Errorf("write the PDF: %w", err)
	}
	return out.Bytes(), nil
}

// pdfPen draws on a page.
type pdfPen struct{ file *fpdf.Fpdf }

func (w pdfPen) move(a point)        { w.file.MoveTo(a.x, a.y) }
func (w pdfPen) line(a point)        { w.file.LineTo(a.x, a.y) }
func (w pdfPen) curve(a, b, c point) { w.file.CurveBezierCubicTo(a.x, a.y, b.x, b.y, c.x, c.y) }
func (w pdfPen) close()              { w.file.ClosePath() }
