package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/chasqui/chasqui/internal/qr"
)

// decode reads a code from a picture of a given side, and compares its text.
func decode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: decode FILE SIDE TEXT")
	}
	picture := []byte(ts.ReadFile(args[0]))
	size, err := png.DecodeConfig(bytes.NewReader(picture))
	ts.Check(err)
	if side := strconv.Itoa(size.Width); side != args[1] || size.Height != size.Width {
		ts.Fatalf("%s is %d × %d pixels, not %s", args[0], size.Width, size.Height, args[1])
	}
	text, err := qr.Decode(bytes.NewReader(picture))
	ts.Check(err)
	if text != args[2] {
		ts.Fatalf("%s holds %q, not %q", args[0], text, args[2])
	}
}

// paint makes a picture of one colour.
func paint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: paint FILE")
	}
	img := image.NewRGBA(image.Rect(0, 0, 120, 80))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{R: 200, G: 60, A: 255}), image.Point{}, draw.Src)
	var file bytes.Buffer
	ts.Check(png.Encode(&file, img))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o600))
}
