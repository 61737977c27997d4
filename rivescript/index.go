package rivescript

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// index finds the triggers of a list that may match a text without looking at all of them: a
// trigger is found by its whole text when it is nothing but text, else by a word that every text it
// matches must hold, and only triggers that have no such word are looked at every time.
type index struct {
	exact  map[string][]int32 // by text; ranks in order
	words  map[string][]int32 // by a word
	always []int32
}

// maxAlternatives bounds under how many words one trigger is found.
const maxAlternatives = 512

// newIndex indexes patterns, given in the order of their ranks. Nil ones are left out. Each word
// beyond the first few of a pattern takes from room.
func newIndex(patterns []*pattern, array func(string) []string, room *int) *index {
	ix := &index{exact: map[string][]int32{}, words: map[string][]int32{}}
	needs := make([][][]string, len(patterns))
	frequency := map[string]int{}
	known := map[arrayPlace][]string{}
	for i, p := range patterns {
		if p == nil || p.atomic {
			continue
		}
		n := needer{array: array, known: known}
		n.seq(p.seq, true, true)
		needs[i] = n.sets
		for _, set := range n.sets {
			for _, w := range set {
				frequency[w]++
			}
		}
		if *room < 0 {
			return ix
		}
	}
	for i, p := range patterns {
		switch {
		case p == nil:
		case p.atomic:
			ix.exact[p.exact] = append(ix.exact[p.exact], int32(i))
		default:
			set := rarest(needs[i], frequency)
			if set == nil {
				ix.always = append(ix.always, int32(i))
			}
			*room -= len(set) / 8
			for _, w := range set {
				ix.words[w] = append(ix.words[w], int32(i))
			}
		}
	}
	return ix
}

// rarest returns the set of words that the fewest triggers share.
func rarest(sets [][]string, frequency map[string]int) []string {
	var best []string
	least := 0
	for _, set := range sets {
		cost := 0
		for _, w := range set {
			cost += frequency[w]
		}
		if best == nil || cost < least {
			best, least = set, cost
		}
	}
	return best
}

// needer collects sets of words: of each set, every text that matches holds one.
type needer struct {
	array func(string) []string
	sets  [][]string
	known map[arrayPlace][]string // the words of arrays, by what stands around them
}

// arrayPlace is an array between nodes.
type arrayPlace struct {
	name        string
	left, right bool
}

// seq looks at nodes; left and right tell whether a word may begin before and end after them.
func (n *needer) seq(seq []node, left, right bool) {
	for i := range seq {
		before, after := left, right
		if i > 0 {
			before = closed(seq[i-1], false)
		}
		if i < len(seq)-1 {
			after = closed(seq[i+1], true)
		}
		switch x := seq[i]; x.kind {
		case nodeText:
			for _, w := range wholeWords(x.text, before, after) {
				n.sets = append(n.sets, []string{w})
			}
		case nodeGroup:
			n.either(x.alts, before, after)
		case nodeArray:
			place := arrayPlace{x.text, before, after}
			if set, ok := n.known[place]; ok {
				if len(set) > 0 {
					n.sets = append(n.sets, set)
				}
				break
			}
			had := len(n.sets)
			var alts [][]node
			for _, item := range n.array(x.text) {
				if len(alts) > maxAlternatives {
					break // too many to find it by
				}
				alts = append(alts, []node{{kind: nodeText, text: item}})
			}
			n.either(alts, before, after)
			n.known[place] = slices.Concat(n.sets[had:]...)
		}
	}
}

// either adds a set with a word of each alternative, if each has one.
func (n *needer) either(alts [][]node, left, right bool) {
	var set []string
	for _, alt := range alts {
		inner := needer{array: n.array, known: n.known}
		inner.seq(alt, left, right)
		if len(inner.sets) == 0 {
			return
		}
		best := inner.sets[0]
		for _, other := range inner.sets {
			if len(other) < len(best) || len(other) == 1 && len(best) == 1 && len(other[0]) > len(best[0]) {
				best = other
			}
		}
		for _, w := range best {
			if !slices.Contains(set, w) {
				set = append(set, w)
			}
		}
		if len(set) > maxAlternatives {
			return
		}
	}
	if len(set) > 0 {
		n.sets = append(n.sets, set)
	}
}

// closed reports whether a word must end where a neighbour begins, or begin where it ends.
func closed(n node, begins bool) bool {
	switch n.kind {
	case nodeOption:
		return true
	case nodeText:
		r, _ := utf8.DecodeRuneInString(n.text)
		if !begins {
			r, _ = utf8.DecodeLastRuneInString(n.text)
		}
		return !isWord(r) || spaceless(r)
	}
	return false
}

// wholeWords returns the words of a text that no neighbour can lengthen.
func wholeWords(text string, left, right bool) []string {
	var words []string
	eachWord(text, func(from, to int) {
		if (from > 0 || left) && (to < len(text) || right) || spaceless(after(text, from)) {
			words = append(words, text[from:to])
		}
	})
	return words
}

// eachWord calls f with the limits of each run of word characters. Where a script writes no blanks,
// each character is a word.
func eachWord(text string, f func(from, to int)) {
	from := -1
	for i, r := range text {
		switch word := isWord(r); {
		case word && spaceless(r):
			if from >= 0 {
				f(from, i)
				from = -1
			}
			f(i, i+utf8.RuneLen(r))
		case word && from < 0:
			from = i
		case !word && from >= 0:
			f(from, i)
			from = -1
		}
	}
	if from >= 0 {
		f(from, len(text))
	}
}

// candidates walks the ranks that may match a text, in order, each once. It is used again.
type candidates struct{ lists [][]int32 }

func (c *candidates) reset(ix *index, text string) {
	c.lists = c.lists[:0]
	add := func(list []int32) {
		if len(list) > 0 {
			c.lists = append(c.lists, list)
		}
	}
	add(ix.exact[text])
	add(ix.always)
	if len(ix.words) == 0 {
		return
	}
	eachWord(text, func(from, to int) { add(ix.words[text[from:to]]) })
	if len(c.lists) > 16 {
		all := slices.Concat(c.lists...)
		slices.Sort(all)
		c.lists = append(c.lists[:0], slices.Compact(all))
	}
}

// next returns the next rank, or -1.
func (c *candidates) next() int32 {
	least := int32(-1)
	for _, l := range c.lists {
		if len(l) > 0 && (least < 0 || l[0] < least) {
			least = l[0]
		}
	}
	if least < 0 {
		return least
	}
	for i, l := range c.lists {
		if len(l) > 0 && l[0] == least {
			c.lists[i] = l[1:]
		}
	}
	return least
}

// squash forgets underscores: Messenger payloads are often written without those of the trigger
// that means them.
func squash(s string) string { return strings.ReplaceAll(s, "_", "") }
