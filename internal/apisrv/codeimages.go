package apisrv

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/service"
)

// maxImages is how many pictures one zip file or print sheet holds.
const maxImages = service.MaxBulk

func imageParams() []param {
	return []param{number("size", qr.MinSize, qr.MaxSize, 1000, "Side in pixels."), number("mm", qr.MinMillimetres, qr.MaxMillimetres, 40, "Side in millimetres, for PDF."),
		choice("style", "Form of the modules; square when left out.", qr.Square, qr.Rounded, qr.Dots), flag("ring", "`true` draws a ring around it, in the manner of a Messenger code."),
		text("logo", "In the middle: `page` for the page's picture, or the address of a PNG, JPEG or GIF of at most 1,024 pixels a side."),
		text("foreground", "Colour such as #0a2540."), text("background", "Colour, or transparent."), text("caption", "Text below it; {ref} and {name} stand for those."),
		number("quiet", 1, qr.MaxQuiet, 4, "Quiet zone in modules."), choice("link", "`short` lets it hold our own link, which counts scans before Messenger opens.", "short")}
}

// imagesParams and sheetParams select as lists do; without limit all that fit are meant.
func imagesParams() []param {
	return append(manyParams(maxImages), choice("format", "png when left out.", qr.FormatPNG, qr.FormatSVG, qr.FormatPDF))
}

func sheetParams() []param {
	return append(manyParams(service.MaxSheet), number("perRow", 1, qr.MaxPerRow, 3, "Codes in a row."))
}

func manyParams(most int) []param {
	all := append([]param{number("limit", 1, most, 0, "Codes at most, the newest. Without it, more than there may be are refused."), text("cursor", "Cursor of a list: what comes after it.")}, selectPointsParams()...)
	return append(all, imageParams()...)
}

func (s *server) entryPointImage(q *request) error {
	name, format, ok := strings.Cut(q.PathValue("image"), ".")
	if !ok || name != "image" || !slices.Contains([]string{"png", "svg", "pdf"}, format) {
		return gateway.NotFound("picture", q.PathValue("image"))
	}
	if err := q.known(imageParams()); err != nil {
		return err
	}
	e, err := s.o.EntryPoints.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return err
	}
	d, err := s.o.EntryPoints.Drawer(q.Context(), e.Application, q.URL.Query(), false)
	if err != nil {
		return err
	}
	defer d.Close()
	caption := service.Caption(d.Style.Caption, e)
	link := s.o.EntryPoints.Held(e, q.URL.Query().Get("link") == "short")
	tag := d.Tag(link, caption, format)
	h := q.W.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, max-age=300")
	if q.Header.Get("If-None-Match") == tag {
		q.W.WriteHeader(http.StatusNotModified)
		return nil
	}
	picture, media, err := d.Render(q.Context(), link, caption, format)
	if err != nil {
		h.Del("ETag")
		h.Del("Cache-Control")
		return err
	}
	return q.replyFile(media, "code-"+service.FileName(e)+"."+format, picture)
}

