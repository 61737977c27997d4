package bench

import (
	"bytes"
	"strconv"
	"sync"
)

// Ledger tells what of a numbered stream per person arrived: each text reads `person <p> number <n>
// …`, with n from 0 for each person.
type Ledger struct {
	mu         sync.Mutex
	next       map[int]int          // highest number seen, plus one
	seen       map[int]map[int]bool // numbers that came out of order
	received   int
	duplicated int
	inverted   int
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger { return &Ledger{next: map[int]int{}, seen: map[int]map[int]bool{}} }

// Counts is what a ledger has found.
type Counts struct {
	Received   int `json:"received"`
	Duplicated int `json:"duplicated"`
	Inverted   int `json:"inverted"`
}

var mark = []byte("person ")

// Text is the n-th text of a person.
func Text(person, n int) string {
	return "person " + strconv.Itoa(person) + " number " + strconv.Itoa(n) + " writes about the weather, the price of coffee and when the shop opens on Sunday."
}

// Note reads every numbered text in some bytes, in order.
func (l *Ledger) Note(b []byte) {
	for {
		i := bytes.Index(b, mark)
		if i < 0 {
			return
		}
		b = b[i+len(mark):]
		person, rest, ok := number(b)
		if !ok || !bytes.HasPrefix(rest, []byte(" number ")) {
			continue
		}
		n, rest, ok := number(rest[len(" number "):])
		if !ok {
			continue
		}
		b = rest
		l.add(person, n)
	}
}

func number(b []byte) (int, []byte, bool) {
	n, i := 0, 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0
}

func (l *Ledger) add(person, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received++
	next := l.next[person]
	switch {
	case n == next:
		l.next[person] = n + 1
	case n > next:
		for missing := next; missing < n; missing++ {
			if l.seen[person] == nil {
				l.seen[person] = map[int]bool{}
			}
			l.seen[person][missing] = false
		}
		l.next[person] = n + 1
	default:
		if late, ok := l.seen[person][n]; ok && !late {
			l.seen[person][n] = true
			l.inverted++
		} else {
			l.duplicated++
		}
	}
}

// Counts returns what was found so far.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Counts{l.received, l.duplicated, l.inverted}
}
