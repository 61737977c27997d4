package transfer

import (
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// MaxRecord is the largest line of a JSON-lines file, or record of a CSV file, in bytes.
const MaxRecord = 1 << 20

// line is one record of a file: its members, or why it cannot be read.
type line struct {
	number  int64 // where it begins, from 1
	end     int64 // the byte behind it
	lines   int64 // how many lines of the file it takes
	members map[string]json.RawMessage
	err     *gateway.Error
}

// reader reads a file's records in order; io.EOF ends them. An error other than a line's own ends
// the import.
type reader interface {
	next() (line, error)
}

// Columns with a meaning of their own, beside the fields of a profile.
const (
	columnPerson      = "fbMessengerId"
	columnApplication = "application"
	columnUserKey     = "userKey"
)

// rows makes the store's rows of lines.
type rows struct {
	application string // of people whose line names none
	keys        *OldKeys
}

// row turns a line into what the store takes.
func (r rows) row(l line) (*store.ImportRow, *gateway.Error) {
	if l.err != nil {
		return nil, l.err
	}
	out := &store.ImportRow{Fields: map[string]json.RawMessage{}, Own: map[string]json.RawMessage{}, Addresses: map[string]string{}}
	texts := map[string]string{}
	for name, value := range l.members {
		if err := r.member(out, texts, name, value); err != nil {
			return nil, err
		}
	}
	out.ID = texts[gateway.FieldID]
	if out.ID != "" {
		if err := gateway.ValidateProfileID(out.ID); err != nil {
			return nil, asError(err)
		}
	}
	return out, r.address(out, texts)
}

func (r rows) member(out *store.ImportRow, texts map[string]string, name string, value json.RawMessage) *gateway.Error {
	app, isAddress := strings.CutPrefix(name, gateway.FieldMessenger+".")
	switch {
	case name == gateway.FieldID || name == columnPerson || name == columnApplication || name == columnUserKey:
		text, err := textOf(name, value)
		texts[name] = text
		return err
	case isAddress:
		person, err := textOf(name, value)
		if person != "" {
			out.Addresses[app] = person
		}
		return err
	case name == gateway.FieldMessenger:
		var people map[string]string
		if json.Unmarshal(value, &people) != nil {
			return gateway.Invalid(name, "must be an object of application keys and person ids")
		}
		for app, person := range people {
			out.Addresses[app] = person
		}
	case name == gateway.FieldCreatedAt:
		return timeOf(&out.CreatedAt, name, value)
	case name == gateway.FieldUpdatedAt:
		return timeOf(&out.UpdatedAt, name, value)
	case gateway.OwnField(name):
		if string(value) != "null" {
			out.Own[name] = value
		}
	case name == gateway.FieldOptIn:
		var channels []string
		if json.Unmarshal(value, &channels) != nil {
			return gateway.Invalid(name, "must be a list of channels")
		}
		out.Fields[name] = value
	default:
		out.Fields[name] = value
		return reachable(name, value)
	}
	return nil
}

// reachable refuses a number or an e-mail address by which nobody could be reached: a spreadsheet's
// 4.47701E+11, n/a and the like would be found out only when something is to be sent.
func reachable(name string, value json.RawMessage) *gateway.Error {
	channel, example := "", ""
	switch name {
	case "phoneNumber":
		channel, example = gateway.ChannelSMS, "an international phone number, such as +44 7700 900123"
	case "email":
		channel, example = gateway.ChannelEmail, "an e-mail address"
	default:
		return nil
	}
	var text string
	if json.Unmarshal(value, &text) != nil || text == "" {
		return nil // what is no text is refused with the other fields
	}
	if _, ok := gateway.NormalAddress(channel, text); !ok {
		return gateway.Invalid(name, "%q is not %s; leave it empty when there is none", text, example)
	}
	return nil
}

// address finds the person whom fbMessengerId or an old user key names.
func (r rows) address(out *store.ImportRow, texts map[string]string) *gateway.Error {
	app := texts[columnApplication]
	if app == "" {
		app = r.application
	}
	if person := texts[columnPerson]; person != "" {
		if app == "" {
			return gateway.Invalid(columnApplication, "the line names no application for its person; give a column application, or --application")
		}
		if have := out.Addresses[app]; have != "" && have != person {
			return gateway.Invalid(columnPerson, "the line names two people of application %s", app)
		}
		out.Addresses[app] = person
	}
	key := texts[columnUserKey]
	if key == "" {
		return nil
	}
	if r.keys == nil {
		return gateway.Invalid(columnUserKey, "there is no table of user keys; give one with --map")
	}
	people := r.keys.People(key)
	if len(people) == 0 {
		return gateway.Invalid(columnUserKey, "the user key is not in the table")
	}
	for app, person := range people {
		if have := out.Addresses[app]; have != "" && have != person {
			return gateway.Invalid(columnUserKey, "the line names another person of application %s than its user key", app)
		}
		out.Addresses[app] = person
	}
	return nil
}

func textOf(name string, value json.RawMessage) (string, *gateway.Error) {
	var text *string
	if json.Unmarshal(value, &text) != nil {
		return "", gateway.Invalid(name, "must be a string")
	}
	if text == nil {
		return "", nil
	}
	return strings.TrimSpace(*text), nil
}

func timeOf(into *time.Time, name string, value json.RawMessage) *gateway.Error {
	text, err := textOf(name, value)
	if err != nil || text == "" {
		return err
	}
	at, wrong := time.Parse(time.RFC3339, text)
	if wrong != nil {
		return gateway.Invalid(name, "%q is not a time such as 2026-11-22T14:30:00Z", text)
	}
	*into = at.UTC()
	return nil
}

func asError(err error) *gateway.Error {
	if e, ok := err.(*gateway.Error); ok {
		return e
	}
	return gateway.Invalid("", "%v", err)
}

// limited ends a read with an error when more than MaxRecord bytes were read since the last
// record's end.
type limited struct {
	r         io.Reader
	read, end int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.read-l.end > MaxRecord+len64(b) {
		return 0, errTooLong
	}
	n, err := l.r.Read(b)
	l.read += int64(n)
	return n, err
}

func len64(b []byte) int64 { return int64(len(b)) }

// validText says which member is not UTF-8; empty when all are.
func validText(names []string, values []string) string {
	for i, v := range values {
		if !utf8.ValidString(v) && i < len(names) {
			return names[i]
		}
	}
	return ""
}
