package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/service"
)

// sheetPage is the form for a print sheet.
type sheetPage struct {
	query
	Look         lookForm
	PerRow       string
	Applications []choice
	Kinds        []choice
	Count        int  // codes on it
	Full         bool // there are more than fit
}

const (
	usualPerRow   = 3
	usualSheetMM  = "50"
	usualCaption  = "{name}"
	sheetFilename = "codes.pdf"
)

// onSheet are the entry points of a print sheet in the order in which they were made: those of the
// filter, without those out of use unless they are asked for.
func (c *Console) onSheet(v *visit, q query) (points []*gateway.EntryPoint, full bool, err error) {
	all, err := c.o.EntryPoints.List(v.Context(), v.key, q.filter(service.MaxSheet+1))
	if err != nil {
		return nil, false, err
	}
	full = len(all) > service.MaxSheet
	for _, e := range all[:min(len(all), service.MaxSheet)] {
		if q.Get("retired") == "true" || stateOf(e, c.o.Now()).Class == "on" {
			points = append(points, e)
		}
	}
	slices.Reverse(points)
	return points, full, nil
}

func (c *Console) sheetForm(v *visit) error { return c.showSheet(v, http.StatusOK, nil) }

func (c *Console) showSheet(v *visit, status int, problem *fieldProblem) error {
	q := query{v.URL.Query()}
	p := &sheetPage{query: q, Look: lookForm{Values: lookOf(q.values), Problem: problem, HasLogo: true}, PerRow: q.Get("perRow"),
		Applications: c.applications(v.key, q.Get("application")), Kinds: kinds(q.Get("kind"))}
	if p.PerRow == "" { // nothing is chosen yet
		p.PerRow = strconv.Itoa(usualPerRow)
		p.Look.Set("caption", usualCaption)
		p.Look.Set("mm", usualSheetMM)
	}
	points, full, err := c.onSheet(v, q)
	if err != nil {
		return err
	}
	p.Count, p.Full = len(points), full
	c.render(v, status, "sheet", layout{Title: "Print sheet", Tab: "sheet"}, p)
	return nil
}

func (c *Console) sheetPDF(v *visit) error {
	sheet, leave, err := c.sheet(v)
	if p := problems(err); p != nil {
		return c.showSheet(v, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	defer leave()
	h := v.w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+sheetFilename+`"`)
	if err := sheet.Write(v.Context(), v.w); err != nil {
		if v.Context().Err() == nil {
			c.o.Logger.Warn("a print sheet broke off", "err", err)
		}
		panic(http.ErrAbortHandler) // so that the browser does not take a part for the whole
	}
	return nil
}

// sheet begins a print sheet, which is under way until leave is called.
func (c *Console) sheet(v *visit) (sheet *service.Sheet, leave func(), err error) {
	q := query{v.URL.Query()}
	perRow, err := whole(url.Values{"perRow": {lookForm{Values: q.values}.Or("perRow", strconv.Itoa(usualPerRow))}}, "perRow")
	if err != nil || perRow < 1 || perRow > qr.MaxPerRow {
		return nil, nil, gateway.Invalid("perRow", "give a whole number from 1 to %d", qr.MaxPerRow)
	}
	points, _, err := c.onSheet(v, q)
	if err != nil {
		return nil, nil, err
	}
	if len(points) == 0 {
		return nil, nil, gateway.Invalid("", "no entry point in use fits these choices")
	}
	look := lookOf(q.values)
	d, err := c.o.EntryPoints.Drawer(v.Context(), points[0].Application, styled(look), true)
	if err != nil {
		return nil, nil, err
	}
	items := make([]qr.SheetItem, len(points))
	for i, e := range points {
		items[i] = qr.SheetItem{Text: c.o.EntryPoints.Held(e, look.Get("link") == "short"), Caption: c.caption(d.Style.Caption, e)}
	}
	if sheet, err = d.Sheet(v.Context(), items, perRow); err != nil {
		d.Close()
		return nil, nil, err
	}
	return sheet, d.Close, nil
}

// caption is the text below a code. Where {name} or {ref} leaves nothing it is the ref or the
// page's name, and it is cut where it is too long to print.
func (c *Console) caption(template string, e *gateway.EntryPoint) string {
	if template == "" {
		return ""
	}
	text := []rune(cmp.Or(strings.TrimSpace(service.Caption(template, e)), e.Ref, c.named(e.Application)))
	if len(text) > qr.MaxCaption {
		text = append(text[:qr.MaxCaption-1], '…')
	}
	return string(text)
}
