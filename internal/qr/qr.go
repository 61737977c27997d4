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
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", fmt.Errorf("read the picture: %w", err)
	}
	// Of some codes the search for the corners finds others: a picture that is nothing but the code is read without it.
	for _, how := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
		if found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{how: true}); err == nil {
			return found.GetText(), nil
		}
	}
	return "", ErrNoCode
}
