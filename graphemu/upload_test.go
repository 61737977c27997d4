package graphemu_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/messenger"
)

func TestSendFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	content := []byte("<script>alert(1)</script>")
	req := messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeFile}}}
	if _, err := w.client.SendFile(t.Context(), req, messenger.File{Name: "naïve plan.html", ContentType: "text/html", Data: content}); err != nil {
		t.Fatal(err)
	}
	thread, err := w.emu.Thread(w.page.ID, w.ana.ID)
	if err != nil || len(thread) != 1 {
		t.Fatalf("thread %+v, %v", thread, err)
	}
	var sent struct {
		Attachment struct {
			Type    string
			Payload struct{ URL string }
		}
	}
	if err := json.Unmarshal(thread[0].Message, &sent); err != nil || sent.Attachment.Type != "file" {
		t.Fatalf("message %s, %v", thread[0].Message, err)
	}
	resp, err := http.Get(sent.Attachment.Payload.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(body, content) || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s is %q, %v, %v", sent.Attachment.Payload.URL, body, resp.Header, err)
	}
	gone, err := http.Get(w.url + "/_emu/files/123.html")
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Body.Close()
	if gone.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is not there is answered %d", gone.StatusCode)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	send := func(name, message string, size int) error {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for field, value := range map[string]string{"recipient": `{"id":"` + w.ana.ID + `"}`, "message": message} {
			if err := form.WriteField(field, value); err != nil {
				t.Fatal(err)
			}
		}
		part, err := form.CreateFormFile("filedata", name)
		if name == "" {
			part, err = form.CreateFormField("filedata")
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(w.url+"/v26.0/me/messages?access_token="+w.page.AccessToken, form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var refused struct {
			Error struct {
				Code    int
				Subcode int `json:"error_subcode"`
			}
		}
		if err := json.Unmarshal(answer, &refused); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		return &messenger.Error{Code: refused.Error.Code, Subcode: refused.Error.Subcode}
	}
	const image, both = `{"attachment":{"type":"image","payload":{}}}`, `{"attachment":{"type":"image","payload":{"url":"http://127.0.0.1/a.png"}}}`
	for message, size := range map[string]int{image: 25 << 20, `{"text":"a file beside a text counts for nothing"}`: 10} {
		if err := send("a.png", message, size); err != nil {
			t.Errorf("%s with %d bytes: %v", message, size, err)
		}
	}
	for _, c := range []struct {
		what, name, message string
		size, subcode       int
	}{
		{"no name", "", image, 10, 2018005},
		{"too large", "a.png", image, 25<<20 + 1, 2018109},
		{"file and address", "a.png", both, 10, 2018032},
	} {
		var refused *messenger.Error
		if err := send(c.name, c.message, c.size); !errors.As(err, &refused) || refused.Code != 100 || refused.Subcode != c.subcode {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// Files give way to newer ones, so that an emulator that runs for long stays small.
func TestOldFilesGiveWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var first string
	for i := range 4 {
		req := messenger.SendRequest{Recipient: messenger.Recipient{ID: messenger.PSID(w.ana.ID)}, Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeVideo}}}
		if _, err := w.client.SendFile(t.Context(), req, messenger.File{Name: "v.mp4", ContentType: "video/mp4", Data: make([]byte, 20<<20)}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = address(t, w.emu, w.page.ID, w.ana.ID)
		}
	}
	for url, want := range map[string]int{first: http.StatusNotFound, address(t, w.emu, w.page.ID, w.ana.ID): http.StatusOK} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s is answered %d, wanted %d", url, resp.StatusCode, want)
		}
	}
}

// address is where the newest file of a thread is.
func address(t *testing.T, emu *graphemu.Server, page, psid string) string {
	t.Helper()
	thread, err := emu.Thread(page, psid)
	if err != nil || len(thread) == 0 {
		t.Fatalf("thread %v, %v", thread, err)
	}
	var sent struct {
		Attachment struct{ Payload struct{ URL string } }
	}
	if err := json.Unmarshal(thread[len(thread)-1].Message, &sent); err != nil {
		t.Fatal(err)
	}
	return sent.Attachment.Payload.URL
}
