package comapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
)

const fieldMessengerID = "fbMessengerId"

// systemFields are written by the gateway only. A caller who sends a profile back as it was read
// has them in it; they are passed over.
func systemFields() []string {
	return []string{"_createdOn", "_createdBy", "_updatedOn", "_updatedBy", "_lastActivityOn", gateway.FieldFacebook}
}

// showProfile makes a profile as the API has it: the caller's fields, the person's id for this api
// space, and what the platform says of the person.
func (q *request) showProfile(p *gateway.Profile) map[string]any {
	all := map[string]any{gateway.FieldID: p.ID, "_createdOn": gateway.FormatTime(p.CreatedAt), "_updatedOn": gateway.FormatTime(p.UpdatedAt)}
	for name, value := range p.Doc {
		if name != gateway.FieldFirstTouch && name != gateway.FieldLastTouch {
			all[name] = value
		}
	}
	if person := p.Addresses[q.space.Key]; person != "" {
		all[fieldMessengerID] = person
	}
	return all
}

func (q *request) replyProfile(status int, p *gateway.Profile) error {
	q.W.Header().Set("ETag", `"`+strconv.FormatInt(p.Version, 10)+`"`)
	return q.Reply(status, q.showProfile(p))
}

// changes reads the profile in the body and turns it into the core's fields.
func (q *request) changes() (map[string]json.RawMessage, error) {
	body, err := q.Body()
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := decode(body, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, gateway.Invalid("", "the body must be a JSON object")
	}
	return fields, q.translate(fields)
}

// translate turns the fields of a profile into the core's.
func (q *request) translate(fields map[string]json.RawMessage) error {
	for _, name := range systemFields() {
		delete(fields, name)
	}
	if person, given := fields[fieldMessengerID]; given {
		delete(fields, fieldMessengerID)
		if string(person) != "null" && text(person) == "" {
			return gateway.Invalid(fieldMessengerID, "must be a string")
		}
		fields[gateway.FieldMessenger] = encode(map[string]json.RawMessage{q.space.Key: person})
	}
	if channels, given := fields[gateway.FieldOptIn]; given {
		var list []string
		if err := json.Unmarshal(channels, &list); err != nil {
			return gateway.Invalid(gateway.FieldOptIn, "must be a list of channels")
		}
	}
	return nil
}

// named takes the id out of a profile that is sent to an address: where it is given it must be the
// same.
func named(fields map[string]json.RawMessage, id string) error {
	given, ok := fields[gateway.FieldID]
	delete(fields, gateway.FieldID)
	if ok && text(given) != id {
		return gateway.Invalid(gateway.FieldID, "the profile's id cannot change")
	}
	return nil
}

// ifMatch returns the version that the caller says to have read, 0 when it says none or any.
func (q *request) ifMatch() (int64, error) {
	tag := strings.TrimPrefix(strings.TrimSpace(q.Header.Get("If-Match")), "W/")
	if tag == "" || tag == "*" {
		return 0, nil
	}
	version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || version < 1 {
		return 0, gateway.Errorf(gateway.CodePreconditionFailed, "If-Match is not the ETag of this profile").WithField("If-Match")
	}
	return version, nil
}

func (f *Face) createProfile(q *request) error {
	fields, err := q.changes()
	if err != nil {
		return err
	}
	p, err := f.o.Profiles.Create(q.Context(), q.Key, encode(fields))
	if err != nil {
		return err
	}
	q.W.Header().Set("Location", "/apispaces/"+q.space.Key+"/profiles/"+url.PathEscape(p.ID))
	return q.replyProfile(http.StatusCreated, p)
}

func (f *Face) profile(q *request) error {
	p, err := f.o.Profiles.Get(q.Context(), q.Key, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusOK, p)
}

// putProfile replaces the caller's fields. The person's id and the opt-ins stay unless they are
// given.
func (f *Face) putProfile(q *request) error {
	return q.write(func(before *gateway.Profile, fields map[string]json.RawMessage) {
		for name := range before.Doc {
			_, given := fields[name]
			if !given && !slices.Contains([]string{gateway.FieldOptIn, gateway.FieldFacebook, gateway.FieldFirstTouch, gateway.FieldLastTouch}, name) {
				fields[name] = json.RawMessage("null")
			}
		}
	})
}

// patchProfile merges; ?deletes=a,b takes fields away, and ?allowcreate=true makes a profile that
// is not there.
func (f *Face) patchProfile(q *request) error {
	query := q.URL.Query()
	if query.Get("allowcreate") == "true" && q.session == nil {
		_, err := f.o.Profiles.Get(q.Context(), q.Key, q.PathValue("id"))
		if gateway.CodeOf(err) == gateway.CodeNotFound {
			return f.createNamed(q)
		}
	}
	return q.write(func(_ *gateway.Profile, fields map[string]json.RawMessage) {
		for name := range strings.SplitSeq(query.Get("deletes"), ",") {
			switch name = strings.TrimSpace(name); name {
			case "":
			case fieldMessengerID:
				fields[gateway.FieldMessenger] = encode(map[string]any{q.space.Key: nil})
			default:
				fields[name] = json.RawMessage("null")
			}
		}
	})
}

