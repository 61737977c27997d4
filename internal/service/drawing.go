package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
)

// Easel bounds what the drawing of codes takes from everything else, whoever asks for it and over
// whichever face: two pictures or pages are drawn at a time, and few requests that hold much, those
// with a logo, for a zip file or a print sheet, are under way. While an answer is sent nothing is
// held up. It is made by newEasel.
type Easel struct {
	drawing chan struct{}
	large   chan struct{}
	// patience is how long a request waits for its turn.
	patience time.Duration
}

const (
	drawnAtOnce = 2
	largeAtOnce = 16
	retryDraw   = 5 * time.Second
)

func newEasel() *Easel {
	return &Easel{drawing: make(chan struct{}, drawnAtOnce), large: make(chan struct{}, largeAtOnce), patience: 20 * time.Second}
}

// Draw runs what draws one picture when it is its turn, if that comes before the context ends and
// in a time that is good for a caller; else the error says when to come again.
func (e *Easel) Draw(ctx context.Context, draw func() error) error {
	wait, stop := context.WithTimeoutCause(ctx, e.patience, busy("too many pictures are being drawn"))
	defer stop()
	return e.drawWithin(ctx, wait, draw)
}

// drawWithin waits for its turn until wait ends.
func (e *Easel) drawWithin(ctx, wait context.Context, draw func() error) error {
	select {
	case e.drawing <- struct{}{}:
	case <-wait.Done():
		return context.Cause(wait)
	}
	defer func() { <-e.drawing }()
	if err := ctx.Err(); err != nil {
		return err
	}
	return draw()
}

// enter admits a request that holds much until leave is called.
func (e *Easel) enter() (leave func(), err error) {
	select {
	case e.large <- struct{}{}:
		return func() { <-e.large }, nil
	default:
		return nil, busy("too many print sheets, zip files and codes with a logo are under way")
	}
}

func busy(message string) *gateway.Error {
	err := gateway.Errorf(gateway.CodeOverloaded, "%s", message)
	err.RetryAfter = retryDraw
	return err
}

// CodeDrawer draws the codes of one request. It is made by EntryPoints.Drawer, and closed by who
// asked for it.
type CodeDrawer struct {
	// Style is how they look.
	Style   qr.Style
	easel   *Easel
	painter *qr.Painter
	leave   func()
	begun   bool // a picture is drawn already: the others wait as long as the caller does
}

// Close makes room for other requests.
func (d *CodeDrawer) Close() {
	if d.leave != nil {
		d.leave()
	}
}

// Open reads the logo, so that what is wrong with it is known before anything is drawn.
func (d *CodeDrawer) Open(ctx context.Context) error {
	if d.painter != nil {
		return nil
	}
	return d.easel.Draw(ctx, func() (err error) {
		if d.painter, err = qr.NewPainter(d.Style); err == nil {
			d.Style.Logo = nil // the painter has it, decoded
		}
		return styleError(err)
	})
}

// Fits returns the error that Render would return, without drawing; of the logo only once it is
// open.
func (d *CodeDrawer) Fits(text, caption, format string) error {
	if d.painter == nil {
		return errors.New("draw a code: not open")
	}
	return styleError(d.painter.Fits(text, caption, format))
}

// Render draws a code and returns the picture and its media type.
func (d *CodeDrawer) Render(ctx context.Context, text, caption, format string) (picture []byte, media string, err error) {
	if err := d.Open(ctx); err != nil {
		return nil, "", err
	}
	draw := func() (err error) {
		picture, media, err = d.painter.Render(text, caption, format)
		return styleError(err)
	}
	if d.begun {
		err = d.easel.drawWithin(ctx, ctx, draw)
	} else {
		err = d.easel.Draw(ctx, draw)
	}
	d.begun = d.begun || err == nil
	return picture, media, err
}

// Tag changes with what Render would draw. It is asked for before that.
func (d *CodeDrawer) Tag(text, caption, format string) string {
	look, logo := d.Style, sha256.Sum256(d.Style.Logo)
	look.Logo = nil
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%x %+v", text, caption, format, logo, look))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// Sheet is a print sheet in the making.
type Sheet struct {
	sheet *qr.Sheet
	easel *Easel
}

// Sheet begins a print sheet. What is wrong with any code on it is known here.
func (d *CodeDrawer) Sheet(ctx context.Context, items []qr.SheetItem, perRow int) (*Sheet, error) {
	s := &Sheet{easel: d.easel}
	err := d.easel.Draw(ctx, func() (err error) {
		s.sheet, err = qr.NewSheet(items, d.Style, perRow)
		d.Style.Logo = nil
		return styleError(err)
	})
	return s, err
}

// Write draws it page by page as it is taken, until the caller is gone. An error after the first
// page can no longer be told: the file then breaks off.
func (s *Sheet) Write(ctx context.Context, w io.Writer) error {
	for {
		var part []byte
		err := s.easel.drawWithin(ctx, ctx, func() (err error) { part, err = s.sheet.Next(); return err })
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = w.Write(part)
		}
		if err != nil {
			return fmt.Errorf("draw a sheet: %w", err)
		}
	}
}
