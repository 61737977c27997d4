package qr

import (
	"fmt"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// How a caption is set, as parts of the picture's width or of the letters' size.
const (
	captionSize   = 0.06    // of the width
	captionRoom   = 0.92    // of the width: the longest line
	captionAbove  = 0.25    // of the size
	captionBelow  = 0.75    // of the size
	captionLine   = 1.25    // of the size, from line to line
	captionAscent = 0.95    // of the size
	unsupported   = '□'     // stands for what the font has no letter for
	unitsPerEm    = 1 << 11 // a grid fine enough for any size
)

// letters are the outlines of a font: Latin, Greek and Cyrillic letters with the
// signs of European languages.
type letters struct {
	font   *sfnt.Font
	buffer sfnt.Buffer
}

func openLetters() (*letters, error) {
	f, err := sfnt.Parse(gomedium.TTF)
	if err != nil {
		return nil, fmt.Errorf("open the font: %w", err)
	}
	return &letters{font: f}, nil
}

// glyph returns a letter's number in the font and its width at a size of 1.
func (l *letters) glyph(r rune) (sfnt.GlyphIndex, float64, error) {
	index, err := l.font.GlyphIndex(&l.buffer, r)
	if err == nil && index == 0 && r != unsupported {
		return l.glyph(unsupported)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("set the caption: %w", err)
	}
	advance, err := l.font.GlyphAdvance(&l.buffer, index, fixed.I(unitsPerEm), font.HintingNone)
	if err != nil {
		return 0, 0, fmt.Errorf("set the caption: %w", err)
	}
	return index, em(advance), nil
}

// em turns a length at unitsPerEm into one at a size of 1.
func em(v fixed.Int26_6) float64 { return float64(v) / 64 / unitsPerEm }

func (l *letters) width(text string) (float64, error) {
	var sum float64
	for _, r := range text {
		_, advance, err := l.glyph(r)
		if err != nil {
			return 0, err
		}
		sum += advance
	}
	return sum, nil
}

// wrap breaks a text into lines at blanks, and within a word that is wider
// than a line.
func (l *letters) wrap(text string, room float64) ([]string, error) {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		joined := strings.TrimLeft(line+" "+word, " ")
		width, err := l.width(joined)
		if err != nil {
			return nil, err
		}
		if width <= room {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range word {
			if width, err = l.width(line + string(r)); err != nil {
				return nil, err
			}
			if width > room && line != "" {
				lines, line = append(lines, line), ""
			}
			line += string(r)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines, nil
}

// caption adds a text below at, centred there, and returns the height it takes.
// Width is that of the picture and least the size of the smallest letters, all
// in modules.
func caption(p *path, text string, at point, width, least float64) (float64, error) {
	if strings.TrimSpace(text) == "" {
		return 0, nil
	}
	l, err := openLetters()
	if err != nil {
		return 0, err
	}
	size := max(width*captionSize, least)
	lines, err := l.wrap(text, width*captionRoom/size)
	if err != nil {
		return 0, err
	}
	for i, line := range lines {
		length, err := l.width(line)
		if err != nil {
			return 0, err
		}
		baseline := at.y + size*(captionAbove+captionAscent+captionLine*float64(i))
		if err := l.set(p, line, point{at.x - length*size/2, baseline}, size); err != nil {
			return 0, err
		}
	}
	return size * (captionAbove + captionLine*float64(len(lines)) + captionBelow), nil
}

// set adds the outlines of a line.
func (l *letters) set(p *path, line string, at point, size float64) error {
	for _, r := range line {
		index, advance, err := l.glyph(r)
		if err != nil {
			return err
		}
		segments, err := l.font.LoadGlyph(&l.buffer, index, fixed.I(unitsPerEm), nil)
		if err != nil {
			return fmt.Errorf("set the caption: %w", err)
		}
		l.add(p, segments, func(v fixed.Point26_6) point { return point{at.x + em(v.X)*size, at.y + em(v.Y)*size} })
		at.x += advance * size
	}
	return nil
}

// add adds one letter's outlines; those with one handle become those with two.
func (l *letters) add(p *path, segments sfnt.Segments, place func(fixed.Point26_6) point) {
	var last point
	for i, s := range segments {
		end := place(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				p.close()
			}
			p.move(end)
		case sfnt.SegmentOpLineTo:
			p.line(end)
		case sfnt.SegmentOpQuadTo:
			handle := end
			end = place(s.Args[1])
			p.curve(toward(last, handle, 2.0/3), toward(end, handle, 2.0/3), end)
		case sfnt.SegmentOpCubeTo:
			end = place(s.Args[2])
			p.curve(place(s.Args[0]), place(s.Args[1]), end)
		}
		last = end
	}
	if len(segments) > 0 {
		p.close()
	}
}
