package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
)

// ErasureState is how far an erasure has come.
type ErasureState = gatewayapi.ErasureStatus

// The states of an erasure.
const (
	ErasurePending = gatewayapi.ErasurePending
	ErasureDone    = gatewayapi.ErasureDone
)

// ErasureSource is who asked for an erasure.
type ErasureSource = gatewayapi.ErasureSource

// The sources of erasures.
const (
	ErasureByAPI      = gatewayapi.ErasureByAPI
	ErasureByPlatform = gatewayapi.ErasureByPlatform // its data-deletion callback
)

// Erasure is the removal of everything that is kept of a person.
type Erasure struct {
	ID          string // unguessable: whoever knows it may see the state
	Source      ErasureSource
	Application string // whose data-deletion callback asked; empty for the API
	// Applications are those of the key that asked; empty for a key of all. The erasure touches no
	// other's conversations.
	Applications []string
	// UserID is an app-scoped id of which it is not known yet whose it is.
	UserID    string
	Profiles  []string
	People    []ErasedPerson
	State     ErasureState
	Pos       int64 // up to where the log has been looked through
	DueAt     time.Time
	Tries     int
	Counts    ErasureCounts
	CreatedAt time.Time
	UpdatedAt time.Time
	DoneAt    time.Time
}

// ErasedPerson is a person in a conversation, and who stands there afterwards: somebody unknown,
// and another in each conversation.
type ErasedPerson struct {
	Application string `json:"application,omitempty"` // empty for an address that is the same in all
	Person      string `json:"person"`
	StandIn     string `json:"standIn"`
}

// ErasureCounts is what was removed or emptied.
type ErasureCounts = gatewayapi.ErasureCounts

// NewErasureID makes an id of 128 random bits.
func NewErasureID() string { return "era_" + randomHex() }

// ErasureIDOf is the id of the erasure that a signed request of the platform's asks for: the same
// for the same request, and no more to be guessed than its signature.
func ErasureIDOf(application, signed string) string {
	sum := sha256.Sum256([]byte("data deletion\n" + application + "\n" + signed))
	return "era_" + hex.EncodeToString(sum[:16])
}

// NewStandIn makes the id of somebody unknown.
func NewStandIn() string { return "erased_" + randomHex() }

func randomHex() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ErasedData is the data of an event that was emptied. Its position, type and times stay, so that
// cursors and counts hold.
func ErasedData() json.RawMessage { return json.RawMessage(`{"erased":true}`) }

// ErasedRequest is the content of a message that was emptied.
func ErasedRequest(standIn string) json.RawMessage {
	return data(MessageInput{To: To{FBMessengerID: standIn}, Body: "(erased)"})
}

// AddPerson adds a person of an application (empty for all) unless they are in it.
func (e *Erasure) AddPerson(application, person string) {
	for _, p := range e.People {
		if p.Application == application && p.Person == person {
			return
		}
	}
	e.People = append(e.People, ErasedPerson{Application: application, Person: person, StandIn: NewStandIn()})
}

// AddProfile adds a profile with all people who belong to it, and its other addresses.
func (e *Erasure) AddProfile(p *Profile) {
	e.Profiles = append(e.Profiles, p.ID)
	for app, person := range p.Addresses {
		e.AddPerson(app, person)
	}
	e.addAddress("profile:" + p.ID)
	for field, channel := range map[string]string{"phoneNumber": ChannelSMS, "email": ChannelEmail} {
		var text string
		if json.Unmarshal(p.Doc[field], &text) != nil {
			continue
		}
		if address, ok := NormalAddress(channel, text); ok {
			e.addAddress(channel + ":" + address)
		}
	}
}

// addAddress adds an address that is the same for all applications: in all of them, or in those of
// the key that asked.
func (e *Erasure) addAddress(person string) {
	if len(e.Applications) == 0 {
		e.AddPerson("", person)
	}
	for _, app := range e.Applications {
		e.AddPerson(app, person)
	}
}

// Address returns channel and address of a person by which opt-outs are kept.
func (p ErasedPerson) Address() (channel, address string) {
	if channel, address, ok := strings.Cut(p.Person, ":"); ok {
		return channel, address
	}
	return ChannelMessenger, p.Person
}

// Pass notes that everything was looked through once. open is how many messages are under way: with
// any, and for a while after the last, it is to be looked through again, for what may have come
// meanwhile. Otherwise it is done, and knows nothing of the person any more.
func (e *Erasure) Pass(now time.Time, open int, settle time.Duration) error {
	if open > 0 {
		e.Tries, e.DueAt = 0, now.Add(time.Second)
		return nil
	}
	if e.Tries == 0 {
		e.Tries, e.DueAt = 1, now.Add(settle)
		return nil
	}
	e.State, e.DoneAt, e.UserID, e.Profiles, e.People = ErasureDone, now, "", nil, nil
	return nil
}
