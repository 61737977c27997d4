package qr_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/vector"

	"github.com/chasqui/chasqui/internal/qr"
)

// svgFile is what of an SVG is looked at.
type svgFile struct {
	Width   string `xml:"width,attr"`
	ViewBox string `xml:"viewBox,attr"`
	Title   string `xml:"title"`
	Paths   []struct {
		Fill string `xml:"fill,attr"`
		D    string `xml:"d,attr"`
	} `xml:"path"`
	Image []struct {
		Href string `xml:"href,attr"`
	} `xml:"image"`
}

// drawn is a path of an SVG, so wide.
func (f svgFile) drawn(t *testing.T, path string, side int) image.Image {
	t.Helper()
	var w, h float32
	if _, err := fmt.Sscanf(f.ViewBox, "0 0 %g %g", &w, &h); err != nil {
		t.Fatal(err)
	}
	scale := float32(side) / w
	r := vector.NewRasterizer(side, int(h*scale))
	for rest := path; rest != ""; {
		command := rest[0]
		end := strings.IndexAny(rest[1:], "MLCz") + 1
		if end == 0 {
			end = len(rest)
		}
		var p [6]float32
		for i, v := range strings.Fields(rest[1:end]) {
			if _, err := fmt.Sscan(v, &p[i]); err != nil {
				t.Fatal(err)
			}
			p[i] *= scale
		}
		switch command {
		case 'M':
			r.MoveTo(p[0], p[1])
		case 'L':
			r.LineTo(p[0], p[1])
		case 'C':
			r.CubeTo(p[0], p[1], p[2], p[3], p[4], p[5])
		case 'z':
			r.ClosePath()
		}
		rest = rest[end:]
	}
	img := image.NewGray(r.Bounds())
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	r.Draw(img, img.Rect, image.Black, image.Point{})
	return img
}

func TestSVG(t *testing.T) {
	t.Parallel()
	drawnByOne(t)
	pictures := logos(t)
	for _, style := range styles("none", "photo", "wide") {
		for i, ref := range []int{7, 250, 60} {
			s := qr.Style{Size: []int{1000, 700, 333}[i], Modules: style.form, Ring: style.ring, Logo: pictures[style.logo], Caption: `Fish & "chips" <3`, Foreground: "#112233"}
			data, media, err := qr.Render(link(ref), qr.FormatSVG, s)
			var file svgFile
			if err != nil || media != "image/svg+xml" || xml.Unmarshal(data, &file) != nil {
				t.Fatalf("%q, %v:\n%.300s", media, err, data)
			}
			if file.Width != strconv.Itoa(s.Size) || file.Title != s.Caption || len(file.Paths) != 3 || file.Paths[1].Fill != "#112233" || (style.logo != "none") != (len(file.Image) == 1) {
				t.Errorf("%v: %s wide, title %q, %d paths, %d images", style, file.Width, file.Title, len(file.Paths), len(file.Image))
				continue
			}
			img := file.drawn(t, file.Paths[1].D, s.Size)
			if got, err := qr.Decode(bytes.NewReader(encodePNG(t, img))); err != nil || got != link(ref) {
				t.Errorf("%v, ref %d: read %.40q, %v", style, ref, got, err)
			}
		}
	}
	clear, _, err := qr.Render(link(7), qr.FormatSVG, qr.Style{Background: "transparent"})
	if err != nil || strings.Count(string(clear), "<path") != 1 {
		t.Errorf("a transparent one has a ground: %v", err)
	}
}

// needs returns a program's path. Without it the test is skipped, unless CHASQUI_REQUIRE_ZBAR=1
// asks for all of them.
func needs(t *testing.T, program, from string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CHASQUI_REQUIRE_ZBAR") == "1" {
			t.Fatalf("%s is not installed; it is in Debian's %s", program, from)
		}
		t.Skipf("%s, which is in Debian's %s, is not installed: pictures are only read by gozxing here", program, from)
	}
	return path
}

