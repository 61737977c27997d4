package gateway

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// field finds merge fields such as {{profile.firstName}}; white space inside the braces is allowed.
var field = regexp.MustCompile(`\{\{\s*([A-Za-z_][\w.]*)\s*\}\}`)

// HasFields reports whether a message holds merge fields.
func (in *MessageInput) HasFields() bool {
	open := "{{"
	if strings.Contains(in.Title, open) || strings.Contains(in.Body, open) || bytes.Contains(in.Metadata, []byte(open)) {
		return true
	}
	for _, p := range in.MessageParts {
		if strings.Contains(p.Data, open) || strings.Contains(p.URL, open) {
			return true
		}
	}
	for _, raw := range in.CustomBody {
		if bytes.Contains(raw, []byte(open)) {
			return true
		}
	}
	for _, r := range in.Rules {
		if strings.Contains(r.Body, open) || bytes.Contains(r.CustomBody, []byte(open)) {
			return true
		}
	}
	return false
}

// Merge fills in the merge fields of a message: {{profile.<field>}} with dots into what is below,
// {{profileId}}, and inside customBody also {{title}} and {{body}}. What the profile does not have
// becomes empty; what is no merge field stays as it is. profile may be nil; what the message itself
// says of the person comes first.
func (in *MessageInput) Merge(profile *Profile) {
	values := in.mergeValues(profile)
	fill := func(s string) string { return merged(s, values) }
	in.Title, in.Body = fill(in.Title), fill(in.Body)
	for i := range in.MessageParts {
		p := &in.MessageParts[i]
		p.URL = fill(p.URL)
		if p.Type == "text/plain" && p.URL == "" {
			p.Data = fill(p.Data)
		}
	}
	in.Metadata = mergedJSON(in.Metadata, values)
	inside := func(name string) (string, bool) {
		switch name {
		case "title":
			return in.Title, true
		case "body":
			return in.Body, true
		}
		return values(name)
	}
	custom := make(map[string]json.RawMessage, len(in.CustomBody))
	for channel, raw := range in.CustomBody {
		custom[channel] = mergedJSON(raw, inside)
	}
	if in.CustomBody != nil {
		in.CustomBody = custom
	}
	for i := range in.Rules {
		r := &in.Rules[i]
		r.Body, r.CustomBody = fill(r.Body), mergedJSON(r.CustomBody, inside)
	}
}

// mergeValues returns what a field's name stands for, false when it is no merge field.
func (in *MessageInput) mergeValues(profile *Profile) func(string) (string, bool) {
	to := map[string]string{"firstName": in.To.FirstName, "lastName": in.To.LastName, "email": in.To.Email, "phoneNumber": in.To.PhoneNumber, "fbMessengerId": in.To.FBMessengerID, "id": in.To.ProfileID}
	if profile != nil && to["id"] == "" {
		to["id"] = profile.ID
	}
	return func(name string) (string, bool) {
		if name == "profileId" {
			return to["id"], true
		}
		path, ok := strings.CutPrefix(name, "profile.")
		if !ok {
			return "", false
		}
		if own := to[path]; own != "" {
			return own, true
		}
		if profile == nil {
			return "", true
		}
		return profile.Text(path), true
	}
}

// Text returns a field of the profile as text, with dots into what is below: facebook.first_name.
// It is empty for what is not there, or no text, number or truth value. firstName and lastName come
// from the platform when nobody has given them.
func (p *Profile) Text(path string) string {
	name, rest, below := strings.Cut(path, ".")
	raw := p.Doc[name]
	for below && len(raw) > 0 {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return ""
		}
		name, rest, below = strings.Cut(rest, ".")
		raw = members[name]
	}
	var s string
	switch {
	case len(raw) == 0 && path == "firstName":
		return p.Text("facebook.first_name")
	case len(raw) == 0 && path == "lastName":
		return p.Text("facebook.last_name")
	case len(raw) == 0 || string(raw) == "null" || raw[0] == '{' || raw[0] == '[':
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw) // a number, true or false
}

func merged(s string, value func(string) (string, bool)) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	return field.ReplaceAllStringFunc(s, func(found string) string {
		if v, ok := value(field.FindStringSubmatch(found)[1]); ok {
			return v
		}
		return found
	})
}

// mergedJSON fills in the fields inside the strings of a JSON value.
func mergedJSON(raw json.RawMessage, value func(string) (string, bool)) json.RawMessage {
	if !bytes.Contains(raw, []byte("{{")) {
		return raw
	}
	return json.RawMessage(merged(string(raw), func(name string) (string, bool) {
		v, ok := value(name)
		quoted := string(data(v))
		return quoted[1 : len(quoted)-1], ok
	}))
}
