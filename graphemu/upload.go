package graphemu

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/chasqui/chasqui/messenger"
)

// check holds a file to the platform's rules.
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

// uploadLife is how long the id of an attachment may be used.
const uploadLife = 90 * 24 * time.Hour

// reusable is an attachment with an id.
type reusable struct {
	Page string    `json:"page"`
	Type string    `json:"type"`
	URL  string    `json:"url"`
	Made time.Time `json:"made"`

	Single bool   `json:"single,omitempty"` // not saved to be used again: goes to one person only
	To     string `json:"to,omitempty"`     // who that is
}

// keepUpload gives an attachment an id. The lock is held.
func (s *Server) keepUpload(page *pageState, kind, url string, single bool) string {
	id := s.ids.fresh("attachment", 16)
	s.uploads[id] = reusable{Page: page.ID, Type: kind, URL: url, Made: s.clock.now(), Single: single}
	return id
}

// uploadAttachment is POST /{page}/message_attachments.
func (s *Server) uploadAttachment(c *call) (any, *messenger.Error) {
	if !c.params.has("message") {
		return nil, refuse(100, 0, "(#100) The parameter message is required.")
	}
	msg, e := s.readMessage(c.params["message"], c.file, s.calendar.era(c.ver))
	if e != nil {
		return nil, e
	}
	if msg.Attachment == nil || msg.Attachment.Type == "template" {
		return nil, refuse(100, 0, "(#100) Param message[attachment][type] must be one of {AUDIO, FILE, IMAGE, VIDEO}")
	}
	if e := s.fetchAttachment(c, msg); e != nil {
		return nil, e
	}
	return s.onPage(func(c *call, page *pageState) (any, *messenger.Error) {
		if c.file != nil {
			msg = msg.withURL(fileURL(c.host, s.files.add(*c.file)))
		}
		var media struct {
			URL      string `json:"url"`
			Reusable bool   `json:"is_reusable"`
		}
		if json.Unmarshal(msg.Attachment.Payload, &media) != nil || media.URL == "" {
			return nil, refuse(100, 2018032, "(#100) Invalid data")
		}
		return sendAnswer{AttachmentID: s.keepUpload(page, msg.Attachment.Type, media.URL, !media.Reusable)}, nil
	})(c)
}

// fetchAttachment fetches an attachment that is given by its address, as the
// platform does, when the address is on this machine. Others are taken as they
// are: an emulator sends nothing into the world.
func (s *Server) fetchAttachment(c *call, msg outMessage) *messenger.Error {
	if msg.Attachment == nil || msg.Attachment.Type == "template" {
		return nil
	}
	var media struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(msg.Attachment.Payload, &media) != nil || media.URL == "" {
		return nil
	}
	u, err := url.Parse(media.URL)
	if err != nil || !(u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil
	}
	failed := refuse(100, 2018008, "(#100) Failed to fetch the file from the url")
	limit := 10 * time.Second
	if msg.Attachment.Type == "video" {
		limit = 75 * time.Second
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, media.URL, nil)
	if err != nil {
		return failed
	}
	resp, err := s.callbacks.client.Do(req)
	if err != nil {
		return failed
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxUpload+1))
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		return failed
	case n > maxUpload:
		return refuse(100, 2018109, "(#100) Attachment size exceeds allowable limit")
	}
	return nil
}

// serveFile shows an upload. Whatever it holds, a browser runs none of it.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	found, ok := s.files.get(r.PathValue("file"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.kind)
	h.Set("Content-Length", strconv.Itoa(len(found.data)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	w.Write(found.data) //nolint:errcheck // the caller is gone when this fails
}
