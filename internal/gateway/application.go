package gateway

import "time"

// ApplicationState says whether messages of an application go out.
type ApplicationState string

// The states of an application.
const (
	ApplicationConnecting ApplicationState = "connecting" // being connected: the platform's verification is answered, nothing else
	ApplicationActive     ApplicationState = "active"
	ApplicationPaused     ApplicationState = "paused" // the platform refuses its token or permissions: its queue is kept
)

// Application is a connected page: what is needed to speak for it, and how it fares.
type Application struct {
	Key          string // 32 hexadecimal digits, upper case
	PageID       string
	PageName     string
	PagePicture  string
	AppID        string
	AppName      string
	AppImageURL  string
	AccessToken  Secret // the page's
	AppSecret    Secret
	VerifyToken  Secret
	GraphVersion string // such as v26.0; empty means the gateway's default
	Limits       Limits // zero fields mean the gateway's defaults
	State        ApplicationState
	PauseReason  *Failure // why it is paused
	LastEventAt  time.Time
	LastCheck    *ApplicationCheck
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Limits are how many sends a second a page may make.
type Limits struct {
	TextPerSecond  float64 `json:"textPerSecond,omitempty"`  // text, links, reactions, stickers, images; the platform takes 300
	MediaPerSecond float64 `json:"mediaPerSecond,omitempty"` // audio and video; the platform takes 10
}

// ApplicationCheck is what a check of an application found.
type ApplicationCheck struct {
	At              time.Time `json:"at"`
	TokenValid      bool      `json:"tokenValid"`
	TokenExpiresAt  time.Time `json:"tokenExpiresAt,omitzero"`
	Permissions     []string  `json:"permissions"`
	PageFields      []string  `json:"pageFields"`      // fields the page is subscribed to
	MissingFields   []string  `json:"missingFields"`   // of those the gateway needs
	CallbackURL     string    `json:"callbackUrl"`     // where the app's events go
	CallbackCorrect bool      `json:"callbackCorrect"` // whether that is a door of this gateway
	GetStarted      bool      `json:"getStarted"`      // whether the page has a Get Started button
	LastEventAt     time.Time `json:"lastEventAt,omitzero"`
	Problems        []string  `json:"problems"` // in plain words; empty when all is well
}
