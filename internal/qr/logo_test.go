package qr_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/internal/qr"
)

// claims makes a picture say in its head that it has so many pixels.
func claims(data []byte, width, height uint32) []byte {
	data = bytes.Clone(data)
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		binary.BigEndian.PutUint32(data[16:], width)
		binary.BigEndian.PutUint32(data[20:], height)
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	case bytes.HasPrefix(data, []byte("GIF8")):
		binary.LittleEndian.PutUint16(data[6:], uint16(width))
		binary.LittleEndian.PutUint16(data[8:], uint16(height))
	default:
		at := bytes.Index(data, []byte{0xff, 0xc0, 0, 17}) + 5
		binary.BigEndian.PutUint16(data[at:], uint16(height))
		binary.BigEndian.PutUint16(data[at+2:], uint16(width))
	}
	return data
}

// packed is a PNG that takes little time and room.
func packed(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// strangeLogos are pictures of all kinds, and whether they may be logos.
func strangeLogos(t testing.TB) map[string]struct {
	data []byte
	good bool
} {
	t.Helper()
	deep := image.NewNRGBA64(image.Rect(0, 0, qr.MaxLogoSide, qr.MaxLogoSide))
	for i := range deep.Pix {
		deep.Pix[i] = 0xff
	}
	large := image.NewNRGBA64(image.Rect(0, 0, 1500, 1500))
	small := paint(64, 64, disc)
	var lossy, moving bytes.Buffer
	if err := jpeg.Encode(&lossy, small, nil); err != nil {
		t.Fatal(err)
	}
	frames := &gif.GIF{}
	for i := range 50 {
		frame := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.White, color.RGBA{uint8(i), 0, 0, 255}})
		frames.Image, frames.Delay = append(frames.Image, frame), append(frames.Delay, 1)
	}
	if err := gif.EncodeAll(&moving, frames); err != nil {
		t.Fatal(err)
	}
	scan := []byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0}
	middle := bytes.LastIndex(lossy.Bytes(), []byte{0xff, 0xda})
	passes := append(append(bytes.Clone(lossy.Bytes()[:middle]), bytes.Repeat(scan, 100_000)...), lossy.Bytes()[middle:]...)
	plain := encodePNG(t, small)
	return map[string]struct {
		data []byte
		good bool
	}{
		"a PNG": {plain, true}, "a JPEG": {lossy.Bytes(), true}, "a GIF that moves": {moving.Bytes(), true},
		"16 bits, as large as may be":  {packed(t, deep), true},
		"16 bits, 1,500 a side":        {packed(t, large), false},
		"a PNG that claims to be huge": {claims(plain, 1<<30, 1<<30), false}, "a JPEG that claims to be huge": {claims(lossy.Bytes(), 65535, 65535), false}, "a GIF that claims to be huge": {claims(moving.Bytes(), 65535, 65535), false},
		"a PNG that claims more than it has": {claims(plain, 1024, 1024), false}, "a JPEG of 100,000 passes": {passes, false},
		"a GIF whose picture is larger than it": {claims(moving.Bytes(), 8, 8), false},
		"half a GIF":                            {moving.Bytes()[:60], false}, "half a PNG": {plain[:len(plain)/2], false}, "a JPEG's head": {lossy.Bytes()[:200], false},
		"nothing": {[]byte{}, false}, "words": {[]byte("no picture"), false},
	}
}

// What a logo takes is bounded by the pixels it may have, whatever it says.
func TestLogosTakeLittle(t *testing.T) {
	for name, tt := range strangeLogos(t) {
		if len(tt.data) > qr.MaxLogoBytes {
			t.Fatalf("%s has %d bytes: the test wants one that passes", name, len(tt.data))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := qr.NewPainter(qr.Style{Logo: tt.data})
		runtime.ReadMemStats(&after)
		var wrong *qr.StyleError
		if tt.good != (err == nil) || err != nil && (!errors.As(err, &wrong) || wrong.Field != "logo") {
			t.Errorf("%s: %v", name, err)
		}
		// Eight bytes a pixel as it is read, four as it is kept, and what the decoders need beside.
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s took %d bytes", name, took)
		}
		if err != nil {
			continue
		}
		picture, _, err := p.Render(link(3), "", qr.FormatPNG)
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := qr.Decode(bytes.NewReader(picture)); err != nil || got != link(3) {
			t.Errorf("%s: read %q %v", name, got, err)
		}
	}
}

// A logo is decoded once for all codes that it stands in.
func TestLogoIsReadOnce(t *testing.T) {
	logo := packed(t, image.NewNRGBA64(image.Rect(0, 0, qr.MaxLogoSide, qr.MaxLogoSide)))
	p, err := qr.NewPainter(qr.Style{Logo: logo, Size: 200})
	if err != nil {
		t.Fatal(err)
	}
	render := func() {
		if _, _, err := p.Render(link(3), "", qr.FormatSVG); err != nil {
			t.Fatal(err)
		}
	}
	render()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 5 {
		render()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / 5; each > 1<<20 {
		t.Errorf("%d bytes for each picture: the logo alone is 8 MiB", each)
	}
}

// Pictures in which codes are looked for are measured first, too.
func TestDecodeMeasuresFirst(t *testing.T) {
	plain := encodePNG(t, paint(64, 64, disc))
	for name, data := range map[string][]byte{
		"huge": claims(plain, 1<<16, 1<<16), "many pixels": claims(plain, 8000, 8000), "passes": strangeLogos(t)["a JPEG of 100,000 passes"].data,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := qr.Decode(bytes.NewReader(data))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "too many") && !strings.Contains(err.Error(), "passes") {
			t.Errorf("%s: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s took %d bytes", name, took)
		}
	}
}

// Any bytes are a logo that is drawn, or an error on the logo.
func FuzzLogo(f *testing.F) {
	for _, tt := range strangeLogos(f) {
		if len(tt.data) < 64<<10 {
			f.Add(tt.data)
		}
	}
	interlaced, err := png.Decode(bytes.NewReader(encodePNG(f, paint(9, 5, busy))))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encodePNG(f, interlaced))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := qr.NewPainter(qr.Style{Logo: data, Size: 200})
		var wrong *qr.StyleError
		if err != nil {
			if !errors.As(err, &wrong) || wrong.Field != "logo" {
				t.Fatal(err)
			}
			return
		}
		for _, format := range []string{qr.FormatPNG, qr.FormatSVG, qr.FormatPDF} {
			if picture, _, err := p.Render("https://m.me/1?ref=x", "", format); err != nil || len(picture) == 0 {
				t.Fatalf("%s: %d bytes, %v", format, len(picture), err)
			}
		}
	})
}
