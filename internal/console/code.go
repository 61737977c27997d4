package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
	"github.com/chasqui/chasqui/internal/service"
)

// styleNames are the parameters that say how a code looks.
var styleNames = [...]string{"size", "mm", "style", "ring", "logo", "logoAddress", "foreground", "background", "transparent", "caption", "quiet", "link"}

// lookForm is how a code looks, as it is chosen in a form.
type lookForm struct {
	url.Values
	Problem *fieldProblem
	HasLogo bool // the page has a picture
}

// lookOf takes the style out of an address, and puts in what a form shows when nothing is chosen.
func lookOf(q url.Values) url.Values {
	look := url.Values{}
	for _, name := range styleNames {
		if value := strings.TrimSpace(q.Get(name)); value != "" {
			look.Set(name, value)
		}
	}
	return look
}

// Or is a parameter, or what it means when it is left out.
func (f lookForm) Or(name, otherwise string) string {
	if value := f.Get(name); value != "" {
		return value
	}
	return otherwise
}

// Modules are the forms of modules to choose from.
func (f lookForm) Modules() []choice {
	chosen := f.Or("style", qr.Square)
	return []choice{{qr.Square, "Square", chosen == qr.Square}, {qr.Rounded, "Rounded", chosen == qr.Rounded}, {qr.Dots, "Dots", chosen == qr.Dots}}
}

// Logos are the choices of what stands in the middle.
func (f lookForm) Logos() []choice {
	chosen := f.Get("logo")
	all := []choice{{"", "None", chosen == ""}}
	if f.HasLogo || chosen == "page" {
		all = append(all, choice{"page", "The page's picture", chosen == "page"})
	}
	return append(all, choice{"address", "A picture at an address", chosen == "address"})
}

// styled are the parameters as the API has them.
func styled(look url.Values) url.Values {
	api := maps.Clone(look)
	if look.Get("transparent") == "true" {
		api.Set("background", "transparent")
	}
	if look.Get("logo") == "address" {
		api.Set("logo", look.Get("logoAddress"))
	}
	return api
}

// drawn is the picture of an entry point's code, with its media type and a tag that changes with
// it.
type drawn struct {
	picture    []byte
	media, tag string
}

// draw makes it; have is the tag of what the browser has, and saves the work.
func (c *Console) draw(v *visit, e *gateway.EntryPoint, look url.Values, format, have string) (p drawn, err error) {
	d, caption, err := c.drawer(v, e, look)
	if err != nil {
		return p, err
	}
	defer d.Close()
	link := c.o.EntryPoints.Held(e, look.Get("link") == "short")
	if p.tag = d.Tag(link, caption, format); p.tag == have {
		return p, nil
	}
	p.picture, p.media, err = d.Render(v.Context(), link, caption, format)
	return p, err
}

// drawer is for the code of an entry point, and the caption below it.
func (c *Console) drawer(v *visit, e *gateway.EntryPoint, look url.Values) (*service.CodeDrawer, string, error) {
	if look.Get("logo") == "address" && look.Get("logoAddress") == "" {
		return nil, "", gateway.Invalid("logo", "give the picture's address")
	}
	d, err := c.o.EntryPoints.Drawer(v.Context(), e.Application, styled(look), false)
	if err != nil {
		return nil, "", err
	}
	return d, service.Caption(d.Style.Caption, e), nil
}

// tryLook says what is wrong with a look, without drawing.
func (c *Console) tryLook(v *visit, e *gateway.EntryPoint, look url.Values) error {
	d, caption, err := c.drawer(v, e, look)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Open(v.Context()); err != nil {
		return err
	}
	return d.Fits(c.o.EntryPoints.Held(e, look.Get("link") == "short"), caption, qr.FormatPNG)
}

