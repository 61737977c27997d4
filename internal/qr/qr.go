// Package qr draws QR codes of links and reads them back.
package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"
	"rsc.io/qr/coding"
)

// Limits of a picture that Decode looks at, and of one that PNG draws.
const (
	MaxBytes = 25 << 20 // of an encoded picture
	MaxSide  = 8000     // pixels
	maxArea  = 32 << 20 // pixels in all, of one that is read
)

// ErrNoCode is returned for a picture that holds no readable QR code.
var ErrNoCode = errors.New("the picture holds no QR code that can be read")

// PNG draws the text as a QR code with medium error correction. Size is the
// side of the picture in pixels, quiet the width of the empty border in
// modules; 4 is what the standard asks for. What remains when the modules do
// not fill the side is border too. A size too small for one pixel a module, or
// above MaxSide, is an error.
func PNG(text string, size, quiet int) ([]byte, error) {
	if size > MaxSide || quiet < 0 || quiet > 100 {
		return nil, fmt.Errorf("draw a code: a side of %d pixels with a border of %d modules is out of range", size, quiet)
	}
	data, err := encoding(text)
	if err != nil {
		return nil, err
	}
	v := versionFor(data, coding.M)
	if v == 0 {
		return nil, ErrTooLong
	}
	code, err := encode(data, v, coding.M)
	if err != nil {
		return nil, err
	}
	modules := code.side
	scale := size / (modules + 2*quiet)
	if scale < 1 {
		return nil, fmt.Errorf("draw a code: %d pixels are too few for %d modules", size, modules+2*quiet)
	}
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	offset := (size - modules*scale) / 2
	for y := range modules * scale {
		for x := range modules * scale {
			if code.at(x/scale, y/scale) {
				img.SetColorIndex(offset+x, offset+y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	return out.Bytes(), nil
}

// Decode reads the QR code in a PNG, JPEG or GIF picture and returns its text.
// It returns ErrNoCode when it finds none.
func Decode(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return "", fmt.Errorf("read the picture: %w", err)
	}
	size, problem := measurePicture(data)
	if problem != "" {
		return "", fmt.Errorf("read the picture: %s", problem)
	}
	if len(data) > MaxBytes || size.X > MaxSide || size.Y > MaxSide || size.X < 1 || size.Y < 1 || size.X*size.Y > maxArea {
		return "", fmt.Errorf("read the picture: %d × %d pixels are too many", size.X, size.Y)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("read the picture: %w", err)
	}
	for _, percent := range [...]int{100, 50, 75, 67, 60, 40, 33} {
		text, err := decodeAt(img, percent)
		if !errors.Is(err, ErrNoCode) {
			return text, err
		}
	}
	return "", ErrNoCode
}

// decodeAt reads the code in a picture that is made smaller first, which helps
// with round modules and with lines around the code: of one such code in a
// hundred the search for the corners finds others.
func decodeAt(img image.Image, percent int) (string, error) {
	if percent < 100 {
		from := img.Bounds()
		smaller := image.NewRGBA(image.Rect(0, 0, max(1, from.Dx()*percent/100), max(1, from.Dy()*percent/100)))
		draw.BiLinear.Scale(smaller, smaller.Bounds(), img, from, draw.Src, nil)
		img = smaller
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", fmt.Errorf("read the picture: %w", err)
	}
	// A picture that is nothing but the code is read without a search for the corners.
	for _, how := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
		if found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{how: true}); err == nil {
			return found.GetText(), nil
		}
	}
	return "", ErrNoCode
}
