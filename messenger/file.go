package messenger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// maxFile is how many bytes a file may have.
const maxFile = 25 << 20

// File is content that is uploaded, up to 25 MB: as bytes or from a reader. A
// reader is streamed and read once; it is not closed.
type File struct {
	Name        string // the person sees it; the name of an *os.File when it is empty
	ContentType string // such as image/png; guessed from the name when it is empty
	Data        []byte
	Reader      io.Reader // in place of Data
	Size        int64     // of Reader, in bytes; 0 when a *os.File or another seeker tells it, or nobody knows
}

func (f File) name() string {
	if named, ok := f.Reader.(interface{ Name() string }); ok && f.Name == "" {
		return filepath.Base(named.Name())
	}
	return f.Name
}

func (f File) contentType() string {
	if f.ContentType != "" {
		return f.ContentType
	}
	extension := strings.ToLower(filepath.Ext(f.name()))
	if t := mediaType(extension); t != "" {
		return t
	}
	if t := mime.TypeByExtension(extension); t != "" {
		return t
	}
	return "application/octet-stream"
}

// mediaType is the type of what is sent most. Systems know these too, but not
// all systems do, and not alike.
func mediaType(extension string) string {
	switch extension {
	case ".mp3":
		return "audio/mpeg"
	case ".m4a":
		return "audio/mp4"
	case ".wav":
		return "audio/wav"
	case ".ogg":
		return "audio/ogg"
	case ".mp4":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	case ".webm":
		return "video/webm"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".gif":
		return "image/gif"
	case ".pdf":
		return "application/pdf"
	}
	return ""
}

// size is the number of bytes, -1 when it is not known.
func (f File) size() int64 {
	if f.Reader == nil {
		return int64(len(f.Data))
	}
	if f.Size > 0 {
		return f.Size
	}
	_, size, ok := seekable(f.Reader)
	if !ok {
		return -1
	}
	return size
}

// seekable returns the position of a reader and how much is left.
func seekable(r io.Reader) (at, left int64, ok bool) {
	s, is := r.(io.Seeker)
	if !is {
		return 0, 0, false
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, 0, false
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, false
	}
	_, err = s.Seek(at, io.SeekStart)
	return at, end - at, err == nil
}

func (f File) check(k *checker) {
	k.require(f.name(), "filedata.filename")
	if size := f.size(); size > maxFile {
		k.fail(maxFile, int(size), fmt.Sprintf("must have at most %d bytes", maxFile), "filedata")
	}
}

type formField struct{ name, value string }

// callForm posts a form with the file as its last part, so that a receiver knows
// whom it is for before the content comes. The file is not copied.
func (c *Client) callForm(ctx context.Context, path string, file File, fields []formField) ([]byte, error) {
	form, err := newForm(file, fields, !c.unchecked)
	if err != nil {
		return nil, &CallError{http.MethodPost, path, fmt.Errorf("encode form: %w", err), true}
	}
	defer form.detach(ctx)
	answer, err := c.exchange(ctx, http.MethodPost, path, "", form.contentType, nil, form)
	var field *FieldError
	if errors.As(err, &field) {
		// The body was cut short, which no server takes for a request.
		return nil, &CallError{http.MethodPost, path, field, true}
	}
	return answer, err
}

// form is a body of head, file and tail.
type form struct {
	contentType string
	head, tail  []byte
	size        int64            // of the whole, -1 when it is not known
	content     io.Reader        // nil when again is set
	again       func() io.Reader // the content from its beginning, nil when it can be read only once

	reading  chan struct{} // holds one token while the content is read
	detached atomic.Bool
}

func newForm(file File, fields []formField, limited bool) (*form, error) {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, field := range fields {
		if field.value == "" {
			continue
		}
		if err := w.WriteField(field.name, field.value); err != nil {
			return nil, err
		}
	}
	if _, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("filedata", file.name())},
		"Content-Type":        {file.contentType()},
	}); err != nil {
		return nil, err
	}
	cut := buf.Len()
	if err := w.Close(); err != nil {
		return nil, err
	}
	f := &form{contentType: w.FormDataContentType(), head: buf.Bytes()[:cut], tail: buf.Bytes()[cut:], size: file.size(), reading: make(chan struct{}, 1)}
	f.take(file, limited)
	if f.size >= 0 {
		f.size += int64(buf.Len())
	}
	return f, nil
}

// take finds out how the content can be read.
func (f *form) take(file File, limited bool) {
	if file.Reader == nil {
		f.again = func() io.Reader { return bytes.NewReader(file.Data) }
		return
	}
	at, left, ok := seekable(file.Reader)
	if r, is := file.Reader.(io.ReaderAt); is && ok && left == f.size {
		f.again = func() io.Reader { return io.NewSectionReader(r, at, left) }
		return
	}
	f.content = file.Reader
	if limited && f.size < 0 {
		f.content = &limitedReader{r: file.Reader, left: maxFile}
	}
}

// attach makes the form the request's body.
func (f *form) attach(req *http.Request) {
	req.Header["Content-Type"] = []string{f.contentType}
	req.Body = f.body()
	req.ContentLength = f.size
	if f.again != nil {
		req.GetBody = func() (io.ReadCloser, error) { return f.body(), nil }
	}
}

// body is the form from its beginning.
func (f *form) body() io.ReadCloser {
	content := f.content
	if f.again != nil {
		content = f.again()
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(f.head), &attached{f, content}, bytes.NewReader(f.tail)))
}

// detach ends the reading: net/http may still be at it when the answer came
// early, and the caller may close or reuse the reader by then. A reader that
// hangs is not waited for once the context is over.
func (f *form) detach(ctx context.Context) {
	f.detached.Store(true)
	select {
	case f.reading <- struct{}{}:
	case <-ctx.Done():
	}
}

type attached struct {
	form *form
	r    io.Reader
}

var errDetached = errors.New("the call is over")

func (a *attached) Read(p []byte) (int, error) {
	a.form.reading <- struct{}{}
	defer func() { <-a.form.reading }()
	if a.form.detached.Load() {
		return 0, errDetached
	}
	return a.r.Read(p)
}

// limitedReader fails when there is more than may be.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &FieldError{"filedata", fmt.Sprintf("must have at most %d bytes", maxFile), maxFile, int(maxFile - l.left)}
	}
	return n, err
}
