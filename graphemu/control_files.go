package graphemu

import (
	"fmt"
	"io"
	"net/http"
)

// upload takes a file of the chat page and answers with its address.
func (a controlAPI) upload(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil || len(data) == 0 {
		reject(w, http.StatusBadRequest, fmt.Errorf("the file is empty or larger than %d bytes", maxUpload))
		return
	}
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "file"
	}
	address := fileURL(r.Host, a.world.files.add(upload{name, r.Header.Get("Content-Type"), data}))
	reply(w, http.StatusCreated, map[string]string{"url": address})
}
