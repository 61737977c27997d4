package graphemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// mediaEndings are the endings of files that the platform takes for each type of
// attachment. Files of type file may have any.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
// (images; the others are those that the documentation of 2025 names, and those
// that phones make)
func mediaEndings() map[string]string {
	return map[string]string{
		"image": "jpg jpeg png gif",
		"video": "mp4 m4v mov ogg ogv avi webm mpg mpeg 3gp",
		"audio": "mp3 m4a mp4 aac wav ogg oga opus amr",
	}
}

// otherEndings are those of files that are known to be something else. What is
// in neither list, such as .php, says nothing about the file.
const otherEndings = "bmp tif tiff webp svg ico heic heif avif psd wmv flv mkv mid midi aiff wma flac " +
	"pdf doc docx xls xlsx ppt pptx zip gz txt htm html json csv xml"

// checkMedia holds the name of a file, or its address, to its type.
func checkMedia(kind, name string) *messenger.Error {
	all := mediaEndings()
	taken, limited := all[kind]
	if !limited {
		return nil
	}
	if u, err := url.Parse(name); err == nil {
		name = u.Path
	}
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	known := otherEndings + " " + all["image"] + " " + all["video"] + " " + all["audio"]
	if ending == "" || slices.Contains(strings.Fields(taken), ending) || !slices.Contains(strings.Fields(known), ending) {
		return nil
	}
	return wrongMedia(kind)
}

// wrongMedia is the platform's answer to a file that is not what it is said to be.
func wrongMedia(kind string) *messenger.Error {
	taken := strings.ReplaceAll(mediaEndings()[kind], " ", ", ")
	return refuse(100, 2018047, fmt.Sprintf("(#100) Upload attachment failure. The type of the file does not match the attachment's: %s takes %s", kind, taken))
}

// checkData holds the first bytes of a file to its type, as far as they tell.
func checkData(kind string, data []byte) *messenger.Error {
	found := http.DetectContentType(data)
	family, _, _ := strings.Cut(found, "/")
	switch {
	case mediaEndings()[kind] == "" || family != "image" && family != "audio" && family != "video" && found != "application/pdf":
		return nil
	case kind == "image" && !slices.Contains([]string{"image/jpeg", "image/png", "image/gif"}, found), kind != "image" && (family == "image" || found == "application/pdf"):
		return wrongMedia(kind)
	}
	return nil
}

// checkSaved looks whether an attachment may be used by its id: it exists, is
// the page's and of the type, and, unless it was saved to be used again, has
// gone to nobody else. The lock is held.
func (s *Server) checkSaved(page *pageState, p *personState, kind, id string) (reusable, *messenger.Error) {
	stored, ok := s.uploads[id]
	if !ok || stored.Page != page.ID || s.clock.now().Sub(stored.Made) > uploadLife || stored.Type != kind {
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
func (s *Server) checkMediaTemplate(page *pageState, p *personState, payload json.RawMessage) (map[string]reusable, *messenger.Error) {
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
	used := map[string]reusable{}
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
			stored, e := s.checkSaved(page, p, el.Type, el.AttachmentID.String())
			if e != nil {
				return nil, e
			}
			used[el.AttachmentID.String()] = stored
		}
	}
	return used, nil
}