// zbar reads the codes in picture files.
func zbar(t *testing.T, files ...string) []string {
	t.Helper()
	out, err := exec.Command(needs(t, "zbarimg", "zbar-tools"), append([]string{"--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"}, files...)...).Output()
	var failed *exec.ExitError
	if err != nil && !(errors.As(err, &failed) && failed.ExitCode() == 4) { // 4: a picture holds none
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.Fields(string(out))
}

// onPaper makes a PNG of each page of a PDF, at so many dots an inch.
func onPaper(t *testing.T, pdf []byte, dpi string) []string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "code.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(needs(t, "pdftoppm", "poppler-utils"), "-r", dpi, "-png", file, filepath.Join(folder, "page")).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "page*.png"))
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// A decoder of another family reads them too, and off paper.
func TestZbar(t *testing.T) {
	t.Parallel()
	needs(t, "zbarimg", "zbar-tools")
	pictures := logos(t)
	for _, style := range styles("none", "photo", "wide", "high") {
		t.Run(style.String(), func(t *testing.T) {
			t.Parallel()
			s := qr.Style{Modules: style.form, Ring: style.ring, Logo: pictures[style.logo], Caption: "Table 7"}
			var files []string
			save := func(img image.Image) {
				files = append(files, filepath.Join(t.TempDir(), fmt.Sprintf("%d.png", len(files))))
				if err := os.WriteFile(files[len(files)-1], encodePNG(t, img), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, size := range []int{qr.Smallest(link(7), s), 300, 1000} {
				s.Size = size
				picture, _, err := qr.Render(link(7), qr.FormatPNG, s)
				if err != nil {
					t.Fatal(err)
				}
				img := decodePNG(t, picture)
				save(img)
				if size == 1000 {
					save(rotated(img, 20))
					save(blurred(img, 3))
					save(printed(img, 300))
				}
			}
			s.Millimetres = 25
			pdf, media, err := qr.Render(link(7), qr.FormatPDF, s)
			if err != nil || media != "application/pdf" {
				t.Fatal(media, err)
			}
			files = append(files, onPaper(t, pdf, "300")...)
			for _, file := range files {
				if got := zbar(t, file); len(got) != 1 || got[0] != link(7) {
					t.Errorf("%s: read %q", filepath.Base(file), got)
				}
			}
		})
	}
}

// A PDF is as large as it says, and refuses what no printer can resolve.
func TestPDF(t *testing.T) {
	t.Parallel()
	pdf, _, err := qr.Render(link(7), qr.FormatPDF, qr.Style{Millimetres: 25.4})
	if err != nil || !bytes.Contains(pdf, []byte("/MediaBox [0 0 72.00 72.00]")) {
		t.Errorf("an inch is not 72 points: %v", err)
	}
	var wrong *qr.StyleError
	if _, _, err := qr.Render(link(250), qr.FormatPDF, qr.Style{Millimetres: 10}); !errors.As(err, &wrong) || wrong.Field != "millimetres" || !strings.HasSuffix(wrong.Message, " 18") {
		t.Errorf("modules of a seventh of a millimetre: %v", err)
	}
	if _, _, err := qr.Render(link(250), qr.FormatPDF, qr.Style{Millimetres: 18}); err != nil {
		t.Errorf("at the size that was named: %v", err)
	}
}

// wholeSheet is a print sheet in one piece.
func wholeSheet(items []qr.SheetItem, s qr.Style, perRow int) (all []byte, err error) {
	sheet, err := qr.NewSheet(items, s, perRow)
	if err != nil {
		return nil, err
	}
	for {
		part, err := sheet.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	drawnByOne(t)
	var items []qr.SheetItem
	for i := range 50 {
		items = append(items, qr.SheetItem{Text: fmt.Sprintf("https://m.me/mypage?ref=table-%d", i), Caption: fmt.Sprintf("Table %d", i)})
	}
	s := qr.Style{Modules: qr.Rounded, Logo: logos(t)["wide"]}
	sheet, err := wholeSheet(items, s, 4)
	if err != nil || bytes.Count(sheet, []byte("/Type /Page\n")) != 3 || bytes.Count(sheet, []byte("/Subtype /Image")) > 2 {
		t.Fatalf("%d pages, the logo %d times, %v", bytes.Count(sheet, []byte("/Type /Page\n")), bytes.Count(sheet, []byte("/Subtype /Image")), err)
	}
	var wrong *qr.StyleError
	for _, tt := range []struct {
		items  []qr.SheetItem
		s      qr.Style
		perRow int
		field  string
	}{
		{items, qr.Style{Millimetres: 60}, 4, "millimetres"},
		{items, qr.Style{Millimetres: 200}, 0, "millimetres"},
		{items, qr.Style{Modules: "hearts"}, 0, "modules"},
		{[]qr.SheetItem{{Text: "x"}, {Text: "x", Caption: strings.Repeat("x", 61)}}, qr.Style{}, 0, "caption"},
		{[]qr.SheetItem{{Text: "x"}, {Text: link(250)}}, qr.Style{Millimetres: 12}, 0, "millimetres"},
	} {
		_, err := wholeSheet(tt.items, tt.s, tt.perRow)
		if !errors.As(err, &wrong) || wrong.Field != tt.field || len(tt.items) == 2 && !strings.HasPrefix(err.Error(), "code 2: ") {
			t.Errorf("%v, want an error on %s", err, tt.field)
		}
	}
	for _, number := range []int{0, qr.MaxSheet + 1} {
		if _, err := qr.NewSheet(slices.Repeat(items[:1], number), qr.Style{}, 3); err == nil {
			t.Errorf("%d codes are taken", number)
		}
	}
	for _, perRow := range []int{-1, qr.MaxPerRow + 1} {
		if _, err := wholeSheet(items, qr.Style{}, perRow); err == nil {
			t.Errorf("drawn with %d in a row", perRow)
		}
	}
	read := map[string]bool{}
	for _, page := range onPaper(t, sheet, "200") {
		for _, text := range zbar(t, page) {
			read[text] = true
		}
	}
	for _, item := range items {
		if !read[item.Text] {
			t.Errorf("%s is not on the sheet", item.Text)
		}
	}
}
