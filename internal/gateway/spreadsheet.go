package gateway

import (
	"strings"
	"unicode/utf8"
)

// SpreadsheetCell is a text as a cell of a table that people open in a spreadsheet: one that it
// would take for a formula has an apostrophe before it.
func SpreadsheetCell(text string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " \u00a0\ufeff"))
	if text != "" && strings.ContainsRune("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20", first) || strings.ContainsAny(text[:min(1, len(text))], "\t\r\n") {
		return "'" + text
	}
	return text
}
