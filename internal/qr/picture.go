package qr

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // pictures may be any of these
	_ "image/jpeg"
	_ "image/png"
	"math"

	"golang.org/x/image/draw"
)

// maxScans is how many passes a JPEG picture may be made of. Each goes over all
// of it, and takes no more than a few bytes of the file; encoders make about ten.
const maxScans = 100

// What is said of pictures that cannot be used.
const (
	unreadable = "the picture is not a PNG, JPEG or GIF picture that can be read"
	tooTangled = "the picture is a JPEG of more than 100 passes: save it anew as an ordinary one"
)

// measurePicture reads the head of a picture, whatever it claims, without
// reading any of its pixels.
func measurePicture(data []byte) (image.Point, string) {
	size, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return image.Point{}, unreadable
	}
	// The two bytes begin a pass wherever they stand, but in what programs hang on to a picture.
	if format == "jpeg" && bytes.Count(data, []byte{0xff, 0xda}) > maxScans {
		return image.Point{}, tooTangled
	}
	return image.Pt(size.Width, size.Height), ""
}

func (s Style) checkLogo() error {
	if s.Logo == nil {
		return nil
	}
	if len(s.Logo) > MaxLogoBytes {
		return wrong("logo", "the picture is larger than %d MB", MaxLogoBytes>>20)
	}
	size, problem := measurePicture(s.Logo)
	switch {
	case problem != "":
		return wrong("logo", "%s", problem)
	case size.X < 1 || size.Y < 1 || size.X > MaxLogoSide || size.Y > MaxLogoSide || size.X*size.Y > MaxLogoPixels:
		return wrong("logo", "the picture's %d × %d pixels are not between 1 and %d a side", size.X, size.Y, MaxLogoSide)
	}
	return nil
}

// openLogo decodes a logo that checkLogo has passed: of a GIF the first picture,
// of any depth as eight bits a channel.
func openLogo(data []byte) (*image.RGBA, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, wrong("logo", "%s", unreadable)
	}
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return nil, wrong("logo", "the picture is empty")
	}
	logo := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(logo, logo.Rect, img, img.Bounds().Min, draw.Src)
	return logo, nil
}

// scaleLogo makes a picture of exactly so many pixels.
func scaleLogo(img image.Image, width, height int) (*image.RGBA, error) {
	if width < 1 || height < 1 {
		return nil, fmt.Errorf("scale the logo: %d × %d pixels are too few", width, height)
	}
	scaled := image.NewRGBA(image.Rect(0, 0, width, height))
	// Taking the mean of all pixels is slow, and shows only where many become one.
	how := draw.Interpolator(draw.ApproxBiLinear)
	if img.Bounds().Dx() > 2*width || img.Bounds().Dy() > 2*height {
		how = draw.BiLinear
	}
	how.Scale(scaled, scaled.Bounds(), img, img.Bounds(), draw.Src, nil)
	return scaled, nil
}

// forPrint is a logo of at most maxEmbedded pixels a side.
func forPrint(logo *image.RGBA) (*image.RGBA, error) {
	size := logo.Bounds().Size()
	part := min(1, maxEmbedded/float64(max(size.X, size.Y)))
	if part == 1 {
		return logo, nil
	}
	return scaleLogo(logo, max(1, int(math.Round(float64(size.X)*part))), max(1, int(math.Round(float64(size.Y)*part))))
}
