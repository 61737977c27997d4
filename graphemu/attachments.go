package graphemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// uploadLife is how long the id of an attachment may be used.
const uploadLife = 90 * 24 * time.Hour

// attachment is a file that can be sent by its id.
type attachment struct {
	Page string    `json:"page"`
	Type string    `json:"type"`
	URL  string    `json:"url"`
	Made time.Time `json:"made"`

	Single bool   `json:"single,omitempty"` // not saved to be used again: goes to one person only
	To     string `json:"to,omitempty"`     // who that is
}

// saveAttachment keeps a file under an id, under which it can be sent to anybody,
// or to one person only.
func (w *world) saveAttachment(pageID, kind, url string, single bool) (string, *messenger.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := w.pages[pageID]
	if page == nil {
		return "", errNoObject
	}
	return w.keepAttachment(page, kind, url, single), nil
}

// keepAttachment gives an attachment an id. The lock is held.
func (w *world) keepAttachment(page *pageState, kind, url string, single bool) string {
	id := w.ids.fresh("attachment", 16)
	w.attachments[id] = attachment{Page: page.ID, Type: kind, URL: url, Made: w.clock.now(), Single: single}
	return id
}

// checkSaved looks whether an attachment may be used by its id: it exists, is
// the page's and of the type, and, unless it was saved to be used again, has
// gone to nobody else. The lock is held.
func (w *world) checkSaved(page *pageState, p *personState, kind, id string) (attachment, *messenger.Error) {
	stored, ok := w.attachments[id]
	if !ok || stored.Page != page.ID || w.clock.now().Sub(stored.Made) > uploadLife || stored.Type != kind {
		return stored, refuse(100, 2018074, "(#100) The attachment id is not valid")
	}
	if !stored.Single || p == nil {
		return stored, nil
	}
	if stored.To != "" && stored.To != p.ID {
		return stored, refuse(100, 2018074, "(#100) The attachment id is not valid: it was saved without is_reusable, and has gone to another person")
	}
	stored.To = p.ID
	return stored, nil
}

// checkMediaTemplate looks at the elements of a media template, and returns the
// attachments that it uses by their ids. The lock is held.
func (w *world) checkMediaTemplate(page *pageState, p *personState, payload json.RawMessage) (map[string]attachment, *messenger.Error) {
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
	used := map[string]attachment{}
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
			stored, e := w.checkSaved(page, p, el.Type, el.AttachmentID.String())
			if e != nil {
				return nil, e
			}
			used[el.AttachmentID.String()] = stored
		}
	}
	return used, nil
}
