package channel

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/linxGnu/gosmpp/data"

	"github.com/chasqui/chasqui/internal/gateway"
)

// CustomForm sets the members of customBody.sms, which are parameters of the provider's API, and
// reports whether there are any; a mere text is the parameter of that name. Parameters of the
// gateway's own, such as who the message goes to, are left alone.
func CustomForm(raw json.RawMessage, form url.Values, textName string, own ...string) (bool, *gateway.ChannelError) {
	if len(raw) == 0 || string(raw) == "null" {
		return false, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		form.Set(textName, text)
		return true, nil
	}
	var members map[string]any
	if json.Unmarshal(raw, &members) != nil {
		return false, Refused(gateway.FailureInvalidContent, "customBody.sms must be a text, or an object of the provider's parameters")
	}
	for name, value := range members {
		if name == "" || slices.Contains(own, name) {
			continue
		}
		switch v := value.(type) {
		case string:
			form.Set(name, v)
		case bool:
			form.Set(name, strconv.FormatBool(v))
		case float64:
			form.Set(name, strconv.FormatFloat(v, 'f', -1, 64))
		default:
			encoded, err := json.Marshal(v)
			if err != nil {
				return false, Refused(gateway.FailureInvalidContent, "customBody.sms.%s cannot be sent", name)
			}
			form.Set(name, string(encoded))
		}
	}
	return len(members) > 0, nil
}

// Room in one segment: septets of the default alphabet, and units of UTF-16, alone and with a
// header of concatenation.
//
// Docs: https://www.3gpp.org/dynareport/23040.htm
const (
	gsmAlone, gsmJoined = 160, 153
	ucsAlone, ucsJoined = 70, 67
)

// Segments takes a text apart into segments of at most so many; what is beyond is cut off. No
// character is cut in two. unicode says that it does not fit into the default alphabet.
func Segments(text string, most int) (segments []string, unicode bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	unicode, alone, joined := !IsGSM(text), gsmAlone, gsmJoined
	cost := func(r rune) int {
		if data.IsEscapeChar(r) {
			return 2
		}
		return 1
	}
	if unicode {
		alone, joined, cost = ucsAlone, ucsJoined, utf16.RuneLen
	}
	if one, rest := fill(text, alone, cost); rest == "" || most == 1 {
		return []string{one}, unicode
	}
	for text != "" && len(segments) < most {
		var one string
		one, text = fill(text, joined, cost)
		segments = append(segments, one)
	}
	return segments, unicode
}

// fill takes as much of a text as there is room for.
func fill(text string, room int, cost func(rune) int) (taken, rest string) {
	for i, r := range text {
		if room -= max(1, cost(r)); room < 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}