func (q *request) replyFile(media, name string, content []byte) error {
	h := q.W.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `inline; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	q.W.WriteHeader(http.StatusOK)
	q.W.Write(content) // when this fails the caller is gone
	return nil
}

// selected are the entry points of a zip file or print sheet, the oldest first, as they were made.
// More than most are refused, unless the caller says with limit that some will do.
func (s *server) selected(q *request, params []param, most int) ([]*gateway.EntryPoint, error) {
	f, err := q.entryPointFilter(params, most+1, most)
	if err != nil {
		return nil, err
	}
	all, err := s.o.EntryPoints.List(q.Context(), q.Key, f)
	if err != nil {
		return nil, err
	}
	switch {
	case len(all) == 0:
		return nil, gateway.Invalid("application", "no entry point fits")
	case len(all) > most:
		return nil, gateway.Invalid("limit", "more than %d entry points fit: narrow them down, or take the newest with limit=%d and the others with cursor", most, most)
	}
	slices.Reverse(all)
	return all, nil
}

func (s *server) entryPointImages(q *request) error {
	all, err := s.selected(q, imagesParams(), maxImages)
	if err != nil {
		return err
	}
	format := q.URL.Query().Get("format")
	if format == "" {
		format = qr.FormatPNG
	}
	if !slices.Contains([]string{qr.FormatPNG, qr.FormatSVG, qr.FormatPDF}, format) {
		return gateway.Invalid("format", "%.40q is not one of png, svg, pdf", format)
	}
	d, err := s.o.EntryPoints.Drawer(q.Context(), all[0].Application, q.URL.Query(), true)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Open(q.Context()); err != nil {
		return err
	}
	short := q.URL.Query().Get("link") == "short"
	for _, e := range all { // nothing is written before all can be drawn
		if err := d.Fits(s.o.EntryPoints.Held(e, short), service.Caption(d.Style.Caption, e), format); err != nil {
			return ofPoint(err, e)
		}
	}
	q.W.Header().Set("Content-Type", "application/zip")
	q.W.Header().Set("Content-Disposition", `attachment; filename="codes.zip"`)
	z := zip.NewWriter(q.W)
	for _, e := range all {
		picture, _, err := d.Render(q.Context(), s.o.EntryPoints.Held(e, short), service.Caption(d.Style.Caption, e), format)
		if err != nil {
			return q.breakOff(err)
		}
		file, err := z.CreateHeader(&zip.FileHeader{Name: service.FileName(e) + "." + format, Method: zip.Store, Modified: e.CreatedAt})
		if err == nil {
			_, err = file.Write(picture)
		}
		if err != nil {
			return nil // the caller is gone
		}
	}
	z.Close() // as above
	return nil
}

// ofPoint says of which entry point an error on its picture is.
func ofPoint(err error, e *gateway.EntryPoint) error {
	var known *gateway.Error
	if !errors.As(err, &known) {
		return err
	}
	return gateway.Invalid(known.Field, "the code of %.60q: %s", cmp.Or(e.Ref, e.ID), known.Message)
}

// breakOff ends an answer of which a part is sent: its connection is closed, so that the caller
// does not take the part for the whole.
func (q *request) breakOff(err error) error {
	if q.W.Status() == 0 {
		return err
	}
	if q.Context().Err() == nil {
		q.s.o.Logger.Warn("answer broken off", "route", q.Pattern, "request_id", q.ID, "err", err)
	}
	panic(http.ErrAbortHandler)
}

func (s *server) entryPointSheet(q *request) error {
	all, err := s.selected(q, sheetParams(), service.MaxSheet)
	if err != nil {
		return err
	}
	perRow := 3
	if text := q.URL.Query().Get("perRow"); text != "" {
		if perRow, err = strconv.Atoi(text); err != nil || perRow < 1 || perRow > qr.MaxPerRow {
			return gateway.Invalid("perRow", "must be a number from 1 to %d", qr.MaxPerRow)
		}
	}
	d, err := s.o.EntryPoints.Drawer(q.Context(), all[0].Application, q.URL.Query(), true)
	if err != nil {
		return err
	}
	defer d.Close()
	caption, short := cmp.Or(d.Style.Caption, "{name}"), q.URL.Query().Get("link") == "short"
	items := make([]qr.SheetItem, len(all))
	for i, e := range all {
		items[i] = qr.SheetItem{Text: s.o.EntryPoints.Held(e, short), Caption: cmp.Or(service.Caption(caption, e), e.Ref)}
	}
	sheet, err := d.Sheet(q.Context(), items, perRow)
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `inline; filename="codes.pdf"`)
	if err := sheet.Write(q.Context(), q.W); err != nil {
		return q.breakOff(err)
	}
	return nil
}

// replyCSV answers a report as a table, with three columns for each goal.
func (q *request) replyCSV(r gatewayapi.EntryPointReport) error {
	goals := slices.Sorted(maps.Keys(r.Total.Goals))
	head := []string{string(r.Group), "entryPoints", "visits", "scans", "opens", "firstContacts", "returning", "firstMessages", "answered"}
	for _, g := range goals {
		head = append(head, "goal "+g, "goal "+g+" people", "goal "+g+" value", "goal "+g+" by first touch")
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Write(head) // into memory, as all that follows
	for _, row := range append(r.Rows, r.Total) {
		line := []string{gateway.SpreadsheetCell(row.Key)}
		for _, n := range []int64{int64(row.EntryPoints), row.Visits, row.Scans, row.Opens, row.FirstContacts, row.Returning, row.FirstMessages, row.Answered} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		for _, name := range goals {
			g := row.Goals[name]
			line = append(line, strconv.FormatInt(g.Count, 10), strconv.FormatInt(g.People, 10), strconv.FormatFloat(g.Value, 'f', -1, 64), strconv.FormatInt(g.FirstCount, 10))
		}
		w.Write(line)
	}
	w.Flush()
	return q.replyFile("text/csv; charset=utf-8", "entry-points.csv", out.Bytes())
}
