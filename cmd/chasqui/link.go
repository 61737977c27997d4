package main

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/chasqui/chasqui/internal/gateway"
)

// linkFlags say where a code or link leads.
type linkFlags struct {
	Page    string  `required:"" placeholder:"PAGE" help:"Id or name of the page."`
	Ref     *string `placeholder:"REF" help:"What the link says of where the person came from: 1 to 250 of a-z A-Z 0-9 + / = - . : _"`
	Text    string  `placeholder:"TEXT" help:"Text that stands in the person's composer, up to 1,000 characters."`
	LinkURL string  `default:"https://m.me" placeholder:"URL" help:"Where links open a page's thread; the emulator's address followed by /m.me when testing."`
}

// pageName is what the id or name of a page is made of.
var pageName = regexp.MustCompile(`^[\w.\-]{1,200}$`)

// link returns the address, or an error that names the flag.
func (l linkFlags) link() (string, error) {
	if !pageName.MatchString(l.Page) {
		return "", fmt.Errorf("--page: %q is not an id or name of a page", l.Page)
	}
	ref := ""
	if l.Ref != nil {
		if ref = *l.Ref; !gateway.ValidRef(ref) {
			return "", fmt.Errorf("--ref: a ref has 1 to %d characters of a-z A-Z 0-9 + / = - . : _", gateway.MaxRef)
		}
	}
	if utf8.RuneCountInString(l.Text) > gateway.MaxPrefill {
		return "", fmt.Errorf("--text: it has more than %d characters", gateway.MaxPrefill)
	}
	return gateway.Link(l.LinkURL, l.Page, ref, l.Text), nil
}

type linkCmd struct {
	linkFlags
}

// Run prints the link. It needs no gateway.
func (l linkCmd) Run(c console) error {
	link, err := l.link()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, link)
	return err
}
