package gateway

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/chasqui/chasqui/gatewayapi"
)

// KeywordSettings say which words, alone in an inbound SMS, end, begin or explain, and what is
// answered. Words that are left out (nil) are the usual ones; an empty list turns the meaning off.
// An empty answer is not sent.
type KeywordSettings = gatewayapi.KeywordSettings

// Keyword is what a word of an inbound SMS means.
type Keyword = gatewayapi.Keyword

// The meanings of words.
const (
	KeywordStop  = gatewayapi.KeywordStop
	KeywordStart = gatewayapi.KeywordStart
	KeywordHelp  = gatewayapi.KeywordHelp
)

// The usual words, as carriers expect them.
func usualWords(k Keyword) []string {
	switch k {
	case KeywordStop:
		return []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
	case KeywordStart:
		return []string{"START", "UNSTOP", "YES"}
	}
	return []string{"HELP", "INFO"}
}

// Match returns what a text means when it is nothing but one of the words, the word, and what is to
// be answered. Case, white space around it and a full stop or exclamation mark at its end do not
// matter.
func MatchKeyword(k KeywordSettings, text string) (meaning Keyword, word, answer string) {
	word = strings.ToUpper(strings.TrimRight(strings.TrimSpace(text), " .!"))
	if word == "" {
		return "", "", ""
	}
	for _, m := range []struct {
		meaning Keyword
		words   *[]string
		answer  string
	}{{KeywordStop, k.Stop, k.StopAnswer}, {KeywordStart, k.Start, k.StartAnswer}, {KeywordHelp, k.Help, k.HelpAnswer}} {
		words := usualWords(m.meaning)
		if m.words != nil {
			words = *m.words
		}
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), word) }) {
			return m.meaning, word, m.answer
		}
	}
	return "", "", ""
}

func checkKeywords(k KeywordSettings, channel string) error {
	if channel != ChannelSMS && k != (KeywordSettings{}) {
		return Invalid("keywords", "belong to sms only")
	}
	for name, words := range map[string]*[]string{"stop": k.Stop, "start": k.Start, "help": k.Help} {
		if words == nil {
			continue
		}
		if len(*words) > 50 {
			return Invalid("keywords."+name, "may hold 50 words")
		}
		for _, w := range *words {
			if strings.TrimSpace(w) == "" || len(w) > 40 {
				return Invalid("keywords."+name, "a word must have 1 to 40 bytes")
			}
		}
	}
	for name, text := range map[string]string{"stopAnswer": k.StopAnswer, "startAnswer": k.StartAnswer, "helpAnswer": k.HelpAnswer} {
		if len(text) > 1600 {
			return Invalid("keywords."+name, "must have at most 1600 bytes")
		}
	}
	return nil
}

// OptOut says that an address of a channel wants nothing more.
type OptOut = gatewayapi.OptOut

// phoneDigits reads a phone number in international form, as people write it: a plus sign or 00
// before it, and spaces, dashes, dots, slashes and brackets between digits. What cannot be seen,
// such as a no-break space out of a web page, is passed over. False for what is no such number: a
// national one, which begins with 0, one with the 0 that is dialled at home in brackets, a number
// out of a spreadsheet with .0 at its end, or less than 3 or more than 20 digits.
//
// Docs: https://www.itu.int/rec/T-REC-E.164
func phoneDigits(text string) (string, bool) {
	var digits, signs strings.Builder // signs has what stands between the digits, too
	for _, r := range text {
		d := digit(r)
		switch {
		case d >= 0:
			digits.WriteByte('0' + byte(d))
			signs.WriteByte('0' + byte(d))
		case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r):
		case r == '+' || r == '\uFF0B':
			if digits.Len() > 0 {
				return "", false
			}
		case unicode.Is(unicode.Pd, r) || strings.ContainsRune("./()\u2212", r):
			signs.WriteRune(r)
		default:
			return "", false
		}
	}
	number, written := strings.TrimPrefix(digits.String(), "00"), signs.String()
	if len(number) < 3 || len(number) > 20 || number[0] == '0' || strings.Contains(written, "(0)") || countedWith.MatchString(written) {
		return "", false
	}
	return number, true
}

// countedWith is a number that a spreadsheet took for one to count with.
var countedWith = regexp.MustCompile(`^[0-9]+\.0*$`)

// digit is the value of a decimal digit as keyboards of several scripts have it; -1 for another
// sign.
func digit(r rune) int {
	for _, zero := range []rune{'0', '\uFF10', '\u0660', '\u06F0', '\u0966'} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}

// NormalAddress returns an address of a channel in the form in which it is compared: digits for
// sms, lower case for email. False when it cannot be one.
func NormalAddress(channel, address string) (string, bool) {
	switch channel {
	case ChannelSMS:
		return phoneDigits(address)
	case ChannelEmail:
		a, err := mail.ParseAddress(address)
		if err != nil {
			return "", false
		}
		return strings.ToLower(a.Address), true
	case ChannelWebhook, ChannelMessenger:
		return address, address != ""
	}
	return "", false
}
