package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated document instead of comparing it")

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := Config{
		Storage: Storage{Data: "chasqui-data"},
		Addr:    ":8080", GraphURL: "https://graph.facebook.com", GraphVersion: "v26.0", Policy: "strict", LinkURL: "https://m.me", LogLevel: "info", LogFormat: "text", Metrics: true, MetricsAddr: "127.0.0.1:9464", MaxBodies: 256 << 20,
		MaxBody: 10 << 20, LowDisk: 256 << 20, ShutdownTimeout: 20 * time.Second,
		Limits:    Limits{TextPerSecond: 300, MediaPerSecond: 10},
		Uncertain: Uncertain{Wait: 5 * time.Second, GiveUp: 10 * time.Minute, Resend: "never"},
		Scripts:   Scripts{JavaScript: "auto"},
		Sessions:  Sessions{IDClaim: "sub"},
		Retention: Retention{Events: 30, Messages: 30, Deliveries: 30},
	}
	got := Default()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEverySettingIsNamedAndExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range Settings() {
		if s.Help == "" || !strings.HasSuffix(s.Help, ".") {
			t.Errorf("%s: help %q is not a sentence", s.Name, s.Help)
		}
		for _, key := range []string{s.Name, s.Env, "--" + s.Flag} {
			if seen[key] {
				t.Errorf("%s is there twice", key)
			}
			seen[key] = true
		}
	}
	for _, want := range []string{"limits.textPerSecond", "CHASQUI_LIMITS_TEXT_PER_SECOND", "--limits-text-per-second", "publicUrl", "CHASQUI_PUBLIC_URL", "keyFile", "--key-file"} {
		if !seen[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chasqui.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	t.Parallel()
	path := writeFile(t, `{"addr":"127.0.0.1:1","logLevel":"warn","metrics":false,"limits":{"textPerSecond":12.5,"mediaPerSecond":3},"uncertain":{"wait":"1s"},"retention":{"events":0}}`)
	s, err := Read(path, []string{"HOME=/root", "CHASQUI_ADDR=127.0.0.1:2", "CHASQUI_LIMITS_MEDIA_PER_SECOND=4", "CHASQUI_TEST_POSTGRES=x", "CHASQUI_CONFIG=y", "CHASQUI_REQUIRE_BROWSER=1"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Apply()
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Addr, want.LogLevel, want.Metrics = "127.0.0.1:2", "warn", false
	want.Limits.TextPerSecond, want.Limits.MediaPerSecond = 12.5, 4
	want.Uncertain.Wait, want.Retention.Events = time.Second, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		env  string
		want string
	}{
		"unknown name":         {file: `{"adr":"x"}`, want: "adr is not a setting"},
		"unknown nested name":  {file: `{"limits":{"textPerSecnd":1}}`, want: "limits.textPerSecnd is not a setting"},
		"unknown group":        {file: `{"limit":{"textPerSecond":1}}`, want: "limit is not a setting"},
		"string for a number":  {file: `{"maxBody":"10"}`, want: "maxBody is a string"},
		"number for a string":  {file: `{"addr":8080}`, want: "addr is a number"},
		"list":                 {file: `{"addr":["x"]}`, want: "addr is neither"},
		"bad duration":         {file: `{"uncertain":{"wait":"soon"}}`, want: "uncertain.wait is not a duration"},
		"fraction":             {file: `{"retention":{"events":1.5}}`, want: "retention.events is not a whole number"},
		"not JSON":             {file: `addr: x`, want: "is not a JSON object"},
		"two values":           {file: `{} {}`, want: "more than one JSON value"},
		"unknown variable":     {env: "CHASQUI_ADDRESS=x", want: "CHASQUI_ADDRESS is not a setting"},
		"bad variable":         {env: "CHASQUI_METRICS=maybe", want: "CHASQUI_METRICS is not true or false"},
		"value not allowed":    {env: "CHASQUI_LOG_LEVEL=loud", want: `setting logLevel: "loud" is not one of`},
		"negative":             {env: "CHASQUI_RETENTION_EVENTS=-1", want: "setting retention.events: must not be negative"},
		"zero":                 {env: "CHASQUI_LIMITS_TEXT_PER_SECOND=0", want: "setting limits.textPerSecond: must be more than 0"},
		"address without port": {env: "CHASQUI_ADDR=localhost", want: "setting addr:"},
		"public address":       {env: "CHASQUI_PUBLIC_URL=chat.example.com", want: "setting publicUrl:"},
		"other database":       {env: "CHASQUI_STORE=mysql://root:hunter2@db", want: "setting store:"},
		"certificate alone":    {env: "CHASQUI_TLS_CERT=/x", want: "setting tlsCert:"},
		"graph version":        {env: "CHASQUI_GRAPH_VERSION=26", want: "setting graphVersion:"},
		"address with secret":  {env: "CHASQUI_GRAPH_URL=https://a:hunter2@b", want: "setting graphUrl:"},
		"disk zero is allowed": {env: "CHASQUI_LOW_DISK=0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := ""
			if c.file != "" {
				path = writeFile(t, c.file)
			}
			s, err := Read(path, []string{c.env})
			if err == nil {
				_, err = s.Apply()
			}
			switch {
			case c.want == "" && err != nil:
				t.Errorf("err = %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("err = %v, want %q in it", err, c.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json"), nil); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing file: err = %v", err)
	}
}

func TestDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	const path = "../../docs/configuration.md"
	want := Document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/configuration.md is out of date, run `go test ./internal/config -run Document -update` (-want +got):\n%s", diff)
	}
}
