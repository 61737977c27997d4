package graphemu

import (
	"regexp"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// codesAPI answers the call that makes Messenger codes.
type codesAPI struct{ *world }

var codeRef = regexp.MustCompile(`^[\w+/=\-.:]{1,250}$`)

// create is POST /{page}/messenger_codes. It draws a QR code whose link leads into
// the emulator.
func (a codesAPI) create(c *call) (any, *messenger.Error) {
	if a.calendar.ended(messenger.FeatureMessengerCode) {
		return nil, errNoObject
	}
	if c.params.text("type") != "standard" {
		return nil, refuse(100, 0, "(#100) Param type must be one of {STANDARD}")
	}
	size, ref := 1000, ""
	if c.params.has("image_size") {
		n, err := strconv.Atoi(c.params.text("image_size"))
		if err != nil || n < 100 || n > 2000 {
			return nil, refuse(100, 0, "(#100) Param image_size must be an integer between 100 and 2000")
		}
		size = n
	}
	if c.params.has("data") {
		ref = c.params.object("data").text("ref")
		if !codeRef.MatchString(ref) {
			return nil, refuse(100, 0, "(#100) Param data[ref] must have 1 to 250 characters of a-z, A-Z, 0-9 and +/=-.:_")
		}
	}
	id := a.codes.add(c.page, ref, size)
	return map[string]string{"uri": "http://" + c.host + "/_emu/codes/" + id + ".png"}, nil
}
