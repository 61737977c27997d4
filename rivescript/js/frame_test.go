package js

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// Whatever a worker writes, reading it ends, takes no more than a frame may have, and makes a frame or an error.
func FuzzReadFrame(f *testing.F) {
	var good bytes.Buffer
	if err := writeFrame(&good, &frame{Kind: kindDone, Text: "x"}, maxFromWorker); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Add([]byte("\x02\x00\x00\x00{}rest"))
	f.Add([]byte("\x10\x00\x00\x00" + `{"v":{"a":null}}`))
	f.Add(append([]byte{0, 8, 0, 0}, strings.Repeat("[", 2048)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		got, err := readFrame(r, 4096)
		if err == nil && got == nil {
			t.Fatal("neither a frame nor an error")
		}
		if len(b) >= 4 && binary.LittleEndian.Uint32(b) > 4096 && (err == nil || r.Len() != len(b)-4) {
			t.Fatalf("a frame that is too long is read: %v", err)
		}
	})
}

func TestFramesThatAreTooLong(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := writeFrame(&b, &frame{Text: strings.Repeat("x", 2000)}, 1000); !errors.Is(err, errFrame) || b.Len() > 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
}

// What is no worker, and says anything at all, is ended.
func TestAWorkerThatSpeaksAnotherLanguage(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("there is no /bin/sh")
	}
	for name, words := range map[string]string{
		"noise":     `yes`,
		"long":      `printf '\377\377\377\377'; cat`,
		"no JSON":   `printf '\003\000\000\000abc'; cat`,
		"not ready": `printf '\012\000\000\000{"k":"done"}'; cat`,
		"quits":     `echo no memory >&2; exit 3`,
	} {
		p := NewPool(Options{Mode: On, Command: []string{"/bin/sh", "-c", words}})
		began := time.Now()
		w, err := p.start()
		if err == nil {
			w.kill()
			t.Errorf("%s is a worker", name)
		}
		if took := time.Since(began); took > startTime {
			t.Errorf("%s: %s", name, took)
		}
		if n := p.Stats().Running; n != 0 {
			t.Errorf("%s: %d run", name, n)
		}
		p.Close()
	}
}
