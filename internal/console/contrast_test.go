package console

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is that of a colour such as #1e1f22 or #fff.
//
// Docs: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = digits[:1] + digits[:1] + digits[1:2] + digits[1:2] + digits[2:] + digits[2:]
	}
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		t.Fatalf("%q is not a colour", colour)
	}
	part := func(shift int) float64 {
		f := float64(v>>shift&0xff) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

// All words can be read in the light and in the dark: at least 4.5 to 1 on every ground that they
// stand on.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := static.ReadFile("static/base.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string]string{"white": "#fff", "danger": "#c22c2c"}
	read := func(block string) {
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(block, -1) {
			colours[m[1]] = m[2]
		}
	}
	light, dark, ok := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	for _, scheme := range []struct{ name, block string }{{"light", light}, {"dark", dark}} {
		read(scheme.block)
		for ground, words := range map[string][]string{
			"raised": {"ink", "soft", "accent", "good", "bad", "visits", "contacts", "goals"}, "ground": {"ink", "soft", "accent"}, "field": {"ink", "bad", "soft"},
			"bubble": {"ink", "soft"}, "hover": {"ink", "soft", "accent"}, "chosen": {"ink", "accent"}, "good-ground": {"good"}, "blue": {"white"}, "danger": {"white"},
		} {
			for _, word := range words {
				a, b := luminance(t, colours[word]), luminance(t, colours[ground])
				if contrast := (max(a, b) + 0.05) / (min(a, b) + 0.05); contrast < 4.5 {
					t.Errorf("%s: %s %s on %s %s has %.2f to 1", scheme.name, word, colours[word], ground, colours[ground], contrast)
				}
			}
		}
	}
}