func (f *Face) createNamed(q *request) error {
	fields, err := q.changes()
	if err != nil {
		return err
	}
	if err := named(fields, q.PathValue("id")); err != nil {
		return err
	}
	fields[gateway.FieldID] = encode(q.PathValue("id"))
	p, err := f.o.Profiles.Create(q.Context(), q.Key, encode(fields))
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusCreated, p)
}

// write changes the profile of the address by the body, after complete has added what the body
// leaves out. When the profile changes meanwhile the error is precondition_failed for a caller who
// gave an ETag, and a conflict for one who did not.
func (q *request) write(complete func(before *gateway.Profile, fields map[string]json.RawMessage)) error {
	given, err := q.changes()
	if err != nil {
		return err
	}
	id := q.PathValue("id")
	if err := named(given, id); err != nil {
		return err
	}
	var refusal error
	p, err := q.patch(id, func(before *gateway.Profile) map[string]json.RawMessage {
		fields := maps.Clone(given)
		refusal = q.ownFields(before, fields)
		complete(before, fields)
		return q.permitted(fields)
	})
	if refusal != nil {
		return refusal
	}
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusOK, p)
}

// ownFields checks what a session says of its profile: a field that the operator has not listed
// must be sent as it was read, and is passed over.
func (q *request) ownFields(before *gateway.Profile, fields map[string]json.RawMessage) error {
	if q.session == nil {
		return nil
	}
	shown, err := json.Marshal(q.showProfile(before))
	if err != nil {
		return err
	}
	var read map[string]json.RawMessage
	if err := json.Unmarshal(shown, &read); err != nil {
		return err
	}
	for name, value := range fields {
		if q.f.o.Sessions.MayWrite(name) {
			continue
		}
		if name == gateway.FieldMessenger { // of this api space
			name, value = fieldMessengerID, json.RawMessage(personIn(value))
		}
		if !same(value, read[name]) {
			return gateway.Errorf(gateway.CodeForbidden, "a session may not change %s: the operator lists what it may in the setting sessions.fields", name).WithField(name)
		}
	}
	return nil
}

// permitted leaves of changes what a session may write; all of them to a caller with an API key.
func (q *request) permitted(fields map[string]json.RawMessage) map[string]json.RawMessage {
	if q.session != nil {
		maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool { return !q.f.o.Sessions.MayWrite(name) })
	}
	return fields
}

// personIn returns the one value of an object, as JSON.
func personIn(object json.RawMessage) string {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) == nil {
		for _, person := range all {
			return string(person)
		}
	}
	return "null"
}

// same reports whether two values are the same JSON; nothing is the same as null.
func same(a, b json.RawMessage) bool {
	read := func(raw json.RawMessage) (v any) {
		if len(raw) > 0 && json.Unmarshal(raw, &v) != nil {
			return string(raw)
		}
		return v
	}
	return reflect.DeepEqual(read(a), read(b))
}

// patchTries is how often a change is made anew when somebody else's came between; the gateway
// itself writes what the platform says of a person.
const patchTries = 5

// patch changes a profile by what change answers for it as it is. A caller who names a version gets
// that one or 412.
func (q *request) patch(id string, change func(before *gateway.Profile) map[string]json.RawMessage) (*gateway.Profile, error) {
	version, err := q.ifMatch()
	if err != nil {
		return nil, err
	}
	for range patchTries {
		before, err := q.f.o.Profiles.Get(q.Context(), q.Key, id)
		if err != nil {
			return nil, err
		}
		read := before.Version
		if version != 0 {
			read = version
		}
		after, err := q.f.o.Profiles.Patch(q.Context(), q.Key, id, read, encode(change(before)))
		if version != 0 || gateway.CodeOf(err) != gateway.CodePreconditionFailed {
			return after, err
		}
	}
	return nil, gateway.Errorf(gateway.CodeConflict, "profile %q was changed at the same time; try again", id)
}

func (f *Face) deleteProfile(q *request) error {
	version, err := q.ifMatch()
	if err != nil {
		return err
	}
	if q.URL.Query().Get("forget") == "true" {
		if _, err := f.o.Erasures.Forget(q.Context(), q.Key, q.PathValue("id"), version); err != nil {
			return err
		}
		return q.Done()
	}
	if err := f.o.Profiles.Delete(q.Context(), q.Key, q.PathValue("id"), version); err != nil {
		return err
	}
	return q.Done()
}

// optIn adds channels to those that a customer has opted in to.
func (f *Face) optIn(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	var in struct {
		Channels []string `json:"channels"`
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	if len(in.Channels) == 0 || slices.Contains(in.Channels, "") {
		return gateway.Invalid("channels", "name at least one channel")
	}
	return q.consent(func(have []string) []string { return append(have, in.Channels...) })
}

// optOut takes the channel of the query away, or all.
func (f *Face) optOut(q *request) error {
	out := q.URL.Query()["channel"]
	return q.consent(func(have []string) []string {
		return slices.DeleteFunc(have, func(channel string) bool { return len(out) == 0 || slices.Contains(out, channel) })
	})
}

func (q *request) consent(change func([]string) []string) error {
	p, err := q.patch(q.PathValue("id"), func(before *gateway.Profile) map[string]json.RawMessage {
		channels := change(before.OptIns())
		slices.Sort(channels)
		return map[string]json.RawMessage{gateway.FieldOptIn: encode(slices.Compact(channels))}
	})
	if err != nil {
		return err
	}
	return q.replyProfile(http.StatusOK, p)
}
