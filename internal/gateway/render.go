package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/chasqui/chasqui/messenger"
)

// Limits of the platform on one message.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/reference/send-api
const (
	MaxText     = 2000 // characters
	MaxMetadata = 1000 // characters of message.metadata
)

// Part is one send of a message: the message object as it goes on the wire, and the file that goes
// with it, if any.
type Part struct {
	Raw   json.RawMessage
	Media bool  // audio or video, which the platform takes more slowly
	File  *File // content to be uploaded with the message; nil when there is none
}

// File is content given in the message itself.
type File struct {
	Name string
	Type string // media type
	Data []byte
}

// Render turns the input into the sends it takes, in order, each with metadata that names message
// and part. It is pure: the same input and id give the same parts. An *Error names the field that
// cannot be sent.
func Render(in *MessageInput, messageID string) ([]Part, error) { return renderStep(in, messageID, 0) }

func renderStep(in *MessageInput, messageID string, step int) ([]Part, error) {
	r := renderer{id: messageID, step: step}
	if custom, ok := in.CustomBody[ChannelMessenger]; ok && !emptyObject(custom) {
		if err := r.custom(custom); err != nil {
			return nil, err
		}
		return r.parts, nil
	}
	if in.Body != "" && len(in.MessageParts) > 0 {
		return nil, Invalid("messageParts", "give body or messageParts, not both")
	}
	switch {
	case in.Body != "":
		r.text(joinTitle(in.Title, in.Body))
	case len(in.MessageParts) > 0:
		title := in.Title
		for i, p := range in.MessageParts {
			if !forMessenger(p) {
				continue
			}
			if p.Type != "text/plain" && title != "" {
				r.text(title)
				title = ""
			}
			if err := r.part(p, fmt.Sprintf("messageParts[%d]", i), title); err != nil {
				return nil, err
			}
			title = ""
		}
	case in.Title != "":
		r.text(in.Title)
	}
	if len(r.parts) == 0 {
		return nil, Invalid("body", "there is nothing to send: give body, messageParts or customBody.%s", ChannelMessenger)
	}
	if len(r.parts) > MaxParts {
		return nil, Invalid("body", "this takes %d sends, and a message may take %d", len(r.parts), MaxParts)
	}
	return r.parts, nil
}

func joinTitle(title, body string) string {
	if title == "" {
		return body
	}
	return title + "\n" + body
}

func emptyObject(raw json.RawMessage) bool {
	s := strings.TrimSpace(string(raw))
	return s == "" || s == "null" || strings.TrimSpace(strings.Trim(s, "{}")) == ""
}

type renderer struct {
	id    string
	step  int
	parts []Part
}

// metadata is what the part carries so that its echo can be recognised.
func (r *renderer) metadata(own string) string { return Tag(r.id, r.step, len(r.parts)+1) + own }

func (r *renderer) text(text string) {
	for _, piece := range SplitText(text, MaxText) {
		r.add(Part{}, messenger.Message{Text: piece})
	}
}

func (r *renderer) add(p Part, m messenger.Message) {
	m.Metadata = r.metadata("")
	p.Raw = data(m)
	r.parts = append(r.parts, p)
}

// CheckPart says what is wrong with a part, whatever the channel; field is where it stands.
func CheckPart(p PartInput, field string) error {
	switch {
	case p.Type == "":
		return Invalid(field+".type", "say the media type, such as text/plain or image/png")
	case p.Data != "" && p.URL != "":
		return Invalid(field+".url", "give data or url, not both")
	case p.Data == "" && p.URL == "":
		return Invalid(field+".data", "give the content: data, or url")
	case p.URL != "":
		if u, err := url.Parse(p.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return Invalid(field+".url", "%q is not an http or https URL", p.URL)
		}
	}
	return nil
}

