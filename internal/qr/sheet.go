package qr

import (
	"fmt"
	"image"
	"math"
)

// SheetItem is one code of a print sheet.
type SheetItem struct {
	Text    string // what the code holds
	Caption string // below it, up to 60 characters; that of the style when empty
}

// A page of a sheet, in millimetres.
const (
	pageWidth  = 210 // A4
	pageHeight = 297
	pageMargin = 10
	cellMargin = 3 // around each code, up to the line to cut along
)

// MaxPerRow is the most codes in a row of a print sheet.
const MaxPerRow = 10

// Sheet draws codes on A4 pages for printing, so many in a row, with fine lines
// to cut along. It answers a PDF. When perRow is 0 there are as many as fit with
// the Millimetres of the style; when Millimetres is 0 they are as large as fit.
// It answers an error that names the number of the code, counted from 1, and
// wraps what Render would answer for it.
func Sheet(items []SheetItem, s Style, perRow int) ([]byte, error) {
	s, perRow, err := s.onSheet(perRow)
	if err != nil {
		return nil, err
	}
	var logo image.Image
	if s.Logo != nil {
		if logo, err = openLogo(s.Logo); err != nil {
			return nil, err
		}
	}
	p := newPDF(pageWidth, pageHeight)
	p.file.AddPage()
	p.file.SetLineWidth(0.1)
	top := float64(pageMargin)
	for first := 0; first < len(items); first += perRow {
		row, height, err := s.row(items[first:min(first+perRow, len(items))], first, logo)
		if err != nil {
			return nil, err
		}
		if top+height > pageHeight-pageMargin && top > pageMargin {
			p.file.AddPage()
			p.file.SetLineWidth(0.1)
			top = pageMargin
		}
		if err := p.putRow(row, top, height, s.Millimetres, perRow); err != nil {
			return nil, err
		}
		top += height
	}
	return p.bytes()
}

// onSheet completes a style and the number of codes in a row from each other.
func (s Style) onSheet(perRow int) (Style, int, error) {
	const room = pageWidth - 2*pageMargin
	if perRow < 0 || perRow > MaxPerRow {
		return s, 0, fmt.Errorf("draw a sheet: %d codes in a row are not between 1 and %d", perRow, MaxPerRow)
	}
	if perRow > 0 && s.Millimetres == 0 {
		s.Millimetres = float64(room)/float64(perRow) - 2*cellMargin
	}
	if err := s.Check(); err != nil {
		return s, 0, err
	}
	s = s.full()
	fitting := int(room / (s.Millimetres + 2*cellMargin))
	if fitting < max(1, perRow) {
		most := math.Floor(float64(room)/float64(max(1, perRow)) - 2*cellMargin)
		return s, 0, wrong("millimetres", "%g are too many for a sheet: %g fit with %d in a row", s.Millimetres, most, max(1, perRow))
	}
	if perRow == 0 {
		perRow = min(fitting, MaxPerRow)
	}
	return s, perRow, nil
}

// row lays out the codes of a row and answers its height in millimetres. First
// is the place of its first one among all.
func (s Style) row(items []SheetItem, first int, logo image.Image) ([]*drawing, float64, error) {
	var row []*drawing
	height := 0.0
	for i, item := range items {
		one := s
		if item.Caption != "" {
			one.Caption = item.Caption
			if err := one.checkCaption(); err != nil {
				return nil, 0, fmt.Errorf("code %d: %w", first+i+1, err)
			}
		}
		d, err := one.composePrint(item.Text, s.Millimetres, logo)
		if err != nil {
			return nil, 0, fmt.Errorf("code %d: %w", first+i+1, err)
		}
		row = append(row, d)
		height = max(height, d.height/d.width*s.Millimetres+2*cellMargin)
	}
	return row, height, nil
}

// putRow draws a row, each code in a cell of its own.
func (p *pdf) putRow(row []*drawing, top, height, side float64, perRow int) error {
	cell := float64(pageWidth-2*pageMargin) / float64(perRow)
	for i, d := range row {
		left := pageMargin + float64(i)*cell
		p.file.SetDrawColor(190, 190, 190)
		p.file.Rect(left, top, cell, height, "D")
		if err := p.put(d, point{left + (cell-side)/2, top + cellMargin}, side); err != nil {
			return err
		}
	}
	return nil
}
