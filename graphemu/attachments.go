package graphemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// uploadLife is how long the id of an attachment is valid.
const uploadLife = 90 * 24 * time.Hour

// attachment is a file that can be sent by its id.
type attachment struct {
	id string

	Page string    `json:"page"`
	Type string    `json:"type"`
	URL  string    `json:"url"`
	Made time.Time `json:"made"`

	Single bool   `json:"single,omitempty"` // not saved to be used again: goes to one person only
	To     string `json:"to,omitempty"`     // who that is
}

// attachments holds the files that can be sent by their ids. The world's lock
// guards it.
type attachments struct {
	ids   *ids
	clock *clock
	saved map[string]attachment // by id
}

// keep saves a file of a page and returns its id.
func (a *attachments) keep(pageID, kind, url string, single bool) string {
	id := a.ids.fresh("attachment", 16)
	a.saved[id] = attachment{Page: pageID, Type: kind, URL: url, Made: a.clock.now(), Single: single}
	return id
}

// check returns the file with an id if a page may send it to a person: it exists, belongs to
// the page and is of the type. One that was not saved to be reused may have gone to nobody
// else. psid is empty while nothing is being sent.
func (a *attachments) check(pageID, psid, kind, id string) (attachment, *messenger.Error) {
	found, ok := a.saved[id]
	found.id = id
	if !ok || found.Page != pageID || a.clock.now().Sub(found.Made) > uploadLife || found.Type != kind {
		return found, refuse(100, 2018074, "(#100) The attachment id is not valid")
	}
	if !found.Single || psid == "" {
		return found, nil
	}
	if found.To != "" && found.To != psid {
		return found, refuse(100, 2018074, "(#100) The attachment id is not valid: it was saved without is_reusable, and has gone to another person")
	}
	found.To = psid
	return found, nil
}

// use records that files go to the person for whom they were checked.
func (a *attachments) use(checked ...attachment) {
	for _, f := range checked {
		a.saved[f.id] = f
	}
}

// checkTemplate checks the elements of a media template and returns the files that it uses by
// id.
func (a *attachments) checkTemplate(pageID, psid string, payload json.RawMessage) ([]attachment, *messenger.Error) {
	var t struct {
		Type     string `json:"template_type"`
		Elements []struct {
			Type         string      `json:"media_type"`
			URL          string      `json:"url"`
			AttachmentID json.Number `json:"attachment_id"`
		} `json:"elements"`
	}
	if !bytes.Contains(payload, []byte("media")) || json.Unmarshal(payload, &t) != nil || t.Type != "media" {
		return nil, nil
	}
	var used []attachment
	for i, el := range t.Elements {
		at := fmt.Sprintf("name_placeholder[elements][%d]", i)
		switch {
		case el.Type != "image" && el.Type != "video":
			return nil, refuse(100, 0, "(#100) Param "+at+"[media_type] must be one of {IMAGE, VIDEO}")
		case (el.URL == "") == (el.AttachmentID == ""):
			return nil, refuse(100, 0, "(#100) Param "+at+" must have exactly one of attachment_id and url")
		case el.URL != "" && !isWebURL(el.URL):
			return nil, refuse(100, 0, "(#100) Param "+at+"[url] must be a valid URL")
		case el.AttachmentID != "":
			found, e := a.check(pageID, psid, el.Type, el.AttachmentID.String())
			if e != nil {
				return nil, e
			}
			used = append(used, found)
		}
	}
	return used, nil
}

// saveAttachment saves a file so that it can be sent by id: to anybody, or to one person only.
func (w *world) saveAttachment(pageID, kind, url string, single bool) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pages[pageID] == nil {
		return "", errNoObject
	}
	return w.attachments.keep(pageID, kind, url, single), nil
}
