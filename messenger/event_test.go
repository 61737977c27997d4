package messenger_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/messenger"
)

// sampleMessage is the message of a sample delivery.
func sampleMessage(t *testing.T, name string) *messenger.InboundMessage {
	t.Helper()
	body, err := os.ReadFile("testdata/payloads/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	w, err := messenger.Parse(body)
	if err != nil || len(w.Events) != 1 || w.Events[0].Message == nil {
		t.Fatalf("%s: %d events, error %v", name, len(w.Events), err)
	}
	return w.Events[0].Message
}

func TestErasOfMessages(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]messenger.StickerID{
		"messages__sticker_like_small":      messenger.StickerLikeSmall,
		"messages__sticker_payload_only":    messenger.StickerLikeSmall,
		"messages__sticker_attachment_2026": messenger.StickerLikeSmall,
		"messages__text":                    "",
		"messages__attachment_image":        "",
	} {
		if got := sampleMessage(t, name).Sticker(); got != want {
			t.Errorf("%s: sticker %q", name, got)
		}
	}
	for name, want := range map[string][2]string{
		"messages__attachment_fallback_old": {"A link of old", "https://cdn.example/a/19c742"},
		"messages__text_with_fallback_url":  {"Cusco blend, 250 g", "https://cdn.example/a/56dafe"},
	} {
		title, url := sampleMessage(t, name).Attachments[0].Link()
		if diff := cmp.Diff(want, [2]string{title, url}); diff != "" {
			t.Errorf("%s: link (-want +got):\n%s", name, diff)
		}
	}
	if title, url := sampleMessage(t, "messages__attachment_fallback_v6").Attachments[0].Link(); title == "" || url == "" {
		t.Errorf("link since v6.0: %q, %q", title, url)
	}
}

func TestAnalysis(t *testing.T) {
	t.Parallel()
	nlp, err := sampleMessage(t, "messages__nlp_three_entities").Analysis()
	if err != nil || nlp.Entities["amount_of_money"][0].Text() != "50" || nlp.Entities["amount_of_money"][0].Unit != "$" || nlp.Entities["datetime"][0].Values[0].Grain != "hour" {
		t.Errorf("analysis %+v, error %v", nlp, err)
	}
	nlp, err = sampleMessage(t, "messages__nlp_error").Analysis()
	if err != nil || len(nlp.Errors) != 1 || nlp.Errors[0].Code != "msg-invalid" {
		t.Errorf("analysis %+v, error %v", nlp, err)
	}
	if nlp, err := sampleMessage(t, "messages__text").Analysis(); err != nil || nlp.Entities != nil {
		t.Errorf("analysis %+v, error %v", nlp, err)
	}
}

// TestEventsWithoutSamples reads what no public sample shows.
func TestEventsWithoutSamples(t *testing.T) {
	t.Parallel()
	event := func(members string) messenger.Event {
		t.Helper()
		w, err := messenger.Parse([]byte(`{"object":"page","entry":[{"id":"7","time":1700000000000,"messaging":[{"sender":{"id":"42"},"recipient":{"id":"7"},` + members + `}]}]}`))
		if err != nil || len(w.Events) != 1 || w.Events[0].Problem != nil {
			t.Fatalf("%s: events %+v, error %v", members, w.Events, err)
		}
		return w.Events[0]
	}
	feedback := event(`"messaging_feedback":{"feedback_screens":[{"screen_id":0,"questions":{"q1":{"type":"csat","payload":"4","follow_up":{"type":"free_form","payload":"Quick!"}}}}]}`)
	answer := feedback.MessagingFeedback.FeedbackScreens[0].Questions["q1"]
	if feedback.Kind != messenger.KindMessagingFeedback || answer.Payload != "4" || answer.FollowUp.Payload != "Quick!" {
		t.Errorf("feedback %+v", feedback.MessagingFeedback)
	}
	for _, tags := range []string{`{"source":"customer_chat_plugin"}`, `[{"source":"customer_chat_plugin"}]`} {
		if got := event(`"message":{"mid":"m","text":"Hi","tags":` + tags + `}`).Message.Source(); got != "customer_chat_plugin" {
			t.Errorf("source %q of %s", got, tags)
		}
	}
	if ev := event(`"pre_checkout":{"payload":"p","amount":{"currency":"USD","amount":"29.62"}}`); ev.Kind != messenger.KindPreCheckout || ev.PreCheckout.Payload != "p" {
		t.Errorf("pre-checkout %+v", ev.PreCheckout)
	}
	commands := event(`"message":{"mid":"m","text":"/hours","commands":[{"name":"hours"}]}`).Message.Commands
	if len(commands) != 1 || commands[0].Name != "hours" {
		t.Errorf("commands %+v", commands)
	}
	// What most messages are is read without encoding/json: it must read the same.
	for text, want := range map[string]string{`plain`: "plain", `caf\u00e9 \ud83d\ude00`: "café 😀", `mañana ☕`: "mañana ☕", `a\u0000b`: "a\x00b", `\"`: `"`} {
		if got := event(`"message":{"mid":"m","text":"` + text + `"}`).Message.Text; got != want {
			t.Errorf("text %q read as %q", text, got)
		}
	}
}

func TestParseAllocatesLittle(t *testing.T) {
	body := []byte(textEvent)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := messenger.Parse(body); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 20 {
		t.Errorf("%v allocations for one text message", allocations)
	}
}
