package qr_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/qr"
)

// link is that of a page with a ref of a length.
func link(ref int) string {
	if ref == 0 {
		return "https://m.me/mypage"
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
	out := []byte("https://m.me/100200300400500?ref=")
	from := rand.New(rand.NewPCG(uint64(ref), 7))
	for range ref {
		out = append(out, alphabet[from.IntN(len(alphabet))])
	}
	return string(out)
}

// mustRead draws a code and has it read.
func mustRead(t *testing.T, text string, s qr.Style) {
	t.Helper()
	picture, media, err := qr.Render(text, qr.FormatPNG, s)
	if err != nil || media != "image/png" {
		t.Errorf("%d pixels, %d bytes: %q, %v", s.Size, len(text), media, err)
		return
	}
	img := decodePNG(t, picture)
	if size := img.Bounds().Size(); size.X != s.Size || s.Caption == "" && size.Y != s.Size {
		t.Errorf("%d pixels asked for, drawn %v", s.Size, size)
	}
	if got, err := qr.Decode(bytes.NewReader(encodePNG(t, onWhite(img)))); err != nil || got != text {
		t.Errorf("%d pixels, %d bytes: read %.40q, %v", s.Size, len(text), got, err)
	}
}

// Every style is read at every size that is not refused; what is refused names the smallest size
// that works, and there it is read.
func TestEveryStyle(t *testing.T) {
	t.Parallel()
	pictures := logos(t)
	for _, style := range styles("none", "photo", "wide", "high", "tiny") {
		t.Run(style.String(), func(t *testing.T) {
			t.Parallel()
			s := qr.Style{Modules: style.form, Ring: style.ring, Logo: pictures[style.logo]}
			for i, ref := range []int{0, 7, 60, 250} {
				text, smallest := link(ref), qr.Smallest(link(ref), s)
				for _, size := range []int{100, 200, []int{333, 1000, 512, 400}[i], smallest} {
					s.Size = size
					if size >= smallest {
						mustRead(t, text, s)
					} else {
						mustRefuse(t, text, s, smallest)
					}
				}
			}
		})
	}
}

func mustRefuse(t *testing.T, text string, s qr.Style, smallest int) {
	t.Helper()
	for _, format := range []string{qr.FormatPNG, qr.FormatSVG} {
		_, _, err := qr.Render(text, format, s)
		var wrong *qr.StyleError
		if !errors.As(err, &wrong) || wrong.Field != "size" || !strings.HasSuffix(wrong.Message, " "+strconv.Itoa(smallest)) {
			t.Errorf("%s of %d pixels, %d bytes, where %d are the smallest: %v", format, s.Size, len(text), smallest, err)
		}
	}
}

func TestLargest(t *testing.T) {
	t.Parallel()
	drawnByOne(t)
	for i, form := range forms[:max(1, len(forms)/sample)] {
		mustRead(t, link(250), qr.Style{Modules: form, Ring: i == 1, Size: qr.MaxSize, Logo: logos(t)["photo"], Caption: "Table 7"})
	}
}

// Turned, out of focus and printed small.
func TestSeenByACamera(t *testing.T) {
	t.Parallel()
	pictures := logos(t)
	for _, style := range styles("none", "photo", "wide") {
		t.Run(style.String(), func(t *testing.T) {
			t.Parallel()
			s := qr.Style{Size: 600, Modules: style.form, Ring: style.ring, Logo: pictures[style.logo], Foreground: "#6a2c91", Caption: "Scan me"}
			picture, _, err := qr.Render(link(7), qr.FormatPNG, s)
			if err != nil {
				t.Fatal(err)
			}
			img := decodePNG(t, picture)
			soft := 3 // half of a module to either side is out of focus
			if style.ring {
				soft = 2
			}
			views := map[string]image.Image{
				"upside down": rotated(img, 180),
				"on its side": rotated(img, 90),
				"askew":       rotated(img, 12),
				"aslant":      rotated(img, 45),
				"blurred":     blurred(img, soft),
				"small":       printed(img, 230),
			}
			for name, view := range views {
				if got, err := qr.Decode(bytes.NewReader(encodePNG(t, view))); err != nil || got != link(7) {
					t.Errorf("%s: read %q, %v", name, got, err)
				}
			}
		})
	}
}

// All characters of refs, alone and together, come back as they went.
func TestAlphabet(t *testing.T) {
	t.Parallel()
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-.:_"
	texts := []string{"0123456789", "HTTPS://M.ME/7", "https://m.me/1?ref=" + alphabet, "Grüße, Ñandú, 你好, 😀"}
	for _, c := range alphabet {
		texts = append(texts, "https://m.me/1?ref="+string(c))
	}
	for _, text := range texts {
		mustRead(t, text, qr.Style{Size: 240})
	}
}

func TestSmallest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		text string
		s    qr.Style
		want int
	}{
		{"25 modules at level L", "https://m.me/mypage", qr.Style{}, qr.MinSize},
		{"its quiet zone is wide", "https://m.me/mypage", qr.Style{Quiet: 20}, 2 * (25 + 40)},
		{"283 bytes: version 10 at level L", link(250), qr.Style{}, 2 * (61 + 8)},
		{"no code holds it", strings.Repeat("x", 3000), qr.Style{}, math.MaxInt},
		{"no code holds nothing", "", qr.Style{}, math.MaxInt},
	} {
		if got := qr.Smallest(tt.text, tt.s); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if with, without := qr.Smallest(link(250), qr.Style{Ring: true}), qr.Smallest(link(250), qr.Style{}); with <= without {
		t.Errorf("a ring takes no room: %d and %d pixels", with, without)
	}
	for _, text := range []string{"", strings.Repeat("x", 3000)} {
		if _, _, err := qr.Render(text, qr.FormatPNG, qr.Style{}); err == nil {
			t.Errorf("a text of %d bytes was drawn", len(text))
		}
	}
}

// The same code is the same file, so that a cache can tell.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	s := qr.Style{Logo: logos(t)["photo"], Caption: "Table 7", Ring: true, Modules: qr.Rounded}
	for _, format := range []string{qr.FormatPNG, qr.FormatSVG, qr.FormatPDF} {
		one, _, err := qr.Render(link(7), format, s)
		if err != nil {
			t.Fatal(err)
		}
		if two, _, err := qr.Render(link(7), format, s); err != nil || !bytes.Equal(one, two) {
			t.Errorf("two files of one code differ as %s: %v", format, err)
		}
	}
	if _, _, err := qr.Render(link(7), "bmp", s); err == nil {
		t.Error("drawn as bmp")
	}
}

func BenchmarkPNG(b *testing.B) {
	pictures := logos(b)
	for _, form := range forms {
		for _, ref := range []int{7, 250} {
			for _, logo := range []string{"none", "photo"} {
				b.Run(fmt.Sprintf("%s/ref=%d/logo=%s", form, ref, logo), func(b *testing.B) {
					s := qr.Style{Size: 1000, Modules: form, Logo: pictures[logo]}
					for b.Loop() {
						if _, _, err := qr.Render(link(ref), qr.FormatPNG, s); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
