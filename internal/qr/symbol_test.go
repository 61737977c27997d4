package qr

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"rsc.io/qr/coding"
)

// read has the modules read by a decoder that is not ours.
func (c *symbol) read() (string, error) {
	bits, err := gozxing.NewBitMatrix(c.side, c.side)
	if err != nil {
		return "", err
	}
	for i, dark := range c.dark {
		if dark {
			bits.Set(i%c.side, i/c.side)
		}
	}
	found, err := decoder.NewDecoder().Decode(bits, nil)
	if err != nil {
		return "", err
	}
	return found.GetText(), nil
}

// full is a text that fills a version at a level.
func full(v coding.Version, level coding.Level) string {
	room := v.DataBytes(level) - 2
	if v >= 10 {
		room--
	}
	return strings.Repeat("m.me/x_", 500)[:room]
}

// Every version is read at every level, whatever a logo changes: the worst logo of each shape turns
// all modules that it covers, and single modules are turned elsewhere, one for every fifty
// codewords.
func TestEveryVersion(t *testing.T) {
	t.Parallel()
	for _, level := range []coding.Level{coding.L, coding.M, coding.Q, coding.H} {
		for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
			text := full(v, level)
			data, err := encoding(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := versionFor(data, level); got != v {
				t.Errorf("%d bytes at level %v need version %v, want %v", len(text), level, got, v)
			}
			c, err := encode(data, v, level)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.read(); err != nil || got != text {
				t.Errorf("version %v at level %v: read %d bytes, %v", v, level, len(got), err)
			}
			if level == coding.Q || level == coding.H {
				t.Run(fmt.Sprintf("%v%v", v, level), func(t *testing.T) { spoil(t, c, text) })
			}
		}
	}
}

// spoil covers a symbol with the logo of each shape.
func spoil(t *testing.T, c *symbol, text string) {
	t.Parallel()
	for _, aspect := range []float64{0.01, 0.4, 1, 1.7, 2.5, 3, 50} {
		w, h := place(c.side, c.level, aspect)
		if w%2 == 0 || h%2 == 0 || (c.side-w)/2 < 9 || (c.side-h)/2 < 9 {
			t.Errorf("aspect %g: %d × %d of %d modules are cleared", aspect, w, h, c.side)
		}
		if part := float64(w*h) / float64(c.side*c.side); part > coveredH || aspect == 1 && c.side > 40 && part < coveredQ/2 {
			t.Errorf("aspect %g: %.3f of the symbol is cleared", aspect, part)
		}
		spoilt := *c
		spoilt.dark = append([]bool{}, c.dark...)
		left, top := (c.side-w)/2, (c.side-h)/2
		for y := top; y < top+h; y++ {
			for x := left; x < left+w; x++ {
				spoilt.dark[y*c.side+x] = !spoilt.dark[y*c.side+x]
			}
		}
		// Each spot of dirt costs a codeword of its own.
		dirt := rand.New(rand.NewPCG(uint64(c.side), uint64(w)))
		for range c.side * c.side / 8 / 50 {
			x, y := 9+dirt.IntN(c.side-18), 9+dirt.IntN(c.side-18)
			spoilt.dark[y*c.side+x] = !spoilt.dark[y*c.side+x]
		}
		if got, err := spoilt.read(); err != nil || got != text {
			t.Errorf("aspect %g: read %d bytes, %v", aspect, len(got), err)
		}
	}
}
