package messenger_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// webhookSamples are the bodies of all sample deliveries, by file name.
func webhookSamples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/payloads/*.json")
	if err != nil || len(files) < 90 {
		t.Fatalf("sample payloads: %d files, error %v", len(files), err)
	}
	samples := map[string][]byte{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.HasPrefix(name, "api__") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		samples[name] = body
	}
	return samples
}

func decodeAny(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %s: %v", b, err)
	}
	return v
}

func TestParseRoundTrip(t *testing.T) {
	t.Parallel()
	for name, body := range webhookSamples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := messenger.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			if name == "subscriptions_sample__test_event" {
				if len(w.Events) != 1 || w.Events[0].Change.Field != "messages" || w.Events[0].PageID != "PAGE_ID" {
					t.Fatalf("test event read as %+v", w.Events)
				}
				return
			}
			built, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flatten(t, body), flatten(t, built)); diff != "" {
				t.Errorf("rebuilt delivery differs (-received +rebuilt):\n%s", diff)
			}
		})
	}
}

// flatten gives each event of a delivery an entry of its own.
func flatten(t *testing.T, body []byte) []any {
	t.Helper()
	delivery := scalars(decodeAny(t, body)).(map[string]any)
	flat := []any{delivery["object"]}
	for _, entry := range delivery["entry"].([]any) {
		known := false
		for _, channel := range []string{"messaging", "standby", "changes"} {
			events, _ := entry.(map[string]any)[channel].([]any)
			for _, ev := range events {
				known = true
				flat = append(flat, []any{entry.(map[string]any)["id"], entry.(map[string]any)["time"], channel, ev})
			}
		}
		if !known {
			flat = append(flat, entry)
		}
	}
	return flat
}

// TestTypedRoundTrip rebuilds each event from its typed fields alone, to find
// what the types would lose.
func TestTypedRoundTrip(t *testing.T) {
	t.Parallel()
	lossy := map[string]string{
		"edge__unknown_messaging_entry":                      "an event with nothing in it gets the entry's time",
		"messages__multi_attachment_prior":                   "the key URL in capitals is read as url",
		"message_echoes__receipt_template":                   "url null is left out",
		"messages__text_with_fallback_url":                   "the key URL in capitals is read as url",
		"messaging_policy_enforcement__block_hyphen":         "the hyphen becomes an underscore",
		"messaging_policy_enforcement__unblock_hyphen":       "the hyphen becomes an underscore",
		"messaging_handovers__pass_thread_control_idle":      "a null owner is left out",
		"messaging_postbacks__customer_chat_plugin_user_ref": "a null ref and an empty title are left out",
		"messaging_referrals__timestamp_in_seconds":          "seconds become milliseconds",
	}
	for name, body := range webhookSamples(t) {
		if lossy[name] != "" || strings.HasPrefix(name, "edge__") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := messenger.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range w.Events {
				want := scalars(decodeAny(t, ev.Raw))
				if ev.Problem != nil {
					t.Errorf("problem: %v", ev.Problem)
				}
				ev.Raw = nil
				built, err := json.Marshal(ev)
				if err != nil {
					t.Fatal(err)
				}
				got := scalars(decodeAny(t, built))
				if m, ok := want.(map[string]any); ok && m["timestamp"] == nil {
					delete(got.(map[string]any), "timestamp")
				} else if ok && len(m["timestamp"].(string)) <= 10 {
					m["timestamp"] = m["timestamp"].(string) + "000"
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("typed event differs (-received +typed):\n%s", diff)
				}
			}
		})
	}
}

// scalars turns every number and every truth value into its text, since ids may
// be either, and forms have text alone.
func scalars(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = scalars(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = scalars(v[i])
		}
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return v
}

// TestEveryFieldHasASample looks at what the samples say they are and what they
// are read as.
func TestEveryFieldHasASample(t *testing.T) {
	t.Parallel()
	kinds := map[string][]messenger.Kind{
		"messages":                     {messenger.KindMessage},
		"message_echoes":               {messenger.KindEcho, messenger.KindMessage},
		"message_deliveries":           {messenger.KindDelivery},
		"message_reads":                {messenger.KindRead},
		"message_edits":                {messenger.KindEdit},
		"message_reactions":            {messenger.KindReaction},
		"messaging_postbacks":          {messenger.KindPostback},
		"messaging_referrals":          {messenger.KindReferral},
		"messaging_optins":             {messenger.KindOptin, messenger.KindMessageRequest},
		"messaging_handovers":          {messenger.KindPassThreadControl, messenger.KindTakeThreadControl, messenger.KindRequestThreadControl, messenger.KindAppRoles},
		"messaging_policy_enforcement": {messenger.KindPolicyEnforcement},
		"messaging_account_linking":    {messenger.KindAccountLinking},
		"messaging_game_plays":         {messenger.KindGamePlay},
		"messaging_payments":           {messenger.KindPayment},
		"messaging_checkout_updates":   {messenger.KindCheckoutUpdate},
		"response_feedback":            {messenger.KindResponseFeedback},
		"standby":                      {messenger.KindEcho, messenger.KindPostback},
		"feed":                         {messenger.KindUnknown},
		"leadgen":                      {messenger.KindUnknown},
		"subscriptions_sample":         {messenger.KindUnknown},
		"edge":                         {messenger.KindUnknown},
	}
	field := regexp.MustCompile(`__.*`)
	for name, body := range webhookSamples(t) {
		want, known := kinds[field.ReplaceAllString(name, "")]
		if !known {
			t.Errorf("%s: no kind expected for it", name)
		}
		w, err := messenger.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range w.Events {
			found := false
			for _, k := range want {
				found = found || k == ev.Kind
			}
			if !found || ev.Kind != ev.Keys().Kind {
				t.Errorf("%s: kind %s (keys: %s), want one of %v", name, ev.Kind, ev.Keys().Kind, want)
			}
		}
	}
}

func TestParseProblem(t *testing.T) {
	t.Parallel()
	body := `{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"message":{"mid":"m","text":{"no":"text"}}}]}]}`
	w, err := messenger.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	ev := w.Events[0]
	if ev.Kind != messenger.KindMessage || ev.Problem == nil || ev.Sender.ID != "2" || len(ev.Raw) == 0 {
		t.Errorf("event of an unexpected shape: kind %s, problem %v", ev.Kind, ev.Problem)
	}
	body = `{"object":"page","entry":[{"id":"1","messaging":[{"sender":{"id":{"no":"id"}},"recipient":{"ID":"1","name":"x"},"message":{"mid":"m"}}]}]}`
	if w, err = messenger.Parse([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if ev := w.Events[0]; ev.Problem == nil || ev.Recipient.ID != "1" || ev.Message.MID != "m" {
		t.Errorf("event of an unexpected sender: %+v, problem %v", ev.Recipient, ev.Problem)
	}
	if _, err := messenger.Parse([]byte("not json")); err == nil {
		t.Error("a body that is not JSON was parsed")
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range webhookSamples(f) {
		f.Add(body)
	}
	f.Add([]byte(`{"object":"page","entry":[{"id":1,"messaging":[5,null,{"message":"x"},{"message":{"mid":[]}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := messenger.Parse(body)
		if (err == nil) != json.Valid(body) {
			t.Fatalf("valid JSON: %v, error: %v", json.Valid(body), err)
		}
		total := 0
		for _, ev := range w.Events {
			total += len(ev.Raw)
			if !json.Valid(ev.Raw) {
				t.Fatalf("event is not JSON: %q", ev.Raw)
			}
			ev.Person()
			sameMessage(t, ev)
		}
		if total > len(body) {
			t.Fatalf("events hold %d bytes of a body of %d", total, len(body))
		}
		// Splitting is not limited to valid JSON once an envelope was stored and read back.
		messenger.Envelope{Raw: body}.Keys()
		messenger.Envelope{Raw: body, Channel: messenger.ChannelChanges}.Event()
	})
}

// sameMessage holds that a message reads the same, whichever way it was read.
func sameMessage(t *testing.T, ev messenger.Event) {
	t.Helper()
	if ev.Message == nil || ev.Problem != nil || ev.Channel == messenger.ChannelChanges || strings.Count(strings.ToLower(string(ev.Raw)), `message"`) != 1 {
		return
	}
	var whole struct {
		Message *messenger.InboundMessage `json:"message"`
	}
	if err := json.Unmarshal(ev.Raw, &whole); err != nil {
		return
	}
	if diff := cmp.Diff(whole.Message, ev.Message); diff != "" {
		t.Fatalf("message of %s (-encoding/json +parsed):\n%s", ev.Raw, diff)
	}
}
