package transfer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
	"github.com/chasqui/chasqui/internal/transfer"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// onBoth runs a test on a new database of each kind, with the applications SHOP and CLUB.
func onBoth(t *testing.T, test func(*testing.T, *store.Store)) {
	for name, fresh := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, shops(t, fresh(t)))
		})
	}
}

func shops(t testing.TB, url string) *store.Store {
	t.Helper()
	s := storetest.Open(t, url)
	v, err := store.OpenVault(t.Context(), s, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"SHOP", "CLUB"} {
		a := &gateway.Application{Key: key, PageID: fmt.Sprint(100 + i), AppID: "1", State: gateway.ApplicationActive, AccessToken: "t", AppSecret: "s", VerifyToken: "v"}
		if err := v.CreateApplication(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// take imports a file and returns what became of it.
func take(t testing.TB, s *store.Store, im transfer.Import) (transfer.Counts, []transfer.Refusal) {
	t.Helper()
	im.Store = s
	if im.OnConflict == "" {
		im.OnConflict = store.ConflictUpdate
	}
	im.Format, _ = transfer.FormatOf(im.File)
	var refusals []transfer.Refusal
	im.Progress = func(p transfer.Progress) { refusals = append(refusals, p.Refusals...) }
	p, err := im.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Counts, refusals
}

func export(t testing.TB, s *store.Store, format transfer.Format) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := (transfer.Export{Store: s}).Profiles(t.Context(), &out, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// profile returns a profile as the export has it, without its times.
func profile(t testing.TB, s *store.Store, id string) map[string]any {
	t.Helper()
	p, err := s.Profile(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "createdAt")
	delete(m, "updatedAt")
	return m
}

func TestImportReadsWhatSpreadsheetsWrite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		content := "\xef\xbb\xbfid;firstName;fbMessengerId;application;fbMessengerIds.CLUB;optInChannels;address.city;points:json;note\r\n" +
			"c-1;Åsa;4001;;5001;fbMessenger|sms;Lima;12;\"two\r\nlines; and \"\"quotes\"\"\"\r\n" +
			"c-2;;;;;;;;\r\n" +
			"\r\n" +
			"c-3;Bo;4003;CLUB;;;;[1, 2];\r\n"
		counts, refusals := take(t, s, transfer.Import{File: file(t, "p.csv", content), Application: "SHOP"})
		if diff := cmp.Diff(transfer.Counts{Created: 3}, counts); diff != "" || len(refusals) > 0 {
			t.Fatalf("%s%v", diff, refusals)
		}
		want := map[string]any{
			"id": "c-1", "firstName": "Åsa", "fbMessengerIds": map[string]any{"SHOP": "4001", "CLUB": "5001"}, "optInChannels": []any{"fbMessenger", "sms"},
			"address": map[string]any{"city": "Lima"}, "points": 12.0, "note": "two\nlines; and \"quotes\"",
		}
		if diff := cmp.Diff(want, profile(t, s, "c-1")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"CLUB": "4003"}, profile(t, s, "c-3")["fbMessengerIds"]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestImportRefusesLinesByThemselves(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		lines := []string{
			`{"id":"good","fbMessengerId":"1","application":"SHOP"}`,
			`{"id":"a/b"}`,
			`{"id":7}`,
			`not json`,
			``,
			`{"id":"x","fbMessengerId":"2"}`,
			`{"id":"x","fbMessengerIds":{"NONE":"2"}}`,
			`{"firstName":"nobody"}`,
			`{"id":"x","email":5}`,
			`{"id":"x","_internal":1}`,
			`{"id":"x","userKey":"abc"}`,
			`{"id":"taken","fbMessengerIds":{"SHOP":"1"}}`,
			`{"id":"x","optInChannels":"sms"}`,
			`{"id":"big","note":"` + strings.Repeat("n", transfer.MaxRecord) + `"}`,
			`{"id":"last"}`,
		}
		report := filepath.Join(t.TempDir(), "report.csv")
		counts, refusals := take(t, s, transfer.Import{File: file(t, "p.jsonl", strings.Join(lines, "\n")), Report: report})
		if diff := cmp.Diff(transfer.Counts{Created: 2, Refused: 12}, counts); diff != "" {
			t.Error(diff)
		}
		fields := map[int64]string{}
		for _, r := range refusals {
			fields[r.Line] = r.Field
		}
		want := map[int64]string{2: "id", 3: "id", 4: "", 6: "application", 7: "fbMessengerIds.NONE", 8: "id", 9: "email", 10: "_internal", 11: "userKey",
			12: "fbMessengerIds.SHOP", 13: "optInChannels", 14: ""}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Error(diff)
		}
		written, err := os.ReadFile(report)
		if err != nil || strings.Count(string(written), "\n") != 13 || !strings.Contains(string(written), "\n12,fbMessengerIds.SHOP,the person belongs to another profile\n") {
			t.Errorf("the report: %v\n%s", err, written)
		}
	})
}

func TestImportedNumbersAreFound(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		counts, refusals := take(t, s, transfer.Import{File: file(t, "p.csv", "id,phoneNumber,email\nimp1,+51 987 777 220,\nimp2,447700900003.0,\nimp3,4.47701E+11,\nimp4,n/a,\nimp5,+44 (0)7700 900002,\n"+
			"imp6,07700 900001,\nimp7,+44\u00a07700\u00a0900040,\nimp8,,n/a\nimp9,,a@example.com\n")})
		if counts.Created != 3 || counts.Refused != 6 || len(refusals) != 6 {
			t.Errorf("%+v", counts)
		}
		for i, line := range []int64{3, 4, 5, 6, 7, 9} {
			field := "phoneNumber"
			if line == 9 {
				field = "email"
			}
			if r := refusals[i]; r.Line != line || r.Field != field {
				t.Errorf("%+v, want line %d, field %s", r, line, field)
			}
		}
		for digits, id := range map[string]string{"51987777220": "imp1", "447700900040": "imp7"} {
			var found string
			if err := s.Write(t.Context(), func(tx *store.Tx) (err error) { found, err = tx.ProfileWithPhone("", digits); return err }); err != nil || found != id {
				t.Errorf("the profile with %s: %q, %v", digits, found, err)
			}
		}
	})
}

