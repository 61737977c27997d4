package qr

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

const (
	leastLetters = 9  // pixels, of a caption
	shades       = 16 // from background to foreground: as many as four bits hold
)

// drawPNG draws modules of a whole number of pixels, so that square ones have
// sharp edges; what is left of the size is border.
func (p *Painter) drawPNG(text string) ([]byte, error) {
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
	height := int(math.Ceil(d.height*scale - 1e-6))
	origin := float64((s.Size - c.side*int(scale)) / 2)
	place := func(at point) point { return point{origin + at.x*scale, origin + at.y*scale} }

	r := vector.NewRasterizer(s.Size, height)
	r.DrawOp = draw.Src
	d.code.draw(raster{r}, place)
	d.words.draw(raster{r}, place)
	mask := image.NewAlpha(image.Rect(0, 0, s.Size, height))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	if d.logo == nil {
		return encodeShades(mask, d.colour)
	}
	at := place(point{d.room.x, d.room.y})
	corner := image.Pt(int(math.Round(at.x)), int(math.Round(at.y)))
	logo, err := scaleLogo(d.logo, max(1, int(math.Round(d.room.w*scale))), max(1, int(math.Round(d.room.h*scale))))
	if err != nil {
		return nil, err
	}
	return encodeLogo(mask, d.colour, logo, corner)
}

// raster is a pen of pixels.
type raster struct{ r *vector.Rasterizer }

func (r raster) move(a point) { r.r.MoveTo(float32(a.x), float32(a.y)) }
func (r raster) line(a point) { r.r.LineTo(float32(a.x), float32(a.y)) }
func (r raster) close()       { r.r.ClosePath() }

func (r raster) curve(a, b, c point) {
	r.r.CubeTo(float32(a.x), float32(a.y), float32(b.x), float32(b.y), float32(c.x), float32(c.y))
}

// shade is the colour that so much ink makes, 0 to 255.
func (in inks) shade(ink uint8) color.NRGBA {
	if in.transparent {
		return color.NRGBA{in.fore.R, in.fore.G, in.fore.B, ink}
	}
	mix := func(back, fore uint8) uint8 {
		return uint8((int(back)*(255-int(ink)) + int(fore)*int(ink) + 127) / 255)
	}
	return color.NRGBA{mix(in.back.R, in.fore.R), mix(in.back.G, in.fore.G), mix(in.back.B, in.fore.B), 0xff}
}

// shadeOf numbers the shades that all amounts of ink come to.
func shadeOf() (index [256]uint8) {
	for i := range index {
		index[i] = uint8((i*(shades-1) + 127) / 255)
	}
	return index
}

// newPNGFile begins a file whose palette holds the two colours and the shades
// between.
func newPNGFile(size image.Point, depth byte, in inks) *pngFile {
	f := &pngFile{size: size, depth: depth}
	for i := range shades {
		f.add(in.shade(uint8(i * 255 / (shades - 1))))
	}
	return f
}

// encodeShades writes a picture without a logo: two pixels a byte.
func encodeShades(mask *image.Alpha, in inks) ([]byte, error) {
	f, index := newPNGFile(mask.Rect.Size(), 4, in), shadeOf()
	return f.encode((f.size.X+1)/2, func(y int, row []byte) bool {
		ink := mask.Pix[y*mask.Stride : y*mask.Stride+f.size.X]
		if y > 0 && bytes.Equal(ink, mask.Pix[(y-1)*mask.Stride:y*mask.Stride]) {
			return false
		}
		for i := 0; i+1 < len(ink); i += 2 {
			row[i/2] = index[ink[i]]<<4 | index[ink[i+1]]
		}
		if last := len(ink) - 1; last%2 == 0 {
			row[last/2] = index[ink[last]] << 4
		}
		return true
	})
}

// encodeLogo writes a picture with a logo, for which the rest of the palette is.
func encodeLogo(mask *image.Alpha, in inks, logo *image.RGBA, at image.Point) ([]byte, error) {
	f, index := newPNGFile(mask.Rect.Size(), 8, in), shadeOf()
	if !in.transparent {
		layOver(logo, in.back)
	}
	colours, pixels := quantise(logo, 256-shades)
	for _, c := range colours {
		f.add(c)
	}
	size := logo.Rect.Size()
	return f.encode(f.size.X, func(y int, row []byte) bool {
		ink, dy := mask.Pix[y*mask.Stride:y*mask.Stride+f.size.X], y-at.Y
		inside := dy >= 0 && dy < size.Y
		if y > 0 && !inside && dy != size.Y && bytes.Equal(ink, mask.Pix[(y-1)*mask.Stride:y*mask.Stride]) {
			return false
		}
		for x, v := range ink {
			row[x] = index[v]
		}
		if inside {
			for x, n := range pixels[dy*size.X : (dy+1)*size.X] {
				row[at.X+x] = shades + n
			}
		}
		return true
	})
}

// layOver puts a logo on a ground.
func layOver(logo *image.RGBA, back color.NRGBA) {
	ground := [4]int{int(back.R), int(back.G), int(back.B), 255}
	for i := 0; i < len(logo.Pix); i += 4 {
		clear := 255 - int(logo.Pix[i+3])
		if clear == 0 {
			continue
		}
		for ch, g := range ground {
			logo.Pix[i+ch] += uint8((g*clear + 127) / 255)
		}
	}
}
