package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// ApplicationState says whether an application takes part.
type ApplicationState = gatewayapi.ApplicationState

// The states of an application.
const (
	// ApplicationConnecting is the state while the webhook is being set up: ingest answers the
	// platform's verification, and nothing is sent.
	ApplicationConnecting = gatewayapi.ApplicationConnecting
	// ApplicationActive is the state of a page that sends and receives.
	ApplicationActive = gatewayapi.ApplicationActive
	// ApplicationPaused is the state of a page whose token the platform refuses: its queue is kept
	// until the token is replaced.
	ApplicationPaused = gatewayapi.ApplicationPaused
)

// Application is a connected page: the page with its token, the Facebook app with its secret, and
// the key under which both are known here.
type Application struct {
	// Key is 32 upper-case hexadecimal digits.
	Key string
	// PageID, PageName and PageImageURL describe the page as the platform did when it was connected
	// or last checked.
	PageID       string
	PageName     string
	PageImageURL string
	// AppID, AppName and AppImageURL describe the Facebook app; name and image are empty where the
	// platform refused them.
	AppID       string
	AppName     string
	AppImageURL string
	// GraphVersion is the version of the Graph API for this page, empty for the gateway's default.
	GraphVersion string
	// Limits are how many sends a second the page may make; zero fields mean the gateway's
	// defaults.
	Limits Limits
	// State says whether the page takes part; Paused says why not.
	State    ApplicationState
	Paused   *Failure
	PausedAt time.Time
	// AccessToken, AppSecret and VerifyToken are sealed where they are stored.
	AccessToken Secret
	AppSecret   Secret
	VerifyToken Secret
	// Door reports whether the Facebook app's one page callback leads to this application's
	// address.
	Door bool
	// LastEventAt is when the newest event of the page was received, zero when there was none.
	LastEventAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
	// LastCheck is the outcome of the last check, nil before the first.
	LastCheck *ApplicationCheck
}

// Limits are how many sends a second a page may make.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/overview/rate-limiting
type Limits = gatewayapi.Limits

// ApplicationCheck is what a check of an application found out at the platform.
type ApplicationCheck struct {
	At            time.Time
	OK            bool      // everything needed is there
	TokenValid    bool      // the platform accepts the page's token
	TokenExpires  time.Time // zero when it never does, or the platform does not say
	Permissions   []string  // the token's scopes
	PageFields    []string  // fields for which the page sends this app its events
	MissingFields []string  // fields that should be subscribed and are not
	CallbackURL   string    // the app's callback for pages, as the platform has it
	CallbackOK    bool      // it leads to one of this app's doors here, and is active
	GetStarted    string    // payload of the Get Started button, empty when there is none
	Problems      []string  // in plain words, empty when OK

	TokenType         string    // PAGE, USER or SYSTEM_USER as the platform calls it
	DataAccessExpires time.Time // when the token stops giving access to people's data; zero when it does not
	Findings          []Finding // what Problems says, and what should be known beside, with codes
}

// SubscribedFields lists the webhook fields that a connected page is subscribed to.
// Docs: https://developers.facebook.com/docs/messenger-platform/webhooks
func SubscribedFields() []string {
	return []string{
		"messages", "messaging_postbacks", "messaging_optins", "messaging_referrals", "messaging_handovers", "messaging_policy_enforcement",
		"message_deliveries", "message_reads", "message_echoes", "message_reactions", "message_edits", "messaging_account_linking", "standby",
	}
}

// MissingFields returns the fields of SubscribedFields that are not in have.
func MissingFields(have []string) []string {
	var missing []string
	for _, f := range SubscribedFields() {
		if !slices.Contains(have, f) {
			missing = append(missing, f)
		}
	}
	return missing
}

// NewApplicationKey makes a key: 32 upper-case hexadecimal digits, 128 random bits.
func NewApplicationKey() string {
	var b [16]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// NewVerifyToken makes the token with which the platform proves, when it verifies a callback, that
// it was set by us.
func NewVerifyToken() Secret { return Secret("chqv_" + rand.Text()) }

// CallbackPath is the path of an application's door, below the gateway's public URL.
func CallbackPath(key string) string { return "/facebook/1/applications/" + key + "/webhook" }
