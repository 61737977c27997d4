package graphemu

import (
	"fmt"
	"hash/fnv"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strings"
	"unicode"
)

// pictureSide is the side of a picture in pixels where it is made of them.
const pictureSide = 200

// servePicture draws initials on a color that belongs to the id. A client that does
// not accept SVG gets the color alone, as a PNG.
func (p webPages) servePicture(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimSuffix(r.PathValue("file"), ".svg")
	name := p.name(id)
	if name == "" {
		http.NotFound(w, r)
		return
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	hue := h.Sum32() % 360
	w.Header().Set("Cache-Control", "max-age=300")
	w.Header().Set("Vary", "Accept")
	if accept := r.Header.Get("Accept"); strings.Contains(accept, "image/png") && !strings.Contains(accept, "svg") && !strings.Contains(accept, "*/*") {
		w.Header().Set("Content-Type", "image/png")
		png.Encode(w, shade(hue)) // a client that has gone needs no picture
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">`+
		`<stop offset="0" stop-color="hsl(%d 55%% 60%%)"/><stop offset="1" stop-color="hsl(%d 58%% 43%%)"/></linearGradient></defs>`+
		`<rect width="80" height="80" fill="url(#g)"/><text x="40" y="41" fill="#fff" font-family="system-ui,sans-serif" font-size="32" `+
		`font-weight="600" text-anchor="middle" dominant-baseline="central">%s</text></svg>`, hue, (hue+40)%360, html.EscapeString(initials(name)))
}

// shade is a square that goes from a light hue to a darker one.
func shade(hue uint32) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	// Three waves a third of the circle apart are near enough to the colors that a browser makes of a hue.
	channel := func(shift, light float64) uint8 {
		return uint8(255 * light * (0.6 + 0.4*math.Cos((float64(hue)-shift)*math.Pi/180)))
	}
	for y := range pictureSide {
		for x := range pictureSide {
			light := 0.85 - 0.3*float64(x+y)/(2*pictureSide)
			img.SetRGBA(x, y, color.RGBA{channel(0, light), channel(120, light), channel(240, light), 255})
		}
	}
	return img
}

func initials(name string) string {
	out := ""
	words := strings.Fields(name)
	for i, w := range words {
		if i == 0 || i == len(words)-1 {
			for _, r := range w {
				out += string(unicode.ToUpper(r))
				break
			}
		}
	}
	return out
}
