package graphemu

import (
	"encoding/json"
	"time"
)

type appState struct {
	App
	Callback *callback // nil until subscribed
}

// callback is an app's subscription of the object "page".
type callback struct {
	URL         string   `json:"url"`
	VerifyToken string   `json:"verify_token"`
	Fields      []string `json:"fields"`
	Version     string   `json:"version"`
	Inactive    bool     `json:"inactive,omitempty"` // the platform says that it has been switched off
}

type pageState struct {
	Page
	pageData
	people     map[string]*personState
	Order      []string                   // of the people
	Profile    map[string]json.RawMessage // messenger profile
	Subscribed map[string][]string        // app id to page-level fields
}

// pageData is what apps have made at a page.
type pageData struct {
	Labels     []*label          `json:"labels,omitempty"`
	Personas   []*persona        `json:"personas,omitempty"`
	Creatives  []*creative       `json:"creatives,omitempty"`
	Broadcasts []*broadcast      `json:"broadcasts,omitempty"`
	Estimates  []*estimate       `json:"estimates,omitempty"`
	NLP        nlpConfig         `json:"nlp,omitzero"`
	Events     []customEvent     `json:"events,omitempty"`
	Counts     map[string]count  `json:"counts,omitempty"`  // by day, for insights
	Primary    string            `json:"primary,omitempty"` // app with the role of primary receiver
	Refs       map[string]string `json:"refs,omitempty"`    // user_ref of a checkbox to the person
	Comments   []*comment        `json:"comments,omitempty"`
	Tokens     []*optinToken     `json:"optin_tokens,omitempty"`
	Welcome    *welcome          `json:"welcome,omitempty"`
}

// personData is what apps and the platform keep about a person.
type personData struct {
	Menu    json.RawMessage `json:"menu,omitempty"`    // user-level menu
	Owner   string          `json:"owner,omitempty"`   // app that has the thread; "" is the page's own
	Prior   *priorMessage   `json:"prior,omitempty"`   // shown with the next event
	Extra   int64           `json:"extra,omitempty"`   // when the one message after the window was sent, milliseconds
	Event   int             `json:"event,omitempty"`   // seq of the last event, in the days that had it
	Request bool            `json:"request,omitempty"` // was written to by phone number and has not accepted yet
}

type personState struct {
	Person
	personData
	Messages   []*ThreadMessage
	Seq        int       // how many mids and event ids were made
	LastTime   int64     // of the last event, milliseconds
	LastActive time.Time // when the window was opened last
	Pending    *Referral // of a link that was followed before the thread began
	Edits      []string  // the mid of every change of a message

	TypingUntil time.Time // the page is typing
	typingAs    string    // persona that is typing
	activeDay   int64     // days since 1970 that were counted last
	openedDay   int64
	receipts    *timer // running while messages wait to be delivered
}

type tokenState struct {
	AppID, PageID string
	UserID        string        `json:"user_id,omitempty"` // of a user token, which has no page
	Long          bool          `json:"long,omitempty"`    // a user token that was exchanged
	Settings      TokenSettings `json:"settings,omitzero"`
}
