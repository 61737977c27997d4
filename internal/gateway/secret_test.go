package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const value = "EAAsecretvalue"
	s := Secret(value)
	holder := struct {
		Token Secret
		L     []Secret
	}{s, []Secret{s}}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", s, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s, "holder", holder)
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v %v", s, holder), "%+v": fmt.Sprintf("%+v %+v", s, holder), "%#v": fmt.Sprintf("%#v %#v", s, holder),
		"%s": fmt.Sprintf("<%s>", s), "%q": fmt.Sprintf("%q", s), "json": string(encoded), "log": log.String(),
	} {
		if strings.Contains(text, value) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	if s.Reveal() != value || Secret("").String() != "" {
		t.Error("Reveal or the empty secret is wrong")
	}
}
