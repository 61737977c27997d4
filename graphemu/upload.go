package graphemu

import (
	"net/http"
	"path"
	"strconv"

	"github.com/chasqui/chasqui/messenger"
)

// upload is a file that came with a call, in the part "filedata" of its
// multipart form.
type upload struct {
	name string // empty when the part names none
	kind string // media type
	data []byte
}

const (
	maxUpload   = 25 << 20 // bytes of one file
	keptUploads = 64 << 20 // bytes of all files that can still be looked at
)

// check holds a file to the platform's rules.
func (u *upload) check() *messenger.Error {
	switch {
	case u.name == "":
		return refuse(100, 2018005, "(#100) The file needs a name")
	case len(u.data) > maxUpload:
		return refuse(100, 2018109, "(#100) Attachment size exceeds allowable limit")
	}
	return nil
}

// storedFile is an upload that can be looked at.
type storedFile struct {
	id string
	upload
}

// storeFile keeps an upload and returns its address. The oldest ones give way.
// The lock is held.
func (s *Server) storeFile(c *call, u *upload) string {
	s.madeCount++
	f := storedFile{s.madeID("file", s.madeCount, 16), *u}
	s.files = append(s.files, f)
	total := 0
	for i := len(s.files) - 1; i >= 0; i-- {
		if total += len(s.files[i].data); total > keptUploads {
			s.files = append([]storedFile(nil), s.files[i+1:]...)
			break
		}
	}
	return "http://" + c.r.Host + "/_emu/files/" + f.id + path.Ext(u.name)
}

// serveFile shows an upload. Whatever it holds, a browser runs none of it.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	id := name[:len(name)-len(path.Ext(name))]
	s.mu.Lock()
	var found *upload
	for i := range s.files {
		if s.files[i].id == id {
			found = &s.files[i].upload
		}
	}
	s.mu.Unlock()
	if found == nil {
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
