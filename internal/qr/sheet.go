package qr

import (
	"cmp"
	"fmt"
	"io"
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

// Limits of a print sheet.
const (
	MaxPerRow = 10   // codes in a row
	MaxSheet  = 1000 // codes on all its pages
)

// Sheet is a print sheet in the making: codes on A4 pages, so many in a row,
// with fine lines to cut along. Its PDF file is made page by page; no more than
// one of them is in memory.
type Sheet struct {
	painter *Painter
	items   []SheetItem
	perRow  int
	file    *pdfFile
	next    int // item
	done    bool
	waiting []*drawing // a row for which the page before had no room
	height  float64    // of that row
}

// NewSheet begins a sheet. When perRow is 0 there are as many in a row as fit
// with the Millimetres of the style; when Millimetres is 0 they are as large as
// fit. All codes are tried before any is drawn: the error names the number of
// the first that does not fit, counted from 1, and wraps what Render would
// return for it.
func NewSheet(items []SheetItem, s Style, perRow int) (*Sheet, error) {
	if len(items) < 1 || len(items) > MaxSheet {
		return nil, fmt.Errorf("draw a sheet: %d codes are not between 1 and %d", len(items), MaxSheet)
	}
	s, perRow, err := s.onSheet(perRow)
	if err != nil {
		return nil, err
	}
	p, err := NewPainter(s)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if err := p.Fits(items[i].Text, items[i].caption(s), FormatPDF); err != nil {
			return nil, fmt.Errorf("code %d: %w", i+1, err)
		}
	}
	file, err := newPDFFile(p.logo)
	return &Sheet{painter: p, items: items, perRow: perRow, file: file}, err
}

// Next draws the next page and returns the part of the file that ends with it;
// after the last page the rest of the file; and then nothing and io.EOF.
func (s *Sheet) Next() ([]byte, error) {
	if s.done {
		return nil, io.EOF
	}
	page, top, drawn := newPDFPage(pageWidth, pageHeight), float64(pageMargin), false
	for {
		if s.waiting == nil {
			if err := s.row(); err != nil {
				return nil, err
			}
		}
		if s.waiting == nil || drawn && top+s.height > pageHeight-pageMargin {
			break
		}
		s.put(page, top)
		top += s.height
		s.waiting, drawn = nil, true
	}
	if drawn {
		return s.page(page)
	}
	s.file.finish()
	s.done = true
	return s.file.drain(), nil
}

func (s *Sheet) page(page *pdfPage) ([]byte, error) {
	if err := s.file.page(page.width*pointsPerMM, page.height*pointsPerMM, page.content.Bytes()); err != nil {
		return nil, err
	}
	return s.file.drain(), nil
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

func (i *SheetItem) caption(s Style) string { return cmp.Or(i.Caption, s.Caption) }

// row lays out the next row, if there is one.
func (s *Sheet) row() error {
	s.height = 0
	for range s.perRow {
		if s.next == len(s.items) {
			return nil
		}
		item := &s.items[s.next]
		s.next++
		d, err := s.painter.captioned(item.caption(s.painter.style)).composePrint(item.Text)
		if err != nil {
			return fmt.Errorf("code %d: %w", s.next, err)
		}
		s.waiting = append(s.waiting, d)
		s.height = max(s.height, d.height/d.width*s.painter.style.Millimetres+2*cellMargin)
	}
	return nil
}

// put draws the row, each code in a cell of its own.
func (s *Sheet) put(page *pdfPage, top float64) {
	cell, side := float64(pageWidth-2*pageMargin)/float64(s.perRow), s.painter.style.Millimetres
	for i, d := range s.waiting {
		left := pageMargin + float64(i)*cell
		page.frame(left, top, cell, s.height)
		page.put(d, point{left + (cell-side)/2, top + cellMargin}, side)
	}
}
