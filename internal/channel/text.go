package channel

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/linxGnu/gosmpp/data"
	"golang.org/x/text/unicode/norm"

	"github.com/chasqui/chasqui/internal/gateway"
)

// SMSOptions are channelOptions.sms.
type SMSOptions struct {
	From         string `json:"from"`
	AllowUnicode *bool  `json:"allowUnicode"`
}

// ReadSMSOptions reads channelOptions.sms.
func ReadSMSOptions(raw json.RawMessage) (o SMSOptions, refusal *gateway.ChannelError) {
	if len(raw) > 0 && json.Unmarshal(raw, &o) != nil {
		return o, Refused(gateway.FailureInvalidContent, "channelOptions.sms cannot be read")
	}
	return o, nil
}

// SMSText is a message in one text: title, body, the texts among its parts, and links to its files. media tells which files go beside the text instead.
func SMSText(m *gateway.ChannelMessage, media func(gateway.PartInput) bool) string {
	lines := []string{m.Title, m.Body}
	for _, p := range m.Parts {
		switch {
		case p.URL != "" && media(p):
		case p.URL != "":
			lines = append(lines, p.URL)
		case p.Type == "text/plain":
			lines = append(lines, p.Data)
		}
	}
	return JoinLines(lines)
}

// JoinLines puts lines that are not empty under one another.
func JoinLines(lines []string) string {
	var kept []string
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// NoMedia is for providers that take no files.
func NoMedia(gateway.PartInput) bool { return false }

// IsGSM reports whether a text can be written in the default alphabet of GSM 03.38.
//
// Docs: https://www.3gpp.org/dynareport/23038.htm
func IsGSM(text string) bool { return len(data.ValidateGSM7String(text)) == 0 }

// spelled are characters that writing programs like to put, in the default alphabet.
var spelled = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‹", "'", "›", "'", "–", "-", "—", "-", "‐", "-", "‑", "-", "−", "-",
	"…", "...", "•", "*", "·", "*", "\u00a0", " ", "\u2009", " ", "\u202f", " ", "\u200b", "", "\ufeff", "", "\t", " ", "™", "TM", "©", "(c)", "®", "(R)",
	"ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ı", "i", "œ", "oe", "Œ", "OE", "þ", "th", "Þ", "Th", "ð", "d", "Ð", "D", "ẞ", "SS", "`", "'", "´", "'",
)

// ToGSM writes a text in the default alphabet: typographic signs in their plain form, letters without the marks that the alphabet lacks, and a question mark for what
// is left.
func ToGSM(text string) string {
	if IsGSM(text) {
		return text
	}
	var b strings.Builder
	for _, r := range spelled.Replace(norm.NFC.String(text)) {
		if IsGSM(string(r)) {
			b.WriteRune(r)
			continue
		}
		found := false
		for _, piece := range norm.NFKD.String(string(r)) {
			if piece == '\u2044' { // of fractions
				piece = '/'
			}
			if !unicode.Is(unicode.Mn, piece) && IsGSM(string(piece)) {
				b.WriteRune(piece)
				found = true
			}
		}
		if !found && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Variation_Selector, r) {
			b.WriteByte('?')
		}
	}
	return b.String()
}

// SettledText is the text as options want it, or why there is none to send.
func SettledText(text string, o SMSOptions) (string, *gateway.ChannelError) {
	if o.AllowUnicode != nil && !*o.AllowUnicode {
		text = ToGSM(text)
	}
	if strings.TrimSpace(text) == "" {
		return "", Refused(gateway.FailureInvalidContent, "there is no text to send")
	}
	return text, nil
}

// Cut shortens a text to at most so many characters.
func Cut(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i]
		}
		n++
	}
	return text
}
