package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/vector"
)

const (
	leastLetters = 9  // pixels, of a caption
	shades       = 16 // from background to foreground: as many as four bits hold
)

// drawPNG draws modules of a whole number of pixels, so that square ones have
// sharp edges; what is left of the size is border.
func (s Style) drawPNG(text string) ([]byte, error) {
	c, width, err := s.pixels(text)
	if err != nil {
		return nil, err
	}
	scale := math.Floor(float64(s.Size) / width)
	d, err := s.compose(c, float64(s.Size)/scale, leastLetters/scale, nil)
	if err != nil {
		return nil, err
	}
	height := int(math.Ceil(d.height*scale - 1e-6))
	origin := float64((s.Size - c.side*int(scale)) / 2)
	place := func(p point) point { return point{origin + p.x*scale, origin + p.y*scale} }

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
	return encodeColours(mask, d.colour, logo, corner)
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

// encodeShades writes a picture of the two colours and the shades between.
func encodeShades(mask *image.Alpha, in inks) ([]byte, error) {
	var index [256]uint8
	plain := true
	for i := range index {
		index[i] = uint8((i*(shades-1) + 127) / 255)
	}
	for i, ink := range mask.Pix {
		mask.Pix[i] = index[ink]
		plain = plain && (ink == 0 || ink == 255)
	}
	colours := make(color.Palette, shades)
	for i := range colours {
		colours[i] = in.shade(uint8(i * 255 / (shades - 1)))
	}
	if plain {
		colours = color.Palette{colours[0], colours[shades-1]}
		for i, v := range mask.Pix {
			mask.Pix[i] = v & 1
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, &image.Paletted{Pix: mask.Pix, Stride: mask.Stride, Rect: mask.Rect, Palette: colours}); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return out.Bytes(), nil
}

// encodeColours writes a picture with a logo, whose colours no palette holds.
// It writes the format itself because image/png tries five filters on each line,
// which takes longer than all the rest.
//
// Docs: https://www.w3.org/TR/png-3/
func encodeColours(mask *image.Alpha, in inks, logo *image.NRGBA, at image.Point) ([]byte, error) {
	channels, kind := 3, byte(2)
	if in.transparent {
		channels, kind = 4, 6
	}
	var table [256][4]uint8
	for i := range table {
		c := in.shade(uint8(i))
		table[i] = [4]uint8{c.R, c.G, c.B, c.A}
	}
	size := mask.Rect.Size()
	head := binary.BigEndian.AppendUint32(nil, uint32(size.X))
	head = append(binary.BigEndian.AppendUint32(head, uint32(size.Y)), 8, kind, 0, 0, 0)

	var data bytes.Buffer
	deflate, err := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	above, row := make([]byte, size.X*channels), make([]byte, size.X*channels)
	line := make([]byte, 1+size.X*channels)
	line[0] = 2 // each byte less the one above it
	for y := range size.Y {
		for x, ink := range mask.Pix[y*mask.Stride : y*mask.Stride+size.X] {
			copy(row[x*channels:(x+1)*channels], table[ink][:])
		}
		if dy := y - at.Y; dy >= 0 && dy < logo.Rect.Dy() {
			layOver(row[at.X*channels:], channels, logo.Pix[dy*logo.Stride:(dy+1)*logo.Stride], in.back)
		}
		for i, v := range row {
			line[1+i] = v - above[i]
		}
		if _, err := deflate.Write(line); err != nil {
			return nil, fmt.Errorf("draw a code: %w", err)
		}
		above, row = row, above
	}
	if err := deflate.Close(); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	out := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", head)
	return chunk(chunk(out, "IDAT", data.Bytes()), "IEND", nil), nil
}

// layOver puts a line of a logo onto a line of the picture.
func layOver(row []byte, channels int, logo []byte, back color.NRGBA) {
	ground := [3]uint8{back.R, back.G, back.B}
	for x := 0; x < len(logo)/4; x++ {
		pixel, ink := logo[x*4:x*4+4], int(logo[x*4+3])
		if channels == 4 {
			copy(row[x*4:], pixel)
			continue
		}
		for i, g := range ground {
			row[x*3+i] = uint8((int(pixel[i])*ink + int(g)*(255-ink) + 127) / 255)
		}
	}
}

// chunk adds a part of a PNG file.
func chunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	start := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}
