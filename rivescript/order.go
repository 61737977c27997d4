package rivescript

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ranked is a trigger in the list that a topic tries from its top.
type ranked struct {
	*trigger
	level int // 0 for the topic's own and what it includes, 1 and up for what it inherits
	key   sortKey
	seq   int // the place in the sources
}

type sortKey struct {
	weight, level, class, words, length int
	text                                string
}

// The classes of triggers in their order.
const (
	classAtomic = iota
	classOption
	classAlphas
	classNumber
	classWild
	classAlphaOnly
	classNumberOnly
	classWildOnly
)

// keyOf says where a trigger stands among others.
func keyOf(t *trigger, level int) sortKey {
	k := sortKey{weight: t.weight, level: level, words: countWords(t.text), length: utf8.RuneCountInString(t.text), text: t.text}
	switch {
	case strings.Contains(t.text, "_"):
		k.class = classAlphas
		if k.words == 0 {
			k.class = classAlphaOnly
		}
	case strings.Contains(t.text, "#"):
		k.class = classNumber
		if k.words == 0 {
			k.class = classNumberOnly
		}
	case strings.Contains(t.text, "*"):
		k.class = classWild
		if k.words == 0 {
			k.class = classWildOnly
		}
	case strings.Contains(t.text, "["):
		k.class = classOption
	}
	return k
}

// countWords counts as the engines on record do: between blanks and wildcards, so that the brackets
// of [*] are two words.
func countWords(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '*' || r == '#' || r == '_' || r == '|' }))
}

// sortTriggers puts triggers into the order in which they are tried.
func sortTriggers(list []ranked, d Dialect) {
	slices.SortStableFunc(list, func(a, b ranked) int {
		x, y := a.key, b.key
		if c := cmp.Or(y.weight-x.weight, x.level-y.level, x.class-y.class, y.words-x.words); c != 0 {
			return c
		}
		if d == Dexter {
			return a.seq - b.seq
		}
		return cmp.Or(y.length-x.length, strings.Compare(x.text, y.text), a.seq-b.seq)
	})
}
