package rivescript

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// substitutions replace whole words and phrases in one pass, the longest phrase first. What was put
// in is not looked at again.
type substitutions struct {
	root  *letter
	first [4]uint64 // the bytes that phrases begin with
}

// letter is a node of the tree of phrases.
type letter struct {
	next  map[byte]*letter
	found *phrase
}

type phrase struct {
	from, to string
	rank     int // in the order in which they are applied
}

func newSubstitutions(table map[string]string, utf8Mode bool) *substitutions {
	phrases := make([]*phrase, 0, len(table))
	for from, to := range table {
		from = lower(from)
		if utf8Mode {
			from = plainSigns(from)
		}
		if from = squeeze(from); from != "" {
			phrases = append(phrases, &phrase{from: from, to: to})
		}
	}
	slices.SortFunc(phrases, func(a, b *phrase) int {
		if n := len(strings.Fields(b.from)) - len(strings.Fields(a.from)); n != 0 {
			return n
		}
		if n := utf8.RuneCountInString(b.from) - utf8.RuneCountInString(a.from); n != 0 {
			return n
		}
		return strings.Compare(a.from, b.from)
	})
	s := &substitutions{root: &letter{}}
	for rank, p := range phrases {
		p.rank = rank
		c := p.from[0]
		s.first[c>>6] |= 1 << (c & 63)
		at := s.root
		for i := range len(p.from) {
			if at.next == nil {
				at.next = map[byte]*letter{}
			}
			if at.next[p.from[i]] == nil {
				at.next[p.from[i]] = &letter{}
			}
			at = at.next[p.from[i]]
		}
		if at.found == nil {
			at.found = p
		}
	}
	return s
}

// hit is a phrase at a place.
type hit struct {
	at int
	*phrase
}

// apply replaces in a text.
func (s *substitutions) apply(text string) string {
	if s.root.next == nil {
		return text
	}
	var hits []hit
	before := ' '
	for i := 0; i < len(text); {
		c := text[i]
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		if s.first[c>>6]&(1<<(c&63)) != 0 && (!isWord(before) || !joined(before, r)) {
			hits = s.at(text, i, hits)
		}
		before = r
		i += size
	}
	if len(hits) == 0 {
		return text
	}
	return replace(text, settle(hits))
}

// at adds the phrases that begin at a position and end at the end of a word.
func (s *substitutions) at(text string, pos int, hits []hit) []hit {
	l := s.root
	for i := pos; i < len(text); i++ {
		if l = l.next[text[i]]; l == nil {
			break
		}
		if l.found == nil {
			continue
		}
		if edge(text, i+1) || !isWord(after(text, i+1)) {
			hits = append(hits, hit{pos, l.found})
		}
	}
	return hits
}

// after is the character that begins at a place.
func after(text string, pos int) rune {
	r, _ := utf8.DecodeRuneInString(text[pos:])
	return r
}

// settle keeps of hits that overlap those that are applied first, and returns them from left to
// right.
func settle(hits []hit) []hit {
	apart := true
	for i := 1; i < len(hits); i++ {
		apart = apart && hits[i].at >= hits[i-1].at+len(hits[i-1].from)
	}
	if apart {
		return hits
	}
	byRank := slices.Clone(hits)
	slices.SortStableFunc(byRank, func(a, b hit) int { return a.rank - b.rank })
	var kept []hit
	for _, h := range byRank {
		i, _ := slices.BinarySearchFunc(kept, h.at, func(k hit, at int) int { return k.at - at })
		if i > 0 && kept[i-1].at+len(kept[i-1].from) > h.at || i < len(kept) && kept[i].at < h.at+len(h.from) {
			continue
		}
		kept = slices.Insert(kept, i, h)
	}
	return kept
}

func replace(text string, hits []hit) string {
	var b strings.Builder
	b.Grow(len(text) + 16)
	from := 0
	for _, h := range hits {
		b.WriteString(text[from:h.at])
		b.WriteString(h.to)
		from = h.at + len(h.from)
	}
	b.WriteString(text[from:])
	return b.String()
}
