package apisrv

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
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
	return []param{{"size", "query", "Side in pixels, 100 to 2000; 1000 when left out."}, {"mm", "query", "Side in millimetres, for PDF; 40 when left out."},
		{"style", "query", "square, rounded or dots."}, {"ring", "query", "true draws a ring around it, in the manner of a Messenger code."}, {"logo", "query", "In the middle: page for the page's picture, or the address of a PNG, JPEG or GIF."},
		{"foreground", "query", "Colour such as #0a2540."}, {"background", "query", "Colour, or transparent."}, {"caption", "query", "Text below it; {ref} and {name} stand for those."},
		{"quiet", "query", "Quiet zone in modules; 4 when left out."}, {"link", "query", "short lets it hold our own link, which counts scans before Messenger opens."},
		{"format", "query", "For a zip file: png, svg or pdf."}, {"perRow", "query", "For a print sheet: codes in a row; 3 when left out."}}
}

func (s *server) entryPointImage(q *request) error {
	name, format, ok := strings.Cut(q.PathValue("image"), ".")
	if !ok || name != "image" || !slices.Contains([]string{"png", "svg", "pdf"}, format) {
		return gateway.NotFound("picture", q.PathValue("image"))
	}
	if err := q.known(imageParams()); err != nil {
		return err
	}
	e, err := s.o.EntryPoints.Get(q.Context(), q.key, q.PathValue("id"))
	if err != nil {
		return err
	}
	st, err := s.o.EntryPoints.Style(q.Context(), e.Application, q.URL.Query())
	if err != nil {
		return err
	}
	st.Caption = service.Caption(st.Caption, e)
	link := s.o.EntryPoints.Held(e, q.URL.Query().Get("link") == "short")
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %+v", link, format, st))
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := q.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, max-age=300")
	if q.Header.Get("If-None-Match") == tag {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	picture, media, err := qr.Render(link, format, st)
	if err != nil {
		return service.StyleError(err)
	}
	return q.replyFile(media, "code-"+service.FileName(e)+"."+format, picture)
}

func (q *request) replyFile(media, name string, content []byte) error {
	h := q.w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `inline; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	q.w.WriteHeader(http.StatusOK)
	q.w.Write(content) // when this fails the caller is gone
	return nil
}

// selected are the entry points of a zip file or print sheet, the oldest first, as they were made.
func (s *server) selected(q *request) ([]*gateway.EntryPoint, error) {
	f, err := q.entryPointFilter(append(listEntryPointParams(), imageParams()...), maxImages, maxImages)
	if err != nil {
		return nil, err
	}
	all, err := s.o.EntryPoints.List(q.Context(), q.key, f)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, gateway.Invalid("application", "no entry point fits")
	}
	slices.Reverse(all)
	return all, nil
}

func (s *server) entryPointImages(q *request) error {
	all, err := s.selected(q)
	if err != nil {
		return err
	}
	format := q.URL.Query().Get("format")
	if format == "" {
		format = "png"
	}
	if !slices.Contains([]string{"png", "svg", "pdf"}, format) {
		return gateway.Invalid("format", "%q is none of png, svg, pdf", format)
	}
	st, err := s.o.EntryPoints.Style(q.Context(), all[0].Application, q.URL.Query())
	if err != nil {
		return err
	}
	caption, short := st.Caption, q.URL.Query().Get("link") == "short"
	for _, e := range all { // nothing is written before all can be drawn
		if smallest := qr.Smallest(s.o.EntryPoints.Held(e, short), st); format == "png" && st.Size > 0 && smallest > st.Size {
			return gateway.Invalid("size", "the code of %s needs at least %d pixels", e.Ref, smallest)
		}
	}
	q.w.Header().Set("Content-Type", "application/zip")
	q.w.Header().Set("Content-Disposition", `attachment; filename="codes.zip"`)
	z := zip.NewWriter(q.w)
	for _, e := range all {
		if q.Context().Err() != nil {
			return nil
		}
		st.Caption = service.Caption(caption, e)
		picture, _, err := qr.Render(s.o.EntryPoints.Held(e, short), format, st)
		if err != nil {
			return service.StyleError(err)
		}
		file, err := z.CreateHeader(&zip.FileHeader{Name: service.FileName(e) + "." + format, Method: zip.Store, Modified: e.CreatedAt})
		if err != nil {
			return nil // the caller is gone
		}
		if _, err := file.Write(picture); err != nil {
			return nil
		}
	}
	z.Close() // as above
	return nil
}

func (s *server) entryPointSheet(q *request) error {
	all, err := s.selected(q)
	if err != nil {
		return err
	}
	st, err := s.o.EntryPoints.Style(q.Context(), all[0].Application, q.URL.Query())
	if err != nil {
		return err
	}
	perRow := 3
	if text := q.URL.Query().Get("perRow"); text != "" {
		if perRow, err = strconv.Atoi(text); err != nil || perRow < 1 || perRow > 8 {
			return gateway.Invalid("perRow", "must be a number from 1 to 8")
		}
	}
	caption, short := st.Caption, q.URL.Query().Get("link") == "short"
	if caption == "" {
		caption = "{name}"
	}
	items := make([]qr.SheetItem, len(all))
	for i, e := range all {
		items[i] = qr.SheetItem{Text: s.o.EntryPoints.Held(e, short), Caption: service.Caption(caption, e)}
		if items[i].Caption == "" {
			items[i].Caption = e.Ref
		}
	}
	sheet, err := qr.Sheet(items, st, perRow)
	if err != nil {
		return service.StyleError(err)
	}
	return q.replyFile("application/pdf", "codes.pdf", sheet)
}

// replyCSV answers a report as a table, with three columns for each goal.
func (q *request) replyCSV(r gatewayapi.EntryPointReport) error {
	goals := slices.Sorted(maps.Keys(r.Total.Goals))
	head := []string{r.Group, "entryPoints", "visits", "scans", "opens", "firstContacts", "returning", "firstMessages", "answered"}
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
