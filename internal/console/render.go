package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
)

//go:embed templates
var templates embed.FS

// pages are the templates by name, each with the layout around it.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	shared, err := template.New("").Funcs(template.FuncMap{
		"number": number[int64], "count": number[int], "amount": amount, "moment": moment, "day": day, "kind": kindName,
	}).ParseFS(templates, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	all := pages{}
	files, err := templates.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		one, err := shared.Clone()
		if err == nil {
			one, err = one.ParseFS(templates, path.Join("templates", f.Name()))
		}
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		all[name] = one
	}
	return all, nil
}

// layout is what stands around every page.
type layout struct {
	Title string
	// Tab is the part of the console that the page belongs to.
	Tab  string
	Done string // what has just been done
}

// frame is what a template sees.
type frame struct {
	layout
	KeyName  string // empty while nobody is signed in
	MayWrite bool
	Body     any
}

// render sends a page. It is made in full before anything is sent.
func (c *Console) render(v *visit, status int, name string, l layout, body any) {
	f := frame{layout: l, Body: body}
	if v.key != nil {
		f.KeyName, f.MayWrite = v.key.Name, v.key.Allows(gateway.ScopeEntryPointsWrite)
	}
	var out bytes.Buffer
	if err := c.pages[name].ExecuteTemplate(&out, "layout", f); err != nil {
		c.o.Logger.Error("render page", "page", name, "err", err)
		http.Error(v.w, "The page could not be made; the gateway's log says why.", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	v.w.Write(out.Bytes()) // when this fails the caller is gone
}

// number writes a count with commas between thousands.
func number[T int | int64](n T) string { return thousands(strconv.FormatInt(int64(n), 10)) }

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// amount writes the value of goals, with two decimals unless it is whole.
func amount(value float64) string {
	whole, cents, _ := strings.Cut(strconv.FormatFloat(value, 'f', 2, 64), ".")
	if whole = thousands(whole); cents == "00" {
		return whole
	}
	return whole + "." + cents
}

func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// kindName says in words what kind an entry point is.
func kindName(kind gateway.EntryPointKind) string {
	switch kind {
	case gateway.EntryCode:
		return "Code"
	case gateway.EntryLink:
		return "Link"
	case gateway.EntryAd:
		return "Ad"
	case gateway.EntrySendToMessenger:
		return "Send to Messenger"
	}
	return string(kind)
}
