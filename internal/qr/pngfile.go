package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
)

// pngFile writes PNG pictures line by line. It stands in for image/png, which
// asks for each pixel by itself and tries five filters on each line: three
// times the work for pictures of which most lines are nearly the one above.
//
// Docs: https://www.w3.org/TR/png-3/
type pngFile struct {
	size           image.Point
	depth          byte   // bits a pixel
	palette, alpha []byte // of the colours: three bytes and one for each
}

// add puts a colour into the palette.
func (f *pngFile) add(c color.NRGBA) {
	f.palette, f.alpha = append(f.palette, c.R, c.G, c.B), append(f.alpha, c.A)
}

// Choices of the format.
const (
	indexed  = 3 // kind of picture: with a palette
	filterUp = 2 // of a line: each byte less the one above it
)

// encode asks fill for one line after another, of so many bytes. Fill answers
// false, and writes nothing, for a line that is the same as the one above.
func (f *pngFile) encode(length int, fill func(y int, row []byte) bool) ([]byte, error) {
	var data bytes.Buffer
	deflate, err := zlib.NewWriterLevel(&data, zlib.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	// Whole words, for subtract.
	room := (length + 7) &^ 7
	above, row, line, same := make([]byte, room), make([]byte, room), make([]byte, 1+room), make([]byte, 1+length)
	line[0], same[0] = filterUp, filterUp
	for y := range f.size.Y {
		next := same
		if fill(y, row[:length]) {
			subtract(line[1:], row, above)
			above, row = row, above
			next = line[:1+length]
		}
		if _, err := deflate.Write(next); err != nil {
			return nil, fmt.Errorf("draw a code: %w", err)
		}
	}
	if err := deflate.Close(); err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(f.size.X))
	head = append(binary.BigEndian.AppendUint32(head, uint32(f.size.Y)), f.depth, indexed, 0, 0, 0)
	out := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", head)
	out = chunk(chunk(out, "PLTE", f.palette), "tRNS", f.alpha)
	return chunk(chunk(out, "IDAT", data.Bytes()), "IEND", nil), nil
}

// subtract takes one line from another, eight bytes at a time.
func subtract(to, a, b []byte) {
	const high = 0x8080808080808080
	for i := 0; i+8 <= len(a); i += 8 {
		x, y := binary.LittleEndian.Uint64(a[i:]), binary.LittleEndian.Uint64(b[i:])
		binary.LittleEndian.PutUint64(to[i:], ((x|high)-(y&^high))^((x^^y)&high))
	}
}

// chunk adds a part of a PNG file.
func chunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	start := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}
