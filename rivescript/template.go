package rivescript

import (
	"strconv"
	"strings"
)

// template is a reply, or another text with tags, looked through once when it is loaded: most
// replies are plain or name a few stars, and only the others go through all the passes that tags
// ask for.
type template struct {
	text  string
	parts []part // of a text whose only tags are stars; nil when it needs all passes
	needs need
}

// part is a piece of text, or the star of a number.
type part struct {
	text string
	star int // 0 for text
}

// need says which passes a template asks for.
type need uint8

const (
	needArrays  need = 1 << iota // (@
	needAngle                    // <
	needBrace                    // {
	needEscapes                  // \
)

func newTemplate(text string) *template {
	t := &template{text: text, needs: needsOf(text)}
	if t.needs&^needAngle == 0 {
		t.parts = stars(text)
	}
	return t
}

func needsOf(text string) need {
	var n need
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '<':
			n |= needAngle
		case '{':
			n |= needBrace
		case '\\':
			n |= needEscapes
		case '@':
			if i > 0 && text[i-1] == '(' {
				n |= needArrays
			}
		}
	}
	return n
}

// stars cuts a text into parts; nil when it holds other tags.
func stars(text string) []part {
	parts := []part{}
	for text != "" {
		i := strings.IndexByte(text, '<')
		if i < 0 {
			return append(parts, part{text: text})
		}
		if i > 0 {
			parts = append(parts, part{text: text[:i]})
		}
		j := strings.IndexByte(text[i:], '>')
		if j < 0 {
			return nil
		}
		n, ok := starNumber(text[i+1:i+j], "star")
		if !ok {
			return nil
		}
		parts = append(parts, part{star: n})
		text = text[i+j+1:]
	}
	return parts
}

// starNumber reads star, star1, star2 …; the same for botstar.
func starNumber(tag, name string) (int, bool) {
	rest, ok := strings.CutPrefix(tag, name)
	if !ok {
		return 0, false
	}
	if rest == "" {
		return 1, true
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil && n > 0 && n < 1000 && rest[0] != '+' && rest[0] != '0'
}
