package bot

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// findProfile returns the person's profile. A script that wants names waits a moment for those of
// somebody new.
func (t *turn) findProfile(ctx context.Context) (*gateway.Profile, error) {
	deadline := time.Now().Add(nameWait)
	if t.script == nil || !t.script.Names || t.person.Rev > 0 {
		deadline = time.Time{}
	}
	for {
		id, err := t.r.o.Store.ProfileOf(ctx, t.lane.Application, t.lane.Person)
		if err != nil {
			return nil, err
		}
		var p *gateway.Profile
		if id != "" {
			if p, err = t.r.o.Store.Profile(ctx, id); gateway.CodeOf(err) == gateway.CodeNotFound {
				p, err = nil, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if p != nil && p.Doc[gateway.FieldFacebook] != nil || !time.Now().Before(deadline) {
			return p, nil
		}
		pause(ctx, nameLook)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// profilePrefix is before the names of variables that are attributes of the profile.
const profilePrefix = "profile."

// userVariables are the variables that the platform's own words about a person make.
var userVariables = map[string]string{
	"first_name": "_userFirstName", "last_name": "_userLastName", "profile_pic": "_userProfilePic", "locale": "_userLocale", "timezone": "_userTimezone", "gender": "_userGender",
	"name": "_userFullName",
}

func profileVariables(p *gateway.Profile) map[string]string {
	vars := map[string]string{}
	for name, raw := range p.Doc {
		if name != gateway.FieldFacebook {
			vars[profilePrefix+name] = plainText(raw)
		}
	}
	var facebook map[string]json.RawMessage
	json.Unmarshal(p.Doc[gateway.FieldFacebook], &facebook) // an absent one has no names
	for field, name := range userVariables {
		for _, key := range []string{field, camel(field)} {
			if raw, ok := facebook[key]; ok {
				if text := strings.TrimSpace(plainText(raw)); text != "" && text != "null" {
					vars[name] = text
				}
			}
		}
	}
	if full := vars["_userFullName"]; full != "" && vars["_userFirstName"] == "" && vars["_userLastName"] == "" {
		vars["_userFirstName"], _, _ = strings.Cut(full, " ") // the platform tells some people's whole name only
	} else if first, last := vars["_userFirstName"], vars["_userLastName"]; first != "" || last != "" {
		vars["_userFullName"] = strings.TrimSpace(first + " " + last)
	}
	return vars
}

func camel(s string) string {
	head, tail, ok := strings.Cut(s, "_")
	if !ok {
		return s
	}
	return head + strings.ToUpper(tail[:1]) + tail[1:]
}

func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// profileChanges are the attributes of the profile that the script has set or forgotten: nil for
// those it has forgotten.
func (t *turn) profileChanges() map[string]*string {
	if t.profile == "" {
		return nil
	}
	changes := map[string]*string{}
	for name, value := range t.user.Vars {
		attribute, ok := strings.CutPrefix(name, profilePrefix)
		if had, known := t.before[name]; ok && (!known || had != value) {
			changes[attribute] = &value
		}
	}
	for name := range t.before {
		if attribute, ok := strings.CutPrefix(name, profilePrefix); ok {
			if _, kept := t.user.Get(name); !kept {
				changes[attribute] = nil
			}
		}
	}
	return changes
}

// changeProfile writes them. What the profile refuses, such as a name that is the gateway's own, is
// logged and left out.
func (t *turn) changeProfile(tx *store.Tx, changes map[string]*string) error {
	if len(changes) == 0 {
		return nil
	}
	p, err := tx.Profile(t.profile)
	if gateway.CodeOf(err) == gateway.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	patch, err := json.Marshal(changes)
	if err != nil {
		return err
	}
	after, err := p.Patch(patch)
	if err != nil {
		t.r.log.Warn("script sets an attribute of a profile", "application", t.lane.Application, "err", err)
		return nil
	}
	return tx.UpdateProfile(after)
}
