package rivescript

import (
	"maps"
	"slices"
)

// keptTurns is how many messages and replies of a person are remembered.
const keptTurns = 10

// User is what an engine knows of a person between messages. The caller keeps it; it may be stored
// as JSON. It is not for several goroutines at once.
type User struct {
	ID      string            `json:"id,omitempty"`      // <id>
	Vars    map[string]string `json:"vars,omitempty"`    // <get>; the topic is the variable topic
	Inputs  []string          `json:"inputs,omitempty"`  // messages as they were matched, the newest first
	Replies []string          `json:"replies,omitempty"` // the newest first

	// Rand returns a number from 0 up to but not including n. Nil stands for chance.
	Rand func(n int) int `json:"-"`
}

// Clone copies a user.
func (u *User) Clone() *User {
	c := *u
	c.Vars, c.Inputs, c.Replies = maps.Clone(u.Vars), slices.Clone(u.Inputs), slices.Clone(u.Replies)
	return &c
}

// Get reads a variable.
func (u *User) Get(name string) (string, bool) {
	v, ok := u.Vars[name]
	return v, ok
}

// Set sets a variable.
func (u *User) Set(name, value string) {
	if u.Vars == nil {
		u.Vars = map[string]string{}
	}
	u.Vars[name] = storable(value)
}

// Unset forgets a variable.
func (u *User) Unset(name string) { delete(u.Vars, name) }

// Topic is the topic that the person is in.
func (u *User) Topic() string {
	if t := u.Vars["topic"]; t != "" {
		return t
	}
	return topicRandom
}

func (u *User) remember(message, reply string) {
	u.Inputs = pushed(u.Inputs, message)
	u.Replies = pushed(u.Replies, reply)
}

func pushed(list []string, s string) []string {
	if len(list) < keptTurns {
		list = append(list, "")
	}
	copy(list[1:], list)
	list[0] = s
	return list
}

// past returns an earlier message or reply, or what stands for one that never was.
func past(list []string, n int) string {
	if n <= len(list) && n > 0 {
		return list[n-1]
	}
	return undefined
}

// undefined is what stands for a value that is not there.
const undefined = "undefined"
