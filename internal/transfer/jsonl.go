package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/chasqui/chasqui/internal/gateway"
)

// jsonReader reads a file with one JSON object on each line. Empty lines are passed over.
type jsonReader struct {
	r      *bufio.Reader
	offset int64
	lines  int64
}

func newJSONLines(file io.ReadSeeker, offset, lines int64) (*jsonReader, error) {
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return &jsonReader{r: bufio.NewReaderSize(file, 64<<10), offset: offset, lines: lines}, nil
}

func (j *jsonReader) next() (line, error) {
	for {
		text, size, err := j.read()
		if err != nil && size == 0 {
			return line{}, err
		}
		if j.offset == 0 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		j.offset += size
		j.lines++
		l := line{number: j.lines, end: j.offset, lines: j.lines}
		switch {
		case size > MaxRecord:
			l.err = gateway.Invalid("", "the line has %d bytes of at most %d", size, MaxRecord)
			return l, nil
		case len(bytes.TrimSpace(text)) == 0:
			continue
		case !utf8.Valid(text):
			l.err = gateway.Invalid("", "the line is not UTF-8")
			return l, nil
		}
		if json.Unmarshal(text, &l.members) != nil || l.members == nil {
			l.err = gateway.Invalid("", "the line is not a JSON object")
		}
		return l, nil
	}
}

// read returns the next line, or its beginning and its size when it is too long to keep.
func (j *jsonReader) read() (text []byte, size int64, err error) {
	for {
		part, err := j.r.ReadSlice('\n')
		size += int64(len(part))
		if size <= MaxRecord {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, size, err
		}
	}
}