func (r *renderer) part(p PartInput, field, title string) error {
	if err := CheckPart(p, field); err != nil {
		return err
	}
	if p.Type == "text/plain" && p.URL == "" {
		r.text(joinTitle(title, p.Data))
		return nil
	}
	major, _, _ := strings.Cut(p.Type, "/")
	kind := messenger.TypeFile
	if major == "image" || major == "audio" || major == "video" {
		kind = messenger.AttachmentType(major)
	}
	out := Part{Media: major == "audio" || major == "video"}
	attachment := &messenger.Attachment{Type: kind}
	if p.URL != "" {
		attachment.URL = p.URL
	} else {
		content, err := base64.StdEncoding.DecodeString(p.Data)
		if err != nil {
			return Invalid(field+".data", "data of type %s must be base64", p.Type)
		}
		name := p.Name
		if name == "" {
			name = "file"
		}
		out.File = &File{Name: name, Type: p.Type, Data: content}
	}
	r.add(out, messenger.Message{Attachment: attachment})
	return nil
}

// custom takes the caller's own message object, to which only our metadata is added.
func (r *renderer) custom(raw json.RawMessage) error {
	const field = "customBody." + ChannelMessenger
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return Invalid(field, "this must be a JSON object: the message object of the Send API")
	}
	if len(object["text"]) == 0 && len(object["attachment"]) == 0 && len(object["attachments"]) == 0 && len(object["sticker_id"]) == 0 {
		return Invalid(field, "a message needs text or attachment")
	}
	var own string
	if m, ok := object["metadata"]; ok {
		if err := json.Unmarshal(m, &own); err != nil {
			return Invalid(field+".metadata", "this must be a string")
		}
	}
	tagged := r.metadata(own)
	if n := utf8.RuneCountInString(tagged); n > MaxMetadata {
		room := MaxMetadata - (n - utf8.RuneCountInString(own))
		return Invalid(field+".metadata", "metadata may have %d characters here, this has %d", room, utf8.RuneCountInString(own))
	}
	var attachment struct{ Type string }
	if a, ok := object["attachment"]; ok {
		if err := json.Unmarshal(a, &attachment); err != nil {
			return Invalid(field+".attachment", "this must be a JSON object")
		}
	}
	object["metadata"] = data(tagged)
	r.parts = append(r.parts, Part{Raw: data(object), Media: attachment.Type == "audio" || attachment.Type == "video"})
	return nil
}

const tagPrefix = "chq1:"

// Tag is what stands before the caller's own metadata on the wire: it names message and part, and
// the step where that is not the first, so that an echo proves which one was sent.
func Tag(messageID string, step, part int) string {
	tag := tagPrefix + messageID + "." + strconv.Itoa(part)
	if step > 0 {
		tag += "." + strconv.Itoa(step)
	}
	return tag + "|"
}

// Tagged is what an echo's metadata says of a message of ours.
type Tagged struct {
	MessageID string
	Step      int    // from 0
	Part      int    // from 1
	Own       string // the caller's own metadata
}

// ParseTag reads an echo's metadata; false when the message was not sent by a gateway: then all of
// it is the caller's own.
func ParseTag(metadata string) (Tagged, bool) {
	foreign := Tagged{Own: metadata}
	rest, ok := strings.CutPrefix(metadata, tagPrefix)
	if !ok {
		return foreign, false
	}
	head, own, ok := strings.Cut(rest, "|")
	if !ok {
		return foreign, false
	}
	fields := strings.Split(head, ".")
	if len(fields) != 2 && len(fields) != 3 {
		return foreign, false
	}
	t := Tagged{MessageID: fields[0], Own: own}
	var err error
	if t.Part, err = strconv.Atoi(fields[1]); err != nil || t.Part < 1 || t.Part > MaxParts {
		return foreign, false
	}
	if len(fields) == 3 {
		if t.Step, err = strconv.Atoi(fields[2]); err != nil || t.Step < 1 || t.Step >= MaxRules {
			return foreign, false
		}
	}
	return t, true
}

// data is JSON that cannot fail to encode.
func data(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err)) // the types hold nothing that JSON lacks
	}
	return b
}
