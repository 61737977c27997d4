package graphemu

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/messenger"
)

// mediaEndings returns the file extensions that the platform accepts for each type of
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

// otherEndings are the extensions of files that are known to be of another type. An extension
// in neither list, such as .php, says nothing about the file.
const otherEndings = "bmp tif tiff webp svg ico heic heif avif psd wmv flv mkv mid midi aiff wma flac " +
	"pdf doc docx xls xlsx ppt pptx zip gz txt htm html json csv xml"

// checkMedia checks the name or address of a file against its type.
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

// wrongMedia returns the platform's refusal of a file that is not of the stated type.
func wrongMedia(kind string) *messenger.Error {
	taken := strings.ReplaceAll(mediaEndings()[kind], " ", ", ")
	return refuse(100, 2018047, fmt.Sprintf("(#100) Upload attachment failure. The type of the file does not match the attachment's: %s takes %s", kind, taken))
}

// checkData checks the first bytes of a file against its type, as far as they identify one.
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

// check checks a file against the rules of the platform.
func (u *upload) check(kind string) *messenger.Error {
	if e := checkMedia(kind, u.name); e != nil {
		return e
	}
	if e := checkData(kind, u.data); e != nil {
		return e
	}
	switch {
	case u.name == "":
		return refuse(100, 2018005, "(#100) Incorrect number of files uploaded. Must upload exactly one file.")
	case len(u.data) > maxUpload:
		return refuse(100, 2018109, "(#100) Attachment size exceeds allowable limit")
	}
	return nil
}
