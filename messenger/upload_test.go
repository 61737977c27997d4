package messenger_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// uploaded is what a server sees of a form.
type uploaded struct {
	Length int64
	Parts  []string // names, in their order
	Values map[string]string
	Name   string
	Type   string
	Bytes  int64
}

// uploads takes forms without keeping the file.
func uploads(t *testing.T, answer string) (string, chan uploaded) {
	t.Helper()
	seen := make(chan uploaded, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		got := uploaded{Length: r.ContentLength, Values: map[string]string{}}
		for form := multipart.NewReader(r.Body, params["boundary"]); ; {
			part, err := form.NextPart()
			if err != nil {
				if err != io.EOF {
					return // cut short: no request at all
				}
				break
			}
			got.Parts = append(got.Parts, part.FormName())
			if part.FileName() == "" {
				value, _ := io.ReadAll(part)
				got.Values[part.FormName()] = string(value)
				continue
			}
			got.Name, got.Type = part.FileName(), part.Header.Get("Content-Type")
			if got.Bytes, err = io.Copy(io.Discard, part); err != nil {
				return
			}
		}
		seen <- got
		io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, seen
}

func TestSendFileKeepsEverything(t *testing.T) {
	t.Parallel()
	base, seen := uploads(t, `{"recipient_id":"42","message_id":"m","attachment_id":"9"}`)
	sent, err := newClient(t, base).SendFile(t.Context(), messenger.SendRequest{
		Recipient: messenger.Recipient{ID: "42"}, MessagingType: messenger.TypeMessageTag, Tag: messenger.TagHumanAgent,
		NotificationType: messenger.NotifyNoPush, PersonaID: "7",
		Message: messenger.Message{Attachment: &messenger.Attachment{Type: messenger.TypeImage, Reusable: true}}.WithQuickReplies(messenger.EmailReply()),
	}, messenger.File{Name: "ä \"1\".png", Data: []byte("picture")})
	if err != nil || sent.AttachmentID != "9" {
		t.Fatalf("result %+v, error %v", sent, err)
	}
	got := <-seen
	got.Length = 0
	want := uploaded{
		Parts: []string{"recipient", "messaging_type", "tag", "notification_type", "persona_id", "message", "filedata"},
		Values: map[string]string{
			"recipient": `{"id":"42"}`, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT", "notification_type": "NO_PUSH", "persona_id": "7",
			"message": `{"attachment":{"type":"image","payload":{"is_reusable":true}},"quick_replies":[{"content_type":"user_email"}]}`,
		},
		Name: "ä \"1\".png", Type: "image/png", Bytes: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

// endless gives zeros without end, or an end after some.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	clear(p[:n])
	e.left -= n
	return int(n), nil
}

// TestUploadsStream sends files of 20 MB from readers of each sort, and holds
// that they are not copied into memory.
func TestUploadsStream(t *testing.T) {
	const size = 20 << 20
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	base, seen := uploads(t, `{"attachment_id":1601472827243653}`)
	c := newClient(t, base)
	for name, f := range map[string]*messenger.File{
		"a file":                   {Reader: file},
		"a reader of a known size": {Name: "clip.mp4", Reader: &endless{size}, Size: size},
		"a reader":                 {Name: "clip.mp4", Reader: &endless{size}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		id, err := c.UploadAttachment(t.Context(), messenger.UploadRequest{Type: messenger.TypeVideo, File: f, Reusable: true})
		runtime.ReadMemStats(&after)
		if err != nil || id != "1601472827243653" {
			t.Fatalf("%s: id %q, error %v", name, id, err)
		}
		got := <-seen
		if got.Bytes != size || got.Name != "clip.mp4" || got.Type != "video/mp4" || got.Values["message"] != `{"attachment":{"type":"video","payload":{"is_reusable":true}}}` {
			t.Errorf("%s: %+v", name, got)
		}
		if known := name != "a reader"; known != (got.Length > size) {
			t.Errorf("%s: Content-Length %d", name, got.Length)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("%s: %d bytes were allocated for it", name, grown)
		}
	}
}

func TestUploadLimits(t *testing.T) {
	t.Parallel()
	base, seen := uploads(t, `{"attachment_id":"1"}`)
	c := newClient(t, base)
	const limit = 25 << 20
	tests := []struct {
		name  string
		req   messenger.UploadRequest
		field string
	}{
		{"data over the limit", messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Data: make([]byte, limit+1)}}, "filedata"},
		{"size over the limit", messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: &endless{1}, Size: limit + 1}}, "filedata"},
		{"a seeker over the limit", messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: strings.NewReader(strings.Repeat("x", limit+1))}}, "filedata"},
		{"a reader over the limit", messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: &endless{limit + 1}}}, "filedata"},
		{"no name", messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Data: []byte("x")}}, "filedata.filename"},
		{"no type", messenger.UploadRequest{File: &messenger.File{Name: "a", Data: []byte("x")}}, "message.attachment.type"},
		{"neither", messenger.UploadRequest{Type: messenger.TypeFile}, "message.attachment.payload"},
		{"both", messenger.UploadRequest{Type: messenger.TypeFile, URL: "https://x", File: &messenger.File{Name: "a", Data: []byte("x")}}, "message.attachment.payload"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.UploadAttachment(t.Context(), tt.req)
			var field *messenger.FieldError
			if !errors.As(err, &field) || field.Field != tt.field || !messenger.Unsent(err) || !errors.Is(err, messenger.ErrInvalid) {
				t.Errorf("error %v", err)
			}
		})
	}
	if len(seen) != 0 {
		t.Errorf("sent: %+v", <-seen)
	}
	if _, err := c.UploadAttachment(t.Context(), messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: &endless{limit}}}); err != nil {
		t.Errorf("a file of 25 MB: %v", err)
	}
}

// TestUploadReaderFails holds that a reader's own failure is seen.
func TestUploadReaderFails(t *testing.T) {
	t.Parallel()
	base, _ := uploads(t, `{"attachment_id":"1"}`)
	broken := errors.New("disk is gone")
	_, err := newClient(t, base).UploadAttachment(t.Context(), messenger.UploadRequest{
		Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: io.MultiReader(bytes.NewReader([]byte("abc")), failing{broken})},
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestUploadAnsweredEarly holds that a reader is left alone once the call is
// over, although the server did not take all of it.
func TestUploadAnsweredEarly(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":100,"error_subcode":2018047,"message":"(#100) Upload attachment failure."}}`)
	}))
	defer srv.Close()
	reader := &endless{24 << 20}
	_, err := newClient(t, srv.URL).UploadAttachment(t.Context(), messenger.UploadRequest{Type: messenger.TypeFile, File: &messenger.File{Name: "a", Reader: reader}})
	if err == nil {
		t.Fatal("no error")
	}
	reader.left = 0 // the race detector sees it when somebody still reads
}
