package graphemu

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// nlpConfig is how an app has configured the built-in language understanding of a page.
type nlpConfig struct {
	Enabled bool   `json:"enabled"`
	Model   string `json:"model,omitempty"`
	Verbose bool   `json:"verbose,omitempty"`
	NBest   int    `json:"n_best,omitempty"`
}

// nlpChange changes the language understanding of a page. What is nil stays as it is.
type nlpChange struct {
	enabled, verbose *bool
	nBest            *int
	model            *string
}

// changeNLP changes the language understanding of a page.
func (w *world) changeNLP(pageID string, c nlpChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return
	}
	if c.enabled != nil {
		page.NLP.Enabled = *c.enabled
	}
	if c.verbose != nil {
		page.NLP.Verbose = *c.verbose
	}
	if c.nBest != nil {
		page.NLP.NBest = *c.nBest
	}
	if c.model != nil {
		page.NLP.Model = *c.model
	}
}

func nlpModels() []string {
	return []string{
		"ARABIC", "CHINESE", "CROATIAN", "CUSTOM", "DANISH", "DUTCH", "ENGLISH", "FRENCH_STANDARD", "GEORGIAN", "GERMAN_STANDARD", "GREEK",
		"HEBREW", "HUNGARIAN", "IRISH", "ITALIAN_STANDARD", "KOREAN", "NORWEGIAN_BOKMAL", "POLISH", "PORTUGUESE", "ROMANIAN", "SPANISH",
		"SWEDISH", "VIETNAMESE",
	}
}

type nlpEntity map[string]any

var (
	nlpGreeting = regexp.MustCompile(`(?i)^\s*(hi|hello|hey|hola|good (morning|afternoon|evening)|bonjour|hallo)\b`)
	nlpBye      = regexp.MustCompile(`(?i)\b(bye|goodbye|see you|adiós|adios|tschüss)\b`)
	nlpThanks   = regexp.MustCompile(`(?i)\b(thanks|thank you|gracias|merci|danke)\b`)
	nlpMail     = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]*\w`)
	nlpLink     = regexp.MustCompile(`https?://[^\s<>"]+`)
	nlpPhone    = regexp.MustCompile(`\+?\d[\d ()-]{7,}\d`)
	nlpMoney    = regexp.MustCompile(`(\$|€|£)\s?(\d+(?:\.\d+)?)`)
	nlpDay      = regexp.MustCompile(`(?i)\b(today|tomorrow|yesterday)\b`)
	nlpGood     = regexp.MustCompile(`(?i)\b(good|great|love|nice|perfect|excellent)\b`)
	nlpBad      = regexp.MustCompile(`(?i)\b(bad|terrible|hate|awful|angry|broken)\b`)
)

// read returns the simple built-in entities of a text: greetings, bye, thanks, sentiment,
// email, url, phone_number, amount_of_money and datetime.
func (n nlpConfig) read(text string, now time.Time) json.RawMessage {
	if !n.Enabled || text == "" {
		return nil
	}
	if len(text) > 1024 {
		return mustJSON(map[string]any{"errors": []any{map[string]string{"code": "msg-invalid", "message": "Message is too long (max is 1024)"}}})
	}
	found := map[string][]nlpEntity{}
	add := func(name string, e nlpEntity) {
		e["confidence"] = 0.98
		if n.Verbose {
			e["_entity"] = name
		}
		found[name] = append(found[name], e)
	}
	for name, re := range map[string]*regexp.Regexp{"greetings": nlpGreeting, "bye": nlpBye, "thanks": nlpThanks} {
		if re.MatchString(text) {
			add(name, nlpEntity{"value": "true"})
		}
	}
	for name, re := range map[string]*regexp.Regexp{"email": nlpMail, "url": nlpLink, "phone_number": nlpPhone} {
		if m := re.FindString(text); m != "" {
			add(name, nlpEntity{"value": m})
		}
	}
	if m := nlpMoney.FindStringSubmatch(text); m != nil {
		if amount, err := strconv.ParseFloat(m[2], 64); err == nil {
			add("amount_of_money", nlpEntity{"value": amount, "unit": m[1], "type": "value"})
		}
	}
	if m := nlpDay.FindString(text); m != "" {
		shift := map[string]int{"yesterday": -1, "tomorrow": 1}[strings.ToLower(m)]
		at := now.Truncate(24*time.Hour).AddDate(0, 0, shift).Format("2006-01-02T15:04:05.000-07:00")
		add("datetime", nlpEntity{"value": at, "grain": "day", "type": "value"})
	}
	mood := "neutral"
	if nlpBad.MatchString(text) {
		mood = "negative"
	} else if nlpGood.MatchString(text) {
		mood = "positive"
	}
	add("sentiment", nlpEntity{"value": mood})
	return mustJSON(map[string]any{"entities": found, "detected_locales": []any{map[string]any{"locale": "en_XX", "confidence": 0.99}}})
}
