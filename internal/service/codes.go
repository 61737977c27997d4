package service

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/qr"
)

// MaxSheet is how many codes one print sheet holds.
const MaxSheet = qr.MaxSheet

// Drawer reads from parameters how the codes of entry points of an application are to look: size,
// mm, style, ring, logo, foreground, background, caption, quiet. Many says that it is for a zip
// file or a print sheet.
func (s *EntryPoints) Drawer(ctx context.Context, app string, query url.Values, many bool) (*CodeDrawer, error) {
	d := &CodeDrawer{easel: s.Pictures.Easel}
	var err error
	if d.Style, err = styleOf(query); err != nil {
		return nil, err
	}
	logo := query.Get("logo")
	if many || logo != "" {
		if d.leave, err = d.easel.enter(); err != nil {
			return nil, err
		}
	}
	if logo != "" {
		if d.Style.Logo, err = s.Pictures.Logo(ctx, s.Directory.Application(app), logo); err == nil {
			err = styleError(d.Style.Check())
		}
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func styleOf(query url.Values) (st qr.Style, err error) {
	number := func(name string) (n int) {
		if text := query.Get(name); text != "" && err == nil {
			if n, err = strconv.Atoi(text); err != nil {
				err = gateway.Invalid(name, "%.40q is not a number", text)
			}
		}
		return n
	}
	st = qr.Style{
		Size: number("size"), Millimetres: float64(number("mm")), Quiet: number("quiet"), Modules: query.Get("style"), Ring: query.Get("ring") == "true",
		Foreground: query.Get("foreground"), Background: query.Get("background"), Caption: query.Get("caption"),
	}
	if err != nil {
		return st, err
	}
	return st, styleError(st.Check())
}

// styleError is an error of package qr as one that names the parameter at fault.
func styleError(err error) error {
	var e *qr.StyleError
	if !errors.As(err, &e) {
		return err
	}
	field := e.Field
	switch field {
	case "millimetres":
		field = "mm"
	case "modules":
		field = "style"
	}
	return gateway.Invalid(field, "%s", e.Message)
}

// Held is what the code of an entry point holds: the m.me link, or with short our own, which counts
// scans before Messenger opens.
func (s *EntryPoints) Held(e *gateway.EntryPoint, short bool) string {
	if short {
		return s.ShortLink(e)
	}
	return s.Link(e)
}

// Caption fills {ref} and {name} into the text below a code.
func Caption(caption string, e *gateway.EntryPoint) string {
	return strings.NewReplacer("{ref}", e.Ref, "{name}", e.Name).Replace(caption)
}

// FileName is a name for an entry point's picture that every file system takes.
func FileName(e *gateway.EntryPoint) string {
	name := e.Ref
	if name == "" || len(name) > 100 {
		name = e.ID
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
}