func TestImportRefusesWhatIsNoTable(t *testing.T) {
	t.Parallel()
	s := shops(t, storetest.SQLite(t))
	for name, content := range map[string]string{
		"lines that end in CR alone": "id,firstName\ra,Ana\rb,Ben\r", "no header": "imp1,+51 987 777 220\n", "a header that says nothing": "colour,size\nred,1\n",
	} {
		im := transfer.Import{Store: s, File: file(t, "p.csv", content), Format: transfer.FormatCSV, OnConflict: store.ConflictUpdate}
		if p, err := im.Run(t.Context()); err == nil {
			t.Errorf("%s: no error, %+v", name, p.Counts)
		}
	}
	if counts, _ := take(t, s, transfer.Import{File: file(t, "empty.csv", "id,firstName\n")}); counts != (transfer.Counts{}) {
		t.Errorf("an export of nothing: %+v", counts)
	}
}

func TestImportMeetsProfilesThatAreThere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			real := &gateway.Profile{ID: "real", Doc: map[string]json.RawMessage{"plan": json.RawMessage(`"gold"`)}, Addresses: map[string]string{"SHOP": "1"}}
			automatic := &gateway.Profile{ID: "prf_1", Doc: map[string]json.RawMessage{"facebook": json.RawMessage(`{"first_name":"Ada"}`)}, Addresses: map[string]string{"SHOP": "2"}}
			for _, p := range []*gateway.Profile{real, automatic} {
				if err := tx.CreateProfile(p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		content := "id,fbMessengerId,city\nreal,1,Lima\nnew,2,Cusco\nother,1,Puno\n"
		skipped, _ := take(t, s, transfer.Import{File: file(t, "p.csv", content), Application: "SHOP", OnConflict: store.ConflictSkip, DryRun: true})
		if diff := cmp.Diff(transfer.Counts{Created: 1, Skipped: 1, Refused: 1, Merged: 1}, skipped); diff != "" {
			t.Errorf("a dry run: %s", diff)
		}
		if list, err := s.ListProfiles(t.Context(), store.ProfileFilter{Limit: 10}); err != nil || len(list) != 2 {
			t.Fatalf("a dry run left %d profiles (%v)", len(list), err)
		}
		counts, _ := take(t, s, transfer.Import{File: file(t, "p.csv", content), Application: "SHOP"})
		if diff := cmp.Diff(transfer.Counts{Created: 1, Updated: 1, Refused: 1, Merged: 1}, counts); diff != "" {
			t.Error(diff)
		}
		want := map[string]any{"id": "new", "city": "Cusco", "facebook": map[string]any{"first_name": "Ada"}, "fbMessengerIds": map[string]any{"SHOP": "2"}}
		if diff := cmp.Diff(want, profile(t, s, "new")); diff != "" {
			t.Error(diff)
		}
		if got := profile(t, s, "real"); got["plan"] != "gold" || got["city"] != "Lima" {
			t.Errorf("after an update: %v", got)
		}
		if id, err := s.ProfileOf(t.Context(), "SHOP", "2"); id != "new" {
			t.Errorf("the person belongs to %q (%v)", id, err)
		}
		again, _ := take(t, s, transfer.Import{File: file(t, "p.csv", content), Application: "SHOP", OnConflict: store.ConflictSkip})
		if diff := cmp.Diff(transfer.Counts{Unchanged: 2, Refused: 1}, again); diff != "" {
			t.Errorf("the same file again: %s", diff)
		}
		im := transfer.Import{Store: s, File: file(t, "p.csv", "id,city\nfresh,Ica\nreal,Tacna\nlater,Lima\n"), Format: transfer.FormatCSV, OnConflict: store.ConflictFail}
		p, err := im.Run(t.Context())
		if err != transfer.ErrConflict || p.Created != 1 || len(p.Refusals) != 1 || p.Refusals[0].Line != 3 {
			t.Errorf("on conflict fail: %v %+v", err, p)
		}
	})
}

