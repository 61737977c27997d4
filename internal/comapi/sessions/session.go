package sessions

import (
	"encoding/json"
	"time"
)

// Session is a customer's own access to their profile, from a browser or an app, after the business
// has said who they are.
type Session struct {
	ID          string
	Application string
	ProfileID   string
	Device      json.RawMessage // what the SDK says of itself: a JSON object
	CreatedAt   time.Time
	ExpiresAt   time.Time
	EndedAt     time.Time // zero while it lasts
}

// Active reports whether the session still lasts.
func (s *Session) Active(now time.Time) bool { return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) }
