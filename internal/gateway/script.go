package gateway

import (
	"encoding/json"
	"time"
)

// Script is one version of the scripts that an application's bot runs on.
type Script struct {
	ID          string
	Application string
	Version     int    // 1, 2, 3 … of the application
	Dialect     string // rivescript or dexter
	Note        string
	Files       json.RawMessage // as package script reads them
	Active      bool
	CreatedAt   time.Time
	ActivatedAt time.Time // the last time it was made active; zero when it never was
}

// BotPerson is what a bot knows of a person.
type BotPerson struct {
	Lane
	Pos       int64           // of the last event that was answered
	Rev       int64           // grows with every change; 0 for a person who is not stored yet
	Human     bool            // people answer; the bot is silent
	State     json.RawMessage // a rivescript.User
	UpdatedAt time.Time
}

// Kinds of what a bot says later.
const (
	TimerDelay    = "delay"    // a part of a reply
	TimerReminder = "reminder" // ^reminder
)

// BotTimer is something that a bot will say later.
type BotTimer struct {
	ID string
	Lane
	Partition int
	Kind      string
	Name      string          // of a reminder
	Content   json.RawMessage // messages ready to be sent, or the text of a reminder
	DueAt     time.Time
	Seq       int // orders what is due at the same moment
}
