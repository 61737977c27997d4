package qr_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"github.com/chasqui/chasqui/internal/qr"
)

// The places that a style may differ in.
var (
	forms = []string{qr.Square, qr.Rounded, qr.Dots}
	rings = []bool{false, true}
)

// style is one of all combinations of what a style may differ in.
type style struct {
	form string
	ring bool
	logo string
}

func (s style) String() string { return fmt.Sprintf("%s ring=%t logo=%s", s.form, s.ring, s.logo) }

// styles are the combinations with these logos; under the race detector a few of them.
func styles(logos ...string) []style {
	var all []style
	for i := range len(logos) * len(forms) * len(rings) {
		if i%sample == 0 {
			all = append(all, style{form: forms[i%3], ring: rings[i/3%2], logo: logos[i/6]})
		}
	}
	return all
}

// logos are pictures of different proportions, kinds and colours, dark ones and busy ones among
// them: what a scanner could take for modules.
func logos(t testing.TB) map[string][]byte {
	t.Helper()
	var photo, gray bytes.Buffer
	if err := jpeg.Encode(&photo, paint(300, 300, busy), nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&gray, paint(160, 480, func(x, y float64) color.Color { return color.Gray{Y: 40} })); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"none": nil, "photo": photo.Bytes(), "wide": encodePNG(t, paint(900, 120, disc)), "high": gray.Bytes(), "tiny": encodePNG(t, paint(2, 2, disc))}
}

func paint(w, h int, at func(x, y float64) color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, at((float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)))
		}
	}
	return img
}

// busy is black and white by turns.
func busy(x, y float64) color.Color {
	if (int(x*9)+int(y*9))%2 == 0 {
		return color.Black
	}
	return color.NRGBA{250, 240, uint8(255 * x), 255}
}

// disc is round, with nothing around it.
func disc(x, y float64) color.Color {
	r := math.Hypot(x-0.5, y-0.5)
	if r > 0.5 {
		return color.Transparent
	}
	return color.NRGBA{uint8(200 * r), 80, uint8(255 * y), 255}
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	quick := png.Encoder{CompressionLevel: png.NoCompression}
	if err := quick.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decodePNG(t testing.TB, picture []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// onWhite is a picture as it looks on white paper.
func onWhite(img image.Image) *image.RGBA {
	paper := image.NewRGBA(img.Bounds())
	draw.Draw(paper, paper.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(paper, paper.Rect, img, img.Bounds().Min, draw.Over)
	return paper
}

// rotated turns a picture on white paper about its middle.
func rotated(img image.Image, degrees float64) image.Image {
	w, h := float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
	side := int(math.Ceil(math.Hypot(w, h)))
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	m := float64(side) / 2
	paper := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(paper, paper.Rect, image.White, image.Point{}, draw.Src)
	turn := f64.Aff3{cos, -sin, m - cos*w/2 + sin*h/2, sin, cos, m - sin*w/2 - cos*h/2}
	xdraw.BiLinear.Transform(paper, turn, img, img.Bounds(), xdraw.Over, nil)
	return paper
}

// blurred makes each pixel the mean of those up to r away, twice.
func blurred(img image.Image, r int) image.Image {
	b := img.Bounds()
	gray := image.NewGray(b)
	draw.Draw(gray, b, img, b.Min, draw.Src)
	for range 2 {
		for _, step := range []int{1, gray.Stride} {
			from := bytes.Clone(gray.Pix)
			for i := range from {
				sum, n := 0, 0
				for k := -r; k <= r; k++ {
					if at := i + k*step; at >= 0 && at < len(from) {
						sum, n = sum+int(from[at]), n+1
					}
				}
				gray.Pix[i] = uint8(sum / n)
			}
		}
	}
	return gray
}

// printed is a picture so many pixels wide on grainy grey paper, as a camera takes it.
func printed(img image.Image, side int) image.Image {
	seen := image.NewRGBA(image.Rect(0, 0, side, side*img.Bounds().Dy()/img.Bounds().Dx()))
	xdraw.CatmullRom.Scale(seen, seen.Rect, img, img.Bounds(), xdraw.Src, nil)
	paper := image.NewGray(seen.Rect.Inset(-20))
	grain := rand.New(rand.NewPCG(1, 2))
	for y := paper.Rect.Min.Y; y < paper.Rect.Max.Y; y++ {
		for x := paper.Rect.Min.X; x < paper.Rect.Max.X; x++ {
			v := 255
			if (image.Point{X: x, Y: y}).In(seen.Rect) {
				v = int(color.GrayModel.Convert(seen.At(x, y)).(color.Gray).Y)
			}
			paper.SetGray(x, y, color.Gray{Y: uint8(40 + v*170/255 + grain.IntN(21) - 10)})
		}
	}
	return blurred(paper, 1)
}