func TestImportFindsPeopleByOldKeys(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		key := strings.Repeat("0123456789ABCDEF", 4)
		table := file(t, "map.csv", "oldKey,application,psid\n"+key+",SHOP,7\nprofile-9,,9\n")
		content := "userKey,firstName\n" + strings.ToLower(key) + ",Ana\nprofile-9,Eva\nunknown,Ida\n"
		counts, refusals := take(t, s, transfer.Import{File: file(t, "p.csv", content), KeysFile: table, Application: "CLUB"})
		if diff := cmp.Diff(transfer.Counts{Created: 2, Refused: 1}, counts); diff != "" || refusals[0].Line != 4 || refusals[0].Field != "userKey" {
			t.Errorf("%s%v", diff, refusals)
		}
		for lane, name := range map[gateway.Lane]string{{Application: "SHOP", Person: "7"}: "Ana", {Application: "CLUB", Person: "9"}: "Eva"} {
			id, err := s.ProfileOf(t.Context(), lane.Application, lane.Person)
			if err != nil || id == "" || profile(t, s, id)["firstName"] != name {
				t.Errorf("%v has profile %q (%v)", lane, id, err)
			}
		}
	})
}

// What one database exports is in another, after its import, to the byte.
func TestExportRoundTrips(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		content := `{"id":"a","fbMessengerIds":{"SHOP":"1","CLUB":"2"},"firstName":"Zoë","facebook":{"first_name":"Z"},"createdAt":"2024-02-03T04:05:06.789Z","updatedAt":"2025-02-03T04:05:06.000Z"}
{"id":"b@example.com","empty":"","no":null,"odd.name":"x","x:json":"y","list":[1,{"a":null}],"text":"a \"b\",\nc;d","crlf":"a\r\nb","number":1e3,"truth":false,"optInChannels":["sms"]}
{"id":"c","firstTouch":{"source":"ad"},"lastTouch":{"source":"shop"},"null":{"x":null}}
`
		take(t, s, transfer.Import{File: file(t, "p.jsonl", content)})
		want := export(t, s, transfer.FormatJSONLines)
		if strings.Count(want, "\n") != 3 || !strings.Contains(want, `"createdAt":"2024-02-03T04:05:06.789Z"`) {
			t.Fatalf("the export:\n%s", want)
		}
		for _, format := range []transfer.Format{transfer.FormatCSV, transfer.FormatJSONLines} {
			other := shops(t, storetest.SQLite(t))
			counts, refusals := take(t, other, transfer.Import{File: file(t, "again."+string(format), export(t, s, format))})
			if counts.Created != 3 {
				t.Fatalf("%s: %+v %v", format, counts, refusals)
			}
			if diff := cmp.Diff(want, export(t, other, transfer.FormatJSONLines)); diff != "" {
				t.Errorf("by %s: %s", format, diff)
			}
		}
	})
}

// A quotation mark that is never closed must not read the rest of a large file into memory.
func TestImportEndsAtARecordWithoutEnd(t *testing.T) {
	t.Parallel()
	s := shops(t, storetest.SQLite(t))
	content := "id,note\ngood,1\nbad,\"open\n" + strings.Repeat("row,1\n", transfer.MaxRecord)
	im := transfer.Import{Store: s, File: file(t, "p.csv", content), Format: transfer.FormatCSV, OnConflict: store.ConflictUpdate}
	_, err := im.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "quotation mark") {
		t.Errorf("got %v", err)
	}
}

// Import, for the figure of how many rows a second go in.
func BenchmarkImport(b *testing.B) {
	var content strings.Builder
	content.WriteString("id,fbMessengerId,firstName,lastName,email,phoneNumber,city\n")
	for i := range b.N {
		fmt.Fprintf(&content, "customer-%08d,%d,First%d,Last%d,c%d@example.com,+51%09d,Lima\n", i*7919%1e8, 4000000000000000+i, i, i, i, i)
	}
	s := shops(b, storetest.SQLite(b))
	path := file(b, "p.csv", content.String())
	b.ResetTimer()
	counts, _ := take(b, s, transfer.Import{File: path, Application: "SHOP"})
	if counts.Created != int64(b.N) {
		b.Fatalf("%+v", counts)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
