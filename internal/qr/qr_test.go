package qr_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/qr"
)

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text        string
		size, quiet int
	}{
		{"https://m.me/100?ref=billboard-ad", 300, 4},
		{"http://127.0.0.1:8081/m.me/100200300?ref=" + strings.Repeat("a", 250), 1000, 4},
		{"short", 100, 1},
		{"https://m.me/1?ref=" + strings.Repeat("Z", 500), 2000, 10},
	} {
		picture, err := qr.PNG(tt.text, tt.size, tt.quiet)
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil || size.Width != tt.size || size.Height != tt.size {
			t.Errorf("%.30s: %d × %d, %v", tt.text, size.Width, size.Height, err)
		}
		if got, err := qr.Decode(bytes.NewReader(picture)); err != nil || got != tt.text {
			t.Errorf("%.30s at %d pixels: read %.30q, %v", tt.text, tt.size, got, err)
		}
	}
}

// A photograph has a code somewhere in it, in grey on grey.
func TestPhotograph(t *testing.T) {
	t.Parallel()
	code, err := qr.PNG("https://m.me/42?ref=poster", 240, 4)
	if err != nil {
		t.Fatal(err)
	}
	small, err := png.Decode(bytes.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	photo := image.NewGray(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			shade := uint8(190 + (x+y)%20)
			if p := image.Pt(x-180, y-110); p.In(small.Bounds()) {
				shade = 200
				if r, _, _, _ := small.At(p.X, p.Y).RGBA(); r == 0 {
					shade = 60
				}
			}
			photo.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, photo, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	if got, err := qr.Decode(&file); err != nil || got != "https://m.me/42?ref=poster" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	var blank bytes.Buffer
	if err := png.Encode(&blank, image.NewGray(image.Rect(0, 0, 50, 50))); err != nil {
		t.Fatal(err)
	}
	if _, err := qr.Decode(&blank); !errors.Is(err, qr.ErrNoCode) {
		t.Errorf("an empty picture: %v", err)
	}
	if _, err := qr.Decode(strings.NewReader("no picture")); err == nil {
		t.Error("text was taken for a picture")
	}
	for _, size := range []int{0, 20, qr.MaxSide + 1} {
		if _, err := qr.PNG("https://m.me/42?ref=poster", size, 4); err == nil {
			t.Errorf("a code of %d pixels was drawn", size)
		}
	}
	if _, err := qr.PNG(strings.Repeat("x", 5000), 1000, 4); err == nil {
		t.Error("a text too long for any code was drawn")
	}
}

// Of these the search for the corners finds others than the code's.
func TestCornersThatMislead(t *testing.T) {
	t.Parallel()
	small, ringed := qr.Style{Size: 200}, qr.Style{Size: 400, Modules: qr.Rounded, Ring: true}
	for slug, style := range map[string]qr.Style{
		"30497/m/ermaauna": small, "35558/m/rdv3lhmr": small, "36083/m/ewo3ssy4": small, "35446/m/irmfk4aa": small, "38869/m/ppkayt4p": small,
		"47360/m/kvql67in": small, "36773/m.me/177508233182078?ref=table-7": ringed,
	} {
		text := "http://127.0.0.1:" + slug
		picture, _, err := qr.Render(text, "png", style)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := qr.Decode(bytes.NewReader(picture)); err != nil || got != text {
			t.Errorf("%s is read as %q: %v", text, got, err)
		}
	}
}
