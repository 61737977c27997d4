package gateway

import (
	"net/mail"
	"slices"
	"strings"
	"time"
)

// KeywordSettings say which words, alone in an inbound SMS, end, begin or explain, and what is answered. Words that are left out (nil) are the usual ones; an
// empty list turns the meaning off. An empty answer is not sent.
type KeywordSettings struct {
	Stop        *[]string `json:"stop,omitempty"`
	Start       *[]string `json:"start,omitempty"`
	Help        *[]string `json:"help,omitempty"`
	StopAnswer  string    `json:"stopAnswer,omitempty"`
	StartAnswer string    `json:"startAnswer,omitempty"`
	HelpAnswer  string    `json:"helpAnswer,omitempty"`
}

// Keyword is what a word of an inbound SMS means.
type Keyword string

// The meanings of words.
const (
	KeywordStop  Keyword = "stop"
	KeywordStart Keyword = "start"
	KeywordHelp  Keyword = "help"
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

// Match answers what a text means when it is nothing but one of the words, the word, and what is to be answered. Case, white space around it and a full stop or
// exclamation mark at its end do not matter.
func (k KeywordSettings) Match(text string) (meaning Keyword, word, answer string) {
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

func (k KeywordSettings) validate(channel string) error {
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
type OptOut struct {
	Channel     string
	Address     string // digits for sms, in lower case for email
	Application string // which alone may not write any more; empty for all
	At          time.Time
	Word        string // what the person wrote; empty when the business recorded it
}

// NormalAddress answers an address of a channel in the form in which it is compared: digits for sms, lower case for email. False when it cannot be one.
func NormalAddress(channel, address string) (string, bool) {
	switch channel {
	case ChannelSMS:
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune("+ -.()", r) {
				return -1
			}
			return r
		}, address)
		digits = strings.TrimPrefix(digits, "00")
		if len(digits) < 3 || len(digits) > 20 || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
			return "", false
		}
		return digits, true
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
