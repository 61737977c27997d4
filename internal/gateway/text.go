package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What text from outside may be. Both databases, every subscriber's JSON parser and every log can
// hold what passes here.
const (
	// MaxKeyBytes is how long a text may be that rows are found by. PostgreSQL's indexes take rows
	// of 2,704 bytes, and an index has up to four such columns.
	MaxKeyBytes = 255
	// MaxDepth is how deep JSON may be nested. Parsers of subscribers fail at a depth of about a
	// thousand.
	MaxDepth = 100
)

// CheckText reports what keeps a text of a caller's from being stored: bytes that are not UTF-8, or
// the character U+0000. Field names the input at fault.
func CheckText(field, text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return Invalid(field, "must not hold the character U+0000")
	}
	if !utf8.ValidString(text) {
		return Invalid(field, "must be UTF-8")
	}
	return nil
}

// CheckKey reports what keeps a text of a caller's from being an identifier: what CheckText
// refuses, control characters, and more than MaxKeyBytes bytes.
func CheckKey(field, text string) error {
	if len(text) > MaxKeyBytes {
		return Invalid(field, "may have %d bytes; this has %d", MaxKeyBytes, len(text))
	}
	if err := CheckText(field, text); err != nil {
		return err
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return Invalid(field, "must not hold control characters")
	}
	return nil
}

// CleanText makes a text that the platform or a provider sent fit to be stored: what is not UTF-8
// becomes U+FFFD, and U+0000 is left out.
func CleanText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	return text
}

