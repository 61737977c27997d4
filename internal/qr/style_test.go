package qr_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/qr"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	huge := encodePNG(t, paint(qr.MaxLogoSide+1, 1, disc))
	for _, tt := range []struct {
		name  string
		s     qr.Style
		field string // empty for one that passes
	}{
		{"nothing said", qr.Style{}, ""},
		{"all said", qr.Style{Size: 100, Millimetres: 10, Modules: "dots", Ring: true, Foreground: "#123456", Background: "transparent", Caption: "x", Quiet: 1}, ""},
		{"the most", qr.Style{Size: 2000, Millimetres: 1000, Modules: "rounded", Caption: strings.Repeat("ü", 60), Quiet: 20}, ""},
		{"small", qr.Style{Size: 99}, "size"},
		{"large", qr.Style{Size: 2001}, "size"},
		{"negative", qr.Style{Size: -1}, "size"},
		{"short", qr.Style{Millimetres: 9.9}, "millimetres"},
		{"long", qr.Style{Millimetres: 1000.1}, "millimetres"},
		{"no number", qr.Style{Millimetres: math.NaN()}, "millimetres"},
		{"other modules", qr.Style{Modules: "hearts"}, "modules"},
		{"61 characters", qr.Style{Caption: strings.Repeat("ü", 61)}, "caption"},
		{"narrow", qr.Style{Quiet: -1}, "quiet"},
		{"broad", qr.Style{Quiet: 21}, "quiet"},
		{"a name of a colour", qr.Style{Foreground: "black"}, "foreground"},
		{"a colour of three digits", qr.Style{Foreground: "#000"}, "foreground"},
		{"no hexadecimal digit", qr.Style{Foreground: "#00000g"}, "foreground"},
		{"a sign", qr.Style{Foreground: "#+12345"}, "foreground"},
		{"transparent in front", qr.Style{Foreground: "transparent"}, "foreground"},
		{"a name behind", qr.Style{Background: "white"}, "background"},
		{"contrast of 4.54", qr.Style{Foreground: "#767676"}, ""},
		{"contrast of 4.48", qr.Style{Foreground: "#777777"}, "foreground"},
		{"light on dark", qr.Style{Foreground: "#ffffff", Background: "#000000"}, "foreground"},
		{"yellow on what is transparent", qr.Style{Foreground: "#ffee00", Background: "transparent"}, "foreground"},
		{"no picture", qr.Style{Logo: []byte("no picture")}, "logo"},
		{"empty picture", qr.Style{Logo: []byte{}}, "logo"},
		{"too many pixels", qr.Style{Logo: huge}, "logo"},
		{"too many bytes", qr.Style{Logo: make([]byte, qr.MaxLogoBytes+1)}, "logo"},
	} {
		err := tt.s.Check()
		var wrong *qr.StyleError
		if tt.field == "" && err != nil || tt.field != "" && (!errors.As(err, &wrong) || wrong.Field != tt.field || wrong.Message == "") {
			t.Errorf("%s: %v, want an error on %q", tt.name, err, tt.field)
		}
		if _, _, drawn := qr.Render(link(3), qr.FormatSVG, tt.s); tt.field != "" && (drawn == nil || drawn.Error() != err.Error()) {
			t.Errorf("%s: drawn with %v, checked with %v", tt.name, drawn, err)
		}
	}
	// A picture that breaks off passes Check, which reads no more than its head.
	photo := logos(t)["photo"]
	var wrong *qr.StyleError
	if _, _, err := qr.Render(link(3), qr.FormatPNG, qr.Style{Logo: photo[:len(photo)/20]}); !errors.As(err, &wrong) || wrong.Field != "logo" {
		t.Errorf("half a logo: %v", err)
	}
}

// A transparent picture holds no white, and only ink of one colour.
func TestTransparent(t *testing.T) {
	t.Parallel()
	picture, _, err := qr.Render(link(7), qr.FormatPNG, qr.Style{Size: 301, Background: "transparent", Foreground: "#800000", Modules: qr.Dots, Caption: "Table 7"})
	if err != nil {
		t.Fatal(err)
	}
	img := decodePNG(t, picture)
	clear, full := 0, 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			switch r, g, b, a := img.At(x, y).RGBA(); {
			case a == 0:
				clear++
			case g != 0 || b != 0 || r == 0:
				t.Fatalf("%d, %d is of another colour", x, y)
			case a == 0xffff:
				full++
			}
		}
	}
	if clear < 20000 || full < 5000 {
		t.Errorf("%d pixels are clear and %d full", clear, full)
	}
	mustRead(t, link(7), qr.Style{Size: 300, Background: "transparent", Logo: logos(t)["wide"]})
}

// The logo is there in its colours, and nothing of the code is left below it.
func TestLogoIsDrawn(t *testing.T) {
	t.Parallel()
	for _, background := range []string{"#ffffff", "transparent"} {
		picture, _, err := qr.Render(link(7), qr.FormatPNG, qr.Style{Background: background, Logo: logos(t)["high"]})
		if err != nil {
			t.Fatal(err)
		}
		img := decodePNG(t, picture)
		if r, g, b, a := img.At(500, 500).RGBA(); r>>8 != 40 || g>>8 != 40 || b>>8 != 40 || a != 0xffff {
			t.Errorf("on %s: the middle is %d %d %d %d", background, r>>8, g>>8, b>>8, a>>8)
		}
	}
}

// A caption makes the picture higher, is broken up into lines, and stands there in every script:
// what the font lacks is a box.
func TestCaption(t *testing.T) {
	t.Parallel()
	height := func(caption string) int {
		picture, _, err := qr.Render(link(7), qr.FormatPNG, qr.Style{Size: 400, Caption: caption})
		if err != nil {
			t.Fatal(err)
		}
		return decodePNG(t, picture).Bounds().Dy()
	}
	none, one, long, word := height(" \t\n"), height("Table 7"), height("Scan this code and write to us whatever you want to know."), height(strings.Repeat("W", 60))
	if none != 400 || one <= none || long <= one || word <= long {
		t.Errorf("heights %d, %d, %d, %d", none, one, long, word)
	}
	same := func(a, b string) bool {
		one, _, err := qr.Render(link(7), qr.FormatSVG, qr.Style{Caption: a})
		two, _, err2 := qr.Render(link(7), qr.FormatSVG, qr.Style{Caption: b})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		drop := func(svg []byte) string { _, rest, _ := strings.Cut(string(svg), "</title>"); return rest }
		return drop(one) == drop(two)
	}
	if !same("汉字", "□□") || same("Grüße", "Gr□□e") || same("Привет", "□□□□□□") || same("Ελλάδα", "□□□□□□") || !same("a\n b", "a b") {
		t.Error("letters that the font has are boxes, or those that it lacks are not")
	}
}
