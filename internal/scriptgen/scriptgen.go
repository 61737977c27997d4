// Package scriptgen makes scripts of any size, and what is said to them, for measuring engines.
package scriptgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Word is a made-up word that no other number has.
func Word(n int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxz", "aeiou"
	var b strings.Builder
	for range 4 {
		b.WriteByte(consonants[n%20])
		n /= 20
		b.WriteByte(vowels[n%5])
		n /= 5
	}
	return b.String()
}

// Script has of each 20 triggers 12 plain ones, 3 with a star, 2 with options on both sides, 2 with
// alternatives and an array, 1 with a number; and a catch-all.
func Script(n int) string {
	var b strings.Builder
	b.WriteString("! version = 2.0\n! array shops = shop market store\n")
	for i := range n {
		w := Word(i)
		switch k := i % 20; {
		case k < 12:
			fmt.Fprintf(&b, "+ what is %s today\n", w)
		case k < 15:
			fmt.Fprintf(&b, "+ tell me about %s *\n", w)
		case k < 17:
			fmt.Fprintf(&b, "+ [*] %s [*]\n", w)
		case k < 19:
			fmt.Fprintf(&b, "+ (a|b|@shops) for %s [now|today]\n", w)
		default:
			fmt.Fprintf(&b, "+ buy # %s\n", w)
		}
		fmt.Fprintf(&b, "- reply %d\n", i)
	}
	b.WriteString("+ *\n- What do you mean?\n")
	return b.String()
}

// Inputs are those of which 40 % are for plain triggers, 40 % for those with options, and 20 % for
// the catch-all alone.
func Inputs(n, count int) []string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	inputs := make([]string, count)
	for i := range inputs {
		base := r.IntN(max(1, n/20)) * 20
		switch k := r.IntN(10); {
		case k < 4:
			inputs[i] = fmt.Sprintf("What is %s today?", Word(base+r.IntN(min(12, n))))
		case k < 8:
			inputs[i] = fmt.Sprintf("I really want %s, please", Word(base+min(15+r.IntN(2), n-1)))
		default:
			inputs[i] = "nobody ever said anything like this before"
		}
	}
	return inputs
}