// send sends a picture. It may be opened by itself, where it can load nothing.
func (d drawn) send(v *visit) {
	h := v.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", d.tag)
	if d.picture == nil {
		v.w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", d.media)
	h.Set("Content-Length", strconv.Itoa(len(d.picture)))
	v.w.Write(d.picture) // when this fails the caller is gone
}

func (c *Console) image(v *visit) error {
	e, err := c.o.EntryPoints.Get(v.Context(), v.key, v.PathValue("id"))
	if err != nil {
		return err
	}
	q := v.URL.Query()
	format := q.Get("format")
	if format == "" {
		format = qr.FormatPNG
	}
	if !slices.Contains([]string{qr.FormatPNG, qr.FormatSVG, qr.FormatPDF}, format) {
		return gateway.NotFound("picture", format)
	}
	d, err := c.draw(v, e, lookOf(q), format, v.Header.Get("If-None-Match"))
	if err != nil {
		return err
	}
	if q.Get("download") != "" {
		v.w.Header().Set("Content-Disposition", `attachment; filename="code-`+service.FileName(e)+"."+format+`"`)
	}
	d.send(v)
	return nil
}

const thumbnailSize = 144 // pixels, twice what the list shows

// thumbnail is the plain code, as small as it can be drawn.
func (c *Console) thumbnail(v *visit) error {
	e, err := c.o.EntryPoints.Get(v.Context(), v.key, v.PathValue("id"))
	if err != nil {
		return err
	}
	size := max(thumbnailSize, qr.Smallest(c.o.EntryPoints.Link(e), qr.Style{Quiet: 1}))
	d, err := c.draw(v, e, url.Values{"size": {strconv.Itoa(size)}, "quiet": {"1"}}, qr.FormatPNG, v.Header.Get("If-None-Match"))
	if err != nil {
		return err
	}
	d.send(v)
	return nil
}

// pointPage is one entry point.
type pointPage struct {
	item
	Look   lookForm
	Edit   pointForm
	Span   span
	Total  figures
	Funnel []step
}

func (c *Console) show(v *visit) error {
	e, err := c.o.EntryPoints.Get(v.Context(), v.key, v.PathValue("id"))
	if err != nil {
		return err
	}
	return c.showPoint(v, http.StatusOK, e, editable(e), nil)
}

func (c *Console) showPoint(v *visit, status int, e *gateway.EntryPoint, edit url.Values, problem *fieldProblem) error {
	q := v.URL.Query()
	p := &pointPage{item: c.item(e), Look: lookForm{Values: lookOf(q)}, Edit: pointForm{Values: edit, Problem: problem}, Span: spanOf(q, c.o.Now())}
	if a := c.o.Directory.Application(e.Application); a != nil {
		p.Look.HasLogo = a.PageImageURL != ""
	}
	err := c.tryLook(v, e, p.Look.Values)
	if p.Look.Problem = problems(err); err != nil && p.Look.Problem == nil {
		return err
	}
	sums, err := c.o.EntryPoints.Store.SumPoints(v.Context(), []string{e.Application}, p.Span.from, p.Span.to)
	if err != nil {
		return err
	}
	p.Total = ofPoint(sums, e.ID)
	p.Funnel = funnel(p.Total)
	c.render(v, status, "point", layout{Title: p.Title(), Tab: "list", Done: done(q)}, p)
	return nil
}

// ofPoint sums up what came of one entry point.
func ofPoint(sums []service.Sum, id string) figures {
	row := &service.ReportRow{Counts: map[string]int64{}, Goals: map[string]*service.GoalSum{}}
	for _, s := range sums {
		if s.Point != id {
			continue
		}
		metric, goal, isGoal := strings.Cut(s.Metric, "/")
		switch {
		case !isGoal:
			row.Counts[metric] += s.N
		case metric == gateway.MetricGoals:
			if row.Goals[goal] == nil {
				row.Goals[goal] = &service.GoalSum{}
			}
			row.Goals[goal].Count += s.N
			row.Goals[goal].Value += s.Value
		}
	}
	return figuresOf(row)
}

// Formats are those a code can be downloaded in.
func (*pointPage) Formats() []string { return []string{qr.FormatPNG, qr.FormatSVG, qr.FormatPDF} }

// Image is the address of the picture in the look chosen.
func (p *pointPage) Image() string { return p.Path() + "/image?" + p.Look.Encode() }

// Download is the address that saves it in a format.
func (p *pointPage) Download(format string) string {
	q := url.Values{"format": {format}, "download": {"1"}}
	maps.Copy(q, p.Look.Values)
	return p.Path() + "/image?" + q.Encode()
}

// Period is the page's address with the figures of so many days, in the look chosen.
func (p *pointPage) Period(days string) string {
	q := url.Values{"days": {days}, "tz": {p.Span.ZoneName}}
	maps.Copy(q, p.Look.Values)
	return p.Path() + "?" + q.Encode()
}
