package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/qr"
)

// codeCmd makes the picture of a code. Numbers are taken as text, so that a bad one is answered
// like any other bad value.
type codeCmd struct {
	linkFlags
	Output      string `short:"o" required:"" placeholder:"FILE" help:"Picture to write; its ending says what it is: .png, .svg or .pdf."`
	Size        string `default:"1000" placeholder:"PIXELS" help:"Side of a PNG or SVG, 100 to 2000."`
	Millimetres string `default:"40" placeholder:"MM" help:"Side in print of a PDF, 10 to 1000."`
	Style       string `default:"square" placeholder:"STYLE" help:"Form of the modules: square, rounded or dots."`
	Ring        bool   `help:"Draw a ring around the code."`
	Logo        string `placeholder:"FILE" help:"PNG, JPEG or GIF for the middle."`
	Foreground  string `default:"#000000" placeholder:"#RRGGBB" help:"Colour of the code."`
	Background  string `default:"#ffffff" placeholder:"#RRGGBB" help:"Colour behind it, or transparent."`
	Caption     string `placeholder:"TEXT" help:"Text below the code, up to 60 characters."`
	Quiet       string `default:"4" placeholder:"MODULES" help:"Width of the quiet zone, 1 to 20."`
}

// Run writes the picture. It needs no gateway.
func (cmd codeCmd) Run(c console) error {
	link, err := cmd.link()
	if err != nil {
		return err
	}
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(cmd.Output), "."))
	if format != qr.FormatPNG && format != qr.FormatSVG && format != qr.FormatPDF {
		return fmt.Errorf("--output: %s ends in none of .png, .svg, .pdf", cmd.Output)
	}
	style, err := cmd.style()
	if err != nil {
		return err
	}
	picture, _, err := qr.Render(link, format, style)
	var wrong *qr.StyleError
	if errors.As(err, &wrong) {
		return badFlag(wrong)
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(cmd.Output, picture, 0o644); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	_, err = fmt.Fprintf(c.stdout, "wrote %s: %s\n", cmd.Output, link)
	return err
}

// badFlag says of which flag the style speaks.
func badFlag(wrong *qr.StyleError) error {
	flag := wrong.Field
	if flag == "modules" {
		flag = "style"
	}
	return fmt.Errorf("--%s: %s", flag, wrong.Message)
}

func (cmd codeCmd) style() (qr.Style, error) {
	s := qr.Style{Modules: cmd.Style, Ring: cmd.Ring, Foreground: cmd.Foreground, Background: cmd.Background, Caption: cmd.Caption}
	var err error
	// In a Style, 0 is the default; on the command line it is out of range like -1.
	if s.Size, err = strconv.Atoi(cmd.Size); err != nil || s.Size == 0 {
		return s, fmt.Errorf("--size: %q is not a number of pixels between %d and %d", cmd.Size, qr.MinSize, qr.MaxSize)
	}
	if s.Millimetres, err = strconv.ParseFloat(cmd.Millimetres, 64); err != nil || s.Millimetres == 0 {
		return s, fmt.Errorf("--millimetres: %q is not a length between %d and %d", cmd.Millimetres, qr.MinMillimetres, qr.MaxMillimetres)
	}
	if s.Quiet, err = strconv.Atoi(cmd.Quiet); err != nil || s.Quiet == 0 {
		return s, fmt.Errorf("--quiet: %q is not a number of modules between 1 and %d", cmd.Quiet, qr.MaxQuiet)
	}
	if cmd.Logo != "" {
		if s.Logo, err = readLogo(cmd.Logo); err != nil {
			return s, fmt.Errorf("--logo: %w", err)
		}
	}
	return s, nil
}

// readLogo reads a file, up to the first byte that is too many.
func readLogo(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, qr.MaxLogoBytes+1))
	if data == nil {
		data = []byte{} // an empty file is a bad logo, not none
	}
	return data, err
}
