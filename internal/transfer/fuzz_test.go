package transfer

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// FuzzRecords reads files of any bytes, and again from behind each record, as an import that was
// stopped there does: what is left must be the same, with the same numbers.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		"id,firstName\nana,Ana\n", "\xef\xbb\xbfid;name\r\nana;\"Ana\r\nQuispe\"\r\n", "id\tfbMessenger.a.b\nx\ty\n", "id,name\r\"a\rb\"\r",
		"id,a.b,a.c:json\n1,2,{\"x\":[]}\n1,2,{\n", "id,name\n\"ana,Ana\nbea,Bea\n", "id,name\nana,\x00\xff\n,\n\n\"\"\"\"\n", "id\n\xed\xa0\x80\n", "id,optIn\nana,\"[\"\"a\"\"\"\n",
		"{\"id\":\"ana\"}\n\n[]\n{\"id\":\n\"b\"}\n", "{\"id\":\"ana\"}\r\n{\"id\":\"bea\",\"bea\":\"\\ud800\"}", "\xef\xbb\xbf{}\n\x00\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 64<<10 {
			return
		}
		open := map[string]func(offset, lines int64) (reader, error){
			"CSV":  func(offset, lines int64) (reader, error) { return newCSV(bytes.NewReader(file), offset, lines) },
			"JSON": func(offset, lines int64) (reader, error) { return newJSONLines(bytes.NewReader(file), offset, lines) },
		}
		for name, from := range open {
			r, err := from(0, 0)
			if err != nil {
				continue
			}
			whole, end := records(t, r, int64(len(file)))
			for i, stop := range whole {
				if i > 3 {
					break
				}
				r, err := from(stop.end, stop.lines)
				if err != nil {
					t.Fatalf("%s: go on behind record %d: %v", name, i, err)
				}
				rest, restEnd := records(t, r, int64(len(file)))
				if len(rest) != len(whole)-i-1 || !errors.Is(restEnd, end) && restEnd.Error() != end.Error() {
					t.Fatalf("%s: behind record %d stand %d records until %v, of %d until %v", name, i, len(rest), restEnd, len(whole)-i-1, end)
				}
				for n := range rest {
					if !reflect.DeepEqual(rest[n].members, whole[i+1+n].members) || rest[n].end != whole[i+1+n].end || rest[n].number != whole[i+1+n].number {
						t.Fatalf("%s: record %d read from behind record %d is %+v, read from the start %+v", name, i+1+n, i, rest[n], whole[i+1+n])
					}
				}
			}
		}
	})
}

// records reads to the end. Each record must stand behind the one before.
func records(t *testing.T, r reader, size int64) (all []line, end error) {
	t.Helper()
	var last line
	for {
		l, err := r.next()
		if err != nil {
			return all, err
		}
		if l.end < last.end || l.end > size || l.number < last.number || l.lines < last.lines {
			t.Fatalf("record %+v comes after %+v in a file of %d bytes", l, last, size)
		}
		if l.err == nil && l.members == nil {
			t.Fatalf("record %+v has neither members nor an error", l)
		}
		all, last = append(all, l), l
	}
}

func FuzzOldKeys(f *testing.F) {
	for _, seed := range []string{"oldKey,application,psid\nk,app,1\n", "k;;1\n", "k\t\t\n", "\"k,app,1\n", "\xef\xbb\xbfk,app,1\rk,app,2", "\x00,\xff,\x00\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := ReadOldKeys(bytes.NewReader(file), "usual"); err != nil && (errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "the table of user keys")) {
			t.Fatalf("the error does not say what was read: %v", err)
		}
	})
}
