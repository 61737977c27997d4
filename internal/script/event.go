package script

import (
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/rivescript"
)

// The names of variables that the platform sets, as Dexter had them.
const (
	VarRefSource    = "_fbRefSource"
	VarRefParam     = "_fbRefParam"
	VarRefAdID      = "_fbRefAdId"
	VarMediaURL     = "_mediaUrl"
	VarMediaType    = "_mediaType"
	VarRawText      = "_rawMsgText"
	VarFirstSent    = "_firstMsgSent"    // milliseconds since 1970 of the person's first message
	VarLastReceived = "_lastMsgReceived" // and of the latest
	reminderPrefix  = "_reminder_"
)

// What reaches a script as if the person had written it.
const (
	EventReferral = "__fbref__"
	EventMedia    = "__media__"
	TopicBypass   = "dex-human-bypass" // while a human has the conversation
)

// Referral is how a person came.
type Referral struct {
	Source string // SHORTLINK, ADS, MESSENGER_CODE, DISCOVER_TAB …
	Ref    string
	AdID   string
}

// Set makes the variables of a referral; what it lacks is unset, so that nothing is left of an
// earlier one.
func (r Referral) Set(u *rivescript.User) {
	for name, value := range map[string]string{VarRefSource: r.Source, VarRefParam: r.Ref, VarRefAdID: r.AdID} {
		if value == "" {
			u.Unset(name)
		} else {
			u.Set(name, value)
		}
	}
}

// Heard notes that the person wrote something.
func Heard(u *rivescript.User, text string, at time.Time) {
	ms := strconv.FormatInt(at.UnixMilli(), 10)
	if _, ok := u.Get(VarFirstSent); !ok {
		u.Set(VarFirstSent, ms)
	}
	u.Set(VarLastReceived, ms)
	u.Set(VarRawText, text)
}

// Media makes the variables of an attachment.
func Media(u *rivescript.User, kind, url string) {
	u.Set(VarMediaType, kind)
	u.Set(VarMediaURL, url)
}

// ReminderVar is the variable that holds a pending reminder's time: its name in snake_case behind a
// prefix.
func ReminderVar(name string) string { return reminderPrefix + ReminderName(name) }

// ReminderName is the name of a reminder in snake_case.
func ReminderName(name string) string {
	var b strings.Builder
	gap := false
	for i, r := range strings.TrimSpace(name) {
		switch {
		case r == ' ' || r == '-' || r == '_':
			gap = b.Len() > 0
			continue
		case r >= 'A' && r <= 'Z':
			if i > 0 && !gap {
				gap = b.Len() > 0 && !strings.HasSuffix(b.String(), "_")
			}
			r += 'a' - 'A'
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
