package graphemu

import (
	"path"
	"sync"
)

// upload is a file that came with a call or was handed to the chat page.
type upload struct {
	name string // empty when none was given
	kind string // media type
	data []byte
}

const (
	maxUpload   = 25 << 20 // bytes of one file
	keptUploads = 64 << 20 // bytes of all files that can still be looked at
)

// fileStore keeps the files that can still be looked at. It is safe for concurrent
// use.
type fileStore struct {
	ids *ids

	mu    sync.Mutex
	files []storedFile // the oldest first
}

type storedFile struct {
	id string
	upload
}

// add keeps a file and returns its name in addresses. The oldest ones give way.
func (f *fileStore) add(u upload) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := storedFile{f.ids.fresh("file", 16), u}
	f.files = append(f.files, added)
	total := 0
	for i := len(f.files) - 1; i >= 0; i-- {
		if total += len(f.files[i].data); total > keptUploads {
			f.files = append([]storedFile(nil), f.files[i+1:]...)
			break
		}
	}
	return added.id + path.Ext(u.name)
}

// get returns the file with a name in addresses.
func (f *fileStore) get(name string) (upload, bool) {
	id := name[:len(name)-len(path.Ext(name))]
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.files {
		if f.files[i].id == id {
			return f.files[i].upload, true
		}
	}
	return upload{}, false
}

func (f *fileStore) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = nil
}

// fileURL returns the address of a kept file at a host.
func fileURL(host, name string) string { return "http://" + host + "/_emu/files/" + name }
