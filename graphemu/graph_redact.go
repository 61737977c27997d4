package graphemu

import (
	"net/url"
	"regexp"
	"strings"
)

// What is hidden in the records of calls and their answers.

const hidden = "[hidden]"

// secretNames are the parameters and members that hold secrets.
const secretNames = `access_token|appsecret_proof|input_token|verify_token|hub\.verify_token|client_secret|app_secret|fb_exchange_token|refresh_token|` +
	`client_assertion|signed_request|account_linking_token|authorization_code|custom_token|page_token|user_access_token`

var (
	secretName = regexp.MustCompile(`^(?:` + secretNames + `)$`)
	// A member of JSON, strict or relaxed, also where it stands in a string.
	secretMember = regexp.MustCompile(`((?:\\*["'])?\b(?:` + secretNames + `)(?:\\*["'])?\s*:\s*\\*["']?)[^"'\\,}\]\s]+`)
	// A parameter within another, escaped or not.
	secretPair = regexp.MustCompile(`((?:` + secretNames + `)(?:=|%(?:25)*3[Dd]|\\u003[Dd]))[^&"'\\\s%]+(?:%(?:25)*7[Cc][0-9A-Za-z_-]+)?`)
	// What looks like a token or an app's token wherever it stands.
	secretShape = regexp.MustCompile(`EAA[0-9A-Za-z]{24,}|\d{8,20}(?:\||%(?:25)*7[Cc]|\\u007[Cc])[0-9A-Za-z_-]{16,}`)
)

// describe fills in the record of the call, without its secrets.
func (c *call) describe(rec *APICall, body []byte) {
	rec.AppID, rec.PageID, rec.PSID = c.app, c.page, c.psid
	if c.token != "" {
		rec.Token = "…" + c.token[max(0, len(c.token)-4):]
	}
	text := hideSecrets(capText(string(body)))
	for name := range c.params {
		if secret := c.params.text(name); len(secret) >= 8 && secretName.MatchString(name) {
			text = strings.ReplaceAll(text, secret, hidden) // wherever it stands in a multipart body
		}
	}
	rec.Path, rec.PSID = hideSecrets(rec.Path), hideSecrets(rec.PSID)
	rec.Query, rec.Body, rec.Answer = hidePairs(c.r.URL.RawQuery), text, hideSecrets(rec.Answer)
}

// hideSecrets hides the secrets of a text: JSON, a form, or an answer.
func hideSecrets(text string) string {
	named := strings.Contains(text, "token") || strings.Contains(text, "proof") || strings.Contains(text, "secret") || strings.Contains(text, "assertion") ||
		strings.Contains(text, "signed_request") || strings.Contains(text, "authorization_code")
	if named {
		text = secretMember.ReplaceAllString(text, "${1}"+hidden)
		text = secretPair.ReplaceAllString(text, "${1}"+hidden)
	}
	if strings.Contains(text, "EAA") || strings.Contains(text, "|") || strings.Contains(text, "%") || strings.Contains(text, `\u007`) {
		text = secretShape.ReplaceAllString(text, hidden)
	}
	return text
}

// hidePairs hides the secrets of a query.
func hidePairs(query string) string {
	var out strings.Builder
	for query != "" {
		pair, rest, more := strings.Cut(query, "&")
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			plain, _, _ = strings.Cut(plain, "[")
			if secretName.MatchString(plain) {
				pair = name + "=" + hidden
			}
		}
		out.WriteString(hideSecrets(pair))
		if more {
			out.WriteByte('&')
		}
		query = rest
	}
	return out.String()
}

// capText truncates a long text, between words if possible, because half a secret would not be
// recognized.
func capText(s string) string {
	const limit, word = 64 << 10, 512
	if len(s) <= limit {
		return s
	}
	tail := s[limit-word : limit]
	if i := strings.LastIndexAny(tail, "\" &,;:={}[]\r\n"); i >= 0 {
		tail = tail[:i+1]
	}
	return strings.ToValidUTF8(s[:limit-word]+tail, "") + "…"
}