// CheckURL reports what keeps the path and the query of a request from being used: what CheckText
// refuses. The error names the parameter.
func CheckURL(u *url.URL) error {
	if err := CheckText("", u.Path); err != nil {
		return Invalid("", "the path must be UTF-8 without U+0000")
	}
	if u.RawQuery == "" {
		return nil
	}
	for name, values := range u.Query() {
		field := CleanText(name)
		if field != name {
			return Invalid(field, "the parameter's name must be UTF-8 without U+0000")
		}
		for _, v := range values {
			if err := CheckText(field, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeyText makes a text that came from outside fit to be found by in an index: it is cleaned, and
// one of more than MaxKeyBytes bytes is cut and ends in a hash of the whole, so that two that
// differ stay different.
func KeyText(text string) string { return ShortText(CleanText(text), MaxKeyBytes) }

// ShortText cuts a text of more than limit bytes and ends it in a hash of the whole. The limit is
// at least 40.
func ShortText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	tail := "~" + hex.EncodeToString(sum[:12])
	cut := limit - len(tail)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + tail
}

// CheckJSON reports what keeps a body in JSON from being taken, beside not being JSON: bytes that
// are not UTF-8, the character U+0000 in a string, a surrogate without its other half, a number
// that no float64 holds, and more than MaxDepth levels. The error names the field at fault.
func CheckJSON(body []byte) error {
	if bytes.IndexByte(body, 0) >= 0 {
		return Invalid("", "the body must not hold a byte 0")
	}
	if !utf8.Valid(body) {
		return Invalid("", "the body is not UTF-8")
	}
	depth, unfit, huge := scanJSON(body)
	if depth > MaxDepth {
		return Invalid("", "the body is nested deeper than %d levels", MaxDepth)
	}
	if len(huge) > 0 {
		return Invalid(fieldAt(body, huge[0].from), "is a number greater than a 64-bit float can hold")
	}
	if len(unfit) == 0 {
		return nil
	}
	field := fieldAt(body, unfit[0])
	if unit, _ := escaped(body[unfit[0]:]); unit != 0 {
		return Invalid(field, `holds half of a surrogate pair (\ud800 to \udfff), which is not a character`)
	}
	return Invalid(field, "must not hold the character U+0000")
}

// CleanJSON makes JSON that the platform sent fit for every parser: what is not UTF-8 becomes
// U+FFFD, and so do U+0000 and halves of surrogate pairs in strings, and null what is a number that
// no float64 holds. What is fit already is returned as it is.
func CleanJSON(raw json.RawMessage) json.RawMessage {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	_, unfit, huge := scanJSON(raw)
	if len(unfit)+len(huge) == 0 {
		return raw
	}
	raw = bytes.Clone(raw)
	for _, at := range unfit {
		copy(raw[at:], `\ufffd`) // as long as what it replaces
	}
	for _, number := range huge {
		blank := raw[number.from:number.to] // five bytes at least, as in 1e309
		for i := copy(blank, "null"); i < len(blank); i++ {
			blank[i] = ' '
		}
	}
	return raw
}

// scanJSON returns how deep JSON is nested, and where in its strings escapes stand that are no
// character which can be kept. It trusts nothing: what is not JSON is scanned to its end too. huge
// are the numbers that no float64 holds.
func scanJSON(body []byte) (deepest int, unfit []int, huge []span) {
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		case '"':
			i, unfit = scanString(body, i+1, unfit)
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := i + 1
			for end < len(body) && strings.IndexByte("0123456789.eE+-", body[end]) >= 0 {
				end++
			}
			if end-i >= len("1e309") && beyondFloat(body[i:end]) {
				huge = append(huge, span{i, end})
			}
			i = end - 1
		}
	}
	return deepest, unfit, huge
}

// span is a stretch of bytes.
type span struct{ from, to int }

// beyondFloat reports whether digits make a number that no float64 holds.
func beyondFloat(digits []byte) bool {
	if len(digits) < 300 && bytes.IndexByte(digits, 'e') < 0 && bytes.IndexByte(digits, 'E') < 0 {
		return false
	}
	_, err := strconv.ParseFloat(string(digits), 64)
	return errors.Is(err, strconv.ErrRange)
}

// scanString returns where the string that begins at i ends: at its closing quote, or at the end of
// the body.
func scanString(body []byte, i int, unfit []int) (int, []int) {
	for i < len(body) {
		switch body[i] {
		case '"':
			return i, unfit
		case '\\':
			unit, ok := escaped(body[i:])
			switch {
			case !ok:
				i += 2
				continue
			case unit >= 0xD800 && unit <= 0xDBFF:
				if low, ok := escaped(body[min(i+6, len(body)):]); ok && low >= 0xDC00 && low <= 0xDFFF {
					i += 6
				} else {
					unfit = append(unfit, i)
				}
			case unit == 0 || unit >= 0xDC00 && unit <= 0xDFFF:
				unfit = append(unfit, i)
			}
			i += 6
		default:
			i++
		}
	}
	return i, unfit
}

// escaped reads a \uXXXX at the beginning of b.
func escaped(b []byte) (unit int, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			unit = unit<<4 | int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			unit = unit<<4 | int(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

// fieldAt returns the path of the value, or of the member's name, that stands at an offset of a
// JSON body; empty when the body is not JSON up to there.
func fieldAt(body []byte, offset int) string {
	type frame struct {
		list     bool
		n        int    // of the value in a list
		name     string // of the member in an object
		wantName bool   // the next text is a member's name
	}
	var frames []frame
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		delim, isDelim := token.(json.Delim)
		if isDelim && (delim == ']' || delim == '}') {
			frames = frames[:len(frames)-1]
		}
		name, isText := token.(string)
		var top *frame
		if len(frames) > 0 {
			top = &frames[len(frames)-1]
		}
		isName := top != nil && top.wantName && isText
		if isName {
			top.name, top.wantName = CleanText(name), false
		}
		if int(d.InputOffset()) > offset {
			path := ""
			for _, f := range frames {
				switch {
				case f.list:
					path += fmt.Sprintf("[%d]", f.n)
				case path != "":
					path += "." + f.name
				default:
					path = f.name
				}
			}
			return path
		}
		switch {
		case isDelim && (delim == '[' || delim == '{'):
			frames = append(frames, frame{list: delim == '[', wantName: delim == '{'})
		case top != nil && top.list:
			top.n++
		case top != nil && !isName:
			top.wantName = true
		}
	}
}

// Depth returns how deep JSON is nested.
func Depth(raw []byte) int {
	depth, _, _ := scanJSON(raw)
	return depth
}
