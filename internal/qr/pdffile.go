package qr

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/color"
)

// Numbers of the objects that every PDF file of ours has. Pages come after them,
// two objects each: what is on it, and the page.
const (
	pdfCatalog = 1 + iota
	pdfPages
	pdfInfo
	pdfDot  // the form of a dot, which is drawn for each of them
	pdfLogo // missing without a logo, like the next
	pdfLogoAlpha
	pdfFirstPage
)

// pdfFile writes a PDF file from its beginning to its end and holds no more of
// it than what was written since drain was last called.
//
// Docs: https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf
type pdfFile struct {
	out     bytes.Buffer
	drained int64
	offsets []int64 // of the objects, by number; 0 for one that there is not
	kids    []int   // the pages
	hasLogo bool
	deflate *zlib.Writer
}

// newPDFFile begins a file. It carries no time of its making, so that the same
// code is the same file.
func newPDFFile(logo *image.RGBA) (*pdfFile, error) {
	deflate, err := zlib.NewWriterLevel(nil, 3) // the best of levels make it a tenth smaller, and take twice as long
	if err != nil {
		return nil, fmt.Errorf("write the PDF: %w", err)
	}
	f := &pdfFile{offsets: make([]int64, pdfFirstPage), hasLogo: logo != nil, deflate: deflate}
	f.out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	f.object(pdfInfo, "<< /Producer (Chasqui) >>")
	dot := new(path)
	dot.dot(0, 0)
	var form bytes.Buffer
	dot.draw(&pdfPen{out: &form, grid: 1000}, func(a point) point { return a })
	form.WriteString("f\n")
	if err := f.stream(pdfDot, "/Type /XObject /Subtype /Form /BBox [0 0 1 1]", form.Bytes()); err != nil {
		return nil, err
	}
	if logo == nil {
		return f, nil
	}
	return f, f.addLogo(logo)
}

// drain returns what was written since the last time. It is good until more is written.
func (f *pdfFile) drain() []byte {
	part := bytes.Clone(f.out.Bytes())
	f.drained += int64(len(part))
	f.out.Reset()
	return part
}

// begin notes where an object stands.
func (f *pdfFile) begin(number int) {
	for len(f.offsets) <= number {
		f.offsets = append(f.offsets, 0)
	}
	f.offsets[number] = f.drained + int64(f.out.Len())
	fmt.Fprintf(&f.out, "%d 0 obj\n", number)
}

func (f *pdfFile) object(number int, content string) {
	f.begin(number)
	f.out.WriteString(content)
	f.out.WriteString("\nendobj\n")
}

// stream writes an object of compressed bytes.
func (f *pdfFile) stream(number int, dictionary string, content []byte) error {
	var packed bytes.Buffer
	f.deflate.Reset(&packed)
	if _, err := f.deflate.Write(content); err != nil {
		return fmt.Errorf("write the PDF: %w", err)
	}
	if err := f.deflate.Close(); err != nil {
		return fmt.Errorf("write the PDF: %w", err)
	}
	f.begin(number)
	fmt.Fprintf(&f.out, "<< %s /Filter /FlateDecode /Length %d >>\nstream\n", dictionary, packed.Len())
	f.out.Write(packed.Bytes())
	f.out.WriteString("\nendstream\nendobj\n")
	return nil
}

// addLogo writes the logo's colours, and how clear it is as a picture of its own.
func (f *pdfFile) addLogo(logo *image.RGBA) error {
	logo, err := forPrint(logo)
	if err != nil {
		return err
	}
	size := logo.Rect.Size()
	colours, alpha := make([]byte, 0, 3*size.X*size.Y), make([]byte, 0, size.X*size.Y)
	for y := range size.Y {
		for x := range size.X {
			c := color.NRGBAModel.Convert(logo.RGBAAt(logo.Rect.Min.X+x, logo.Rect.Min.Y+y)).(color.NRGBA)
			colours, alpha = append(colours, c.R, c.G, c.B), append(alpha, c.A)
		}
	}
	of := fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace ", size.X, size.Y)
	if err := f.stream(pdfLogoAlpha, of+"/DeviceGray", alpha); err != nil {
		return err
	}
	return f.stream(pdfLogo, fmt.Sprintf("%s/DeviceRGB /SMask %d 0 R", of, pdfLogoAlpha), colours)
}

// page adds a page of a size in points.
func (f *pdfFile) page(width, height float64, content []byte) error {
	drawn := max(pdfFirstPage, len(f.offsets))
	if err := f.stream(drawn, "", content); err != nil {
		return err
	}
	shared := fmt.Sprintf("/d %d 0 R", pdfDot)
	if f.hasLogo {
		shared += fmt.Sprintf(" /l %d 0 R", pdfLogo)
	}
	f.object(drawn+1, fmt.Sprintf("<< /Type /Page\n/Parent %d 0 R\n/MediaBox [0 0 %.2f %.2f]\n/Resources << /XObject << %s >> >>\n/Contents %d 0 R >>",
		pdfPages, width, height, shared, drawn))
	f.kids = append(f.kids, drawn+1)
	return nil
}

// finish writes what tells where everything is.
func (f *pdfFile) finish() {
	f.object(pdfCatalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", pdfPages))
	var kids bytes.Buffer
	for _, n := range f.kids {
		fmt.Fprintf(&kids, "%d 0 R\n", n)
	}
	f.object(pdfPages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [\n%s] >>", len(f.kids), kids.String()))
	at := f.drained + int64(f.out.Len())
	fmt.Fprintf(&f.out, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets))
	for _, offset := range f.offsets[1:] {
		kind := byte('n')
		if offset == 0 {
			kind = 'f'
		}
		fmt.Fprintf(&f.out, "%010d %05d %c \n", offset, 0, kind)
	}
	fmt.Fprintf(&f.out, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets), pdfCatalog, pdfInfo, at)
}
